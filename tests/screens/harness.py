"""Reading what the app has drawn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from crmmail.app import CrmmailApp


def lines(app: CrmmailApp, screen: Screen[Any] | None = None) -> list[str]:
    """The text of every line of the terminal, as it was drawn last."""
    shown = screen or app.screen
    return [strip.text for strip in shown._compositor.render_strips()]


def text(app: CrmmailApp) -> str:
    """All lines in one."""
    return "\n".join(lines(app))


async def settle(pilot: Pilot[None]) -> None:
    """Wait until workers, messages and the preview's short rest are through."""
    for _ in range(2):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(0.05)


async def until(pilot: Pilot[None], true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something to be true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await settle(pilot)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys and wait for what they do."""
    await pilot.press(*keys)
    await settle(pilot)
