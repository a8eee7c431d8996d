"""A damaged store: it is found, read as far as that goes, and built anew from what was there."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import (
    backup,
    checking,
    daily,
    files,
    handmade,
    locks,
    mail_rules,
    notes,
    people,
    salvage,
    trouble,
)
from crmmail.store.database import Notice, Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import DamagedError, InUseError, StoreError

from .conftest import Filler, World


def pages(path: Path, table: str) -> tuple[list[int], int]:
    """The pages of a table, and the size of a page."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        found = db.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY path", [table])
        return [page for (page,) in found], size


def damage(path: Path, numbers: list[int], size: int) -> None:
    """Overwrite pages of a file."""
    with path.open("r+b") as file:
        for page in numbers:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)


def texts(path: Path) -> set[str]:
    """The notes in a store."""
    with closing(sqlite3.connect(path)) as db:
        return {text for (text,) in db.execute("SELECT text FROM note")}


@pytest.fixture
def written(store: Store, world: World) -> World:
    """A world with notes that fill many pages, a rule, an edit; the store is closed."""
    for number in range(40):
        notes.add(store, Kind.PERSON, world.anna, f"note {number} " + "word " * 500)
    people.edit(store, world.anna, job="CEO")
    mail_rules.block(store, "@spam.example")
    store.close()
    return world


def test_all_of_an_undamaged_store_is_read(store: Store, written: World) -> None:
    before = store.path.read_bytes()
    found, whole = salvage.salvage(store.path, 5)
    assert whole
    assert len(found["notes"]) == 40
    again = Store(store.path)
    assert found == handmade.collect(again.read(), 5)
    again.close()
    assert store.path.read_bytes() == before


def test_rows_before_and_behind_a_damaged_page_are_read(store: Store, written: World) -> None:
    found, size = pages(store.path, "note")
    damage(store.path, [found[len(found) // 2]], size)
    document, whole = salvage.salvage(store.path, 5)
    assert not whole
    assert 20 <= len(document["notes"]) < 40
    assert [row["job"] for row in document["people"] if row["name"] == "Anna Berg"] == ["CEO"]


def test_a_rebuild_takes_what_can_be_read_and_the_rest_of_the_daily_backup(
    store: Store, written: World
) -> None:
    again = Store(store.path)
    daily.daily(again)
    notes.add(again, Kind.PERSON, written.zoe, "after the backup")
    again.close()
    before = texts(store.path)
    found, size = pages(store.path, "note")
    damage(store.path, [found[1], *pages(store.path, "message_text")[0]], size)
    with pytest.raises(DamagedError):
        Store(store.path)
    done = repairing.rebuild(store.path)
    assert not done.whole
    assert done.backup is not None
    assert texts(store.path) == before
    new = Store(store.path)
    assert people.get(new.read(), 1) is not None
    assert mail_rules.blocked(new.read()) == ["@spam.example"]
    assert checking.look(new)
    new.close()
    assert done.kept is not None
    assert done.kept in [one.path for one in files.copies_of(store.path)]


def test_a_store_of_which_nothing_can_be_read_is_built_from_the_daily_backup(
    store: Store, written: World
) -> None:
    again = Store(store.path)
    daily.daily(again)
    again.close()
    before = texts(store.path)
    store.path.write_bytes(b"\xa5" * 100_000)
    done = repairing.rebuild(store.path)
    assert (done.whole, done.counts["notes"]) == (False, 40)
    assert texts(store.path) == before


def test_the_damaged_store_is_kept_with_its_log(store: Store, written: World) -> None:
    log = store.path.with_name("crmmail.db-wal")
    log.write_bytes(b"\xa5" * 8_192)
    store.path.write_bytes(b"\xa5" * 4_096)
    done = repairing.rebuild(store.path)
    assert done.kept is not None
    assert done.kept.read_bytes() == b"\xa5" * 4_096
    assert done.kept.with_name(f"{done.kept.name}-wal").read_bytes() == b"\xa5" * 8_192
    Store(store.path).close()


def test_a_rebuild_waits_for_whoever_uses_the_store(store: Store, world: World) -> None:
    with pytest.raises(InUseError):
        repairing.rebuild(store.path)
    assert store.read().execute("SELECT count(*) FROM person").fetchone() == (3,)


def test_a_file_that_was_imported_is_in_the_new_store(store: Store, fill: Filler) -> None:
    from crmmail.store import calendars
    from crmmail.sync.importing import import_file

    fill.account()
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:one@x\r\nDTSTART:20260314T090000Z\r\n"
        "DTEND:20260314T100000Z\r\nSUMMARY:The visit\r\nATTENDEE:mailto:anna@acme.com\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    import_file(store, "Holidays", event.encode())
    titles = "SELECT title FROM meeting"
    assert store.read().execute(titles).fetchall() == [("The visit",)]
    store.close()
    repairing.rebuild(store.path)
    new = Store(store.path)
    assert new.read().execute(titles).fetchall() == [("The visit",)]
    assert [row.name for row in calendars.rows(new.read())] == ["Holidays"]
    new.close()


class TestChecking:
    """Damage in the middle of the file, which the start does not see."""

    def test_it_is_found_and_reported(self, store: Store, written: World) -> None:
        found, size = pages(store.path, "note")
        damage(store.path, [found[-1]], size)
        again = Store(store.path)
        heard: list[Notice] = []
        again.subscribe(heard.append)
        assert not checking.look(again)
        assert isinstance(again.trouble, DamagedError)
        assert [notice.topics for notice in heard] == [frozenset({"trouble"})]
        again.close()

    def test_a_store_without_damage_has_none(self, store: Store, world: World) -> None:
        assert checking.look(store)
        assert store.trouble is None


@pytest.mark.parametrize("damaged", [False, True])
def test_a_daily_backup_goes_into_the_store_that_is_there(
    store: Store, written: World, damaged: bool
) -> None:
    again = Store(store.path)
    made = daily.daily(again)
    assert made is not None
    for one in notes.of_record(again.read(), Kind.PERSON, written.anna)[:30]:
        notes.delete(again, one.id)
    again.close()
    if damaged:
        store.path.write_bytes(store.path.read_bytes()[:5_000])
        with pytest.raises(StoreError):
            repairing.put_back(made, store.path)
        return
    counts, saved = repairing.put_back(made, store.path)
    assert counts["notes"] == 30
    assert saved is not None
    assert len(daily.read(saved)["notes"]) == 10


def test_a_company_whose_domains_are_not_read_has_those_of_its_people(
    store: Store, written: World
) -> None:
    """The import would make it a second time: it knows companies by their domains."""
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("DELETE FROM company_domain")  # as where its only page is damaged
        db.commit()
    damage(store.path, *pages(store.path, "note"))
    document, whole = salvage.salvage(store.path, 5)
    assert not whole
    domains = {row["name"]: row["domains"] for row in document["companies"]}
    assert domains["Acme"] == ["acme.com"]
    repairing.rebuild(store.path)
    with closing(sqlite3.connect(store.path)) as db:
        rows = db.execute(
            "SELECT name, domain FROM company LEFT JOIN company_domain ON company_id = company.id"
        ).fetchall()
    assert ("Acme", "acme.com") in rows
    assert (None,) not in [row[1:] for row in rows]


def test_a_rebuild_names_the_time_at_which_the_backup_was_made(
    store: Store, written: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rebuild makes the backup of today anew, so the file's own time is later."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    now = int(time.time()) // 86_400 * 86_400
    again = Store(store.path)
    daily.daily(again, now)
    again.close()
    damage(store.path, *pages(store.path, "note"))
    done = repairing.rebuild(store.path)
    assert done.made_at == now
    at = time.strftime("%Y-%m-%d 00:00", time.gmtime(now))
    assert f"what was made after {at} may be missing" in repairing.lost(done)
    monkeypatch.undo()
    time.tzset()


def test_a_daily_backup_that_is_damaged_too_is_not_said_to_have_had_the_rest(
    store: Store, written: World
) -> None:
    again = Store(store.path)
    path = daily.daily(again)
    again.close()
    assert path is not None
    path.write_bytes(b"\xa5" * 100)
    damage(store.path, *pages(store.path, "note"))
    done = repairing.rebuild(store.path)
    assert done.backup is None
    assert "no daily backup that could be" in repairing.lost(done)


def test_a_backup_names_the_disk_that_is_full(
    store: Store, written: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite needs room beside the store to read it; the disk of the copy has plenty."""

    def fail(source: Path, to: Path) -> None:
        problem = sqlite3.OperationalError("disk I/O error")
        problem.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
        raise problem

    monkeypatch.setattr(files, "copy_whole", fail)
    monkeypatch.setattr(backup, "is_full", lambda path: path == store.path)
    monkeypatch.setattr(trouble, "_free", lambda path: 0 if path == store.path else 10**9)
    with pytest.raises(StoreError) as told:
        backup.save(store.path, tmp_path / "copy.db")
    assert str(store.path) in str(told.value)
    assert "is full" in str(told.value)


def test_a_lock_file_that_cannot_be_made_is_told_in_a_sentence(
    store: Store, written: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is mounted read-only: a backup has no other words than other commands."""

    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(locks.os, "open", refuse)
    with pytest.raises(StoreError) as told:
        backup.save(store.path, tmp_path / "copy.db")
    assert str(told.value) == f"{store.path} cannot be written."
    assert told.value.hint
