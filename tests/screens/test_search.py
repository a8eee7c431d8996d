"""The global search: alive while one types, grouped, from everywhere and back."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from crmmail.app import CrmmailApp
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import search
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.painting import style
from crmmail.widgets.results import HEADING, THREAD, ResultList
from tests.patience import PATIENCE
from tests.screens import filler
from tests.screens.conftest import NOW
from tests.screens.filler import Filler, Mail
from tests.screens.harness import lines, press, rush, settle, text, until
from tests.screens.test_hostile import HOSTILE, check, fill
from tests.store.test_reading import ENDLESS

AT = int(NOW.timestamp())
SIZES = pytest.mark.parametrize("size", [(80, 24), (200, 60)])


def typed(query: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def drive(pilot: Pilot[None]) -> None:
        await press(pilot, "F")
        screen(pilot.app).line.value = query  # type: ignore[arg-type]
        await settle(pilot)

    return drive


@pytest.mark.parametrize(
    ("size", "query"),
    [
        pytest.param((80, 24), "", id="empty-small"),
        pytest.param((80, 24), "meridiano", id="groups-small"),
        pytest.param((160, 48), "hall OR offer -invoice before:soon", id="threads-large"),
    ],
)
def test_pictures(
    snap_compare: Callable[..., bool], sample_app: CrmmailApp, size: tuple[int, int], query: str
) -> None:
    assert snap_compare(sample_app, terminal_size=size, run_before=typed(query))


@pytest.fixture
def sample_app(sample_store: Store) -> CrmmailApp:
    """The app on a mailbox that a real sync has brought in."""
    return CrmmailApp(sample_store, sync=False)


def screen(app: CrmmailApp) -> SearchScreen:
    assert isinstance(app.screen, SearchScreen)
    return app.screen


def groups(app: CrmmailApp) -> list[str]:
    """The headings that are shown."""
    found = screen(app).results._results.values()
    return [one.columns[0][0] for one in found if one.kind == HEADING]


@SIZES
async def test_everything_is_found_while_it_is_typed(
    sample_app: CrmmailApp, size: tuple[int, int]
) -> None:
    app = sample_app
    async with app.run_test(size=size) as pilot:
        (name,) = (
            app.store.read()
            .execute("SELECT name FROM company WHERE deleted_at = 0 ORDER BY last_at DESC LIMIT 1")
            .fetchone()
        )
        await press(pilot, "F")
        for operator in ("from:", "subject:", "after:", "is:unread"):
            assert operator in text(app)
        await press(pilot, *name.lower())
        assert groups(app)[:2] == ["People", "Companies"]
        assert groups(app)[-1] == "Threads"
        assert name in text(app)
        assert isinstance(app.focused, Input)
        results = screen(app).results
        assert results.result is not None
        assert results.result.kind == Kind.PERSON
        await press(pilot, *["down"] * len(results.ids))
        assert results.result.kind == THREAD
        assert app.focused.value == name.lower()
        await press(pilot, *["up"] * len(results.ids))
        assert results.cursor == 1
        assert "People" in text(app)


async def test_enter_opens_what_is_found_and_escape_comes_back(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "j", "F", *"ada", "enter")
        assert isinstance(app.screen, RecordScreen)
        assert "Ada Lovelace" in text(app)
        await press(pilot, "escape")
        assert screen(app).line.value == "ada"
        assert app.focused is screen(app).line
        await press(pilot, *" subject:invoice", "enter")
        assert isinstance(app.screen, ThreadScreen)
        assert "Search › ada subject:invoice › Invoice 4711" in text(app)
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.cursor == 1


async def test_next_thread_is_the_next_that_was_found(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F", *"from:acme.example", "enter")
        assert "Pilot in March" in text(app)
        await press(pilot, "J")
        assert "Invoice 4711" in text(app)


@pytest.mark.parametrize("keys", [(), ("enter",), ("enter", "enter"), ("slash", "escape")])
async def test_it_opens_from_everywhere(app: CrmmailApp, keys: tuple[str, ...]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        behind = app.screen
        await press(pilot, "ctrl+k")
        assert isinstance(app.screen, SearchScreen)
        await press(pilot, "tab", "F")
        assert len([one for one in app.screen_stack if isinstance(one, SearchScreen)]) == 1
        assert app.focused is screen(app).line
        await press(pilot, "escape")
        assert app.screen is behind


async def test_what_is_found_is_marked(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "F", *"contract")
        accent = style(app.screen, "title", app.screen.rich_style)
        segments = [
            segment.text
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.color == accent.color and segment.style.bold
        ]
        assert "contract" in segments
        assert "The contract is attached." in text(app)


async def test_a_wrong_query_says_so_and_still_shows_what_it_can(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F", *"invoice before:soon")
        assert "before: wants a date such as 2026-03-31" in text(app)
        assert "Invoice 4711" in text(app)
        await press(pilot, *["backspace"] * 12)
        assert "wants a date" not in text(app)
        await press(pilot, *"zzz")
        assert "Nothing is found" in text(app)
        assert screen(app).results.ids.tolist() == []
        await press(pilot, "enter", "down", "up")
        assert isinstance(app.screen, SearchScreen)


async def test_only_the_newest_query_is_shown(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that takes long is not waited for twice, and never shown when it is too late."""
    begun, go, asked = threading.Event(), threading.Event(), list[str]()
    really = search.search

    def slow(db: object, query: str, limit: int) -> search.Found:
        asked.append(query)
        begun.set()
        go.wait(PATIENCE)
        return really(db, query, limit)  # type: ignore[arg-type]

    monkeypatch.setattr(search, "search", slow)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F")
        await rush(pilot, "i")
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        await rush(pilot, *"nvoice", "enter")  # nothing to open yet: it will be
        assert asked == ["i"]
        assert isinstance(app.screen, SearchScreen)
        assert screen(app).line.value == "invoice"
        go.set()
        await settle(pilot)
        assert "Invoice 4711" in text(app)
        assert asked == ["i", "invoice"]
        assert isinstance(app.screen, ThreadScreen)


async def test_the_next_letter_ends_a_search_that_takes_long(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, really = threading.Event(), search.search

    def slow(db: sqlite3.Connection, query: str, limit: int) -> search.Found:
        if query == "i":
            db.set_progress_handler(begun.set, 1_000)
            db.execute(ENDLESS).fetchone()
        return really(db, query, limit)

    monkeypatch.setattr(search, "search", slow)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F")
        await rush(pilot, "i")
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        await rush(pilot, *"nvoice")  # not press: that waits for the search
        await settle(pilot)
        assert "Invoice 4711" in text(app)
        assert not app._notifications, "no error is told"


async def test_new_mail_is_found_without_typing_and_the_cursor_stays(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F", *"number", "down", "down")
        before = screen(app).results.result
        assert before is not None
        with store.write("threads") as (db, change):
            fill = Filler(db, change)
            fill.thread("The number", Mail("p29@many.example", AT - 5))
            fill.link()
        await until(pilot, lambda: "The number" in text(app))
        after = screen(app).results.result
        assert after is not None
        assert (after.kind, after.target) == (before.kind, before.target)


async def test_a_search_that_fails_says_so_and_the_next_one_works(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "F")
        with monkeypatch.context() as patch:
            patch.setattr(search, "search", lambda *_: 1 / 0)
            await press(pilot, "i")
            assert "could not be read" in text(app)
        await press(pilot, *"nvoice")
        assert "Invoice 4711" in text(app)


@SIZES
@pytest.mark.parametrize(
    "query", ["[/foo]", "[@click=app.quit]x[/]", "\\[b]", "漢字", "é" * 300, '"', "(-(", "from:[b]"]
)
async def test_what_is_typed_is_only_text(
    app: CrmmailApp, query: str, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await press(pilot, "F")
        screen(app).line.value = query
        await settle(pilot)
        assert all(len(line) <= size[0] for line in lines(app))
        screen(app).line.value = f"{query} OR ada"
        await settle(pilot)
        await press(pilot, "enter")
        assert app.is_running


async def test_a_click_moves_and_a_double_click_opens(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F", *"acme")
        assert groups(app) == ["People", "Companies", "Opportunities", "Threads"]
        await pilot.click(ResultList, offset=(10, 3))
        await settle(pilot)
        assert screen(app).results.cursor == 2
        await pilot.click(ResultList, offset=(10, 1))
        assert screen(app).results.cursor == 1
        await pilot.click(ResultList, offset=(10, 3), times=2)
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)


async def test_many_of_a_kind_are_counted(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "F", *"person")
        assert "the newest 5 of 30" not in text(app)  # nothing else is found: all are shown
        assert "People  30" in text(app)
        await press(pilot, *" OR number")
        assert "People  the newest 5 of 30" in text(app)
        assert "Threads  30" in text(app)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_that_is_found_is_only_text(empty_store: Store, hostile: str) -> None:
    fill(empty_store, hostile)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(150, 40), notifications=True) as pilot:
        await press(pilot, "F")
        for query in ("second OR evil", "with:mallory", hostile, f'"{hostile}'):
            screen(app).line.value = query
            await settle(pilot)
            check(app)
        screen(app).line.value = "second OR evil"
        await settle(pilot)
        assert {"People", "Threads"} <= set(groups(app))
        await press(pilot, *["down"] * 3)
        check(app)
        assert app.is_running


async def test_meetings_are_a_group_of_their_own_and_open(app: CrmmailApp) -> None:
    found = filler.meetings(app.store, int(NOW.timestamp()))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "F", *"visit")
        shown = text(app)
        assert "Meetings  1" in shown
        assert "Visit at Acme" in shown
        assert "Mar 17" in shown
        await press(pilot, "enter")
        assert isinstance(app.screen, MeetingScreen)
        assert app.screen.occurrence == found["visit"][0]


def test_results_that_others_have_replaced_are_read_as_none() -> None:
    found = ResultList()
    assert found._some([-8, 17]) == []  # asked for by a thread, before others were found
