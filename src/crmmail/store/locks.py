"""Who uses a store's file: any number of processes, or one that replaces or migrates it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crmmail.store.trouble import InUseError, explained

_PAUSE = 0.02  # seconds between two tries


class Lock:
    """The lock file beside a store; the lock ends with the process, however that ends."""

    def __init__(self, store: Path) -> None:
        self.path = lock_of(store)
        with explained(store):
            self._file = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)

    def share(self, seconds: float) -> bool:
        """Use the store beside others; False when one still has it alone after so many seconds."""
        return self._take(fcntl.LOCK_SH, seconds)

    def own(self, seconds: float) -> bool:
        """Have the store alone; False when others still use it after so many seconds."""
        return self._take(fcntl.LOCK_EX, seconds)

    def free(self) -> None:
        """Let go of the store, and go on holding the file."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    @property
    def is_closed(self) -> bool:
        """Whether the store was let go of, for good."""
        return self._file < 0

    def close(self) -> None:
        """Let go of the store, for good."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _take(self, how: int, seconds: float) -> bool:
        return _take(self._file, how, seconds)


def _take(file: int, how: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        except OSError:  # a network disk without such locks: SQLite's own have to do
            return True
        else:
            return True


def lock_of(store: Path) -> Path:
    """The lock file of a store, whichever way leads to it."""
    return store.resolve().with_suffix(".lock")


@contextmanager
def alone(store: Path, seconds: float = 1.0) -> Iterator[None]:
    """Have a store's file alone for the length of a block. Raises InUseError."""
    lock = Lock(store)
    try:
        if not lock.own(seconds):
            raise InUseError(
                f"Another crmmail uses {store}.",
                "Close the app and let other crmmail commands end, then try again.",
            )
        yield
    finally:
        lock.close()


@contextmanager
def writing(folder: Path, seconds: float = 10.0) -> Iterator[None]:
    """Be the only one who writes to the backups in a folder, for a block. Raises InUseError.

    What is read in the block is still what is there when it is written. Not to be nested.
    """
    file = os.open(folder, os.O_RDONLY)
    try:
        if not _take(file, fcntl.LOCK_EX, seconds):
            raise InUseError(
                f"Another crmmail writes to the backups in {folder}.", "Wait until it is done."
            )
        yield
    finally:
        os.close(file)
