"""A terminal that is made very small, with each screen, panel and form open."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from tests.screens.harness import press, settle, text

SIZES = ((1, 1), (4, 2), (3, 40), (200, 1), (7, 7), (80, 24))


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("ctrl+p",),
        ("ctrl+p", "p", "e"),
        ("question_mark",),
        ("c",),
        ("e",),
        ("F",),
        ("comma",),
        ("L",),
        ("slash",),
        ("M",),
        ("a",),
        ("D",),
        ("enter", "ctrl+p"),
        ("enter", "n"),
        ("enter", "2"),
        ("enter", "enter"),
        ("enter", "enter", "l"),
        ("enter", "enter", "ctrl+p"),
    ],
)
async def test_the_app_outlives_a_very_small_terminal(
    app: CrmmailApp, keys: tuple[str, ...]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        before = app.screen
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert app.is_running
            assert app.size == size
        assert app.screen is before
        assert text(app).strip()
