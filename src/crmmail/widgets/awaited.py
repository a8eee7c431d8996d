"""What a key has begun and what is still to come of it: the next key waits for that (U1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

BACKGROUND = "background"
"""The name of a worker that no key has begun."""

_awaited: dict[int, object] = {}
_background: ContextVar[bool] = ContextVar("crmmail_background", default=False)


def begin(thing: object) -> None:
    """Let the keys wait for something, until it ends."""
    if not _background.get():
        _awaited[id(thing)] = thing


def end(thing: object) -> None:
    """Let the keys no longer wait for it."""
    _awaited.pop(id(thing), None)


def forget_all() -> None:
    """Let no key wait for what an app before this one has begun and left."""
    _awaited.clear()


def all_awaited() -> list[object]:
    """What the keys wait for."""
    return list(_awaited.values())


@contextmanager
def background() -> Iterator[None]:
    """What is begun in here was begun by no key, and no key waits for it."""
    token = _background.set(True)
    try:
        yield
    finally:
        _background.reset(token)


def worker_name() -> str:
    """A name for a worker, which tells whether a key has begun it."""
    return BACKGROUND if _background.get() else ""
