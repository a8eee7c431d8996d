"""The first screen: three lists, a filter, a preview; alive while the store changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseScrollDown
from textual.widgets import Input

from crmmail.app import CrmmailApp
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from crmmail.widgets.record_list import RecordList
from tests.screens.conftest import NOW
from tests.screens.filler import Filler, Mail
from tests.screens.harness import press, settle, text, until

AT = int(NOW.timestamp())


def records(app: CrmmailApp) -> RecordsScreen:
    assert isinstance(app.screen, RecordsScreen)
    return app.screen


async def test_people_are_there_newest_contact_first(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        shown = text(app)
        assert shown.index("Ada Lovelace") < shown.index("Person 00") < shown.index("Person 01")
        assert "ada@acme.example" in shown
        assert "34 people" in shown
        assert "田中 花子" in shown
        assert records(app).shown.has_focus


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("shift+tab",), "12,500 EUR"),
        (("tab", "tab", "tab"), "Ada Lovelace"),
    ],
)
async def test_keys_switch_the_list(app: CrmmailApp, keys: tuple[str, ...], expected: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        assert expected in text(app)


async def test_a_click_switches_the_list(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click("Tabs", offset=(16, 0))
        await settle(pilot)
        assert "Nordwind" in text(app)


async def test_each_list_keeps_its_cursor(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "2", "j", "1")
        assert records(app).shown.cursor == 2
        await press(pilot, "2")
        assert records(app).shown.cursor == 1


async def test_filter_narrows_while_it_is_typed_and_escape_shows_all(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash", *"acme")
        assert isinstance(app.focused, Input)
        assert "Ada Lovelace" in text(app)
        assert "Person 00" not in text(app)
        assert "2 people" in text(app)
        await press(pilot, "enter")
        assert records(app).shown.has_focus
        await press(pilot, "2")
        assert "2 companies" in text(app)
        await press(pilot, "1")
        assert "2 people" in text(app)
        await press(pilot, "escape")
        assert "34 people" in text(app)


async def test_escape_in_the_filter_shows_all(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash", *"zzz")
        assert "No person matches “zzz”" in text(app)
        await press(pilot, "escape")
        assert "34 people" in text(app)
        assert records(app).shown.has_focus


async def test_enter_opens_a_record_and_escape_comes_back(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "j", "enter")
        assert isinstance(app.screen, RecordScreen)
        assert "Bob Stone" in text(app)
        await press(pilot, "escape")
        assert records(app).shown.cursor == 1
        await press(pilot, "enter", "q")
        assert isinstance(app.screen, RecordsScreen)
        await press(pilot, "q", "escape")
        assert isinstance(app.screen, RecordsScreen)


async def test_wide_terminals_show_the_newest_threads_beside(app: CrmmailApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        assert "Pilot in March" in text(app)
        await press(pilot, "j", "j")
        assert "お見積り" in text(app)
        await press(pilot, "k", "k", "right", "j", "enter")
        assert isinstance(app.screen, ThreadScreen)
        assert "Invoice 4711" in text(app)
        await press(pilot, "escape", "left")
        assert records(app).shown.has_focus


async def test_narrow_terminals_read_no_preview(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "j", "right")
        assert len(records(app).preview.ids) == 0
        assert records(app).shown.has_focus
        await pilot.resize_terminal(160, 40)
        await settle(pilot)
        assert len(records(app).preview.ids) == 1


async def test_without_an_account_it_says_what_to_do(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "Add a mailbox" in text(app)
        assert "crmmail demo" in text(app)
        assert "No account yet" in text(app)
        with empty_store.write("accounts") as (db, change):
            Filler(db, change).account(state="connecting")
        await until(pilot, lambda: "Nobody yet" in text(app))
        assert "connecting" in text(app)


async def test_a_new_message_moves_its_person_up_and_not_the_cursor(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "j", "j")
        record_list = records(app).shown
        before = record_list.current
        with store.write("threads", "people") as (db, change):
            fill = Filler(db, change)
            fill.thread("News", Mail("p29@many.example", AT - 5, text="It is new."))
            fill.link()
        await until(pilot, lambda: "Person 29" in text(app))
        assert record_list.current == before
        assert record_list.cursor == 3
        assert record_list.scroll_offset.y == 0


async def test_what_another_process_writes_is_seen(
    app: CrmmailApp, store: Store, tmp_path: Path
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        other = Store(store.path)
        with other.write("people") as (db, change):
            Filler(db, change).person("Zoe Elsewhere", "zoe@else.example")
            db.execute("UPDATE person SET last_at = ? WHERE name LIKE 'Zoe%'", [AT])
        other.close()
        await until(pilot, lambda: "Zoe Elsewhere" in text(app))


async def test_a_screen_behind_is_read_again_when_it_is_back(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        with store.write("people") as (db, change):
            Filler(db, change).person("Zoe", "zoe@else.example")
        await settle(pilot)
        await press(pilot, "escape")
        assert "35 people" in text(app)


async def test_a_long_list_is_read_by_a_thread_after_its_first_page(empty_store: Store) -> None:
    with empty_store.write("people", "accounts") as (db, change):
        fill = Filler(db, change)
        fill.account()
        for number in range(1_500):
            fill.person(f"P {number:04}", f"p{number}@many.example")
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "1,500 people" in text(app)
        await press(pilot, "end")
        assert "P 1499" in text(app)


async def test_a_filter_starts_at_the_top_and_its_row_stays_when_all_is_shown(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "G", "slash", *"person 1", "enter")
        assert records(app).shown.cursor == 0
        await press(pilot, "j")
        current = records(app).shown.current
        await press(pilot, "escape")
        assert records(app).shown.current == current
        assert "34 people" in text(app)


async def test_switching_lists_does_not_cut_a_reading_short(empty_store: Store) -> None:
    with empty_store.write("people", "accounts") as (db, change):
        fill = Filler(db, change)
        fill.account()
        for number in range(600):
            company = fill.company(f"C {number:03}")
            fill.person(f"P {number:03}", f"p{number}@many.example", company=company)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.action_choose(1)  # type: ignore[attr-defined]
        app.screen.action_choose(0)  # type: ignore[attr-defined]
        await settle(pilot)
        assert "600 people" in text(app)
        await press(pilot, "2")
        assert "600 companies" in text(app)


@pytest.fixture
def crowd(empty_store: Store) -> CrmmailApp:
    """The app with more people than the first rows of a list."""
    with empty_store.write("people", "accounts") as (db, change):
        fill = Filler(db, change)
        fill.account()
        for number in range(600):
            fill.person(f"P {number:03}", f"p{number}@many.example")
        fill.person("Zoë Quist", "zoe@few.example")
    return CrmmailApp(empty_store, sync=False)


async def test_while_a_filter_is_typed_its_first_rows_are_there_and_then_all(
    crowd: CrmmailApp,
) -> None:
    async with crowd.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash", "p")
        await settle(pilot)
        assert "200+ people" in text(crowd)
        await press(pilot, "enter")
        await settle(pilot)
        assert "601 people" in text(crowd)
        await press(pilot, "G")
        assert "P 599" in text(crowd)
        await press(pilot, "slash", "backspace", *"qu")
        await settle(pilot)
        assert "1 person" in text(crowd)


async def test_the_wheel_brings_the_rows_behind_the_first_ones(crowd: CrmmailApp) -> None:
    async with crowd.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash", "p")
        await settle(pilot)
        records(crowd).shown.scroll_end(animate=False)
        await settle(pilot)
        assert "200+ people" in text(crowd)
        await pilot._post_mouse_events([MouseScrollDown], RecordList, offset=(5, 5))
        await settle(pilot)
        assert "601 people" in text(crowd)
        assert records(crowd).filter_line.has_focus


async def test_a_list_that_cannot_be_read_says_so(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        with store.write() as (db, _change):
            db.execute("DROP TABLE company_domain")
        await press(pilot, "slash", "x")
        await until(pilot, lambda: "cannot be used: no" in text(app))
        assert "Ada Lovelace" in text(app)  # what was there stays
