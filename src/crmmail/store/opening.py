"""Opening a store's file: what is refused, and bringing it to this version's schema."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from functools import cache
from importlib import resources
from pathlib import Path

from crmmail.store import files, manual, read_only, windows
from crmmail.store.locks import Lock, lock_of
from crmmail.store.trouble import (
    DamagedError,
    InUseError,
    LostError,
    StoreError,
    explained,
    foreign,
    is_ours,
)

_PATIENCE = 300.0  # seconds that another process may take to migrate or replace the file
_OLDER = 10.0  # seconds in which an older crmmail may end that uses the file
_NAME = "crmmail.db"  # as users have it
_FILLED = (
    *("account", "message", "person", "company", "opportunity", "note"),
    *("forgotten", "blocklist", "allowlist", "calendar"),
)
"""Tables of which one has a row in every store that somebody has used."""
_CORE = frozenset({"account", "message", "thread", "person", "company", "note", "thread_link"})


def open_file(path: Path, *, anew: bool = False) -> Lock:
    """Make the file where there is none, check it, migrate it; returns the lock to be held.

    Where there are copies of a store that is lost, none is made, unless it is begun `anew`. Any
    number of processes may do this at once: one migrates, and the others wait for it.
    Raises StoreError, sqlite3.Error or OSError.
    """
    if path.is_dir():
        raise IsADirectoryError(21, "Is a directory", str(path))
    if not anew:
        check_lost(path)
    if path.exists() and not lock_of(path).exists():
        _version(path, anew)  # what is not a store is refused before anything is written beside it
    lock = Lock(path)
    try:
        _bring_up(path, lock, anew)
    except BaseException:
        lock.close()
        raise
    return lock


def check_lost(path: Path) -> None:
    """Raise LostError where there is no file, and copies of the store that was there.

    A store of another name, of which not even the lock file is there, has never been.
    """
    if path.exists() or (path.name != _NAME and not lock_of(path).exists()):
        return
    if traces := files.copies_of(path):
        raise LostError(path, "is missing", [copy.path for copy in traces])


def _bring_up(path: Path, lock: Lock, anew: bool) -> None:
    newest = max(migrations())
    while True:
        if not lock.share(_PATIENCE):
            raise InUseError(
                f"Another crmmail is replacing or upgrading {path}.", "Wait until it is done."
            )
        if path.exists() and _version(path, anew) == newest:
            return
        lock.free()
        if lock.own(_OLDER):
            _make(path) if not path.exists() or not _version(path, anew) else migrate(path)
        elif not path.exists() or _version(path, anew) != newest:
            raise InUseError(
                f"{path} has to be upgraded, and an older crmmail uses it.",
                "Close the app and let other crmmail commands end, then try again.",
            )
        lock.free()


def check_read_only(path: Path) -> None:
    """Check a store that nothing can be written beside. Raises as open_file()."""
    if _version(path) != max(migrations()):
        raise StoreError(
            f"{path} has to be upgraded, and nothing can be written on its disk.",
            "Make room there, or mount it for writing. "
            "Or copy it to another folder and set CRMMAIL_DATA_DIR to that.",
        )


def look(path: Path) -> None:
    """Look for damage where it is found at the start. Raises StoreError, sqlite3.Error, OSError."""
    if not _version(path):
        raise DamagedError(f"{path} is damaged: there is nothing in it.")


def check_readable(path: Path) -> None:
    """Raise StoreError for a file that cannot be read as a store, or has nothing in it."""
    with explained(path):
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory", str(path))
        with path.open("rb") as file:
            file.read(1)
        if not _version(path, newer=True):
            raise StoreError(f"There is nothing in {path}.", "crmmail account add makes a store.")


def is_sound(path: Path) -> bool:
    """Whether a file is a store in which no damage is found at the start. Its log stays."""
    with suppress(sqlite3.Error, OSError, StoreError), closing(_reading(path)) as db:
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage")
        names = {name for (name,) in found}
        for name in names:
            db.execute(f'SELECT * FROM "{name}" NOT INDEXED LIMIT 1').fetchone()
        return names.issuperset(_CORE)
    return False


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that leaves the file and its log as they are."""
    if read_only.is_read_only(path):
        return read_only.connect(path)
    found: sqlite3.Connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    return found


def has_rows(path: Path) -> bool:
    """Whether a file is a store with something in it."""
    with suppress(sqlite3.Error, OSError, StoreError), closing(_reading(path)) as db:
        return _has_rows(db)
    return False


def is_empty(path: Path) -> bool:
    """Whether there is a file that can be read, with nothing in it: no byte, no table or no row."""
    with suppress(sqlite3.Error, OSError, StoreError), closing(_reading(path)) as db:
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return not tables or not _has_rows(db)
    return False


def _has_rows(db: sqlite3.Connection) -> bool:
    return any(db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in _FILLED)


def _version(path: Path, anew: bool = False, *, newer: bool = False) -> int:
    """The schema's number. Reads no more than the beginning of each table.

    One of a `newer` crmmail is refused, unless its store is only copied.
    """
    if not path.stat().st_size:
        return _nothing(path, anew)
    with closing(read_only.connect(path, isolation_level=None)) as db:
        (have,) = db.execute("PRAGMA user_version").fetchone()
        tables = db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage"
        ).fetchall()
        newest = max(migrations())
        if have > newest and not newer:
            raise StoreError(
                f"{path} was written by a newer crmmail (schema {have}, this one knows {newest}).",
                "Upgrade crmmail. The file was left as it is.",
            )
        names = {name for (name,) in tables}
        if not have and not names:
            return _nothing(path, anew)
        if not have and not is_ours(path):
            raise foreign(path)
        if missing := sorted(_CORE - names):
            raise DamagedError(f"{path} is damaged: it has no table {missing[0]}.")
        for name in names:
            db.execute(f'SELECT * FROM "{name}" NOT INDEXED LIMIT 1').fetchone()
        if not anew and names.issuperset(_FILLED) and not _has_rows(db):
            _check_emptied(path, db)
    if not have:
        raise DamagedError(f"{path} is damaged: it does not say its version.")
    return int(have)


def _nothing(path: Path, anew: bool) -> int:
    """The version of a file with nothing in it: 0, where no store was there."""
    if not anew and (traces := files.copies_of(path)):
        raise LostError(path, "is empty", [copy.path for copy in traces])
    return 0


def _check_emptied(path: Path, db: sqlite3.Connection) -> None:
    """Raise LostError for a store without a row, where the daily backup is of another one.

    One from which the user has taken everything has the number that its own backups have; one of
    another name is a second store in this folder.
    """
    if path.name != _NAME:
        return
    from crmmail.store import daily  # it needs what is here

    (number,) = db.execute("PRAGMA application_id").fetchone()
    if (found := daily.newest_with_rows(path)) is not None and found[1] != number:
        raise LostError(path, "is empty", [found[0]])


def _make(path: Path) -> None:
    """Make an empty store: it is there with its tables, or not at all."""
    part = files.make(files.part_of(path))
    try:
        migrate(part)
        files.replace(part, path)
    finally:
        files.remove(part)


def migrate(path: Path, *, copy: bool = True) -> None:
    """Bring the file to this version's schema: forward only, one transaction, a copy first."""
    with closing(read_only.existing(path, isolation_level=None, timeout=10)) as db:
        (have,) = db.execute("PRAGMA user_version").fetchone()
        steps = migrations()
        newest = max(steps)
        if have == newest:
            return
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        prepare(db)
        if not have:  # what tells this store from another one: see daily.py
            db.execute(f"PRAGMA application_id = {_number()}")
        kept = files.free_name(path, f"before-{newest}") if have and copy else None
        if kept is not None:
            files.copy_whole(path, kept)
        script = "".join(steps[number] for number in sorted(steps) if number > have)
        try:
            db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {newest}; COMMIT;")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if kept is not None:  # the store is as it was: each try would leave one more
                kept.unlink(missing_ok=True)
            raise


def prepare(db: sqlite3.Connection) -> None:
    """Give a connection the functions that SQL of a store calls."""
    db.create_function("fold", 1, windows.fold, deterministic=True)
    db.create_function("digest_key", 1, manual.digest_key, deterministic=True)


@cache
def migrations() -> dict[int, str]:
    """The SQL of each version of the schema."""
    folder = resources.files("crmmail.store") / "migrations"
    return {
        int(entry.name[:4]): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }


@cache
def tables() -> set[str]:
    """The tables of a store of this version."""
    with closing(sqlite3.connect(":memory:")) as db:
        prepare(db)
        for number in sorted(migrations()):
            db.executescript(migrations()[number])
        return {
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }


def _number() -> int:
    """A number for a new store, which no other has: of 31 bits, not 0."""
    return 1 + int.from_bytes(os.urandom(4), "big") % 0x7FFFFFFE
