"""A store on a disk that is mounted read-only: it is read, and nothing is written beside it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from crmmail.store.trouble import StoreError


def is_read_only(path: Path) -> bool:
    """Whether there is a file, on a disk that is mounted read-only."""
    try:
        return path.is_file() and bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def connect(path: Path, **options: Any) -> sqlite3.Connection:
    """A connection to a store; one on a read-only disk is read without files beside it.

    SQLite makes no index of a store's log there: what is in the log is read by an index that is
    there already, or not at all.
    """
    if not is_read_only(path):
        plain: sqlite3.Connection = sqlite3.connect(path, **options)
        return plain
    log, index = (
        path.resolve().with_name(f"{path.resolve().name}-{end}") for end in ("wal", "shm")
    )
    has_log = log.exists() and bool(log.stat().st_size)
    if has_log and not index.exists():
        raise StoreError(
            f"{path} is on a disk that is mounted read-only, and its newest rows are in its log.",
            f"Copy {path.parent} to another disk, and set CRMMAIL_DATA_DIR to the copy.",
        )
    mode = "mode=ro" if has_log else "immutable=1"
    uri = f"{path.resolve().as_uri()}?{mode}"
    reading: sqlite3.Connection = sqlite3.connect(uri, uri=True, **options)
    return reading
