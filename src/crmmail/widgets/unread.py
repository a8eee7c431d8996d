"""What could not be read: told to the app, which goes on."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump

from crmmail.store.trouble import is_trouble


@dataclass
class Unread(Message):
    """The store could not be read, or written; the app says why, and what to do."""

    problem: BaseException


class Guarded(MessagePump):
    """A part of the app that outlives a store that cannot be read: what was to be done is not."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as problem:
            if not tell_unread(self, problem):
                raise


def tell_unread(part: MessagePump, problem: BaseException | None) -> bool:
    """Tell the app of a problem, if it is one of the store's file; returns whether it is."""
    if problem is None or not is_trouble(problem):
        return False
    part.app.post_message(Unread(problem))
    return True
