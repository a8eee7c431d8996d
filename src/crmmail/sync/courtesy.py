"""Standing aside for the user: Python runs one thread at a time, and a key comes before an import.

Whoever presses keys without end gets half the time, so that the import goes on too.
"""

from __future__ import annotations

import time

_ASIDE = 0.03
"""Seconds after a key in which the sync begins nothing new: an answer is painted by then."""

_until = 0.0


def key_pressed() -> None:
    """The user did something that wants an answer; called by the app's thread."""
    global _until
    now = time.monotonic()
    if now > _until + _ASIDE:  # it had its time since the last one
        _until = now + _ASIDE


def give_way() -> None:
    """Wait for an answer that is under way; called before each message that is worked on."""
    while (left := _until - time.monotonic()) > 0:
        time.sleep(left)
