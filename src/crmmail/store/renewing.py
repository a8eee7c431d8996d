"""The backup of today is renewed soon after something was made by hand, in a thread of its own."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

from crmmail.store.database import Notice, Store
from crmmail.store.trouble import StoreError

log = logging.getLogger(__name__)

_QUIET = 5.0  # seconds without another change
_LATEST = 30.0  # seconds after the first change
_SHARE = 50.0  # so many times as long as a renewal takes, no other one begins


def renew(store: Store) -> StoreError | None:
    """Renew the backup of today now; returns what stands in the way.

    What was made by hand is in the store all the same.
    """
    from crmmail.store import daily  # nothing that the first picture waits for

    try:
        daily.daily(store, renew=True)
    except (sqlite3.Error, OSError, StoreError) as problem:
        log.info("the backup of today is not renewed: %s", problem)  # the caller says so
        return store.report(problem)
    return None


class Renewing:
    """Renews the backup of today while a process has a store open for long."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._saved = store.by_hand  # the count of changes that the backup has
        self._wake = threading.Condition()
        self._first = self._last = self._not_before = 0.0
        self._ending = False
        self._thread: threading.Thread | None = None
        self._unsubscribe = store.subscribe(self._heard)

    def close(self) -> None:
        """End; what is not in the backup yet is put into it now."""
        self._unsubscribe()
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        if self._store.by_hand != self._saved:
            self._renew()

    def _heard(self, _notice: Notice) -> None:
        """A transaction was committed; this runs in the thread that wrote."""
        if self._store.by_hand == self._saved:
            return
        with self._wake:
            self._last = time.monotonic()
            self._first = self._first or self._last
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="crmmail-renewing", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while self._wait():
            self._renew()

    def _wait(self) -> bool:
        """Wait until a renewal is due; False when this ends."""
        with self._wake:
            while not self._ending:
                due = min(self._last + _QUIET, self._first + _LATEST)
                left = max(due, self._not_before) - time.monotonic()
                if self._first and left <= 0:
                    self._first = 0.0
                    return True
                self._wake.wait(left if self._first else _QUIET)
        return False

    def _renew(self) -> None:
        count, start = self._store.by_hand, time.monotonic()
        if renew(self._store) is None:
            self._saved = count
        now = time.monotonic()
        self._not_before = now + _SHARE * (now - start)
