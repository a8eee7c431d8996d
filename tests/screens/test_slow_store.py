"""Keys while the store does not answer: a disk that hangs, a sync that holds the writer's lock."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from textual.widgets import Input

from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
from crmmail.screens.help import HelpScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import people, threads
from crmmail.store.database import Store
from crmmail.widgets.picker import PickLine
from tests.patience import PATIENCE
from tests.screens.filler import ME, Filler, Guest
from tests.screens.harness import press, settle, text


class Disk:
    """A disk that stops turning: whatever thread reads, it waits until the disk goes on."""

    def __init__(self) -> None:
        self._turns = threading.Event()
        self._turns.set()

    def watch(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Let the reads of a connection depend on this disk."""
        connection.set_progress_handler(self._read, 1)
        return connection

    def _read(self) -> int:
        return 0 if self._turns.wait(PATIENCE) else 1

    def stop(self) -> None:
        self._turns.clear()

    def go_on(self) -> None:
        self._turns.set()


async def hit(app: CrmmailApp, keys: str, seen: Callable[[], bool]) -> None:
    """Press keys and see what they do; the pilot's own press() would wait for the disk."""
    for key in keys.split():
        app.simulate_key(key)
    await appears(seen)


async def appears(seen: Callable[[], bool]) -> None:
    """Wait for something to be true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if seen():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The disk that the app's store lies on."""
    found = Disk()
    connect = Store._connect
    monkeypatch.setattr(Store, "_connect", lambda *a, **k: found.watch(connect(*a, **k)))
    yield found
    found.go_on()


async def test_keys_are_answered_while_the_disk_hangs(disk: Disk, app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, RecordsScreen)
        disk.stop()
        await hit(app, "j", lambda: screen.shown.cursor == 1)
        await hit(app, "2", lambda: screen.index == 1)
        await hit(app, "question_mark", lambda: isinstance(app.screen, HelpScreen))
        await hit(app, "escape F", lambda: isinstance(app.screen, SearchScreen))
        await appears(lambda: isinstance(app.focused, Input))
        line = app.screen.query_one(Input)
        await hit(app, "b u d", lambda: line.value == "bud")
        await hit(app, "escape", lambda: app.screen is screen)
        disk.go_on()
        await appears(lambda: "acme.example" in text(app))


async def test_a_record_and_a_thread_appear_when_the_disk_goes_on(
    disk: Disk, app: CrmmailApp
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        disk.stop()
        await hit(app, "enter", lambda: isinstance(app.screen, RecordScreen))
        assert "Pilot in March" not in text(app)
        disk.go_on()
        await appears(lambda: "Pilot in March" in text(app))
        await appears(lambda: "People › Ada Lovelace" in text(app))
        disk.stop()
        await hit(app, "enter", lambda: isinstance(app.screen, ThreadScreen))
        await hit(app, "escape", lambda: isinstance(app.screen, RecordScreen))
        await hit(app, "enter", lambda: isinstance(app.screen, ThreadScreen))
        disk.go_on()
        await appears(lambda: "The contract is attached." in text(app))


async def test_what_came_too_late_is_not_shown_for_something_else(
    disk: Disk, app: CrmmailApp
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        records = app.screen
        disk.stop()
        await hit(app, "enter", lambda: isinstance(app.screen, RecordScreen))
        await hit(app, "escape", lambda: app.screen is records)
        await hit(app, "j enter", lambda: isinstance(app.screen, RecordScreen))
        disk.go_on()
        await appears(lambda: "People › Bob Stone" in text(app))
        await settle(pilot)
        assert "People › Ada Lovelace" not in text(app)


async def test_keys_for_what_is_still_read_wait_for_it(disk: Disk, app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter")
        disk.stop()
        await hit(app, "enter", lambda: isinstance(app.screen, ThreadScreen))
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        await hit(app, "p p", lambda: thread.pane.has_focus)
        disk.go_on()
        await appears(lambda: "The contract is attached." in text(app))
        await settle(pilot)
        section = thread.pane.section
        assert section is not None
        assert (
            section.key == thread.messages[1].id
        )  # the two before the last are folded into one line
        await press(pilot, "Z", "g")
        disk.stop()
        await hit(app, "enter", lambda: len(thread.opened) == 2)
        await hit(app, "O", lambda: len(thread.opened) == 6)
        assert "Who pays?" not in text(app)
        disk.go_on()
        await settle(pilot)
        assert text(app).count("▾") == 6 + 1  # the quoted text


async def test_enter_takes_the_first_match_of_what_was_typed_when_it_is_found(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    """Not what was offered before the letters."""
    db = store.read()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "M")
        line = app.screen.query_one(PickLine)
        disk.stop()
        await hit(app, "b o b enter", lambda: line.value == "bob")
        assert len(app.screen_stack) == 2
        disk.go_on()
        await settle(pilot)
        await press(pilot, "enter")
        assert len(app.screen_stack) == 1
        assert [n.message for n in app._notifications][-1:] == [
            "Bob Stone merged into Ada Lovelace. u to undo, until you quit."
        ]
        await press(pilot, "enter", "enter", "l")
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        disk.stop()
        await hit(app, "n o r d w enter", lambda: thread.pane.has_focus)
        disk.go_on()
        await settle(pilot)
        linked = threads.get(db, thread.thread_id)
        assert linked is not None
        assert [one.name for one in linked.links if one.hand] == ["Nordwind"]


@pytest.fixture
def busy(store: Store) -> Iterator[sqlite3.Connection]:
    """A sync that writes, until it commits."""
    store._writer.execute(f"PRAGMA busy_timeout = {PATIENCE * 1_000:.0f}")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as sync:
        sync.execute("BEGIN IMMEDIATE")
        yield sync


def is_writing(app: CrmmailApp) -> bool:
    return any(not worker.is_finished for worker in app.workers)


def told(app: CrmmailApp) -> list[str]:
    return [one.message for one in app._notifications]


async def test_tabs_and_panels_come_when_the_disk_goes_on(disk: Disk, app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter")
        record = app.screen
        assert isinstance(record, RecordScreen)
        disk.stop()
        for number in (2, 3, 4, 1):
            await hit(app, str(number), lambda number=number: record.tab == number - 1)
        disk.go_on()
        await press(pilot, "enter")
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        disk.stop()
        await hit(app, "at", lambda: True)
        assert not thread.participants.is_open
        await hit(app, "escape", lambda: app.screen is record)
        await hit(app, "enter", lambda: app.screen is thread)
        disk.go_on()
        await settle(pilot)
        assert not thread.participants.is_open  # it was asked for before
        await press(pilot, "at")
        assert thread.participants.is_open


async def test_a_meeting_appears_when_the_disk_goes_on(disk: Disk, app: CrmmailApp) -> None:
    with app.store.write("meetings") as (db, change):
        start = int(time.time()) + 3_600
        guests = (Guest(ME), Guest("ada@acme.example"))
        Filler(db, change).meeting("The review", (start, start + 3_600), guests=guests)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "a")
        disk.stop()
        await hit(app, "enter", lambda: isinstance(app.screen, MeetingScreen))
        assert "The review" not in text(app)
        disk.go_on()
        await appears(lambda: "Agenda › The review" in text(app))


async def test_a_change_waits_for_the_sync_and_the_keys_do_not(
    app: CrmmailApp, busy: sqlite3.Connection
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, RecordScreen)
        await hit(app, "x j", lambda: screen.threads.cursor == 1)
        await hit(app, "escape", lambda: isinstance(app.screen, RecordsScreen))
        assert told(app) == []
        busy.execute("COMMIT")
        await appears(lambda: told(app) == ["Hidden from Ada Lovelace. u to undo."])


async def test_a_change_that_waits_is_taken_back_when_it_is_made(
    app: CrmmailApp, busy: sqlite3.Connection, store: Store
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        before = people.view(store.read())
        await hit(app, "D", lambda: is_writing(app))
        await hit(app, "u j", lambda: app.screen.shown.cursor == 1)  # type: ignore[attr-defined]
        assert told(app) == []
        busy.execute("COMMIT")
        await settle(pilot)
        assert told(app) == [
            "Ada Lovelace deleted. u to undo, until you quit.",
            "Undone: Ada Lovelace deleted.",
        ]
        assert people.view(store.read()) == before


async def test_what_cannot_be_stored_is_told_though_somebody_tried_to_leave_its_form(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "e", "tab", "enter", *"nonsense")
        with app._history._turn:  # another change is being made
            await hit(app, "ctrl+s", lambda: is_writing(app))
            await hit(app, "escape", lambda: bool(told(app)))
        await settle(pilot)
        assert isinstance(app.screen, FormScreen)
        assert told(app) == ["This is being stored. The form closes when it is."]
        assert "'nonsense' is not an e-mail address." in text(app)
