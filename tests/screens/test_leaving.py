"""What reaches a screen while it is built or taken down does not end the app (A7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from textual import events, messages
from textual.css.query import NoMatches
from textual.screen import Screen

from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen
from crmmail.screens.agenda import AgendaScreen
from crmmail.screens.base import StoreChanged, StoreScreen
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import Field, Form, FormScreen
from crmmail.screens.help import HelpScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.options import Option
from crmmail.screens.options_panel import OptionsScreen
from crmmail.screens.password import PasswordScreen
from crmmail.screens.pick import PickScreen
from crmmail.screens.question import GoneScreen, QuestionScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.repair import RepairScreen, Way
from crmmail.screens.search import SearchScreen
from crmmail.screens.skipped import SkippedScreen
from crmmail.screens.source import SourceScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import people, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import DamagedError
from crmmail.widgets.leaving import Whole
from crmmail.widgets.reading import ask
from crmmail.widgets.status_line import StatusLine
from tests.screens.filler import ME, Filler, Guest
from tests.screens.harness import press, settle, until
from tests.screens.test_framework_names import classes

AnyScreen = Screen[Any]


def record(store: Store) -> RecordScreen:
    screen = RecordScreen(store)
    screen.kind, screen.record_id = Kind.PERSON, people.view(store.read())[0]
    return screen


def thread(store: Store) -> ThreadScreen:
    screen = ThreadScreen(store)
    db = store.read()
    screen.thread_id = threads.of_record(db, Kind.PERSON, people.view(db)[0])[0]
    return screen


def meeting(store: Store) -> MeetingScreen:
    with store.write("meetings") as (db, change):
        start = int(time.time()) + 3_600
        guests = (Guest(ME), Guest("ada@acme.example"))
        Filler(db, change).meeting("The review", (start, start + 3_600), guests=guests)
    screen = MeetingScreen(store)
    screen.occurrence = store.read().execute("SELECT id FROM occurrence").fetchone()[0]
    return screen


def form(_store: Store) -> FormScreen:
    return FormScreen(Form("New", [Field("name", "Name")], lambda _: None, lambda _: "Made"))


MADE: dict[type[AnyScreen], Callable[[Store], AnyScreen]] = {
    AccountsScreen: AccountsScreen,
    AgendaScreen: AgendaScreen,
    FirstRunScreen: FirstRunScreen,
    FormScreen: form,
    HelpScreen: lambda store: HelpScreen(RecordsScreen(store)),
    MeetingScreen: meeting,
    OptionsScreen: lambda _: OptionsScreen("Change", [Option(0, "On", do=lambda: None)]),
    PasswordScreen: lambda _: PasswordScreen(ME),
    GoneScreen: lambda _: GoneScreen("This record is not there any more."),
    QuestionScreen: lambda _: QuestionScreen("Discard what you typed?"),
    PickScreen: lambda _: PickScreen("Choose", lambda _words: []),
    RecordScreen: record,
    RecordsScreen: RecordsScreen,
    RepairScreen: lambda _: RepairScreen(
        DamagedError("It is damaged."), [Way("x", "Mend it")], "Leave it"
    ),
    SearchScreen: SearchScreen,
    SkippedScreen: SkippedScreen,
    SourceScreen: lambda store: SourceScreen(store, "Hello", b"Subject: Hello\r\n\r\nHello.\r\n"),
    ThreadScreen: thread,
}
every_screen = pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)


def test_each_screen_is_made_here_and_guarded() -> None:
    screens = {one for one in classes() if issubclass(one, Screen)}
    assert set(MADE) == screens - {above for one in screens for above in one.__mro__[1:]}
    assert all(issubclass(one, Whole) for one in screens)


def from_outside(screen: AnyScreen) -> list[events.Event | messages.Message]:
    """Messages of each kind that comes by itself; the callbacks look for a widget of the screen."""
    look = partial(screen.query_one, "*")
    timer = screen.set_timer(1_000, look) if screen.is_running else None
    late = [events.Timer(timer, time=0.0, callback=look)] if timer is not None else []
    return [
        StoreChanged(frozenset()),
        StoreChanged(frozenset({"state", "threads", "people", "meetings", "ledger"}), own=True),
        events.Callback(callback=look),
        messages.InvokeLater(look),
        events.ScreenResume(),
        *late,
    ]


@every_screen
async def test_what_comes_before_a_screen_is_built_waits_for_it(
    app: CrmmailApp, store: Store, kind: type[AnyScreen]
) -> None:
    screen = MADE[kind](store)
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        ticks = 0

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            screen.query_one("*")

        screen.set_interval(0.0001, tick)
        for message in from_outside(screen):
            screen.post_message(message)
        app.push_screen(screen)
        await until(pilot, lambda: ticks > 0)
        assert app.screen is screen


@every_screen
async def test_what_comes_while_a_screen_is_built_waits_for_it(
    app: CrmmailApp, store: Store, kind: type[AnyScreen], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = MADE[kind](store)
    compose = screen.compose
    delivered = 0

    def deliver() -> None:
        nonlocal delivered
        screen.set_interval(0.0001, partial(screen.query_one, "*"))
        for message in from_outside(screen):
            delivered += screen.post_message(message)

    def composed() -> Any:
        deliver()
        yield from compose()
        deliver()

    monkeypatch.setattr(screen, "compose", composed)
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.push_screen(screen)
        await until(pilot, lambda: screen.is_mounted)
        await until(pilot, lambda: delivered >= 10)
        assert app.screen is screen


@every_screen
async def test_what_comes_while_a_screen_leaves_or_after_it_is_dropped(
    app: CrmmailApp, store: Store, kind: type[AnyScreen], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = MADE[kind](store)
    leave = screen._message_loop_exit
    widgets: list[int] = []

    async def deliver() -> None:
        widgets.append(len(screen.children))
        for message in waiting:
            await screen._dispatch_message(message)
        for timer in timers:
            await timer._tick(next_timer=0, count=0)
        ask(screen, lambda: 1, lambda _: screen.query_one("*"))
        app.screen._invoke_later(partial(screen.query_one, "*"), screen)

    async def left() -> None:
        await deliver()
        await leave()
        await deliver()

    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.push_screen(screen)
        await settle(pilot)
        waiting = from_outside(screen)
        timers = list(screen._timers)
        monkeypatch.setattr(screen, "_message_loop_exit", left)
        app.pop_screen()
        await settle(pilot)
        await deliver()
        await press(pilot, "j")
        assert widgets[0] > 0
        assert widgets[1:] == [0, 0]
        assert app.is_running


async def test_a_second_that_passes_while_a_record_leaves_is_no_error(
    app: CrmmailApp, store: Store
) -> None:
    screen = record(store)
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.push_screen(screen)
        await settle(pilot)
        every_second = screen.set_interval(1.0, partial(screen.query_one, StatusLine))
        app.pop_screen()
        await settle(pilot)
        with pytest.raises(NoMatches):
            screen.query_one(StatusLine)
        await every_second._tick(next_timer=0, count=0)
        assert app.is_running


async def test_a_widget_that_is_looked_for_in_vain_on_a_whole_screen_ends_the_app(
    app: CrmmailApp,
) -> None:
    async def look_in_vain() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            await settle(pilot)
            app.screen.call_later(app.screen.query_one, "#nothing")
            await settle(pilot)

    with pytest.raises(NoMatches):
        await look_in_vain()


async def test_an_error_of_a_widget_that_leaves_does_not_end_the_app(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.push_screen(SearchScreen(store))
        await settle(pilot)
        line = app.screen.query_one(StatusLine)
        line.call_later(lambda: line.screen.query_one("#nothing"))
        line.remove()
        await settle(pilot)
        assert isinstance(app.screen, StoreScreen)
        assert app.is_running


async def test_a_second_that_passes_when_the_status_line_is_gone_ends_nothing(
    app: CrmmailApp,
) -> None:
    async with app.run_test() as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, StoreScreen)
        await screen.query_one(StatusLine).remove()
        screen._redraw_states()
        assert app._exception is None
