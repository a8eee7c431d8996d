"""Driving the app and reading what it has drawn.

Nothing here rests for a while and hopes: `press` and `settle` look at what the app has still to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

from textual import events
from textual._context import active_app
from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen

from crmmail.app import CrmmailApp
from crmmail.widgets import reading
from tests.patience import PATIENCE

_STEP = 0.001
_A_WHILE = 5.0
_SHORT = 1.0  # a timer that goes off later waits for the user: a toast, say


def lines(app: CrmmailApp, screen: Screen[Any] | None = None) -> list[str]:
    """The text of every line of the terminal, as it was drawn last."""
    shown = screen or app.screen
    return [strip.text for strip in shown._compositor.render_strips()]


def text(app: CrmmailApp) -> str:
    """All lines in one."""
    return "\n".join(lines(app))


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is left to do: nothing to read, no message, worker or short timer."""
    await _drain(pilot.app)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait for something that comes from outside: a thread of the sync, a server, a program.

    What comes in a stream keeps the app at work all the while, so that rest is not waited for.
    """
    end = time.monotonic() + PATIENCE
    await _rests(pilot.app, _A_WHILE)
    while not true():
        assert time.monotonic() < end, f"not within {PATIENCE:.0f} s{_doing(pilot.app)}"
        await asyncio.sleep(0.01)
        await _rests(pilot.app, _A_WHILE)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, each when the one before has done all that it does; none: only wait for that."""
    await _rests(pilot.app, PATIENCE)
    await pilot.press(*keys)


async def rush(pilot: Pilot[None], *keys: str) -> None:
    """Press keys without waiting for workers and timers, as a quick typist does."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await _rests(pilot.app, PATIENCE, _messages)


async def wait_for_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Stands in for Textual's function of this name, which looks at the processor's clock."""
    await _rests(active_app.get(), PATIENCE)  # under a live sync it may not rest at all


async def _drain(app: App[Any]) -> None:
    left = await _rests(app, PATIENCE)
    assert left is None, f"still at work: {left}{_doing(app)}"


def _doing(app: App[Any]) -> str:
    """What keeps an app from its rest, and what keeps its keys."""
    said = [
        f"{pump} has {list(pump._message_queue.values)} {pump._next_callbacks}"
        for pump in _pumps(app)
        if _has_messages(pump)
    ]
    if isinstance(app, CrmmailApp) and (held := app.typed._held):
        said.append(f"keys: {list(held)} wait for {app.typed._at_work(held[0][0])!r}")
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    said += [f"{task.get_name()} at {task.get_stack(limit=1)}" for task in tasks]
    return "".join(f"\n  {one}" for one in said)


def _messages(app: App[Any]) -> Iterator[object]:
    """What has been said and not yet heard."""
    if isinstance(app, CrmmailApp) and not app.typed.is_empty:
        yield app
    yield from (pump for pump in _pumps(app) if _has_messages(pump))


def _left(app: App[Any]) -> Iterator[object]:
    """What keeps the app at work; screens come last, when only drawing is left."""
    if isinstance(app, CrmmailApp) and not app.typed.is_empty:
        yield app
    yield from (worker for worker in app.workers if not worker.is_finished)
    if reading.is_busy():
        yield reading
    yield from _messages(app)
    yield from (timer for pump in _pumps(app) for timer in list(pump._timers) if _is_due(timer))
    if app.screen.styles.background.a < 1:
        yield from (behind for behind in app._background_screens if _is_to_be_laid_out(behind))
    if _is_to_be_laid_out(app.screen) or app.screen._repaint_required:
        yield app.screen


async def _rests(
    app: App[Any], seconds: float, left_of: Callable[[App[Any]], Iterator[object]] = _left
) -> object:
    """Wait so long for the app to rest; returns what it is still at, or None.

    It rests when it does so twice, a turn of the loop apart: what a thread hands over as it ends is
    in nobody's queue before that.
    """
    end = time.monotonic() + seconds
    while not app._exit and app._exception is None:
        await asyncio.sleep(_STEP)
        left = next(left_of(app), None)
        if left is None:
            await asyncio.sleep(0)
            left = next(left_of(app), None)
        if left is None or time.monotonic() > end:
            return left
        if isinstance(left, Screen):
            left._on_timer_update()
    return None


def _pumps(app: App[Any]) -> list[MessagePump]:
    return [app, *app._registry]


def _has_messages(pump: MessagePump) -> bool:
    """Whether a pump has messages, or one in hand: then nobody waits at its queue."""
    if not isinstance(pump, App) and (pump._task is None or pump._task.done()):
        return False  # the app itself is no task of its own
    ready = pump._message_queue.ready_event
    return ready.is_set() or not ready._waiters or bool(pump._next_callbacks)


def _is_to_be_laid_out(screen: Screen[Any]) -> bool:
    return bool(
        screen._callbacks
        or screen._layout_required
        or screen._scroll_required
        or screen._recompose_required
        or screen._dirty_widgets
    )


def _is_due(timer: Any) -> bool:
    """Whether a timer goes off once, and soon."""
    if timer._repeat != 0 or timer._interval > _SHORT or not timer._active.is_set():
        return False
    return timer._task is not None and not timer._task.done()
