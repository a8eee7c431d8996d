"""The app on a store that cannot be read any more: it says so, goes on, and offers a repair."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from crmmail import app as apps
from crmmail import repairing
from crmmail.app import CrmmailApp
from crmmail.guarding import REPAIR, RepairApp
from crmmail.screens.base import StoreChanged
from crmmail.screens.repair import RepairScreen, ways
from crmmail.store import backup, copies, daily, notes
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import REBUILD, DamagedError, ForeignError, LostError
from tests.screens.harness import press, settle, text, until


class Broken:
    """A disk from which nothing can be read, while it is broken."""

    is_broken = False

    def watch(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Let the reads of a connection depend on this disk."""
        connection.set_progress_handler(lambda: int(self.is_broken), 1)
        return connection


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broken]:
    """The disk that the app's store lies on."""
    found = Broken()
    connect = Store._connect
    monkeypatch.setattr(Store, "_connect", lambda *a, **k: found.watch(connect(*a, **k)))
    yield found
    found.is_broken = False


# The keys that lead to a place, and those that are pressed there while nothing can be read.
PLACES = {
    "people": ([], ["j", "2", "1", "s", "enter", "escape", "n"]),
    "companies": (["2"], ["j", "enter", "escape"]),
    "opportunities": (["3"], ["j", "enter", "escape"]),
    "record": (["enter"], ["j", "2", "3", "4", "1", "enter", "escape"]),
    "record calendar": (["enter", "2"], ["j", "enter", "escape"]),
    "record notes": (["enter", "4"], ["j", "enter", "escape", "n"]),
    "thread": (
        ["enter", "enter"],
        ["j", "p", "escape", "a", "escape", "n", "right_square_bracket"],
    ),
    "search": (["F"], ["b", "u", "d", "escape"]),
    "skipped": (["L"], ["j", "enter", "escape"]),
    "accounts": (["comma"], ["j", "enter", "escape"]),
    "palette": (["ctrl+p"], ["b", "u", "escape"]),
}


@pytest.mark.parametrize("place", PLACES)
async def test_what_cannot_be_read_is_told_and_the_app_goes_on(
    disk: Broken, app: CrmmailApp, place: str
) -> None:
    way, keys = PLACES[place]
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, *way)
        disk.is_broken = True
        for key in keys:
            await press(pilot, key)
        app.screen.post_message(StoreChanged(frozenset()))
        app._tick()
        await until(pilot, lambda: "cannot be used" in told(app))
        assert "crmmail doctor" in told(app)
        disk.is_broken = False
        await _back(pilot)
        assert "Ada Lovelace" in text(app)


def told(app: CrmmailApp) -> str:
    """What the toasts say, in one line."""
    return " ".join(one.message for one in app._notifications)


async def _back(pilot: Pilot[None]) -> None:
    """To the first list, as it is read again."""
    app = pilot.app
    assert isinstance(app, CrmmailApp)
    await until(pilot, lambda: not app._blind_since)
    for _ in range(5):
        if len(app.screen_stack) > 1:
            await press(pilot, "escape")
    await press(pilot, "1")


async def test_the_same_is_not_told_every_second(disk: Broken, app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        disk.is_broken = True
        for _ in range(5):
            app._tick()
            await settle(pilot)
        said = [one.message for one in app._notifications if "cannot be used" in one.message]
        assert len(said) == 1


async def test_a_change_that_cannot_be_written_is_told_with_what_to_do(
    app: CrmmailApp, store: Store
) -> None:
    """A full disk, as SQLite says it."""
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter")
        with store.write() as (db, _):
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {pages}")
        from crmmail.screens.undo import Do

        words = "word " * 60_000
        app.post_message(Do("Noted", lambda: notes.add(store, Kind.PERSON, 1, words) and None))
        await until(pilot, lambda: "is full" in told(app))
        assert "Make room" in told(app)
        with store.write() as (db, _):
            db.execute("PRAGMA max_page_count = 1000000")


def damage(path: Path, table: str) -> None:
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (page,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", [table]
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


async def test_damage_that_is_found_while_the_app_runs_offers_a_repair(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        store.report(DamagedError("It is damaged: row 3 is missing."))
        await until(pilot, lambda: isinstance(app.screen, RepairScreen))
        await settle(pilot)
        assert "row 3 is missing" in text(app)
        assert "Build it again from the servers" in text(app)
        await press(pilot, "escape")
        assert "Ada Lovelace" in text(app)
        store.report(DamagedError("It is damaged: row 3 is missing."))
        await settle(pilot)
        assert not isinstance(app.screen, RepairScreen)  # it was asked and answered


async def test_the_answer_ends_the_app_with_what_is_to_be_done(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        store.report(DamagedError("It is damaged."))
        await until(pilot, lambda: isinstance(app.screen, RepairScreen))
        await settle(pilot)
        await press(pilot, "enter")
    assert app.return_value == f"{REPAIR}{REBUILD}"


async def test_a_store_that_cannot_be_opened_is_repaired_from_a_backup(
    store: Store, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    backup.save(store.path, copy)
    copies.note_made(store.path, copy)
    store.close()
    damage(store.path, "message_text")
    with pytest.raises(DamagedError) as caught:
        Store(store.path)
    app = RepairApp(caught.value, store.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        offered = app.screen.query_one(OptionList)
        assert offered.option_count == 3
        await pilot.press("j", "enter")
    assert app.return_value == f"{REPAIR}{copy}"
    said = repairing.repair(store.path, str(app.return_value).removeprefix(REPAIR))
    assert f"What was there is kept: {store.path}.damaged-" in said
    again = Store(store.path)
    assert again.read().execute("SELECT count(*) FROM message_text").fetchone()[0] > 0
    again.close()


async def test_of_a_store_that_is_missing_no_file_is_said_to_be_kept(store: Store) -> None:
    said = LostError(store.path, "is missing", [store.path.with_name("daily-1.json.gz")])
    app = RepairApp(said, store.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        shown = " ".join(str(one.content) for one in app.screen.query(Static))
        assert "is read from the newest daily backup, if there is one." in shown
        assert "damaged" not in shown
        assert "from the store" not in shown


async def test_a_store_that_cannot_be_opened_can_be_left_as_it_is(
    store: Store,
) -> None:
    app = RepairApp(DamagedError("It is damaged."), store.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("escape")
    assert not app.return_value


def test_a_repair_builds_the_store_anew(store: Store) -> None:
    notes.add(store, Kind.PERSON, 1, "Likes tea.")
    store.close()
    damage(store.path, "message_text")
    assert "new" in repairing.repair(store.path, REBUILD)
    again = Store(store.path)
    assert again.read().execute("SELECT text FROM note WHERE text LIKE '%tea%'").fetchall() == [
        ("Likes tea.",)
    ]
    again.close()


async def test_a_file_that_is_no_store_gets_the_same_screen(tmp_path: Path) -> None:
    path = tmp_path / "crmmail.db"
    path.write_text("text\n")
    with pytest.raises(ForeignError) as caught:
        Store(path)
    app = RepairApp(caught.value, path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        said = " ".join(str(one.render()) for one in app.screen.query(Static))
        assert f"{path} is not a crmmail store." in said
        assert "The file that is there is kept." in said
        await pilot.press("enter")
    assert app.return_value == f"{REPAIR}{REBUILD}"


def test_the_app_asks_what_to_do_about_a_file_that_is_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crmmail.db"
    path.write_text("text\n")
    shown: list[object] = []

    def show(app: object) -> str:
        shown.append(app)
        return f"{REPAIR}{REBUILD}" if len(shown) == 1 else ""

    monkeypatch.setattr(apps, "_shown", show)
    apps.run(path, sync=False)
    assert isinstance(shown[0], RepairApp)
    assert isinstance(shown[1], CrmmailApp)
    (kept,) = tmp_path.glob("crmmail.db.damaged-*")
    assert kept.read_text() == "text\n"


def test_what_is_offered_says_that_the_daily_backup_is_newer(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup.save(store.path, copy)
    copies.note_made(store.path, copy)
    notes.add(store, Kind.PERSON, 1, "Likes tea.")
    now = int(time.time())
    daily.daily(store, now + 300)
    (_, offered) = ways(store.path)
    assert "The daily backup of " in offered.words
    assert " is newer: " in offered.words
    said = repairing.repair(_closed(store), str(copy))
    assert "is newer, and has what this one has not, or not so: " in said
    assert "notes 1. To bring that in: crmmail restore saved-" in said


def _closed(store: Store) -> Path:
    store.close()
    return store.path
