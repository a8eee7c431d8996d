"""A store that is lost is not begun anew over its backups, and no other one replaces these."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import backup, daily, files, forgetting, notes, opening, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.place import Place
from crmmail.store.trouble import REBUILD, DamagedError, LostError, MovedError, StoreError

from .conftest import World


def noted(path: Path) -> list[str]:
    """The notes of a backup."""
    return sorted(note["text"] for note in daily.read(path)["notes"])


def lose(path: Path) -> None:
    """Delete a store, as by hand."""
    files.remove(path)


def empty(path: Path) -> None:
    """Leave a store's file with nothing in it."""
    files.remove(path)
    path.touch()


def rescued(path: Path) -> list[Path]:
    """The copies of a store that were made when its file was gone."""
    return [one.path for one in files.copies_of(path) if one.kind == files.RESCUED]


def notes_in(path: Path) -> list[tuple[str]]:
    """The notes of a store's file."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT text FROM note ORDER BY 1").fetchall()


@pytest.fixture
def backed(store: Store, world: World) -> Path:
    """A closed store with notes, and its daily backup; returns the backup."""
    notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
    notes.add(store, Kind.PERSON, world.zoe, "Likes coffee.")
    made = daily.daily(store)
    store.close()
    assert made is not None
    return made


def without_tables(path: Path) -> None:
    """Leave a store's file with no table in it, as opening it with SQLite does."""
    files.remove(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA user_version = 0")


def without_rows(path: Path) -> None:
    """Leave another store in its place, as an older crmmail did, with no row in it."""
    files.remove(path)
    Store(path, anew=True).close()


LOSSES = [
    (lose, "is missing"),
    (empty, "is empty"),
    (without_tables, "is empty"),
    (without_rows, "is empty"),
]


@pytest.mark.parametrize(("loss", "what"), LOSSES)
class TestLost:
    """The file is not there any more, or has nothing in it."""

    def test_no_new_store_is_made_and_the_ways_are_named(
        self, store: Store, backed: Path, loss: Callable[[Path], None], what: str
    ) -> None:
        loss(store.path)
        with pytest.raises(LostError) as caught:
            Store(store.path)
        assert str(caught.value) == (
            f"{store.path} {what}, though there was a store: see {backed.name}."
        )
        assert "crmmail rebuild" in caught.value.hint
        assert "crmmail restore FILE" in caught.value.hint
        assert f"To start with an empty store, move these to another folder: {backed.parent}." in (
            caught.value.hint
        )
        assert not opening.has_rows(store.path)

    def test_a_rebuild_makes_it_of_the_newest_daily_backup(
        self, store: Store, backed: Path, loss: Callable[[Path], None], what: str
    ) -> None:
        loss(store.path)
        repairing.rebuild(store.path)
        with closing(Store(store.path)) as again:
            found = again.read().execute("SELECT text FROM note ORDER BY 1").fetchall()
        assert found == [("Likes coffee.",), ("Likes tea.",)]

    def test_a_daily_backup_is_put_back(
        self, store: Store, backed: Path, loss: Callable[[Path], None], what: str
    ) -> None:
        loss(store.path)
        counts, _ = repairing.put_back(backed, store.path)
        assert counts["notes"] == 2

    def test_with_the_copies_in_another_folder_it_is_begun_anew(
        self, store: Store, backed: Path, loss: Callable[[Path], None], what: str
    ) -> None:
        loss(store.path)
        backed.parent.rename(backed.parent.with_name("elsewhere"))
        with closing(Store(store.path)) as again:
            assert again.read().execute("SELECT count(*) FROM note").fetchone() == (0,)


class TestWhileItIsOpen:
    """The file goes while a process has the store open."""

    @pytest.mark.parametrize("other", [False, True])
    def test_nothing_is_written_to_a_file_that_is_not_there(
        self, store: Store, world: World, other: bool
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        store.path.rename(store.path.with_name("elsewhere.db"))
        if other:
            store.path.touch()
        with pytest.raises(StoreError) as caught:
            notes.add(store, Kind.PERSON, world.anna, "Likes coffee.")
        assert str(caught.value) == (
            f"{store.path} was moved, deleted or replaced while crmmail used it."
        )
        (saved,) = rescued(store.path)
        assert caught.value.hint == (
            "Close crmmail. What was in the file is saved; "
            f"to have it back: crmmail restore {saved.name}"
        )

    def test_it_is_told_when_it_is_looked_for(self, store: Store, world: World) -> None:
        lose(store.path)
        store.look()
        assert "was moved, deleted or replaced" in str(store.trouble)
        assert not store.is_damaged

    def test_no_connection_of_any_thread_makes_a_file(self, store: Store, world: World) -> None:
        lose(store.path)
        with ThreadPoolExecutor(1) as threads, pytest.raises(MovedError):
            threads.submit(store.read).result()
        with pytest.raises(MovedError):
            store.version()
        with pytest.raises(sqlite3.OperationalError):
            store._connect(cache_kb=100)
        assert not store.path.exists()

    def test_what_was_in_it_is_saved_whole_and_once_for_its_owner_only(
        self, store: Store, world: World
    ) -> None:
        with closing(Store(store.path)) as other:
            notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
            store.path.unlink()
            for _ in range(2):
                for one in (store, other):
                    with pytest.raises(MovedError):
                        notes.add(one, Kind.PERSON, world.anna, "Likes coffee.")
        (saved,) = rescued(store.path)
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600
        store.close()
        backup.restore(saved, store.path)
        with closing(Store(store.path)) as again:
            assert again.read().execute("SELECT text FROM note").fetchall() == [("Likes tea.",)]
            assert again.read().execute("SELECT count(*) FROM message").fetchone() == (4,)

    def test_a_copy_of_an_earlier_loss_does_not_stand_for_this_one(
        self, store: Store, world: World
    ) -> None:
        older = files.free_name(store.path, f"{files.RESCUED}-2026-01-01-000000")
        older.touch()
        os.utime(older, (time.time() - 5, time.time() - 5))
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        store.path.unlink()
        store.look()
        (saved,) = (one for one in rescued(store.path) if one != older)
        assert saved.name in (store.trouble.hint if store.trouble else "")

    def test_a_whole_folder_that_is_gone_is_not_made_again(self, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        folder.mkdir()
        with closing(Store(folder / "crmmail.db")) as store:
            shutil.rmtree(folder)
            with pytest.raises(MovedError) as caught:
                people.create(store, "Ann", ["ann@acme.example"])
            assert caught.value.hint == "Close crmmail and start it again."
        assert not folder.exists()

    def test_its_log_is_taken_for_that_of_no_other_store(self, store: Store, world: World) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        store.path.unlink()
        store.look()
        store.close()
        assert [log for log in files.logs(store.path) if log.exists()] == []

    def test_a_log_that_a_killed_process_left_spoils_no_new_store(
        self, store: Store, world: World, tmp_path: Path
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        daily.daily(store)
        log = files.logs(store.path)[0]
        kept = log.read_bytes()
        assert kept
        store.close()
        lose(store.path)
        log.write_bytes(kept)
        repairing.rebuild(store.path)
        with closing(Store(store.path)) as again:
            assert again.read().execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert again.read().execute("SELECT text FROM note").fetchall() == [("Likes tea.",)]
            assert again.read().execute("SELECT count(*) FROM message").fetchone() == (0,)

    def test_a_file_that_comes_back_is_used_again(self, store: Store, world: World) -> None:
        away = store.path.rename(store.path.with_name("elsewhere.db"))
        store.look()
        away.rename(store.path)
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        assert store.trouble is None

    def test_what_was_written_since_it_came_back_is_saved_when_it_goes_again(
        self, store: Store, world: World
    ) -> None:
        away = store.path.rename(store.path.with_name("elsewhere.db"))
        store.look()
        away.rename(store.path)
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        store.path.unlink()
        store.look()
        assert [("Likes tea.",)] in [notes_in(one) for one in rescued(store.path)]

    def test_what_was_in_it_is_saved_though_the_store_is_closed_at_once(
        self, store: Store, world: World
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        store.path.unlink()
        store.close()
        (saved,) = rescued(store.path)
        assert notes_in(saved) == [("Likes tea.",)]
        assert [log for log in files.logs(store.path) if log.exists()] == []

    @pytest.mark.parametrize("other", [False, True])
    def test_the_log_of_one_that_could_not_be_saved_is_kept_for_it(
        self, store: Store, world: World, monkeypatch: pytest.MonkeyPatch, other: bool
    ) -> None:
        def full(_place: Place, _db: sqlite3.Connection) -> Path:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Place, "_save", full)
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        away = store.path.rename(store.path.with_name("elsewhere.db"))
        if other:
            store.path.touch()
        with pytest.raises(MovedError):
            store.version()
        store.close()
        log = files.logs(store.path)[0]
        if other:
            (kept,) = store.path.parent.glob(f"{store.path.name}.rescued-*-wal")
            assert not log.exists()
            store.path.unlink()
            kept.rename(log)
        away.rename(store.path)
        assert notes_in(store.path) == [("Likes tea.",)]

    def test_a_path_that_leads_through_a_link_is_followed(
        self, tmp_path: Path, store: Store
    ) -> None:
        (tmp_path / "link.db").symlink_to(store.path)
        with closing(Store(tmp_path / "link.db")) as same:
            ann = people.create(same, "Ann", ["ann@acme.example"])
        found = store.read().execute("SELECT name FROM person WHERE id = ?", [ann]).fetchone()
        assert found == ("Ann",)


class TestRebuilt:
    """What a rebuild is made of, and what it says."""

    def test_a_damaged_newest_backup_is_passed_over_for_the_one_before(
        self, store: Store, backed: Path
    ) -> None:
        older = backed.with_name("daily-2026-01-01.json.gz")
        shutil.copy(backed, older)
        backed.write_bytes(backed.read_bytes()[:100])
        lose(store.path)
        done = repairing.rebuild(store.path)
        assert done.counts["notes"] == 2
        assert done.backup == older

    def test_who_was_forgotten_stays_so_with_a_damaged_newest_backup(
        self, store: Store, backed: Path
    ) -> None:
        with closing(Store(store.path)) as again:
            forgetting.forget(again, "anna@acme.com")
        shutil.copy(backed, backed.with_name("daily-2026-01-01.json.gz"))
        backed.write_bytes(b"\x1f\x8bnothing")
        lose(store.path)
        repairing.rebuild(store.path)
        with closing(Store(store.path)) as again:
            known = forgetting.digests(again.read())
        assert forgetting.is_forgotten("anna@acme.com", known)

    def test_a_calendar_of_which_nothing_can_be_read_keeps_the_rest_not_away(
        self, store: Store, backed: Path
    ) -> None:
        lose(store.path)
        document = daily.read(backed)
        daily.write(document | {"calendars": [{"name": "File", "raw": ["\x01"]}]}, backed)
        assert repairing.rebuild(store.path).counts["notes"] == 2

    def test_of_a_missing_store_nothing_is_said_to_be_kept(
        self, store: Store, backed: Path
    ) -> None:
        lose(store.path)
        words = repairing.repair(store.path, REBUILD)
        assert "notes 2" in words
        assert f"There was no store. {backed.name} had what was made by hand; what" in words
        assert "damaged" not in words
        assert "None" not in words

    def test_a_backup_in_the_place_of_a_missing_store_keeps_none(
        self, store: Store, backed: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy.db"
        backup.save(store.path, copy)
        lose(store.path)
        assert repairing.repair(store.path, str(copy)) == (
            "The backup is in the store's place. Mail that came since is being fetched."
        )

    @pytest.mark.parametrize("loss", [empty, without_tables, without_rows])
    def test_an_empty_store_is_kept_and_said_so(
        self, store: Store, backed: Path, loss: Callable[[Path], None]
    ) -> None:
        loss(store.path)
        words = repairing.repair(store.path, REBUILD)
        assert "The damaged store is kept: " in words
        assert f"There was nothing in the store. {backed.name} had what was made" in words

    def test_who_was_forgotten_stays_so_over_an_empty_store(
        self, store: Store, backed: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy.db"
        backup.save(store.path, copy)
        with closing(Store(store.path)) as again:
            forgetting.forget(again, "anna@acme.com")
            daily.daily(again, renew=True)
        without_rows(store.path)
        backup.restore(copy, store.path)
        with closing(Store(store.path)) as again:
            found = again.read().execute("SELECT address FROM address").fetchall()
        assert ("anna@acme.com",) not in found


def test_a_store_from_which_the_user_took_everything_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "crmmail.db"
    with closing(Store(path)) as store:
        ann = people.create(store, "Ann", ["ann@acme.example"])
        assert daily.daily(store) is not None
        with store.write() as (db, _):
            db.execute("DELETE FROM address")
            db.execute("DELETE FROM record_change")
            db.execute("DELETE FROM person WHERE id = ?", [ann])
    assert not opening.has_rows(path)
    with closing(Store(path)) as again:
        assert again.read().execute("SELECT count(*) FROM person").fetchone() == (0,)


def test_what_a_restore_takes_the_place_of_is_named_by_whether_it_can_be_used(
    store: Store, backed: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    backup.save(store.path, copy)
    kept = backup.restore(copy, store.path)
    assert kept is not None
    assert ".kept-" in kept.name
    lose(store.path)
    store.path.write_text("text\n")
    kept = backup.restore(copy, store.path)
    assert kept is not None
    assert ".damaged-" in kept.name
    assert kept.read_text() == "text\n"


@pytest.mark.parametrize("content", [b"text\n" * 4_000, b""])
def test_what_is_written_over_a_store_in_use_is_damage_that_stays(
    store: Store, backed: Path, content: bytes
) -> None:
    with closing(Store(store.path)) as again:
        again.read()
        store.path.write_bytes(content)
        again.look()
        assert again.is_damaged
        assert again.trouble is not None
        with suppress(sqlite3.Error), again.write() as (db, _):  # it may go to the log
            db.execute("UPDATE account SET name = 'x'")
        assert again.is_damaged


def test_copies_beside_the_store_are_named_too(store: Store, backed: Path) -> None:
    shutil.copy(store.path, f"{store.path}.kept-2026-03-14-090000")
    lose(store.path)
    with pytest.raises(LostError) as caught:
        Store(store.path)
    assert f"{backed.parent}, {store.path}.*." in caught.value.hint


def test_a_missing_store_without_backups_is_made(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "made.json").write_text("[]")
    with closing(Store(tmp_path / "crmmail.db")) as store:
        assert store.read().execute("SELECT count(*) FROM person").fetchone() == (0,)


def test_another_file_in_its_place_names_the_rebuild_which_keeps_it(
    store: Store, backed: Path
) -> None:
    lose(store.path)
    store.path.write_text("text\n")
    with pytest.raises(StoreError) as caught:
        Store(store.path)
    assert not isinstance(caught.value, DamagedError)
    assert "is not a crmmail store" in str(caught.value)
    assert "crmmail rebuild" in caught.value.hint
    assert "crmmail restore FILE" in caught.value.hint
    done = repairing.rebuild(store.path)
    assert done.counts["notes"] == 2
    assert done.kept is not None
    assert done.kept.read_text() == "text\n"


class TestOfAnotherStore:
    """The backup of today is never replaced by one of another store, or with less."""

    def test_that_of_another_store_keeps_it_under_another_name(
        self, store: Store, backed: Path
    ) -> None:
        lose(store.path)
        with closing(Store(store.path, anew=True)) as other:
            ann = people.create(other, "Ann", ["ann@acme.example"])
            for text in ("one", "two", "three"):
                notes.add(other, Kind.PERSON, ann, text)
            assert daily.daily(other, renew=True) == backed
            assert daily.daily(other, renew=True) == backed
        before = backed.with_name(backed.name.replace(".json", "-before.json"))
        assert noted(before) == ["Likes coffee.", "Likes tea."]
        assert noted(backed) == ["one", "three", "two"]
        listed = {copy.name: copy.kind for copy in files.copies_of(store.path)}
        assert listed == {before.name: "daily", backed.name: "daily"}

    def test_that_of_an_older_copy_of_the_store_keeps_it(
        self, store: Store, world: World, tmp_path: Path
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "old")
        backup.save(store.path, tmp_path / "old.db")
        notes.add(store, Kind.PERSON, world.anna, "new")
        made = daily.daily(store)
        store.close()
        assert made is not None
        lose(store.path)
        (tmp_path / "old.db").rename(store.path)
        with closing(Store(store.path)) as older:
            daily.daily(older, renew=True)
        assert noted(made) == ["old"]
        assert noted(made.with_name(made.name.replace(".json", "-before.json"))) == ["new", "old"]

    @pytest.mark.parametrize("knows", [False, True])
    def test_none_that_is_kept_is_written_over_or_in_the_way(
        self, store: Store, backed: Path, knows: bool
    ) -> None:
        before = backed.with_name(backed.name.replace(".json", "-before.json"))
        second = backed.with_name(backed.name.replace(".json", "-before-2.json"))
        older = daily.read(backed)
        daily.write(older | {"store": 7, "notes": older["notes"][:1]}, second)
        held = noted(second)
        lose(store.path)
        with closing(Store(store.path, anew=True)) as other:
            ann = people.create(other, "Ann", ["ann@acme.example"])
            notes.add(other, Kind.PERSON, ann, "one")
            if knows:
                with other.write() as (db, _):
                    digest = forgetting.digest("eve@spam.example")
                    db.execute("INSERT INTO forgotten VALUES (?)", [digest])
            daily.daily(other, renew=True)
        assert noted(before) == ["Likes coffee.", "Likes tea."]
        assert noted(second) == held
        assert noted(backed) == ["one"]
        assert len(daily.read(before)["forgotten"]) == knows

    def test_whoever_is_forgotten_while_it_is_kept_is_not_in_it(
        self, store: Store, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        number = notes.add(store, Kind.PERSON, world.zoe, "Likes coffee.")
        made = daily.daily(store)
        assert made is not None
        notes.delete(store, number)
        link = files.link

        def forgotten_meanwhile(path: Path, to: Path) -> None:
            link(path, to)
            with store.write() as (db, _):  # another process is past the list of copies
                for address in ("anna@acme.com", "anna@mail.example"):
                    known = forgetting.digests(db)
                    digest = forgetting.digest(address, known)
                    db.execute("INSERT INTO forgotten VALUES (?)", [digest])

        monkeypatch.setattr(files, "link", forgotten_meanwhile)
        daily.daily(store, renew=True)
        found = sorted(made.parent.glob("*.json.gz"))
        assert [one.name for one in found] == [
            made.name.replace(".json", "-before.json"),
            made.name,
        ]
        assert [one.name for one in found if "anna@acme.com" in str(daily.read(one))] == []
        assert noted(found[0]) == ["Likes coffee."]

    def test_what_is_deleted_by_hand_keeps_one_and_not_one_each_time(
        self, store: Store, world: World
    ) -> None:
        numbers = [notes.add(store, Kind.PERSON, world.anna, f"note {one}") for one in range(4)]
        made = daily.daily(store)
        assert made is not None
        for number in numbers:
            notes.delete(store, number)
            people.edit(store, world.anna, job=f"CEO {number}")
            daily.daily(store, renew=True)
        kept = [one for one in made.parent.iterdir() if "-before" in one.name]
        assert [len(noted(one)) for one in kept] == [4]

    def test_what_is_added_keeps_none(self, store: Store, world: World) -> None:
        for text in ("one", "two"):
            notes.add(store, Kind.PERSON, world.anna, text)
            made = daily.daily(store, renew=True)
            assert made is not None
        assert [one.name for one in made.parent.glob("*.json.gz")] == [made.name]

    def test_whoever_is_forgotten_is_in_none_that_is_kept(self, store: Store, backed: Path) -> None:
        with closing(Store(store.path)) as again:
            forgetting.forget(again, "anna@acme.com")
            daily.daily(again, renew=True)
        for path in backed.parent.glob("*.json.gz"):
            assert "anna@acme.com" not in str(daily.read(path))

    def test_they_leave_after_a_month_with_the_day_they_are_of(
        self, store: Store, backed: Path
    ) -> None:
        now = time.time()
        before = backed.with_name("daily-2020-01-01-before.json.gz")
        shutil.copy(backed, before)
        with closing(Store(store.path)) as again:
            for day in range(1, 9):
                daily.daily(again, now + day * 86_400)
        assert not before.exists()
