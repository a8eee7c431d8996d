"""A form whose write is done closes once, whatever lies over it by then (U6, U7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot

from crmmail import key_queue, sign_up
from crmmail.app import CrmmailApp
from crmmail.errors import CrmmailError
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import FormScreen
from crmmail.screens.help import HelpScreen
from crmmail.screens.question import QuestionScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.signing_up import SignedUp, SignUp
from crmmail.store import notes
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.accounts.test_credentials import Memory
from tests.screens.harness import press, settle, text
from tests.screens.test_waiting_writes import no_write, says_it_is_being_stored, shown


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys go on soon without what does not come."""
    monkeypatch.setattr(key_queue, "PATIENCE", 0.02)


def asks(app: CrmmailApp, words: str) -> Callable[[], bool]:
    return lambda: isinstance(app.screen, QuestionScreen) and words in text(app)


def noted(store: Store) -> list[str]:
    """All notes that the first person has."""
    return [one.text for one in notes.of_record(store.read(), Kind.PERSON, 1)]


async def type_note(pilot: Pilot[str], app: CrmmailApp) -> FormScreen:
    await press(pilot, "enter", "n", *"Call")
    assert isinstance(app.screen, FormScreen)
    return app.screen


@asynccontextmanager
async def typed_note(app: CrmmailApp, store: Store) -> AsyncIterator[tuple[Pilot[str], FormScreen]]:
    """A note is typed; at the end of the block it is stored, and once."""
    before = noted(store)
    async with app.run_test(size=(120, 40)) as pilot:
        yield pilot, await type_note(pilot, app)
    assert noted(store) == ["Call", *before]


async def store_under_the_menu(app: CrmmailApp) -> None:
    """Store what is typed in a form while the menu lies over it."""
    with no_write(app):
        await shown(app, "ctrl+s", "ctrl+p", seen=lambda: isinstance(app.screen, CommandPalette))


async def test_what_is_stored_while_quitting_is_asked_about_needs_no_answer(
    app: CrmmailApp, store: Store
) -> None:
    async with typed_note(app, store) as (pilot, _):
        with no_write(app):
            await shown(app, "ctrl+s", "ctrl+q", seen=asks(app, "This is being stored. Quit, and"))
            assert not app._exit
        await settle(pilot)
        assert app._exit


async def test_what_is_stored_while_going_elsewhere_is_asked_about_goes_there(
    app: CrmmailApp, store: Store
) -> None:
    async with typed_note(app, store) as (pilot, form):
        with no_write(app):
            await shown(app, "ctrl+s", seen=lambda: form.is_storing)
            app.action_go(1)
            await shown(app, seen=asks(app, "This is being stored. Go there, and"))
        await settle(pilot)
        assert app.screen_stack == [app.screen]
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.index == 1


@pytest.mark.parametrize("keys", [("n",), ("escape",), ("n", "ctrl+s"), ("n", "ctrl+s", "escape")])
async def test_a_form_that_is_not_to_be_lost_closes_when_it_is_stored(
    app: CrmmailApp, store: Store, keys: tuple[str, ...]
) -> None:
    async with typed_note(app, store) as (pilot, form):
        with no_write(app):
            await shown(app, "ctrl+s", "ctrl+q", seen=asks(app, "Quit, and"))
            await shown(app, *keys, seen=lambda: app.screen is form)
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)
        assert len(app.screen_stack) == 2


async def test_a_form_that_is_stored_under_the_menu_closes_with_the_menu(
    app: CrmmailApp, store: Store
) -> None:
    async with typed_note(app, store) as (pilot, form):
        await store_under_the_menu(app)
        await settle(pilot)
        assert isinstance(app.screen, CommandPalette)
        assert not form.would_lose
        await press(pilot, "escape")
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)
        assert form not in app.screen_stack


async def test_the_menu_over_a_stored_form_leads_elsewhere_unasked(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await type_note(pilot, app)
        await store_under_the_menu(app)
        await press(pilot, *"go to: companies")
        await settle(pilot)
        await press(pilot, "enter")
        await settle(pilot)
        assert app.screen_stack == [app.screen]
        assert isinstance(app.screen, RecordsScreen)


async def test_a_new_record_is_opened_when_what_lies_over_its_form_is_left(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "c", *"Zed")
        await store_under_the_menu(app)
        await settle(pilot)
        assert isinstance(app.screen, CommandPalette)
        await press(pilot, "escape")
        await settle(pilot)
        assert [type(one) for one in app.screen_stack] == [RecordsScreen, RecordScreen]
        assert "People › Zed" in text(app)


async def test_a_write_that_fails_under_the_question_leaves_question_and_text(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "e", "tab", "enter", *"nonsense")
        form = app.screen
        with no_write(app):
            await shown(app, "ctrl+s", "ctrl+q", seen=asks(app, "Quit, and"))
        await settle(pilot)
        assert isinstance(app.screen, QuestionScreen)
        await press(pilot, "n")
        assert app.screen is form
        assert "'nonsense' is not an e-mail address." in text(app)
        await press(pilot, "escape")
        assert "Discard what you typed?" in text(app)


class TestAccounts:
    """The form of an account, which a thread stores."""

    @pytest.fixture
    def wanted(self, monkeypatch: pytest.MonkeyPatch) -> list[SignUp]:
        """What the screen has asked of the server; nobody answers."""
        found: list[SignUp] = []
        monkeypatch.setattr(sign_up, "start", lambda _store, one: found.append(one))
        return found

    async def saving(
        self, pilot: Pilot[str], app: CrmmailApp, wanted: list[SignUp]
    ) -> FirstRunScreen:
        await press(pilot, "comma", "c", *"ann@b.test", "tab", *"secret", "tab", *"b.test:993")
        screen = app.screen
        assert isinstance(screen, FirstRunScreen)
        screen._looked_up, screen._looking = "ann@b.test", False
        screen.action_test()
        await settle(pilot)
        screen.post_message(SignedUp(wanted[0], (("INBOX", "inbox", 1),)))
        await settle(pilot)
        await press(pilot, "enter")
        await settle(pilot)
        assert wanted[1].save
        return screen

    async def test_it_is_not_left_while_it_is_stored(
        self, app: CrmmailApp, wanted: list[SignUp], keyring_here: Memory
    ) -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            screen = await self.saving(pilot, app, wanted)
            await shown(app, "escape", seen=lambda: says_it_is_being_stored(app))
            assert app.screen is screen

    async def test_it_closes_once_when_help_lies_over_it(
        self, app: CrmmailApp, wanted: list[SignUp], keyring_here: Memory
    ) -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            screen = await self.saving(pilot, app, wanted)
            await shown(app, "f1", seen=lambda: isinstance(app.screen, HelpScreen))
            screen.post_message(SignedUp(wanted[1]))
            await shown(app, seen=lambda: not screen.would_lose)
            assert isinstance(app.screen, HelpScreen)
            await press(pilot, "escape")
            await settle(pilot)
            assert screen not in app.screen_stack
            assert len(wanted) == 2

    async def test_it_closes_under_a_question(
        self, app: CrmmailApp, wanted: list[SignUp], keyring_here: Memory
    ) -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            screen = await self.saving(pilot, app, wanted)
            await shown(app, "ctrl+q", seen=asks(app, "This is being stored. Quit, and"))
            screen.post_message(SignedUp(wanted[1]))
            await settle(pilot)
            assert app._exit

    async def test_what_fails_can_be_stored_again(
        self, app: CrmmailApp, wanted: list[SignUp], keyring_here: Memory
    ) -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            screen = await self.saving(pilot, app, wanted)
            screen.post_message(SignedUp(wanted[1], problem=CrmmailError("No keyring.")))
            await settle(pilot)
            assert app.screen is screen
            assert not screen.is_storing
            assert screen.would_lose
