"""When Python looks for garbage in full: while nobody presses a key.

A full look takes 50 to 90 ms among all that was imported and drawn; left alone, Python takes it in
the middle of some key in twenty. What there is at the first paint stays to the end, so it is not
looked at again; and the rest is looked at when the keys rest. Young garbage goes as ever.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

REST = 0.5
"""Seconds without a key or the mouse."""
_DUE = 10  # of the younger looks, after which Python would take a full one
_OVERDUE = 40  # of them: memory must not grow for ever under keys that never rest


class Collector:
    """Told of what the user does, and asked once a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._touched_at = clock()
        gc.set_threshold(*gc.get_threshold()[:2], _OVERDUE)

    def keep(self) -> None:
        """What there is now stays to the end."""
        gc.freeze()

    def touched(self) -> None:
        """A key was pressed, or the mouse was used."""
        self._touched_at = self._clock()

    def tick(self) -> None:
        """Look for garbage if that is due and the user rests."""
        if gc.get_count()[2] >= _DUE and self._clock() - self._touched_at >= REST:
            gc.collect()
