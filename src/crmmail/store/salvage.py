"""Reading what can be read of a damaged store: what was made by hand, row by row."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from crmmail.store import files, handmade, numbers, opening
from crmmail.store.handmade import Document

_TABLES = (
    *("account", "own_address", "internal_domain", "blocklist", "allowlist", "forgotten"),
    *("folder", "company", "company_domain", "person", "address", "opportunity"),
    *("note", "record_change", "manual_link", "calendar", "calendar_object"),
    *("rule_change", "former_id"),
)
# Before links made by hand had a table of their own, they were told by these.
_OLD_LINKS = ("thread_link", "thread_ref", "thread", "meeting_link", "meeting")


def salvage(path: Path, now: int) -> tuple[Document, bool]:
    """What is made by hand in a store that may be damaged, and whether all of it could be read.

    Nothing is written to the file. Raises StoreError or sqlite3.Error where its tables cannot be
    found at all.
    """
    scratch = files.own_part_of(path.with_name(f"{path.name}.salvage"))
    try:
        with closing(_open(path)) as damaged:
            (version,) = damaged.execute("PRAGMA user_version").fetchone()
            whole = _copy(damaged, scratch, int(version))
            known = numbers.salvage(damaged)
        opening.migrate(scratch, copy=False)
        with closing(sqlite3.connect(scratch, isolation_level=None)) as db:
            opening.prepare(db)
            document = handmade.collect(db, now)
            document["numbers"] = sorted({*map(tuple, document["numbers"]), *known})
            return document, whole
    finally:
        files.remove(scratch)


def _open(path: Path) -> sqlite3.Connection:
    """A connection that reads only. Where the log cannot be read, the file is read without it."""
    at = path.absolute().as_uri()
    for mode in ("mode=ro", "immutable=1"):
        db = sqlite3.connect(f"{at}?{mode}", uri=True, isolation_level=None)
        with suppress(sqlite3.Error):
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return db
        db.close()
    raise sqlite3.DatabaseError("the list of its tables cannot be read")


def _copy(damaged: sqlite3.Connection, to: Path, version: int) -> bool:
    """Copy the rows that can be read into a new store of the same version."""
    steps = opening.migrations()
    if version not in steps:  # the number itself is damaged
        version = max(steps)
    whole = True
    files.sync(files.make(to).parent)
    with closing(sqlite3.connect(to, isolation_level=None)) as db:
        opening.prepare(db)
        for number in sorted(steps):
            if number <= version:
                db.executescript(steps[number])
        db.execute(f"PRAGMA user_version = {version}")
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        tables = _TABLES if "manual_link" in names else (*_TABLES, *_OLD_LINKS)
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("BEGIN")
        for table in tables:
            if table in names:
                whole &= _copy_table(damaged, db, table)
        db.execute("COMMIT")
    return whole


def _copy_table(damaged: sqlite3.Connection, db: sqlite3.Connection, table: str) -> bool:
    """Copy a table from its beginning, and from its end where that cannot be read through."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    listed = ", ".join(f'"{name}"' for name in columns)
    put = f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({', '.join('?' * len(columns))})"
    keys = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5]]
    backwards = ", ".join(f'"{key}" DESC' for key in keys)
    for order in ("", f" ORDER BY {backwards}"):
        try:
            for row in damaged.execute(f"SELECT {listed} FROM {table} NOT INDEXED{order}"):
                with suppress(sqlite3.Error):  # a value that its column does not take
                    db.execute(put, row)
        except sqlite3.Error:
            continue
        return not order
    return False
