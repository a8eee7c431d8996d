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
from crmmail.screens.help import HelpScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from tests.screens.harness import press, settle, text

FOREVER = 20.0  # a test that waits so long has failed


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
        return 0 if self._turns.wait(FOREVER) else 1

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
    end = time.monotonic() + FOREVER
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


async def test_a_change_waits_for_the_sync_and_the_keys_do_not(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, RecordScreen)
        with closing(sqlite3.connect(store.path, isolation_level=None)) as sync:
            sync.execute("BEGIN IMMEDIATE")
            await hit(app, "x j", lambda: screen.threads.cursor == 1)
            await hit(app, "escape", lambda: isinstance(app.screen, RecordsScreen))
            assert len(app._notifications) == 0
            sync.execute("COMMIT")
        await appears(lambda: len(app._notifications) == 1)
        assert "Hidden from Ada Lovelace. u to undo." in [n.message for n in app._notifications]
