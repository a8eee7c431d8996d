"""A store on a disk that is mounted read-only, or full: it is read, and not written."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from crmmail.store.trouble import StoreError, free_on

_ROOM = 64 << 10  # bytes; the index of a log, without which SQLite reads nothing, has half of it


def is_read_only(path: Path) -> bool:
    """Whether there is a file beside which nothing can be written: see is_mounted() and is_full().

    A full disk with the index of a log on it is none: somebody uses the store, and it can be read.
    """
    return is_mounted(path) or is_full(path)


def is_mounted(path: Path) -> bool:
    """Whether there is a file, on a disk that is mounted read-only."""
    try:
        return path.is_file() and bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def is_full(path: Path) -> bool:
    """Whether there is a file, and no room to make the index of a log beside it."""
    try:
        if not path.is_file() or not path.stat().st_size or _logs(path)[1].exists():
            return False
        return free_on(path) < _ROOM
    except OSError:
        return False


def _logs(path: Path) -> tuple[Path, Path]:
    """A store's log, and the index of that."""
    whole = path.resolve()
    return whole.with_name(f"{whole.name}-wal"), whole.with_name(f"{whole.name}-shm")


def existing(path: Path, **options: Any) -> sqlite3.Connection:
    """A connection to a store that is there: SQLite alone would make one where there is none."""
    uri = f"{path.resolve().as_uri()}?mode=rw"
    found: sqlite3.Connection = sqlite3.connect(uri, uri=True, **options)
    return found


def connect(path: Path, **options: Any) -> sqlite3.Connection:
    """A connection to a store; one on a read-only or full disk is read without files beside it.

    SQLite makes no index of a store's log there: what is in the log is read by an index that is
    there already, or not at all.
    """
    if not is_read_only(path):
        return existing(path, **options)
    log, index = _logs(path)
    has_log = log.exists() and bool(log.stat().st_size)
    if has_log and not index.exists():
        disk = "is on a disk that is mounted read-only"
        if not is_mounted(path):
            disk = "is on a disk that is full"
        raise StoreError(
            f"{path} {disk}, and its newest rows are in its log.",
            f"Copy {path.parent} to another disk, and set CRMMAIL_DATA_DIR to the copy.",
        )
    mode = "mode=ro" if has_log else "immutable=1"
    uri = f"{path.resolve().as_uri()}?{mode}"
    reading: sqlite3.Connection = sqlite3.connect(uri, uri=True, **options)
    return reading
