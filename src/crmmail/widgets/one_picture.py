"""One picture of what changes in several turns of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.app import App

TURNS = 4
"""Of the event loop: the widgets', the focus's, and what that changes of the widgets."""


@asynccontextmanager
async def one_picture(app: App[Any], turns: int = TURNS) -> AsyncIterator[None]:
    """Paint nothing before the widgets have said what is new of them: it is painted once.

    Each hears of it in a turn of its own; whoever paints at the first paints again at the last.
    """
    with app.batch_update():
        yield
        for _ in range(turns):
            await asyncio.sleep(0)
    app.screen.check_idle()
