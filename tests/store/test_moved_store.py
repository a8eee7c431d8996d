"""The file of a store is moved, deleted or replaced while a process has it open."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import backup, daily, files, notes, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.place import Place
from crmmail.store.trouble import MovedError, StoreError

from .conftest import World
from .losing import lose


def rescued(path: Path) -> list[Path]:
    """The copies of a store that were made when its file was gone."""
    return [one.path for one in files.copies_of(path) if one.kind == files.RESCUED]


def notes_in(path: Path) -> list[tuple[str]]:
    """The notes of a store's file."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT text FROM note ORDER BY 1").fetchall()


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
