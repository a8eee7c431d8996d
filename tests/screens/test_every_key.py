"""Every key on every screen, panel and form: the app is alive after it."""

from __future__ import annotations

import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen
from crmmail.screens.agenda import AgendaScreen
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import FormScreen
from crmmail.screens.help import HelpScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.pick import PickScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.screens.skipped import SkippedScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.screens.bursts import stroke
from tests.screens.filler import ME, Filler, Guest
from tests.screens.harness import press, settle

ENDS = {"ctrl+q", "f6"}
"""They end the app, and are to: f6 goes on in the demo."""
KEYS = (
    *string.punctuation,
    *string.ascii_letters,
    *string.digits,
    "space",
    *(f"ctrl+{letter}" for letter in string.ascii_lowercase),
    *(f"f{number}" for number in range(1, 13)),
    *("enter", "tab", "shift+tab", "escape", "backspace", "delete", "home", "end"),
    *("up", "down", "left", "right", "pageup", "pagedown", "insert"),
    *"äßçжד花é€",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys are pressed: how to get there, and what tells that one is there."""

    way: tuple[str, ...]
    here: Callable[[CrmmailApp], bool]


def on(screen: type, *way: str, focus: str = "") -> Place:
    """A screen, and the widget or its class that has the keys there."""

    def here(app: CrmmailApp) -> bool:
        if type(app.screen) is not screen:
            return False
        focused = app.focused
        return not focus or (focused is not None and focus in {focused.id, type(focused).__name__})

    return Place(way, here)


PLACES = {
    "people": on(RecordsScreen),
    "companies": on(RecordsScreen, "2"),
    "opportunities": on(RecordsScreen, "3"),
    "filter": on(RecordsScreen, "slash", focus="FilterLine"),
    "preview": on(RecordsScreen, "right", focus="preview"),
    "form": on(FormScreen, "e"),
    "area": on(FormScreen, "enter", "n", focus="AreaField"),
    "picker": on(PickScreen, "M"),
    "help": on(HelpScreen, "question_mark"),
    "record": on(RecordScreen, "enter"),
    "calendar": on(RecordScreen, "enter", "2"),
    "notes": on(RecordScreen, "enter", "3"),
    "timeline": on(RecordScreen, "enter", "4"),
    "thread": on(ThreadScreen, "enter", "enter"),
    "participants": on(ThreadScreen, "enter", "enter", "at", focus="participants"),
    "links": on(ThreadScreen, "enter", "enter", "U", focus="links"),
    "records": on(ThreadScreen, "enter", "enter", "x", focus="records"),
    "attachments": on(ThreadScreen, "enter", "enter", "A", focus="attachments"),
    "link": on(ThreadScreen, "enter", "enter", "l", focus="Prompt"),
    "agenda": on(AgendaScreen, "a"),
    "meeting": on(MeetingScreen, "a", "enter"),
    "accounts": on(AccountsScreen, "comma"),
    "choices": on(AccountsScreen, "comma", "enter", focus="options"),
    "block": on(AccountsScreen, "comma", "B", focus="Prompt"),
    "skipped": on(SkippedScreen, "L"),
    "search": on(SearchScreen, "F"),
    "first run": on(FirstRunScreen, "comma", "c"),
}


@contextmanager
def nothing() -> Iterator[None]:
    """A headless driver has no terminal to give away."""
    yield


@pytest.fixture
def harmless(
    app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CrmmailApp:
    """The app, where no key reaches a browser, an editor, the shell or a server."""
    monkeypatch.setenv("VISUAL", "true")
    monkeypatch.setattr("crmmail.screens.files.folder", lambda: tmp_path)
    monkeypatch.setattr("crmmail.fetch.start", lambda _store, _wanted: None)
    monkeypatch.setattr("crmmail.sign_up.start", lambda _store, _wanted: None)
    monkeypatch.setattr("crmmail.sign_up.look_up", lambda _wanted: None)
    monkeypatch.setattr(app, "open_url", lambda _url: None)
    monkeypatch.setattr(app, "suspend", nothing)
    with store.write("meetings") as (db, change):
        start = int(time.time()) + 3_600
        guests = (Guest(ME), Guest("ada@acme.example"))
        Filler(db, change).meeting("The review", (start, start + 3_600), guests=guests)
    return app


@pytest.mark.parametrize("place", PLACES)
async def test_the_app_is_alive_after_every_key(
    harmless: CrmmailApp, keyring_here: Memory, place: str
) -> None:
    app, there = harmless, PLACES[place]
    async with app.run_test(size=(140, 24)) as pilot:
        await settle(pilot)
        for key in KEYS:
            if key in ENDS:
                continue
            if not there.here(app):
                await go(app, pilot, there)
            app.post_message(stroke(key))
            await settle(pilot)
            assert app._exception is None, f"{key} on {place}"
            assert app.is_running, f"{key} on {place}"
        await home(app, pilot)
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)


async def home(app: CrmmailApp, pilot: Pilot[None]) -> None:
    """Go back to the list of people, with everything taken back."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await settle(pilot)
    while app._history._stack:
        app.action_undo()
        await settle(pilot)
    for key in ("escape", "escape", "1", "g"):
        app.post_message(events.Key(key, key if len(key) == 1 else None))
        await settle(pilot)


async def go(app: CrmmailApp, pilot: Pilot[None], place: Place) -> None:
    """Get to a place; it must be there."""
    await home(app, pilot)
    for key in place.way:
        app.post_message(stroke(key))
        await settle(pilot)
    assert place.here(app), f"{place.way}: not reached, {app.screen} {app.focused}"
