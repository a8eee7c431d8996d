"""How long a test waits for another thread, process or server, and how."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds. What comes is waited for no longer than it takes; only what never comes takes this."""


def until(met: Callable[[], T], told: Callable[[], object] = str) -> T:
    """What `met` returns when that is true at last; where it never is, fails with what `told` says.

    For what gives no other sign: a line in a server's log, a file that another process makes.
    """
    end = time.monotonic() + PATIENCE
    while not (found := met()):
        assert time.monotonic() < end, told()
        time.sleep(0.02)
    return found
