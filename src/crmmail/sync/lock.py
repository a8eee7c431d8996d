"""One process syncs a store at a time: the lock that says so."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crmmail.errors import CrmmailError
from crmmail.store.trouble import explained

_GLANCE = 0.05
"""Seconds after which a lock is tried again: somebody may only have looked whether it is held."""


class Busy(CrmmailError):
    """Another process is syncing this store."""

    hint = "Close the other crmmail, or let it do the work."


@contextmanager
def exclusive(store: Path) -> Iterator[None]:
    """Hold the sync lock of the store at a path: one process syncs at a time. Raises Busy."""
    with explained(store):
        handle = os.open(_path(store), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if not _taken(handle, fcntl.LOCK_EX):
            time.sleep(_GLANCE)
            if not _taken(handle, fcntl.LOCK_EX):
                raise Busy("Another crmmail is syncing this store.")
        yield
    finally:
        os.close(handle)


def is_held(store: Path) -> bool:
    """Whether a process is syncing the store at a path."""
    try:
        handle = os.open(_path(store), os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _taken(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


def _taken(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _path(store: Path) -> Path:
    return store.with_name("sync.lock")
