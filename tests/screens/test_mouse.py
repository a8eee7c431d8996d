"""A click does what the key does that it stands for; resizing changes no place."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.help import HelpScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from tests.screens.harness import lines, press, settle, text


async def click(pilot: Pilot[None], words: str, times: int = 1) -> None:
    """Click on the first of some words where they are drawn."""
    await settle(pilot)
    app = pilot.app
    assert isinstance(app, CrmmailApp)
    y, line = next((y, line) for y, line in enumerate(lines(app)) if words in line)
    await pilot.click(offset=(line.index(words) + 1, y), times=times)
    await settle(pilot)


async def test_a_click_on_a_row_moves_there_and_a_second_opens(app: CrmmailApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "j", "j", "j")
        await click(pilot, "Ada Lovelace")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.cursor == 0
        await click(pilot, "Ada Lovelace", times=2)
        assert isinstance(app.screen, RecordScreen)


@pytest.mark.parametrize(
    ("number", "title"), enumerate(("Emails", "Calendar", "Notes", "Timeline"))
)
async def test_a_click_on_a_tab_of_a_record_shows_it(
    app: CrmmailApp, number: int, title: str
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "enter", "3" if number != 2 else "4")
        await click(pilot, f"{number + 1} {title}")
        assert isinstance(app.screen, RecordScreen)
        assert app.screen.tab == number
        assert f" {title} ─╮" in text(app)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_click_on_a_key_at_the_foot_presses_it(
    app: CrmmailApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        for name, screen in (
            ("⏎ Open", RecordScreen),
            ("⏎ Open", ThreadScreen),
            ("? Help", HelpScreen),
        ):
            await click(pilot, f" {name} ")
            assert isinstance(app.screen, screen)
        await press(pilot, "escape")
        for screen in (RecordScreen, RecordsScreen):
            await click(pilot, " esc Back ")
            assert isinstance(app.screen, screen)
        await click(pilot, " / Filter ")
        await press(pilot, *"ada")
        await click(pilot, " esc Show all ")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.has_focus


async def test_the_key_that_clears_is_shown_while_there_is_something(app: CrmmailApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "esc Clear" not in lines(app)[-1]
        for keys in (("space",), ("slash", *"ada", "enter")):
            await press(pilot, *keys)
            assert "esc Clear" in lines(app)[-1]
            await click(pilot, "esc Clear")
            assert "esc Clear" not in lines(app)[-1]
        assert "marked" not in text(app)
        assert "Person 00" in text(app)


async def test_resizing_keeps_cursor_and_tab(app: CrmmailApp) -> None:
    async with app.run_test(size=(200, 60)) as pilot:
        await press(pilot, "j", "j")
        await resize(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.cursor == 2
        await press(pilot, "g", "enter", "4", "j")
        record = app.screen
        assert isinstance(record, RecordScreen)
        before = record.query_one("#timeline .-entries").cursor  # type: ignore[attr-defined]
        await resize(pilot)
        assert record.tab == 3
        assert record.query_one("#timeline .-entries").cursor == before == 1  # type: ignore[attr-defined]
        assert record.query_one("#timeline .-entries").has_focus


async def resize(pilot: Pilot[None]) -> None:
    """To a small terminal and back."""
    for size in ((80, 24), (200, 60)):
        await pilot.resize_terminal(*size)
        await settle(pilot)
