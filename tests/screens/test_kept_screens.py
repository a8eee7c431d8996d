"""Screens that stay when they are left, and are shown again with something else."""

from __future__ import annotations

from crmmail.app import CrmmailApp
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.question import GoneScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens import filler
from tests.screens.conftest import NOW
from tests.screens.harness import lines, press, settle, text


async def test_the_next_record_is_shown_by_the_screen_of_the_last(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        first = app.screen
        await press(pilot, "escape", "j", "enter")
        assert app.screen is first
        assert "People › Bob Stone" in lines(app)[0]
        assert "Ada Lovelace   Acme" not in text(app)


async def test_the_terminals_cursor_is_back_on_the_row_that_was_left(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "j")
        row = app.cursor_position
        await press(pilot, "enter")
        assert app.cursor_position != row
        await press(pilot, "escape")
        assert app.cursor_position == row


async def test_nothing_of_the_last_record_is_left(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter", "j", "slash", *"portal", "enter", "2", "escape")
        assert isinstance(app.screen, RecordsScreen)
        await press(pilot, "2", "enter")
        assert isinstance(app.screen, RecordScreen)
        assert app.screen.tab == 0
        assert app.screen.threads.has_focus
        assert app.screen.threads.cursor == 0
        assert not app.screen.query_one("FilterLine").display
        assert "Pilot in March" in text(app)


async def test_a_record_above_a_record_has_a_screen_of_its_own(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        below = app.screen
        await press(pilot, "F", *"bob", "enter")
        assert isinstance(app.screen, RecordScreen)
        assert app.screen is not below
        assert "People › Bob Stone" in lines(app)[0]
        await press(pilot, "escape", "escape")
        assert app.screen is below
        assert "People › Ada Lovelace" in lines(app)[0]
        RecordScreen.open(app, store, Kind.COMPANY, 1)
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)
        assert app.screen.kind == Kind.COMPANY


async def test_a_record_that_was_left_and_is_gone_opens_as_gone(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
        record = app.screen.record_id
        await press(pilot, "escape")
        with store.write("people") as (db, _change):
            db.execute("UPDATE person SET deleted_at = 1 WHERE id = ?", [record])
        await settle(pilot)
        RecordScreen.open(app, store, Kind.PERSON, record)
        await settle(pilot)
        assert isinstance(app.screen, GoneScreen)
        assert "This record is not there any more." in text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)


async def test_a_thread_opens_anew_with_its_last_message_open(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter", "enter", "O")
        assert isinstance(app.screen, ThreadScreen)
        first, opened = app.screen, set(app.screen.opened)
        assert len(opened) > 1
        await press(pilot, "at", "escape", "slash", *"contract", "enter", "escape", "escape")
        assert isinstance(app.screen, RecordScreen)
        await press(pilot, "enter")
        assert app.screen is first
        assert app.screen.opened == {max(opened)}
        assert app.screen.pane.has_focus
        assert not app.screen.pane.words


async def test_nothing_of_the_last_calendar_is_left(app: CrmmailApp, store: Store) -> None:
    filler.meetings(store, int(NOW.timestamp()))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter", "2", "r", "r", "enter")
        first = app.screen
        assert isinstance(first, MeetingScreen)
        await press(pilot, "slash", *"weekly", "enter", "escape", "escape", "escape", "escape")
        assert isinstance(app.screen, RecordsScreen)
        await press(pilot, "j", "enter", "2")
        assert "Calendar: " not in text(app)
        assert "Lunch" not in text(app)
        assert "Webinar" in text(app)
        await press(pilot, "enter")
        assert app.screen is first
        assert first.pane.has_focus
        assert not first.pane.words
        assert "People › Bob Stone › Pilot: weekly call" in lines(app)[0]
