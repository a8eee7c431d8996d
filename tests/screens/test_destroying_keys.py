"""Keys that destroy are one step of undo that names all of it, or ask first (U3, U4)."""

from __future__ import annotations

import re

import pytest
from textual import events

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
from crmmail.store import accounts, notes
from crmmail.store.database import Store
from crmmail.store.dump import dump
from crmmail.store.kinds import Kind
from tests.screens.bursts import keys_wait, write
from tests.screens.harness import press, settle, text

__all__ = ["keys_wait"]


def kept(store: Store) -> list[str]:
    """What the store has, without the times at which it was written."""
    times = re.compile(r'"(at|created|changed|\w+_at)": ?[\d.null]+')
    return sorted(times.sub("", line) for line in dump(store.read()))


def told(app: CrmmailApp) -> list[str]:
    return [one.message for one in app._notifications]


@pytest.mark.parametrize("typed", ["DxBAn", "DDD", "Dear Bob,\nPLAN B\nBye", "BBD\n\nD"])
async def test_one_step_takes_back_what_pasted_text_did_to_a_list(
    app: CrmmailApp, store: Store, typed: str
) -> None:
    before = kept(store)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot)
        write(app, *("enter" if one == "\n" else one for one in typed))
        await settle(pilot)
        for screen in reversed(app.screen_stack[1:]):
            await press(pilot, "escape")
            if isinstance(screen, FormScreen):  # it asks whether what is typed may be lost
                await press(pilot, "y")
        assert len(app.screen_stack) == 1
        assert kept(store) != before
        app.clear_notifications()
        await press(pilot, "u")
        assert kept(store) == before
        assert len(told(app)) == 1
        await press(pilot, "u")
        assert told(app)[-1] == "There is nothing to undo."


async def test_the_step_of_a_burst_names_all_that_was_done(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot)
        write(app, "D", "B")
        await settle(pilot)
        first, second = told(app)
        assert first == "Ada Lovelace deleted. u to undo, until you quit."
        assert second.startswith("Ada Lovelace deleted; ")
        assert " blocked." in second
        assert second.endswith(". u to undo all of it, until you quit.")
        await press(pilot, "u")
        assert told(app)[-1].startswith("Undone: Ada Lovelace deleted; ")


async def test_keys_with_pauses_are_steps_of_their_own(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "D")
        between = kept(store)
        await press(pilot, "D", "u")
        assert kept(store) == between


async def test_u_in_a_burst_takes_back_the_change_before_it(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        before = kept(store)
        await press(pilot)
        write(app, "D")
        await settle(pilot)
        between = kept(store)
        await press(pilot, "u", "g")
        write(app, "D", "D", "u")
        await settle(pilot)
        assert kept(store) == between
        await press(pilot, "u")
        assert kept(store) == before


def test_keys_in_one_piece_are_one_burst_and_those_with_pauses_are_not(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_queue, "BURST", 0.03)
    sent: list[int] = []
    queue = key_queue.KeyQueue(app, lambda _event: True)
    for at in (10.0, 10.01, 10.02, 11.0, 11.02, 12.0):
        event = events.Key("j", "j")
        event.time = at
        sent.append(queue._count(event, at_work=False))
    assert sent == [1, 1, 1, 2, 2, 3]


async def test_a_note_is_deleted_in_one_step(app: CrmmailApp, store: Store) -> None:
    person = store.read().execute("SELECT id FROM person WHERE name = 'Ada Lovelace'").fetchone()[0]
    notes.add(store, Kind.PERSON, person, "Call back")
    before = kept(store)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter", "3", "D")
        assert kept(store) != before
        await press(pilot, "u")
        assert kept(store) == before


async def test_no_text_without_its_address_removes_an_account(store: Store) -> None:
    (one,) = accounts.all_accounts(store.read())
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        write(app, "G", *["enter"] * 6, "y", "enter", "enter")
        await settle(pilot)
        assert accounts.all_accounts(store.read()) == [one]
        await press(pilot, "escape", "escape", "comma", "G", "enter", *one.email, "enter")
        assert "This cannot be undone" in text(app)
        await press(pilot, "enter")
        assert accounts.all_accounts(store.read()) == []
