"""A change that waits is made on what it was asked for, whatever is shown by then (U6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen, OptionsReady
from crmmail.screens.options import Option
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.screens.undo import Do
from crmmail.store import accounts, notes, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens.harness import press, settle, text
from tests.screens.test_bursts import write
from tests.screens.test_slow_store import Disk, appears, disk

__all__ = ["disk"]

ADA, BOB = "Ada Lovelace", "Bob Stone"


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys go on soon without what does not come."""
    monkeypatch.setattr(key_queue, "PATIENCE", 0.02)


@contextmanager
def no_write(app: CrmmailApp) -> Iterator[None]:
    """Nothing is written meanwhile: another change is being made."""
    with app._history._turn:
        yield


def person(store: Store, name: str) -> int:
    found: int = store.read().execute("SELECT id FROM person WHERE name = ?", [name]).fetchone()[0]
    return found


async def shown(app: CrmmailApp, *keys: str, seen: Callable[[], bool]) -> None:
    """Press keys while something is held up, and see what they do."""
    write(app, *keys)
    await appears(lambda: app.typed.is_empty and seen())


def at(app: CrmmailApp, name: str, store: Store) -> bool:
    screen = app.screen
    return isinstance(screen, RecordScreen) and screen.record_id == person(store, name)


async def test_a_note_is_on_the_record_that_it_was_written_on(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter", "n", *"Call Ada")
        with no_write(app):
            await shown(app, "ctrl+s", seen=lambda: True)
            await shown(app, "escape", seen=lambda: at(app, ADA, store))
            await shown(app, "escape", seen=lambda: isinstance(app.screen, RecordsScreen))
            await shown(app, "down", "enter", seen=lambda: at(app, BOB, store))
        await settle(pilot)
    written = [one.text for one in notes.of_record(store.read(), Kind.PERSON, person(store, ADA))]
    assert written == ["Call Ada"]
    assert notes.of_record(store.read(), Kind.PERSON, person(store, BOB)) == []


async def test_a_note_from_the_editor_is_on_the_record_that_it_was_written_on(
    app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmmail.screens.notes.edited", lambda _pane, _text: "Call Ada")
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter")
        with no_write(app):
            await shown(app, "N", seen=lambda: True)
            await shown(app, "escape", seen=lambda: isinstance(app.screen, RecordsScreen))
            await shown(app, "down", "enter", seen=lambda: at(app, BOB, store))
        await settle(pilot)
    assert len(notes.of_record(store.read(), Kind.PERSON, person(store, ADA))) == 1
    assert notes.of_record(store.read(), Kind.PERSON, person(store, BOB)) == []


async def test_a_thread_is_hidden_from_the_record_on_which_it_was_seen(
    app: CrmmailApp, store: Store
) -> None:
    ada, bob = person(store, ADA), person(store, BOB)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
        hidden = app.screen.threads.current
        with no_write(app):
            await shown(app, "x", seen=lambda: True)
            await shown(app, "escape", seen=lambda: isinstance(app.screen, RecordsScreen))
            await shown(app, "down", "enter", seen=lambda: at(app, BOB, store))
        await settle(pilot)
    assert hidden is not None
    assert threads.hand(store.read(), Kind.PERSON, ada, hidden) == -1
    assert threads.hand(store.read(), Kind.PERSON, bob, hidden) == 0


async def test_an_edit_is_of_the_record_whose_form_was_open(app: CrmmailApp, store: Store) -> None:
    ada = person(store, ADA)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "e", "ctrl+u", *"Ada King")
        with no_write(app):
            await shown(app, "ctrl+s", seen=lambda: True)
            await shown(app, "escape", seen=lambda: isinstance(app.screen, RecordsScreen))
            await shown(app, "down", "enter", seen=lambda: at(app, BOB, store))
        await settle(pilot)
    assert person(store, "Ada King") == ada
    assert person(store, BOB) != ada


async def test_a_link_is_of_the_thread_that_was_shown(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter", "enter", "l")
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        first = thread.thread_id
        disk.stop()
        await shown(app, *"nordw", "enter", seen=lambda: thread.pane.has_focus)
        await shown(app, "J", seen=lambda: thread.thread_id != first)
        second = thread.thread_id
        disk.go_on()
        await settle(pilot)
        assert by_hand(store, first) == ["Çelik Öztürk"]
        assert by_hand(store, second) == []


async def test_a_thread_is_hidden_although_the_next_one_is_shown_by_then(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter", "enter", "x")
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        first = thread.thread_id
        row = thread.records.row
        assert row is not None
        disk.stop()
        await shown(app, "x", seen=lambda: True)
        await shown(app, "escape", "J", seen=lambda: thread.thread_id != first)
        second = thread.thread_id
        disk.go_on()
        await settle(pilot)
        link = row.link
        assert threads.hand(store.read(), link.kind, link.record_id, first) == -1
        assert threads.hand(store.read(), link.kind, link.record_id, second) == 0


def by_hand(store: Store, thread: int) -> list[str]:
    found = threads.get(store.read(), thread)
    assert found is not None
    return [one.name for one in found.links if one.hand > 0]


async def test_choices_of_one_account_do_not_open_over_another(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    accounts.add(store, "second@away.example")
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "comma")
        screen = app.screen
        assert isinstance(screen, AccountsScreen)
        await press(pilot, "G", "enter")
        assert screen.prompt.has_focus
        await press(pilot, "tab")
        assert not screen.prompt.has_class("-open")
        assert "second@away.example" in text(app)
        assert len(accounts.all_accounts(store.read())) == 2


async def test_choices_that_come_late_are_not_offered_for_another_account(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "comma")
        screen = app.screen
        assert isinstance(screen, AccountsScreen)
        offered = [Option(0, "On", do=lambda: None), Option(1, "Off", do=lambda: None)]
        screen.post_message(OptionsReady("Change", offered, "left@away.example"))
        await settle(pilot)
        assert not screen.options.is_open
        screen.post_message(OptionsReady("Change", offered, screen._email))
        await settle(pilot)
        assert screen.options.is_open


async def test_a_change_that_a_leaving_screen_asked_for_is_made(app: CrmmailApp) -> None:
    done: list[str] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "comma")
        screen = app.screen
        screen._pruning = True  # as it is from when it is left until it is gone
        screen.post_message(Do("Changed", lambda: done.append("changed")))
        await settle(pilot)
        assert done == ["changed"]
