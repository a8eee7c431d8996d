"""Copies of the store, while it is in use, and putting one back in its place."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from crmmail.store.database import Store, StoreError

KEPT = "before-restore"
"""The end of the name under which a restore keeps the store that was there."""


def save(source: Path, to: Path) -> int:
    """Copy a store to a new file, whatever is written to it meanwhile; returns the copy's size.

    The copy is whole or not there at all, is its owner's only, and has no free pages: nothing
    that was deleted is in it. Raises StoreError when the file exists or cannot be written.
    """
    if to.exists():
        raise StoreError(f"{to} exists.", "Choose another name: a copy is never written over.")
    part = to.with_name(f".{to.name}.part")
    try:
        _copy(source, part)
        part.replace(to)
    except (sqlite3.Error, OSError) as problem:
        part.unlink(missing_ok=True)
        raise StoreError(f"{to} cannot be written: {problem}.", "The store is as it was.") from None
    return to.stat().st_size


def check(path: Path) -> None:
    """Raise StoreError unless the file is an undamaged store that this crmmail can read."""
    if not path.is_file():
        raise StoreError(f"There is no file {path}.", "A backup is what `crmmail backup` made.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            (tables,) = db.execute(
                "SELECT count(*) FROM sqlite_master WHERE name IN ('account', 'thread_link')"
            ).fetchone()
            sound = db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        tables, sound = 0, False
    if tables != 2:
        raise StoreError(f"{path} is not a crmmail store.", "Nothing was changed.")
    if not sound:
        raise StoreError(f"{path} is damaged.", "Nothing was changed. Take another backup.")


def restore(source: Path, store: Path) -> Path | None:
    """Put a backup in the store's place; returns where the store that was there is kept.

    An older backup gets this version's tables. The caller sees to it that no other crmmail
    runs. Raises StoreError, with the store as it was, when the backup cannot be used.
    """
    check(source)
    part = store.with_name(f".{store.name}.part")
    kept = store.with_name(f"{store.name}.{KEPT}") if store.exists() else None
    try:
        _copy(source, part)
        Store(part).close()  # refuses one of a newer version, brings an older one up to date
        if kept is not None:
            _move(store, kept)
        _move(part, store)
    except (sqlite3.Error, OSError) as problem:
        raise StoreError(f"{store} cannot be written: {problem}.") from None
    finally:
        for left in (part, *store.parent.glob(f"{part.name}.*"), *_logs(part)):
            left.unlink(missing_ok=True)
    return kept


def _copy(source: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    os.close(os.open(to, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(source)) as db:
        db.execute("VACUUM INTO ?", [str(to)])


def _move(source: Path, to: Path) -> None:
    """Rename a store with its log: what is not yet in its file is in that."""
    for log, its in zip(_logs(source), _logs(to), strict=True):
        its.unlink(missing_ok=True)
        if log.exists():
            log.replace(its)
    source.replace(to)


def _logs(store: Path) -> list[Path]:
    return [store.with_name(f"{store.name}-{end}") for end in ("wal", "shm")]
