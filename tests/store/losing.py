"""Ways in which a store is lost, and what its backups have."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from crmmail.store import daily, files
from crmmail.store.database import Store


def noted(path: Path) -> list[str]:
    """The notes of a backup."""
    return sorted(note["text"] for note in daily.read(path)["notes"])


def lose(path: Path) -> None:
    """Delete a store, as by hand."""
    files.remove(path)


def empty(path: Path) -> None:
    """Leave a store's file with nothing in it."""
    files.remove(path)
    path.touch()


def without_tables(path: Path) -> None:
    """Leave a store's file with no table in it, as opening it with SQLite does."""
    files.remove(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA user_version = 0")


def without_rows(path: Path) -> None:
    """Leave another store in its place, as an older crmmail did, with no row in it."""
    files.remove(path)
    Store(path, anew=True).close()
