"""Who is remembered is not shut out again by a backup of before, and who is forgotten stays so."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import backup, daily, forgetting, notes, opening, people, remembering
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.remembering import Said

from .conftest import Filler, World

ANNA = "anna@acme.com"


def is_forgotten(path: Path, address: str = ANNA) -> bool:
    """Whether a store keeps new mail of an address out."""
    with closing(Store(path)) as store:
        return forgetting.is_forgotten(address, forgetting.digests(store.read()))


def knows(path: Path, address: str = ANNA) -> bool:
    """Whether there is such an address in a store."""
    query = "SELECT 1 FROM address WHERE address = ?"
    with closing(Store(path)) as store:
        return store.read().execute(query, [address]).fetchone() is not None


@pytest.fixture
def backed_up(store: Store, world: World) -> Path:
    """A store with notes and a daily backup, which is closed."""
    notes.add(store, Kind.PERSON, world.anna, "Likes xylophones.")
    notes.add(store, Kind.PERSON, world.zoe, "Likes tea.")
    assert daily.daily(store) is not None
    store.close()
    return store.path


def forget(path: Path, address: str = ANNA) -> None:
    with closing(Store(path)) as store:
        forgetting.forget(store, address)


def remember(path: Path, address: str = ANNA) -> None:
    with closing(Store(path)) as store:
        remembering.remember(store, address)


def newest(path: Path) -> Path:
    found = daily.newest(path)
    assert found is not None
    return found


class TestRemembered:
    """Somebody was forgotten and let in again."""

    def test_a_daily_backup_of_before_does_not_shut_them_out(self, backed_up: Path) -> None:
        forget(backed_up)
        assert forgetting.is_forgotten(ANNA, daily.read(newest(backed_up))["forgotten"])
        remember(backed_up)
        repairing.put_back(newest(backed_up), backed_up)
        assert not is_forgotten(backed_up)
        assert is_forgotten(backed_up, "anna@mail.example")

    def test_nor_does_a_whole_store_that_was_backed_up_meanwhile(
        self, backed_up: Path, tmp_path: Path
    ) -> None:
        forget(backed_up)
        backup.save(backed_up, tmp_path / "meanwhile.db")
        remember(backed_up)
        assert backup.left_out(tmp_path / "meanwhile.db", backed_up) == []
        backup.restore(tmp_path / "meanwhile.db", backed_up)
        assert not is_forgotten(backed_up)
        assert is_forgotten(backed_up, "anna@mail.example")

    def test_what_such_a_store_keeps_out_is_looked_at_again(
        self, store: Store, backed_up: Path, tmp_path: Path
    ) -> None:
        with closing(Store(backed_up)) as again:
            fill = Filler(again)
            folder = fill.folder(fill.account("second@home.example"), "Archive")
            fill.skip(folder, "forgotten")
        forget(backed_up)
        backup.save(backed_up, tmp_path / "meanwhile.db")
        remember(backed_up)
        backup.restore(tmp_path / "meanwhile.db", backed_up)
        with closing(Store(backed_up)) as again:
            rows = again.read().execute(
                "SELECT DISTINCT readmit FROM skipped WHERE reason = 'forgotten'"
            )
            assert rows.fetchall() == [(1,)]

    def test_nor_does_a_rebuild_with_an_older_daily_backup(self, backed_up: Path) -> None:
        forget(backed_up)
        remember(backed_up)
        with backed_up.open("r+b") as file:  # the first page: what is read of it comes from pages
            file.write(b"\xa5" * 100)
        assert not repairing.rebuild(backed_up).whole
        assert not is_forgotten(backed_up)
        assert is_forgotten(backed_up, "anna@mail.example")

    def test_nor_do_digests_of_other_salts(self, backed_up: Path) -> None:
        """Of a backup of another store, which forgot the same person."""
        forget(backed_up)
        other = forgetting.digest(ANNA)
        with closing(Store(backed_up)) as store:
            with store.write() as (db, _):
                db.execute("INSERT INTO forgotten VALUES (?)", [other])
            remembering.remember(store, ANNA)
        assert not is_forgotten(backed_up)
        repairing.put_back(newest(backed_up), backed_up)
        assert not is_forgotten(backed_up)

    def test_who_is_forgotten_again_stays_so(self, backed_up: Path) -> None:
        forget(backed_up)
        remember(backed_up)
        remembered_then = shutil.copy(newest(backed_up), backed_up.with_name("copy.json.gz"))
        forget(backed_up)
        for file in (newest(backed_up), Path(remembered_then)):
            repairing.put_back(file, backed_up)
            assert is_forgotten(backed_up)
        remember(backed_up)
        repairing.put_back(newest(backed_up), backed_up)
        assert not is_forgotten(backed_up)

    def test_a_backup_that_says_they_are_in_again_lets_nobody_in_who_was_forgotten_since(
        self, backed_up: Path, tmp_path: Path
    ) -> None:
        forget(backed_up)
        remember(backed_up)
        with closing(Store(backed_up)) as store:
            daily.daily(store, renew=True)
            people.create(store, "Anna Berg", [ANNA])
        remembered_then = shutil.copy(newest(backed_up), tmp_path / "then.json.gz")
        backup.save(backed_up, tmp_path / "then.db")
        forget(backed_up)
        repairing.put_back(Path(remembered_then), backed_up)
        assert is_forgotten(backed_up)
        backup.restore(tmp_path / "then.db", backed_up)
        assert is_forgotten(backed_up)
        assert not knows(backed_up)


class TestNoStore:
    """The store is lost; the daily backups beside it are there."""

    def test_a_whole_backup_of_before_brings_nobody_back(
        self, backed_up: Path, tmp_path: Path
    ) -> None:
        backup.save(backed_up, tmp_path / "before.db")
        forget(backed_up)
        backed_up.unlink()
        assert backup.left_out(tmp_path / "before.db", backed_up) == [
            "Anna Berg (anna@acme.com, anna@mail.example)"
        ]
        backup.restore(tmp_path / "before.db", backed_up)
        assert is_forgotten(backed_up)
        assert not knows(backed_up)

    def test_nor_does_a_daily_one_that_lay_elsewhere(self, backed_up: Path, tmp_path: Path) -> None:
        before = Path(shutil.copy(newest(backed_up), tmp_path / "before.json.gz"))
        forget(backed_up)
        backed_up.unlink()
        assert backup.left_out(before, backed_up) == [
            "Anna Berg (anna@acme.com, anna@mail.example)"
        ]
        repairing.put_back(before, backed_up)
        assert is_forgotten(backed_up)
        assert not knows(backed_up)
        assert knows(backed_up, "zoe@zoll.de")

    def test_a_newest_daily_backup_that_is_damaged_is_passed_over(
        self, backed_up: Path, tmp_path: Path
    ) -> None:
        backup.save(backed_up, tmp_path / "before.db")
        forget(backed_up)
        backed_up.unlink()
        newest(backed_up).with_name("daily-2999-01-01.json.gz").write_bytes(b"\x1f\x8bnothing")
        backup.restore(tmp_path / "before.db", backed_up)
        assert is_forgotten(backed_up)

    def test_who_was_remembered_is_not_shut_out_by_an_older_one(
        self, backed_up: Path, tmp_path: Path
    ) -> None:
        forget(backed_up)
        older = Path(shutil.copy(newest(backed_up), tmp_path / "older.json.gz"))
        remember(backed_up)
        with closing(Store(backed_up)) as store:
            daily.daily(store, renew=True)
        backed_up.unlink()
        repairing.put_back(older, backed_up)
        assert not is_forgotten(backed_up)
        assert is_forgotten(backed_up, "anna@mail.example")


@pytest.mark.parametrize("make", ["store", "daily"])
def test_two_of_one_name_are_both_named(
    store: Store, world: World, tmp_path: Path, make: str
) -> None:
    for number in (1, 2):
        people.create(store, "John Smith", [f"john{number}@smith.example"])
    if make == "store":
        source = tmp_path / "before.db"
        backup.save(store.path, source)
    else:
        found = daily.daily(store)
        assert found is not None
        source = Path(shutil.copy(found, tmp_path / "before.json.gz"))
    for number in (1, 2):
        forgetting.forget(store, f"john{number}@smith.example")
    assert backup.left_out(source, store.path) == [
        "John Smith (john1@smith.example)",
        "John Smith (john2@smith.example)",
    ]


def test_a_store_of_before_that_table_says_that_nobody_was_let_in_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as db:
        opening.prepare(db)
        for number in range(1, 20):
            db.executescript(opening.migrations()[number])
        db.execute("INSERT INTO forgotten VALUES ('00:11')")
        assert Said.by(db) == Said(frozenset({"00:11"}))
