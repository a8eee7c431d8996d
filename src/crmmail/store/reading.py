"""Ending what another thread reads, when nobody wants it any more."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Reading:
    """One thread reads; any other may end that, even before it has begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._ended = False

    def run(self, db: sqlite3.Connection, read: Callable[[], T]) -> T | None:
        """What `read` reads through this thread's own connection; None when it was ended."""
        with self._lock:
            if self._ended:
                return None
            self._db = db
        try:
            return read()
        except sqlite3.OperationalError:
            if not self._ended:
                raise
            return None
        finally:
            with self._lock:  # what the connection reads after this is not to be ended
                self._db = None

    def end(self) -> None:
        """Nobody wants it any more."""
        with self._lock:
            self._ended = True
            if self._db is not None:
                self._db.interrupt()
