"""Toasts leave what one works on readable, in a small terminal too."""

from __future__ import annotations

import pytest
from textual.widget import Widget
from textual.widgets._toast import Toast

from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.screens.harness import lines, press, settle, text

LONG = "A toast that is so long that it has to be wrapped, and takes two rows of a terminal of 80."


def covered(app: CrmmailApp) -> set[int]:
    """The rows that toasts lie over."""
    regions = [toast.region for toast in app.screen.query(Toast) if toast.display]
    assert all(regions)
    return {y for one in regions for y in range(one.y, one.bottom)}


def status(app: CrmmailApp) -> int:
    """The row of the status line."""
    (found,) = (y for y, line in enumerate(lines(app)) if "● me@home.example" in line)
    return found


async def test_a_toast_is_no_larger_than_its_words(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "D")
        await settle(pilot)
        assert covered(app) == {21}
        assert status(app) == 22
        assert "▌ Ada Lovelace deleted. u to undo, until you quit." in lines(app)[21]


async def test_toasts_leave_the_row_of_the_cursor(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        for _ in range(3):
            app.notify(LONG)
        await settle(pilot)
        assert max(covered(app)) == 21
        await press(pilot, "G")
        await settle(pilot)
        assert app.cursor_position.y == 20
        assert min(covered(app)) == 0
        await press(pilot, "g")
        await settle(pilot)
        assert app.cursor_position.y not in covered(app)


@pytest.mark.parametrize("key", ["g", "G"])
async def test_many_toasts_leave_half_of_the_screen_and_show_the_newest(
    app: CrmmailApp, key: str
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, key)
        for number in range(9):
            app.notify(f"{number}. {LONG}")
            await settle(pilot)
            assert len(covered(app)) <= 12
            assert app.cursor_position.y not in covered(app)
            assert any(f"{number}. A toast" in line for line in lines(app))


@pytest.mark.parametrize("tabs", range(6))
async def test_a_toast_leaves_the_field_that_is_typed_in(app: CrmmailApp, tabs: int) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "e", *["tab"] * tabs)
        assert isinstance(app.screen, FormScreen)
        app.notify(LONG)
        app.notify(LONG)
        await press(pilot, "end", "x")
        await settle(pilot)
        assert app.cursor_position.y not in covered(app)
        assert app.cursor_position.y + 1 not in covered(app)


async def test_toasts_stand_above_a_status_line_of_several_rows(
    app: CrmmailApp, store: Store
) -> None:
    with store.write("state") as (db, _change):
        db.execute("UPDATE sync_state SET state = 'waiting', error = ?", [LONG * 2])
    assert accounts.states(store.read())[0].error
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "D")
        await settle(pilot)
        (first,) = (y for y, line in enumerate(lines(app)) if "✗ me@home.example" in line)
        assert first < 22
        assert max(covered(app)) == first - 1


def rows_of(widget: Widget) -> set[int]:
    return set(range(widget.region.y, widget.region.bottom))


OLD = f"Text that you typed in a form and did not save is in /home/ann/unsaved.txt. {LONG}"
DIALOGS = {
    "a question": (("asterisk", "D"), "SentenceScreen Label"),
    "the choices of a merge": (("space", "space", "M"), "OptionsPanel"),
    "a form": (("e",), "#form"),
    "a setting of an account": (("comma", "enter"), "OptionsPanel"),
    "the people of a thread": (("enter", "enter", "at"), "ParticipantsPanel"),
    "a name to pick": (("C",), "PickScreen > *"),
}


@pytest.mark.parametrize("name", DIALOGS)
async def test_what_was_said_before_never_lies_over_a_dialog(app: CrmmailApp, name: str) -> None:
    keys, dialog = DIALOGS[name]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot)
        app.notify(OLD)
        app.notify(OLD)
        await settle(pilot)
        assert covered(app)
        await press(pilot, *keys)
        await settle(pilot)
        found = app.screen.query(dialog).first()
        assert rows_of(found)
        assert not covered(app) & rows_of(found)
        await press(pilot, "j")
        await settle(pilot)
        assert not covered(app) & rows_of(found)


async def test_what_is_said_when_a_question_is_left_is_seen_again(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot)
        for _ in range(4):
            app.notify(OLD)
        await settle(pilot)
        before = len(covered(app))
        await press(pilot, "e")
        await settle(pilot)
        assert not covered(app)
        await press(pilot, "escape")
        await settle(pilot)
        assert len(covered(app)) == before


async def test_what_is_said_of_a_form_is_seen_though_there_is_no_room_beside_it(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "e", "end", "x")
        app.notify(LONG)
        await settle(pilot)
        assert any("A toast that is so long" in line for line in lines(app))
        assert app.cursor_position.y not in covered(app)


@pytest.mark.parametrize("key", ["e", "C"])
async def test_a_toast_is_seen_once_though_a_dialog_was_opened_since(
    app: CrmmailApp, key: str
) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(pilot)
        app.notify("Said before.", timeout=600)
        await settle(pilot)
        assert text(app).count("Said before.") == 1
        await press(pilot, key)
        await settle(pilot)
        assert text(app).count("Said before.") == 1
        await press(pilot, "escape")
        await settle(pilot)
        assert text(app).count("Said before.") == 1
