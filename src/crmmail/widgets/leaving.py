"""What reaches a widget while it is built or taken down: a timer, a thread's answer, a message.

Textual takes a screen down from its leaves: the screen still has its timers and its messages when
what they look for is gone. Here is what tells that; screens and the app drop what comes then (A7).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events, messages
from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer

if TYPE_CHECKING:
    _Base = Screen[Any]
else:
    _Base = object

LOST = (NoMatches, NoScreen, ScreenStackError)
"""What is raised when something is looked for that is no longer there."""
_TEXTUAL = frozenset({"textual.events", "textual.messages"})
_FROM_OUTSIDE = (
    events.Timer,
    events.Callback,
    events.InputEvent,
    events.Paste,
    events.ScreenResume,
    events.DescendantFocus,
    events.DescendantBlur,
    messages.InvokeLater,
)


def is_leaving(pump: MessagePump | None) -> bool:
    """Whether a widget, or what it is in, is being taken down or has been."""
    node = pump
    while node is not None and not isinstance(node, App):
        if node._closing or node._closed or getattr(node, "_pruning", False):
            return True
        node = node._parent
    return node is None


def is_lost(error: BaseException, pump: MessagePump | None) -> bool:
    """Whether an error comes from something that leaves, or whose app ends, and so is none."""
    if not isinstance(error, LOST) or isinstance(pump, App):
        return False
    return pump is None or is_leaving(pump) or pump.app._exit


class Whole(_Base):
    """A screen that hears nothing before its widgets are there, and nothing when they leave."""

    async def _dispatch_message(self, message: Message) -> None:
        outside = type(message).__module__ not in _TEXTUAL or isinstance(message, _FROM_OUTSIDE)
        if not (outside and is_leaving(self)):
            await super()._dispatch_message(message)
        elif message.bubble and self._parent is not None and not isinstance(message, events.Event):
            message._bubble_to(self._parent)  # what the user wants of the app is done nevertheless

    def set_interval(
        self, interval: float, callback: Callable[[], Any] | None = None, **options: Any
    ) -> Timer:
        """Call a function again and again, while the widgets are there."""

        def call() -> Any:
            if self.is_mounted and not is_leaving(self):
                return callback() if callback is not None else None
            return None

        return super().set_interval(interval, call, **options)

    def _invoke_later(self, callback: Callable[[], Any], sender: MessagePump) -> None:
        """Call a function when the screen is painted; by then its caller may be leaving."""
        super()._invoke_later(partial(_call_unless_leaving, callback, sender), sender)


def _call_unless_leaving(callback: Callable[[], Any], sender: MessagePump) -> Any:
    return None if is_leaving(sender) else callback()
