"""Keys count in the order in which they were typed, however fast they come (U1).

Textual gives a key to what has the focus at that moment, and a key may change what that will be:
it opens a screen, a line to type into, a panel, and what it opens may have to be read first. So a
key waits here until what the key before it does is done. While the app rests, nothing waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeGuard

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets import Input

from crmmail.widgets.awaited import BACKGROUND, all_awaited, forget_all
from crmmail.widgets.piece_view import PieceView

PATIENCE = 1.0
"""Seconds that the keys wait for one read, write or answer; then they go on without it."""
_MESSAGES = 10.0  # seconds that they wait for widgets that do not stop to talk to each other
_URGENT = frozenset({"escape", "ctrl+c", "ctrl+q", "ctrl+z"})
_STUCK = 0.5  # seconds after which an urgent key is passed on before all that wait
BURST = 0.03
"""Seconds between two keys that are one burst: nobody types so fast, and a paste does."""
_WAITING = (events.Key, events.Paste, events.MouseDown, events.MouseUp)
_LIGHT = ("move(", "page(", "go(", "scroll_by(")
_EDITING = frozenset(
    {"backspace", "delete", "left", "right", "home", "end", "ctrl+u", "ctrl+k", "ctrl+w"}
)
Event: TypeAlias = events.InputEvent | events.Paste


class KeyQueue:
    """Passes keys, pasted text and clicks on, each when the one before has had its effect."""

    def __init__(self, app: App[Any], send: Callable[[events.Event], bool]) -> None:
        forget_all()
        self._app = app
        self._send = send
        self._held: deque[tuple[Event, int]] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._passed = time.monotonic()  # when the last key was passed on
        self._light = False  # that key only moved a cursor or wrote a letter
        self._seen: dict[int, float] = {}  # since when the keys wait for something
        self._heard = float("-inf")  # when the last key was typed
        self._bursts = 0
        self.burst = 0
        """The number of the burst that the last key passed on belongs to."""

    @staticmethod
    def takes(message: Message) -> TypeGuard[Event]:
        """Whether a message comes from the keyboard or the mouse, and nothing has had it yet."""
        return isinstance(message, events.InputEvent | events.Paste) and not message.is_forwarded

    @property
    def is_empty(self) -> bool:
        """Whether no key waits."""
        return not self._held

    def put(self, event: Event) -> bool:
        """Pass an event on, now or in its turn."""
        at_work = self._draining is not None or (
            isinstance(event, _WAITING) and self._at_work(event) is not None
        )
        number = self._count(event, at_work)
        if not at_work or (self._is_urgent(event) and self._is_stuck()):
            self._held.clear()
            return self._pass_on(event, number)
        self._held.append((event, number))
        if self._draining is None:
            self._draining = asyncio.get_running_loop().create_task(self._drain())
        return True

    def _count(self, event: Event, at_work: bool) -> int:
        """The number of the burst that an event belongs to."""
        if isinstance(event, events.Key):
            rest = event.time - self._heard
            if rest > PATIENCE or (rest > BURST and not at_work):
                self._bursts += 1
            self._heard = event.time
        return self._bursts

    def _is_urgent(self, event: Event) -> bool:
        return isinstance(event, events.Key) and event.key in _URGENT

    def _is_stuck(self) -> bool:
        return time.monotonic() - self._passed > _STUCK

    def _pass_on(self, event: Event, number: int) -> bool:
        if isinstance(event, _WAITING):
            self._light = self._is_light(event)
            self._passed = time.monotonic()
            self.burst = number
        return self._send(event)

    async def _drain(self) -> None:
        """Pass on what waits, one by one."""
        try:
            while self._held and not self._app._exit:
                if isinstance(self._held[0][0], _WAITING):
                    await self._settle()
                if self._held:
                    self._pass_on(*self._held.popleft())
        finally:
            self._draining = None

    async def _settle(self) -> None:
        """Wait for the effect of the last key; what a thread hands over is seen a turn later."""
        begun, rested = time.monotonic(), False
        while self._held and not self._app._exit:
            at_work = self._at_work(self._held[0][0])
            if at_work is None or time.monotonic() - begun > _MESSAGES:
                if rested:
                    return
                rested = True
                await asyncio.sleep(0)
            else:
                rested = False
                await asyncio.sleep(0 if isinstance(at_work, MessagePump) else 0.001)

    def _at_work(self, event: Event) -> object:
        """What has to be done before an event can be passed on, or None."""
        if not self._app._screen_stack:
            return self._app
        for pump in (self._app, *self._app._registry):
            if _has_messages(pump):
                return pump
        if _is_to_be_laid_out(self._app):
            return "layout"
        waited = list(self._begun())
        known = {id(one) for one in waited}
        self._seen = {one: since for one, since in self._seen.items() if one in known}
        if not waited or (self._light and self._is_light(event)):
            return None
        now = time.monotonic()
        since = [self._seen.setdefault(id(one), now) for one in waited]  # of all, at once
        return "something read or written" if now - max(since) < PATIENCE else None

    def _begun(self) -> Iterator[object]:
        """What threads do because of a key."""
        yield from all_awaited()
        for worker in self._app.workers:
            if not worker.is_finished and worker.name != BACKGROUND:
                yield worker

    def _is_light(self, event: Event) -> bool:
        """Whether a key only writes a letter or moves a cursor: such keys overtake what is read."""
        if not isinstance(event, events.Key):
            return False
        focused = self._app.focused
        if _takes_text(focused):
            return event.is_printable or event.key in _EDITING
        if not isinstance(focused, PieceView):
            return False
        bindings = focused._bindings.copy()  # the screen's would take as long as drawing a row
        bindings.apply_keymap(self._app._keymap)
        found = bindings.key_to_bindings.get(event.key, ())
        return any(binding.action.startswith(_LIGHT) for binding in found[:1])


def _takes_text(widget: Widget | None) -> bool:
    """Whether letters are written into a widget. TextArea is not loaded only to ask this."""
    names = {one.__name__ for one in type(widget).__mro__}
    return isinstance(widget, Input) or "TextArea" in names


def _has_messages(pump: MessagePump) -> bool:
    """Whether a widget has messages, or one in hand: then nobody waits at its queue.

    It is asked of every widget at every key.
    """
    queue: Any = pump._message_queue
    if queue.ready_event._waiters and not queue.values and not pump._next_callbacks:
        return False
    if isinstance(pump, App):  # it is no task of its own
        return True
    return not (pump._task is None or pump._task.done())


def _is_to_be_laid_out(app: App[Any]) -> bool:
    """Whether the widgets are to be moved or called when they are; painting is not waited for."""
    screen = app.screen
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._recompose_required
        or screen._callbacks
    )
