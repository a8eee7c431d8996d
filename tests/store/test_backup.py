"""Copies of the store, and putting one back."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.store import backup, notes, people
from crmmail.store.database import Store, StoreError
from crmmail.store.dump import dump
from crmmail.store.kinds import Kind


def said(path: Path) -> list[str]:
    """What a store says."""
    store = Store(path)
    try:
        return list(dump(store.read()))
    finally:
        store.close()


def test_a_backup_made_while_the_store_is_written_says_the_same(
    store: Store, tmp_path: Path
) -> None:
    people.create(store, "Ada", ["ada@acme.example"])
    to = tmp_path / "copy.db"
    with store.write() as (db, _):  # not committed: no part of the copy
        db.execute("INSERT INTO blocklist VALUES ('@half.example')")
        backup.save(store.path, to)
    before = list(dump(store.read()))
    assert [line for line in before if "half.example" not in line] == said(to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600


def test_a_backup_has_nothing_of_what_was_deleted(store: Store, tmp_path: Path) -> None:
    person = people.create(store, "Ada", ["ada@acme.example"])
    note = notes.add(store, Kind.PERSON, person, "a word that must go: xylophone")
    notes.delete(store, note)
    backup.save(store.path, tmp_path / "copy.db")
    assert b"xylophone" not in (tmp_path / "copy.db").read_bytes()


def test_a_copy_is_never_written_over(store: Store, tmp_path: Path) -> None:
    backup.save(store.path, tmp_path / "copy.db")
    before = (tmp_path / "copy.db").read_bytes()
    with pytest.raises(StoreError, match="exists"):
        backup.save(store.path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == before


def test_a_copy_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no folder"):
        backup.save(store.path, tmp_path / "no such folder" / "copy.db")
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_restore_brings_the_backup_and_keeps_the_store(store: Store, tmp_path: Path) -> None:
    people.create(store, "Ada", ["ada@acme.example"])
    copy = tmp_path / "copy.db"
    backup.save(store.path, copy)
    people.create(store, "Bob", ["bob@acme.example"])
    later = list(dump(store.read()))
    store.close()
    kept = backup.restore(copy, store.path)
    assert kept is not None
    assert said(store.path) == said(copy)
    assert said(kept) == later
    assert {path.name for path in store.path.parent.glob(".*")} == set()


def test_a_backup_of_an_older_crmmail_is_brought_up_to_date(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "old.db"
    older = sqlite3.connect(copy)
    script = (Path(backup.__file__).parent / "migrations" / "0001_mail.sql").read_text()
    older.executescript(f"{script}; PRAGMA user_version = 1;")
    older.execute("INSERT INTO blocklist VALUES ('@old.example')")
    older.commit()
    older.close()
    store.close()
    backup.restore(copy, store.path)
    again = Store(store.path)
    assert again.read().execute("SELECT pattern FROM blocklist").fetchall() == [("@old.example",)]
    again.close()


@pytest.mark.parametrize("kind", ["missing", "text", "other tables", "newer", "damaged"])
def test_what_is_no_backup_is_refused_and_the_store_is_as_it_was(
    store: Store, tmp_path: Path, kind: str
) -> None:
    people.create(store, "Ada", ["ada@acme.example"])
    before = list(dump(store.read()))
    file = tmp_path / "file.db"
    if kind == "text":
        file.write_text("no database at all, but long enough to have a header of its own" * 9)
    elif kind == "other tables":
        with closing(sqlite3.connect(file)) as db:
            db.execute("CREATE TABLE account (x)")
    elif kind == "newer":
        backup.save(store.path, file)
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            db.execute("PRAGMA user_version = 999")
    elif kind == "damaged":
        backup.save(store.path, file)
        whole = bytearray(file.read_bytes())
        whole[8_192:60_000] = b"\xff" * (60_000 - 8_192)
        file.write_bytes(whole)
    store.close()
    with pytest.raises(StoreError):
        backup.restore(file, store.path)
    assert said(store.path) == before
    assert list(store.path.parent.glob(".*")) == []
