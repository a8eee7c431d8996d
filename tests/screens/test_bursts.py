"""Keys that are written at once end as the same keys with pauses (U1)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import time_machine
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input
from textual.widgets._toast import Toast

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import FormScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.store import people
from crmmail.store.database import Store
from crmmail.store.dump import dump
from crmmail.widgets import awaited
from tests.accounts.test_credentials import Memory
from tests.patience import PATIENCE
from tests.screens.conftest import NOW
from tests.screens.harness import press, settle, text, until
from tests.screens.walks import WALKS, key_of, nothing, prepare, programs

__all__ = ["programs"]

SPECIAL = {"slash": "/", "at": "@", "question_mark": "?", "comma": ",", "space": " "}


@pytest.fixture(autouse=True)
def keys_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys wait for what takes long on a busy machine too."""
    monkeypatch.setattr(key_queue, "PATIENCE", PATIENCE)


def stroke(key: str) -> events.Key:
    """A key as the driver of a terminal makes it."""
    if key in SPECIAL:
        return events.Key(key, SPECIAL[key])
    if len(key) == 1:
        return events.Key(_character_to_key(key), key)
    return events.Key(key, None)


def write(app: CrmmailApp, *keys: str) -> None:
    """Write keys at once."""
    for key in keys:
        app.post_message(stroke(key))


def kept(store: Store) -> list[str]:
    """What the store has, without the times at which it was written."""
    return sorted(
        re.sub(r'"(at|created|changed|\w+_at)": ?[\d.null]+', "", line)
        for line in dump(store.read())
    )


def place(app: CrmmailApp) -> tuple[object, ...]:
    """Where the app is: the screens, what has the keys, what is drawn but for toasts."""
    for screen in app.screen_stack:
        screen.query(Toast).remove()
    focused = app.focused
    return (
        [type(screen).__name__ for screen in app.screen_stack],
        (type(focused).__name__, focused.id) if focused is not None else None,
        app.clipboard,
    )


Walked = tuple[tuple[object, ...], str, list[str]]


async def walk_slowly(
    store: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], Walked]:
    """Do a walk step by step; returns its keys and how it ends."""
    keys: list[str] = []
    app = made(store, monkeypatch)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await press(pilot)
        for one in WALKS[name]:
            if one.id == "app.quit":
                break
            await press(pilot, *one.first)
            key = key_of(app, one.id)
            await press(pilot, key)
            await until(pilot, lambda one=one: one.brings(app))  # type: ignore[misc]
            app.clear_notifications()  # they lie over what the next action brings
            keys += [*one.first, key]
            app.clear_notifications()  # more of them than fit hide what the next step says
        await settle(pilot)
        where = place(app)
        await settle(pilot)
        return keys, (where, text(app), kept(store))


async def walk_at_once(
    store: Store, keys: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> Walked:
    """Write all keys of a walk at once; returns how it ends."""
    app = made(store, monkeypatch)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await press(pilot)
        write(app, *keys)
        await until(pilot, lambda: app.typed.is_empty)
        await settle(pilot)
        where = place(app)
        await settle(pilot)
        return where, text(app), kept(store)


def made(store: Store, monkeypatch: pytest.MonkeyPatch) -> CrmmailApp:
    app = CrmmailApp(store, sync=False)
    monkeypatch.setattr(app, "open_url", lambda _url: None)
    monkeypatch.setattr(app, "suspend", nothing)
    return app


@pytest.fixture
def twin(sample: Path, tmp_path: Path) -> Iterator[Store]:
    """The same store once more."""
    path = tmp_path / "twin.db"
    with closing(sqlite3.connect(sample)) as source:
        source.execute("VACUUM INTO ?", [str(path)])
    store = Store(path)
    yield store
    store.close()


def rows(drawn: str) -> list[str]:
    """The rows of a screen without the end of a scroll bar, which moves while a list is read."""
    return [re.sub("[▁▂▃▄▅▆▇█]", " ", row) for row in drawn.splitlines()]


@pytest.mark.parametrize("name", WALKS)
async def test_a_walk_ends_the_same_when_its_keys_come_at_once(
    sample_store: Store,
    twin: Store,
    programs: None,
    keyring_here: Memory,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    with time_machine.travel(NOW, tick=True):
        prepare(sample_store, name)
        prepare(twin, name)
        keys, slow = await walk_slowly(sample_store, name, monkeypatch)
        fast = await walk_at_once(twin, keys, monkeypatch)
    assert fast[0] == slow[0]
    assert rows(fast[1]) == rows(slow[1])
    assert fast[2] == slow[2]


async def test_a_key_that_is_typed_alone_is_passed_on_at_once(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        app.post_message(stroke("j"))
        assert app.typed.is_empty


async def test_text_after_ctrl_u_stands_in_the_form(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot)
        write(app, "e", "ctrl+u", *"Ada King", "ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
        first = people.rows(store.read(), people.view(store.read()))
        assert "Ada King" in {one.name for one in first}


async def test_a_password_that_is_typed_after_tab_stands_in_its_own_field(
    empty_store: Store, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.action_add_account()
        await settle(pilot)
        write(app, *"ann@b.test", "tab", *"hunter2-swordfish")
        await settle(pilot)
        assert isinstance(app.screen, FirstRunScreen)
        assert app.screen.field("email").input.value == "ann@b.test"
        assert app.screen.field("password").input.value == "hunter2-swordfish"
        assert "hunter2" not in text(app)


async def test_a_paste_waits_for_the_line_that_a_key_before_it_opens(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        write(app, "F")
        app.post_message(events.Paste("bob"))
        write(app, "b", "backspace")
        await settle(pilot)
        assert isinstance(app.screen, SearchScreen)
        assert app.screen.query_one(Input).value == "bob"


async def test_the_preview_that_gets_the_keys_is_of_the_row_under_the_cursor(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await press(pilot, "down", "right", "enter")
        slow = text(app)
        await press(pilot, "escape", "left", "g")
        write(app, "down", "right", "enter")
        await settle(pilot)
        assert text(app) == slow


async def test_what_one_change_leaves_is_what_the_next_is_made_on(
    app: CrmmailApp, store: Store
) -> None:
    before = people.view(store.read())
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        write(app, "D", "D")
        await settle(pilot)
    assert people.view(store.read()) == before[2:]


async def test_escape_overtakes_keys_that_wait_for_what_does_not_come(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "_STUCK", 0.0)
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
        with held(app):
            write(app, "n", "a", "b", "D")
            write(app, "escape")
            assert app.typed.is_empty
            await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)


async def test_keys_go_on_without_what_takes_longer_than_their_patience(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "PATIENCE", 0.05)
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter")
        with held(app):
            write(app, "n", *"abc")
            assert not app.typed.is_empty
            await until(pilot, lambda: isinstance(app.screen, FormScreen) and app.typed.is_empty)
        await settle(pilot)
        assert isinstance(app.screen, FormScreen)
        assert app.screen.values()["text"] == "abc"


@contextmanager
def held(app: CrmmailApp) -> Iterator[None]:
    """Something that a key has begun does not end."""
    thing = object()
    awaited.begin(thing)
    try:
        yield
    finally:
        awaited.end(thing)
