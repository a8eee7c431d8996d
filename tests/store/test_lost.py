"""A store that is lost is not replaced by an empty one beside its backups."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import backup, daily, forgetting, opening, people
from crmmail.store.database import Store
from crmmail.store.trouble import REBUILD, DamagedError, LostError, StoreError

from .losing import empty, lose, without_rows, without_tables

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
