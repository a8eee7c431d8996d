"""What leaves the store for good leaves every copy that crmmail made of it."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import threading
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
    locks,
    merging,
    notes,
    opening,
    people,
)
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import StoreError
from tests.mounts import NEEDS, SMALL_DISK, can_mount, run_on
from tests.patience import PATIENCE

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
    assert levels.wipe(store) is None


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
        assert levels.wipe(store) is None
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
        assert levels.wipe(again) is None
        again.close()
        assert holding(store, "anna@acme.com", "first offer", "xylophone") == []

    def test_each_backup_knows_at_once_who_was_forgotten(
        self, store: Store, copied: World, tmp_path: Path
    ) -> None:
        """So that a store that is built anew from it keeps them out."""
        forgetting.forget(store, "anna@acme.com")
        found = [daily.read(one.path) for one in files.copies_of(store.path)]
        assert len(found) == 5
        for document in found:
            known = document["forgotten"]
            assert forgetting.is_forgotten("anna@acme.com", known)
            assert forgetting.is_forgotten("anna@mail.example", known)

    def test_on_a_full_disk_a_backup_is_made_anew_in_its_own_room(
        self, store: Store, copied: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = daily.write

        def full(document: handmade.Document, path: Path) -> Path:
            if path.exists():  # there is no room for two of them
                raise OSError(28, "No space left on device")
            return write(document, path)

        monkeypatch.setattr(daily, "write", full)
        assert forgetting.forget(store, "anna@acme.com").remains is None
        assert holding(store, "anna@acme.com", "Anna Berg", "xylophone") == []
        for one in files.copies_of(store.path):
            assert "Likes tea." in {row["text"] for row in daily.read(one.path)["notes"]}, one.name

    def test_where_there_is_no_room_at_all_a_backup_goes_and_a_kept_store_is_named(
        self, store: Store, copied: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_values: object) -> Path:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(daily, "write", full)
        said = forgetting.forget(store, "anna@acme.com").remains
        assert said is not None
        assert "still contain what was deleted from the store: The disk of" in str(said)
        left = [one.name for one in files.copies_of(store.path)]
        assert left == [one for one in left if one in str(said)]
        assert all(one.startswith("crmmail.db.") for one in left)
        assert "crmmail backup --remove crmmail.db." in said.hint

    def test_a_store_that_cannot_be_read_for_want_of_room_is_not_deleted(
        self, store: Store, copied: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was made by hand in it would be lost."""

        def full(*_values: object, **_more: object) -> None:
            problem = sqlite3.OperationalError("database or disk is full")
            problem.sqlite_errorname = "SQLITE_FULL"
            raise problem

        monkeypatch.setattr(opening, "migrate", full)
        said = forgetting.forget(store, "anna@acme.com").remains
        assert "crmmail.db.kept-2026-03-14-090000" in str(said)
        assert store.path.with_name("crmmail.db.kept-2026-03-14-090000").exists()

    def test_a_backup_that_another_process_renews_meanwhile_is_not_replaced_by_an_older_one(
        self, store: Store, copied: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other one either waits for the lock, or has written before the older one is."""
        read, others = daily.read, list[threading.Thread]()
        ready = threading.Event()
        take, folder = locks._take, daily.folder(store.path).stat()

        def waiting(file: int, how: int, seconds: float) -> bool:
            if os.path.samestat(os.fstat(file), folder) and not take(file, how, 0.0):
                ready.set()
            return take(file, how, seconds)

        def renew() -> None:
            with closing(Store(store.path)) as other:
                notes.add(other, Kind.PERSON, copied.zoe, "Likes rain, too.")
                daily.daily(other, renew=True)
            ready.set()

        def slowly(path: Path) -> handmade.Document:
            found = read(path)
            if path.name.startswith("daily-") and not others:
                others.append(threading.Thread(target=renew))
                others[0].start()
                assert ready.wait(PATIENCE)
            return found

        monkeypatch.setattr(daily, "read", slowly)
        monkeypatch.setattr(locks, "_take", waiting)
        with store.write() as (db, _):
            db.execute("INSERT INTO forgotten VALUES (?)", [forgetting.digest("anna@acme.com")])
        copies.clear(store)
        others[0].join()
        newest = daily.newest(store.path)
        assert newest is not None
        assert "Likes rain, too." in {row["text"] for row in read(newest)["notes"]}


_FORGET_ON_A_FULL_DISK = """
import os, pathlib, sys
from crmmail.store import copies, daily, forgetting, notes, people
from crmmail.store.database import Store
folder = pathlib.Path(sys.argv[1])
store = Store(folder / "crmmail.db")
eve = people.create(store, "Eve", ["eve@acme.example"])
zoe = people.create(store, "Zoe", ["zoe@acme.example"])
notes.add(store, 1, zoe, "Likes tea.")
for number in range(200):  # the log has its size, and is written from its beginning again
    notes.add(store, 1, eve, f"note {number} " + os.urandom(40).hex())
daily.daily(store)
store._writer.execute("PRAGMA wal_checkpoint")
with open(folder / "filler", "wb", 0) as filler:
    for size in (4096, 1):
        try:
            while True:
                filler.write(b"x" * size)
        except OSError:
            pass
gone = forgetting.forget(store, "eve@acme.example")
(path,) = (folder / "backups").iterdir()
found = daily.read(path)
print(gone.notes, [row["name"] for row in found["people"]], gone.remains, sep="|")
"""


@pytest.mark.skipif(not can_mount(), reason=NEEDS)
def test_on_a_disk_that_is_really_full_no_backup_has_the_forgotten(tmp_path: Path) -> None:
    ended = run_on(SMALL_DISK.replace("1500k", "8m"), _FORGET_ON_A_FULL_DISK, tmp_path)
    gone, people_left, said = ended.stdout.strip().split("|")
    assert (gone, people_left) == ("200", "['Zoe']")
    assert said == "None"


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
