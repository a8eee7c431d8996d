"""What leaves the store for good leaves every copy that crmmail made of it."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.store import (
    backup,
    copies,
    daily,
    files,
    forgetting,
    handmade,
    levels,
    merging,
    notes,
    opening,
    people,
)
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import StoreError

from .conftest import Filler, World


def everything(store: Store) -> dict[str, bytes]:
    """Each file in the store's folder and below, unpacked where it is packed."""
    found = {}
    for path in store.path.parent.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found[path.name] = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return found


def holding(store: Store, *words: str) -> list[str]:
    """The files in which one of these words is."""
    wanted = [word.encode() for word in words]
    return sorted(
        name for name, data in everything(store).items() if any(word in data for word in wanted)
    )


@pytest.fixture
def copied(store: Store, world: World, fill: Filler) -> World:
    """A world that is in every kind of copy."""
    people.edit(store, world.anna, job="CEO")
    people.edit(store, world.zoe, job="Engineer")
    notes.add(store, Kind.PERSON, world.anna, "Likes xylophones.")
    notes.add(store, Kind.PERSON, world.zoe, "Likes tea.")
    for ending in ("before-restore", "kept-2026-03-14-090000", "damaged-2026-03-14-090000"):
        files.copy_whole(store.path, store.path.with_name(f"{store.path.name}.{ending}"))
    files.copy_whole(store.path, store.path.with_name(f"{store.path.name}.before-7"))
    files.copy_whole(store.path, store.path.with_name(f".{store.path.name}.part"))
    daily.daily(store)
    daily.save(store)
    return world


def lowered(store: Store, level: int) -> None:
    """What the sync does when an account's level was lowered."""
    with store.write() as (db, change):
        db.execute("UPDATE account SET mail_level = ?", [level])
        ids = [one for (one,) in db.execute("SELECT id FROM message")]
        levels.lower(db, change, ids)
    assert levels.wipe(store)


class TestVisibility:
    """Lowering a level."""

    def test_no_copy_has_a_text_or_a_subject_any_more(self, store: Store, copied: World) -> None:
        assert len(holding(store, "the first offer", "Grüße", "Visit")) >= 6
        lowered(store, 0)
        assert holding(store, "the first offer", "Grüße", "Visit", "see you") == []

    def test_what_was_made_by_hand_is_kept_of_each_copy(self, store: Store, copied: World) -> None:
        lowered(store, 0)
        kept = [one for one in files.copies_of(store.path) if one.name.startswith("kept-")]
        assert len(kept) == 3
        for one in kept:
            texts = {row["text"] for row in daily.read(one.path)["notes"]}
            assert texts == {"Likes xylophones.", "Likes tea."}
        assert not any(one.is_store for one in files.copies_of(store.path))

    def test_done_in_two_parts_it_is_done(
        self, store: Store, copied: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A copy that cannot be reduced today, as on a full disk, is reduced by the next pass."""
        write = daily.write

        def full(*_values: object) -> Path:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(daily, "write", full)
        with pytest.raises(AssertionError):
            lowered(store, 0)
        assert "crmmail.db.kept-2026-03-14-090000" in holding(store, "the first offer")
        monkeypatch.setattr(daily, "write", write)
        assert levels.wipe(store)
        assert holding(store, "the first offer", "Visit") == []

    def test_a_second_name_of_the_store_itself_is_only_taken_away(
        self, store: Store, copied: World
    ) -> None:
        """A restore that was killed between its two steps leaves one."""
        name = store.path.with_name(f"{store.path.name}.kept-2026-04-01-090000")
        os.link(store.path, name)
        lowered(store, 0)
        assert not name.exists()
        assert store.read().execute("PRAGMA integrity_check").fetchone() == ("ok",)


class TestForgetting:
    """Somebody is forgotten."""

    def test_no_copy_tells_of_them_any_more(self, store: Store, copied: World) -> None:
        forgetting.forget(store, "anna@acme.com")
        traces = ("anna@acme.com", "anna@mail.example", "Anna Berg", "xylophone", "first offer")
        assert holding(store, *traces) == []

    def test_who_was_merged_into_them_leaves_too(self, store: Store, copied: World) -> None:
        merging.merge(store, Kind.PERSON, copied.anna, copied.zoe)
        daily.save(store)
        forgetting.forget(store, "anna@acme.com")
        assert holding(store, "Anna Berg", "Engineer", "Likes tea", "zoe@") == []
        left = "SELECT count(*) FROM person WHERE deleted_at > 0"
        assert store.read().execute(left).fetchone() == (0,)

    def test_a_backup_of_a_newer_version_stays(self, store: Store, copied: World) -> None:
        newer = daily.save(store)
        document = daily.read(newer) | {"version": handmade.VERSION + 1}
        newer.write_bytes(gzip.compress(json.dumps(document).encode()))
        broken = newer.with_name("daily-2026-01-01.json.gz")
        broken.write_bytes(b"\x1f\x8bnothing")
        forgetting.forget(store, "anna@acme.com")
        assert newer.exists()
        assert not broken.exists()

    def test_others_are_in_the_backups_still(self, store: Store, copied: World) -> None:
        forgetting.forget(store, "anna@acme.com")
        for one in files.copies_of(store.path):
            assert "Likes tea." in {row["text"] for row in daily.read(one.path)["notes"]}, one.name

    def test_a_copy_of_an_older_version_is_read_too(self, store: Store, world: World) -> None:
        older = store.path.with_name(f"{store.path.name}.kept-2026-01-01-000000")
        with closing(sqlite3.connect(older)) as db:
            db.executescript(f"{opening.migrations()[1]}; PRAGMA user_version = 1;")
            db.execute("INSERT INTO person (id, name) VALUES (7, 'Old Friend')")
            db.execute(
                "INSERT INTO note (kind, record_id, text, created_at, changed_at) "
                "VALUES (1, 7, 'from long ago', 5, 5)"
            )
            db.commit()
        forgetting.forget(store, "anna@acme.com")
        (kept,) = files.copies_of(store.path)
        found = daily.read(kept.path)
        assert [row["text"] for row in found["notes"]] == ["from long ago"]
        assert [row["name"] for row in found["people"]] == ["Old Friend"]

    def test_a_damaged_copy_does_not_keep_what_must_go(self, store: Store, copied: World) -> None:
        path = store.path.with_name(f"{store.path.name}.kept-2026-03-14-090000")
        with path.open("r+b") as file:
            file.write(b"\xa5" * 4_096)
        (broken,) = store.path.parent.rglob("daily-*.json.gz")
        broken.write_bytes(broken.read_bytes()[:-20])
        forgetting.forget(store, "anna@acme.com")
        assert holding(store, "anna@acme.com", "first offer", "xylophone") == []
        assert not broken.exists()

    def test_killed_on_the_way_the_next_pass_goes_on(self, store: Store, copied: World) -> None:
        """kill -9 as a copy is taken away, and then the pass that follows."""
        store.close()
        script = (
            "import os, pathlib, signal, sys\n"
            "from crmmail.store import files, forgetting\n"
            "from crmmail.store.database import Store\n"
            "real, count = files.remove, 0\n"
            "def remove(path):\n"
            "    global count\n"
            "    count += '.kept-' in path.name\n"
            "    if count == 1: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    real(path)\n"
            "files.remove = remove\n"
            "forgetting.forget(Store(pathlib.Path(sys.argv[1])), 'anna@acme.com')\n"
        )
        ended = subprocess.run([sys.executable, "-c", script, str(store.path)], check=False)
        assert ended.returncode == -9
        again = Store(store.path)
        assert levels.wipe(again)
        again.close()
        assert holding(store, "anna@acme.com", "first offer", "xylophone") == []


def test_a_copy_can_be_removed_by_its_name(store: Store, copied: World) -> None:
    before = {one.name for one in files.copies_of(store.path)}
    copies.remove(store.path, "crmmail.db.before-restore")
    assert before - {one.name for one in files.copies_of(store.path)} == {
        "crmmail.db.before-restore"
    }
    with pytest.raises(StoreError, match="There is no copy"):
        copies.remove(store.path, "crmmail.db")
    assert store.path.exists()


def test_backups_that_the_user_made_are_known_with_what_became_of_them(
    store: Store, tmp_path: Path
) -> None:
    here, away = tmp_path / "here.db", tmp_path / "away.db"
    for path in (here, away):
        backup.save(store.path, path)
        copies.note_made(store.path, path)
    away.rename(tmp_path / "moved.db")
    assert [(one.path, one.is_there) for one in copies.made(store.path)] == [
        (here, True),
        (away, False),
    ]
