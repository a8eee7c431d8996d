"""Keys that are written at once end as the same keys with pauses (U1)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.errors import CrmmailError
from crmmail.screens import records
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import FormScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.screens.undo import Do, History
from crmmail.store import people
from crmmail.store.database import Store
from crmmail.widgets import awaited
from tests.accounts.test_credentials import Memory
from tests.screens.bursts import keys_wait, stroke, write
from tests.screens.harness import press, settle, text, until

__all__ = ["keys_wait"]


async def test_a_key_that_is_typed_alone_is_passed_on_at_once(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        app.post_message(stroke("j"))
        assert app.typed.is_empty


async def test_keys_wait_for_nothing_that_an_app_before_has_begun(store: Store) -> None:
    awaited.begin(object())
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        app.post_message(stroke("j"))
        assert app.typed.is_empty


async def test_keys_wait_once_for_all_that_never_ends(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "PATIENCE", 0.1)
    hanging = [object() for _ in range(1_000)]  # one after the other they take longer than a test
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        for one in hanging:
            awaited.begin(one)
        write(app, "F", *"bob")
        await settle(pilot)
        assert app.screen.query_one(Input).value == "bob"
    for one in hanging:
        awaited.end(one)


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


async def test_the_next_key_waits_for_what_a_change_leaves_though_its_notice_comes_first(
    app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that writes may be slow to say that it has: the app hears of the commit before."""
    call, ids = History._call, records._ids
    loop = asyncio.get_running_loop()

    async def turns() -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    def late(history: History, *what: Any) -> None:
        asyncio.run_coroutine_threadsafe(turns(), loop).result()
        call(history, *what)

    def slow(*what: Any) -> Any:
        end = time.monotonic() + 0.2
        while not app.typed.is_empty and time.monotonic() < end:
            time.sleep(0.001)
        return ids(*what)

    before = people.view(store.read())
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        monkeypatch.setattr(History, "_call", late)
        monkeypatch.setattr(records, "_ids", slow)
        write(app, "D", "D")
        await settle(pilot)
    assert people.view(store.read()) == before[2:]


async def test_a_change_that_fails_half_way_is_shown_as_it_is_then(
    app: CrmmailApp, store: Store
) -> None:
    def half() -> None:
        people.create(store, "Zed", ["zed@zed.example"])
        raise CrmmailError("The other half failed.")

    async with app.run_test(size=(120, 60)) as pilot:
        await press(pilot)
        app.post_message(Do("Zed made", half))
        await settle(pilot)
        assert "Zed" in text(app)


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
