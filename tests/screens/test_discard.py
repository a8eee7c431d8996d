"""What was typed in a form is not lost unasked (U7); ctrl+c is the same everywhere (U8)."""

from __future__ import annotations

import pytest
from textual import events
from textual.command import CommandPalette
from textual.widgets import Input, TextArea

from crmmail.app import CrmmailApp
from crmmail.key_parser import PasteCut
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import FormScreen
from crmmail.screens.question import QuestionScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.signing import DEMO
from crmmail.store import notes, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.accounts.test_credentials import Memory
from tests.screens.harness import press, settle, text

ASKED = "Discard what you typed? y/n"
FORMS = {
    "person": ("e",),
    "new person": ("c",),
    "company": ("2", "e"),
    "new company": ("2", "c"),
    "opportunity": ("3", "e"),
    "new opportunity": ("3", "c"),
    "note": ("enter", "n"),
    "first run": ("comma", "c"),
}


@pytest.mark.parametrize("name", FORMS)
async def test_escape_closes_a_form_in_which_nothing_was_typed(app: CrmmailApp, name: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        *before, last = FORMS[name]
        await press(pilot, *before)
        behind = app.screen
        await press(pilot, last)
        assert app.screen is not behind
        await press(pilot, "tab", "x", "backspace", "escape")
        await settle(pilot)
        assert app.screen is behind


@pytest.mark.parametrize("name", FORMS)
async def test_escape_asks_before_it_drops_what_was_typed(app: CrmmailApp, name: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        *before, last = FORMS[name]
        await press(pilot, *before)
        behind = app.screen
        await press(pilot, last)
        form = app.screen
        await press(pilot, "x", "escape")
        assert ASKED in text(app)
        for key in ("D", "enter", "tab", "ctrl+s", "F", "f5"):
            await press(pilot, key)
            assert isinstance(app.screen, QuestionScreen)
        for answer in ("n", "escape"):
            await press(pilot, answer)
            assert app.screen is form
            await press(pilot, "x", "escape")
            assert isinstance(app.screen, QuestionScreen)
        await press(pilot, "y")
        await settle(pilot)
        assert app.screen is behind


async def test_what_stays_typed_is_saved_later(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
        record = app.screen.record_id
        await press(pilot, "n", *"Call", "escape", "n", *" Ada", "ctrl+s")
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)
    assert [one.text for one in notes.of_record(store.read(), Kind.PERSON, record)] == ["Call Ada"]


async def test_what_is_discarded_is_stored_nowhere(app: CrmmailApp, store: Store) -> None:
    before = list(people.view(store.read()))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "c", *"New", "escape", "y")
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
    assert list(people.view(store.read())) == before


async def test_a_field_that_is_emptied_or_a_choice_that_is_changed_is_asked_for(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", "end", "ctrl+u", "escape")
        assert ASKED in text(app)
        await press(pilot, "y", "e", "tab", "tab", "end", "ctrl+u", *"nord", "enter", "escape")
        assert ASKED in text(app)


@pytest.mark.parametrize("name", FORMS)
async def test_quitting_asks_too(app: CrmmailApp, name: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *FORMS[name], "x", "ctrl+q")
        assert "Quit, and discard what you typed? y/n" in text(app)
        await press(pilot, "n")
        assert not app._exit
        await press(pilot, "ctrl+q", "y")
        assert app._exit


async def test_ctrl_q_twice_quits(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", "x", "ctrl+q", "ctrl+q")
        assert app._exit


@pytest.mark.parametrize("name", FORMS)
async def test_quitting_while_a_form_asks_asks_in_its_place(app: CrmmailApp, name: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *FORMS[name], "x")
        form = app.screen
        await press(pilot, "escape", "ctrl+q")
        assert not app._exit
        assert "Quit, and discard what you typed? y/n" in text(app)
        assert ASKED not in text(app)
        await press(pilot, "n")
        assert app.screen is form
        await press(pilot, "escape", "ctrl+q", "y")
        assert app._exit


async def test_the_menu_over_a_question_asks_its_own(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", "x", "escape", "ctrl+p")
        await press(pilot, *"go to: companies")
        await settle(pilot)
        await press(pilot, "enter")
        await settle(pilot)
        assert "Go there, and discard what you typed? y/n" in text(app)
        await press(pilot, "ctrl+q")
        assert "Quit, and discard what you typed? y/n" in text(app)
        await press(pilot, "n")
        assert isinstance(app.screen, FormScreen)


async def test_quitting_from_the_menu_over_a_form_asks(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", "x", "ctrl+p", "ctrl+q")
        assert not app._exit
        assert "Quit, and discard what you typed? y/n" in text(app)
        await press(pilot, "n", "escape", "ctrl+q", "y")
        assert app._exit


async def test_the_demo_asks_before_it_leaves_what_was_typed(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_add_account()
        await settle(pilot)
        await press(pilot, *"ann@b.test", "f6")
        assert "Show the demo, and discard what you typed? y/n" in text(app)
        await press(pilot, "n")
        assert isinstance(app.screen, FirstRunScreen)
        assert app.screen.field("email").input.value == "ann@b.test"
        await press(pilot, "f6", "y")
        await settle(pilot)
    assert app.return_value == DEMO


async def test_the_demo_asks_nothing_where_nothing_was_typed(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_add_account()
        await settle(pilot)
        await press(pilot, "f6")
    assert app.return_value == DEMO


async def test_the_menu_leads_away_from_a_form_only_when_that_is_confirmed(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", "x", "ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await press(pilot, *"go to: companies")
        await settle(pilot)
        await press(pilot, "enter")
        await settle(pilot)
        assert "Go there, and discard what you typed? y/n" in text(app)
        await press(pilot, "n")
        assert isinstance(app.screen, FormScreen)
        app.action_go(1)
        await press(pilot, "y")
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.index == 1


@pytest.mark.parametrize("with_keyring", [True, False])
async def test_an_account_that_is_signed_in_to_again_asks_for_what_was_typed(
    app: CrmmailApp, store: Store, request: pytest.FixtureRequest, with_keyring: bool
) -> None:
    if with_keyring:
        request.getfixturevalue("keyring_here")
    with store.write("state") as (db, _change):
        db.execute("UPDATE sync_state SET state = 'stopped', error = 'Wrong password.'")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        await settle(pilot)
        await press(pilot, "f8")
        assert isinstance(app.screen, FirstRunScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        await press(pilot, "f8", "x", "escape")
        assert ASKED in text(app)


# ctrl+c


@pytest.mark.parametrize(
    "way",
    [(), ("2",), ("slash",), ("F",), ("M",), ("question_mark",), ("ctrl+p",), *FORMS.values()],
)
async def test_ctrl_c_says_how_to_quit_and_does_nothing_else(
    app: CrmmailApp, way: tuple[str, ...]
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, *way)
        await settle(pilot)
        where, focused = app.screen, app.focused
        await press(pilot, "ctrl+c")
        await settle(pilot)
        assert [one.message for one in app._notifications] == ["Press ctrl+q to quit the app."]
        assert (app.screen, app.focused) == (where, focused)


@pytest.mark.parametrize("way", [("e",), ("slash",), ("enter", "n")])
async def test_ctrl_c_copies_what_is_selected(app: CrmmailApp, way: tuple[str, ...]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *way, *"two", *["shift+left"] * 2, "ctrl+c")
        await settle(pilot)
        assert app.clipboard == "wo"


@pytest.mark.parametrize("key", ["ctrl+c", "super+c", "ctrl+x"])
async def test_no_key_copies_a_password(app: CrmmailApp, keyring_here: Memory, key: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "comma", "c", "tab", *"hunter2", "shift+home", key)
        await settle(pilot)
        assert app.clipboard == ""


# Pasting


async def test_lines_that_are_pasted_into_one_line_are_joined(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", "end", "ctrl+u")
        app.post_message(events.Paste(" Ada\r\n  King \n\n"))
        await settle(pilot)
        assert isinstance(app.focused, Input)
        assert app.focused.value == "Ada King"


@pytest.mark.parametrize("way", [("e", "end", "ctrl+u"), ("enter", "n"), ("slash",), ("F",)])
async def test_a_sequence_in_a_pasted_text_leaves_nothing_in_a_field(
    app: CrmmailApp, way: tuple[str, ...]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *way)
        app.post_message(events.Paste("\x1b[31mAda\x1b[0m \x1b]8;;x:y\x07King\x1b]8;;\x07\x1b[K"))
        await settle(pilot)
        focused = app.focused
        assert isinstance(focused, Input | TextArea)
        assert (focused.value if isinstance(focused, Input) else focused.text) == "Ada King"


async def test_a_paste_that_was_cut_is_said_to_be(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "enter", "n")
        app.post_message(PasteCut(1_000_000))
        await settle(pilot)
        assert "Only the first 1,000,000 characters were pasted." in text(app)


async def test_a_password_of_several_lines_is_not_made_up(
    app: CrmmailApp, keyring_here: Memory
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "comma", "c", "tab")
        app.post_message(events.Paste("hunter2\n"))
        await settle(pilot)
        assert "Only the first line" not in text(app)
        await press(pilot, "ctrl+u")
        app.post_message(events.Paste("hunter2\nann@acme.example\n"))
        await settle(pilot)
        assert isinstance(app.focused, Input)
        assert app.focused.value == "hunter2"
        assert "Only the first line was pasted." in text(app)
