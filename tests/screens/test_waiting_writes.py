"""A change that waits is made on what it was asked for, whatever is shown by then (U6)."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from textual.pilot import Pilot

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen, OptionsReady
from crmmail.screens.form import FormScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.options import Option
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.screens.undo import Do
from crmmail.store import accounts, meeting_detail, notes, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens import filler
from tests.screens.bursts import write
from tests.screens.conftest import NOW
from tests.screens.harness import press, settle, text
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


def says_it_is_being_stored(app: CrmmailApp) -> bool:
    return any("This is being stored." in one.message for one in app._notifications)


async def test_a_form_stays_until_its_note_is_stored_on_the_record_that_it_was_written_on(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter", "n", *"Call Ada")
        with no_write(app):
            await shown(app, "ctrl+s", seen=lambda: True)
            await shown(app, "escape", seen=lambda: says_it_is_being_stored(app))
            assert isinstance(app.screen, FormScreen)
        await settle(pilot)
        assert at(app, ADA, store)
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


async def test_a_form_stays_until_its_edit_is_stored(app: CrmmailApp, store: Store) -> None:
    ada = person(store, ADA)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "e", "ctrl+u", *"Ada King")
        with no_write(app):
            await shown(app, "ctrl+s", seen=lambda: True)
            await shown(app, "escape", seen=lambda: says_it_is_being_stored(app))
            assert isinstance(app.screen, FormScreen)
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
    assert person(store, "Ada King") == ada
    assert person(store, BOB) != ada


async def linking(pilot: Pilot[str], app: CrmmailApp, disk: Disk) -> tuple[ThreadScreen, int, int]:
    """Link a thread to Nordwind while the disk hangs, and show the next one.

    Returns the screen and both threads.
    """
    await press(pilot, "enter", "enter", "l")
    thread = app.screen
    assert isinstance(thread, ThreadScreen)
    first = thread.thread_id
    disk.stop()
    await shown(app, *"nordw", "enter", seen=lambda: thread.pane.has_focus)
    await shown(app, "J", seen=lambda: thread.thread_id != first)
    return thread, first, thread.thread_id


async def test_a_link_is_of_the_thread_that_was_shown(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        _, first, second = await linking(pilot, app, disk)
        disk.go_on()
        await settle(pilot)
        assert by_hand(store, first) == ["Nordwind"]
        assert by_hand(store, second) == []


async def test_a_link_that_waits_is_made_although_another_thread_is_to_be_linked_by_then(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        thread, first, second = await linking(pilot, app, disk)
        await shown(app, "l", *"acme", seen=lambda: thread.picker.target == second)
        disk.go_on()
        await settle(pilot)
        assert by_hand(store, first) == ["Nordwind"]
        await press(pilot, "enter")
        await settle(pilot)
        assert by_hand(store, second) == ["Acme"]
        assert by_hand(store, first) == ["Nordwind"]


async def test_two_links_that_wait_are_each_of_their_thread(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        thread, first, second = await linking(pilot, app, disk)
        await shown(app, "l", *"acme", "enter", seen=lambda: thread.pane.has_focus)
        await shown(app, "escape", seen=lambda: isinstance(app.screen, RecordScreen))
        disk.go_on()
        await settle(pilot)
    assert by_hand(store, first) == ["Nordwind"]
    assert by_hand(store, second) == ["Acme"]


async def test_a_link_that_waits_for_a_name_that_nothing_has_says_so(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(pilot, "enter", "enter", "l")
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        disk.stop()
        await shown(app, *"zzz", "enter", seen=lambda: thread.pane.has_focus)
        disk.go_on()
        await settle(pilot)
        assert "No record matches “zzz”." in text(app)
        assert by_hand(store, thread.thread_id) == []


async def test_an_unlink_is_of_the_thread_that_was_shown(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "enter", "enter")
        thread = app.screen
        assert isinstance(thread, ThreadScreen)
        first, second = thread.thread_id, thread._siblings[1]
        for one in (first, second):
            threads.link(store, Kind.COMPANY, company(store, "Nordwind"), one)
        await settle(pilot)
        await press(pilot, "x", "G", "k")
        assert thread.records.row is not None
        assert thread.records.row.link.name == "Nordwind"
        disk.stop()
        await shown(app, "d", seen=lambda: True)
        await shown(app, "escape", "J", "x", seen=lambda: thread.thread_id == second)
        disk.go_on()
        await settle(pilot)
    assert by_hand(store, first) == []
    assert by_hand(store, second) == ["Nordwind"]


async def test_a_meeting_is_linked_although_the_next_one_is_shown_by_then(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    found = filler.meetings(store, int(NOW.timestamp()))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, store, found)
        await press(pilot, "l")
        disk.stop()
        await shown(app, *"nordw", "enter", seen=lambda: screen.pane.has_focus)
        await shown(app, "J", seen=lambda: screen.occurrence == found["lunch"][0])
        await shown(app, "l", seen=lambda: screen.prompt.has_focus)
        disk.go_on()
        await settle(pilot)
    assert meeting_by_hand(store, found["visit"][0]) == {"Nordwind": 1}
    assert meeting_by_hand(store, found["lunch"][0]) == {}


async def test_a_meeting_is_hidden_and_unlinked_although_the_next_one_is_shown_by_then(
    disk: Disk, app: CrmmailApp, store: Store
) -> None:
    found = filler.meetings(store, int(NOW.timestamp()))
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, store, found)
        for key, hidden in (("x", {ADA: -1}), ("d", {})):
            await press(pilot, "x", "g")
            assert screen.records.row is not None
            assert screen.records.row.link.name == ADA
            disk.stop()
            await shown(app, key, seen=lambda: True)
            await shown(app, "escape", "J", seen=lambda: screen.occurrence == found["lunch"][0])
            disk.go_on()
            await settle(pilot)
            assert meeting_by_hand(store, found["visit"][0]) == hidden
            assert meeting_by_hand(store, found["lunch"][0]) == {}
            await press(pilot, "K")


async def opened(pilot: Pilot[None], store: Store, found: dict[str, list[int]]) -> MeetingScreen:
    """A meeting of Ada's, with another of hers after it."""
    siblings = array("q", [found["visit"][0], found["lunch"][0]])
    screen = MeetingScreen.open(pilot.app, store, siblings[0], siblings, "Agenda")
    await settle(pilot)
    return screen


def company(store: Store, name: str) -> int:
    found: int = store.read().execute("SELECT id FROM company WHERE name = ?", [name]).fetchone()[0]
    return found


def meeting_by_hand(store: Store, occurrence: int) -> dict[str, int]:
    """What was said by hand of a meeting, by the names of the records."""
    detail = meeting_detail.get(store.read(), occurrence)
    assert detail is not None
    return {one.name: one.hand for one in detail.links if one.hand}


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
        await press(pilot, *"jjjj")
        with_choices = screen._rows[screen.listed.cursor].setting.options
        assert with_choices is not None
        disk.stop()
        await shown(app, "enter", seen=lambda: True)
        assert not screen.options.is_open
        await shown(app, "tab", "enter", seen=lambda: True)
        disk.go_on()
        await settle(pilot)
        assert screen.account is not None
        assert screen.account.email == "second@away.example"
        assert "not synced yet" in text(app)
        assert not screen.options.is_open
        await press(pilot, "enter")
        assert screen.options.is_open


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
