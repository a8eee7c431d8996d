"""What belongs together is painted once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.screen import Screen

from crmmail.app import CrmmailApp
from tests.screens.harness import lines, press, text


class Pictures:
    """How often an app has painted its screen: what one turn of the event loop paints is one."""

    def __init__(self, app: CrmmailApp) -> None:
        self._app = app
        self._turn, self._seen = 0, list[tuple[Screen[Any], int]]()

    def painted(self) -> None:
        """Textual calls it after each."""
        self._seen.append((self._app.screen, self._turn))
        asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._turn += 1

    def forget(self) -> None:
        """Count anew."""
        self._seen.clear()

    @property
    def count(self) -> int:
        """Of the screen that is shown."""
        return len({turn for screen, turn in self._seen if screen is self._app.screen})


@pytest.fixture
def pictures(app: CrmmailApp, monkeypatch: pytest.MonkeyPatch) -> Pictures:
    found = Pictures(app)
    monkeypatch.setattr("crmmail.widgets.reading.PATIENCE", 10.0)  # the machine may be slow
    monkeypatch.setattr("crmmail.widgets.reading.BESIDE", 10.0)
    monkeypatch.setattr(app, "post_display_hook", found.painted)
    return found


async def test_a_record_and_a_thread_with_all_that_they_show(
    app: CrmmailApp, pictures: Pictures
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "enter", "enter", "escape", "escape", "j")  # the screens are made
        for what in ("Bob Stone", "Pilot in March"):
            pictures.forget()
            await press(pilot, "enter")
            assert what in lines(app)[0]
            assert pictures.count == 1


@pytest.mark.parametrize(("opening", "letters"), [("F", "inv"), ("slash", "acm")])
async def test_a_letter_with_what_it_finds(
    app: CrmmailApp, pictures: Pictures, opening: str, letters: str
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, opening)
        for number, letter in enumerate(letters, 1):
            pictures.forget()
            await press(pilot, letter)
            assert letters[:number] in text(app)
            assert pictures.count == 1
