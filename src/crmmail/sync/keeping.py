"""Once a day, for the store: a backup of what was made by hand, and a look for damage."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable

from crmmail import settings
from crmmail.store import checking, daily
from crmmail.store.database import Store, StoreError

log = logging.getLogger(__name__)

_OFTEN = 600.0  # seconds between two looks at the date
_REST = 60.0  # seconds after the start in which the disk is left to what is shown
_CHECKED = "checked"


class Keeping:
    """Keeps a store safe while a process syncs it for long."""

    def __init__(self, store: Store, stopped: Callable[[], bool]) -> None:
        self._store = store
        self._stopped = stopped
        self._next = 0.0
        self._check_from = time.monotonic() + _REST

    def tick(self) -> None:
        """Do what is due; called every second."""
        now = time.monotonic()
        if now >= self._next:
            back_up(self._store, renew=not self._next)  # a killed process may have left it old
            self._next = now + _OFTEN
        if now >= self._check_from:
            self._check_from = now + _OFTEN
            if settings.remembered(_CHECKED) != time.strftime("%Y-%m-%d"):
                threading.Thread(target=self._check, name="crmmail-check", daemon=True).start()

    def _check(self) -> None:
        """Look for damage. A thread of its own: it may take as long as the disk does."""
        try:
            checking.look(self._store, self._stopped)
        except (sqlite3.Error, OSError) as problem:
            if not self._stopped():
                self._store.report(problem)
        else:
            if not self._stopped():
                settings.remember(**{_CHECKED: time.strftime("%Y-%m-%d")})


def back_up(store: Store, *, renew: bool = False) -> StoreError | None:
    """Make the backup of today, or the one there is anew; returns what stands in the way."""
    try:
        daily.daily(store, renew=renew)
    except (sqlite3.Error, OSError, StoreError) as problem:
        told = store.report(problem)
        log.warning("the daily backup failed: %s", told)
        return told
    return None
