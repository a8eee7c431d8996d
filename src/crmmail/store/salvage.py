"""Reading what can be read of a damaged store: what was made by hand, row by row."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crmmail import addresses, own_files
from crmmail.store import files, handmade, numbers, opening
from crmmail.store.handmade import Document
from crmmail.store.kinds import Kind
from crmmail.store.opportunities import STAGES
from crmmail.store.pages import Pages, Value
from crmmail.store.trouble import is_unwritable

_TABLES = (
    *("account", "own_address", "internal_domain", "blocklist", "allowlist", "forgotten"),
    *("folder", "company", "company_domain", "person", "address", "opportunity"),
    *("note", "record_change", "manual_link", "calendar", "calendar_object"),
    *("rule_change", "former_id", "remembered"),
)
# Before links made by hand had a table of their own, they were told by these.
_OLD_LINKS = ("thread_link", "thread_ref", "thread", "meeting_link", "meeting")


_SOURCES = ("mail", "calendar", "hand")


def salvage(path: Path, now: int) -> tuple[Document, bool]:
    """What is made by hand in a store that may be damaged, and whether all of it could be read.

    SQLite reads what it finds; what it does not find is read from the pages themselves. Nothing is
    written to the file. Raises StoreError, sqlite3.Error or OSError.
    """
    scratch = own_files.part_of(path.with_name(f"{path.name}.salvage"))
    known: list[numbers.Number] = []
    try:
        try:
            with closing(_open(path)) as damaged:
                (version,) = damaged.execute("PRAGMA user_version").fetchone()
                missed = _copy(damaged, scratch, _make(scratch, int(version)))
                known = numbers.salvage(damaged)
        except sqlite3.DatabaseError as problem:
            if is_unwritable(problem):
                raise
            files.remove(scratch)
            missed = _make(scratch, Pages(path).version)
        if missed:
            _add_from_pages(Pages(path), scratch, missed)
        opening.migrate(scratch, copy=False)
        with closing(sqlite3.connect(scratch, isolation_level=None)) as db:
            opening.prepare(db)
            document = handmade.collect(db, now)
            document["numbers"] = sorted({*map(tuple, document["numbers"]), *known})
            return _with_domains(document) if missed else document, not missed
    finally:
        files.remove(scratch)


def _with_domains(document: Document) -> Document:
    """A document in which a company of mail whose domains were not read has those of its people.

    Without any, the import could not know it again, and would make it a second time.
    """
    found: dict[int, dict[str, None]] = {}
    for person in document["people"]:
        for one in person["addresses"]:
            domain = addresses.site(addresses.domain_of(one["address"]))
            if one["primary"] and person["company_id"] and not addresses.is_free(domain):
                found.setdefault(person["company_id"], {})[domain] = None
    taken = {domain for row in document["companies"] for domain in row["domains"]}
    companies = [
        row
        if row["domains"] or row["source"] == "hand"
        else row | {"domains": [one for one in found.get(row["id"], {}) if one not in taken]}
        for row in document["companies"]
    ]
    return document | {"companies": companies}


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


def _make(to: Path, version: int) -> list[str]:
    """Make an empty store of a version; returns the tables of which something is to be read."""
    steps = opening.migrations()
    if version not in steps:  # the number itself is damaged
        version = max(steps)
    own_files.sync(files.make(to).parent)
    with closing(sqlite3.connect(to, isolation_level=None)) as db:
        opening.prepare(db)
        for number in sorted(steps):
            if number <= version:
                db.executescript(steps[number])
        db.execute(f"PRAGMA user_version = {version}")
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    tables = _TABLES if "manual_link" in names else (*_TABLES, *_OLD_LINKS)
    return [table for table in tables if table in names]


def _copy(damaged: sqlite3.Connection, to: Path, tables: list[str]) -> list[str]:
    """Copy the rows that can be read; returns the tables of which not all could be."""
    with closing(sqlite3.connect(to, isolation_level=None)) as db:
        opening.prepare(db)
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("BEGIN")
        missed = [table for table in tables if not _copy_table(damaged, db, table)]
        db.execute("COMMIT")
    return missed


def _copy_table(damaged: sqlite3.Connection, db: sqlite3.Connection, table: str) -> bool:
    """Copy a table from its beginning, and from its end where that cannot be read through."""
    columns = _columns(db, table)
    listed = ", ".join(f'"{one.name}"' for one in columns)
    put = _putting(table, columns)
    backwards = ", ".join(f'"{one.name}" DESC' for one in columns if one.is_key)
    for order in ("", f" ORDER BY {backwards}"):
        try:
            for row in damaged.execute(f"SELECT {listed} FROM {table} NOT INDEXED{order}"):
                _insert(db, put, row)
        except sqlite3.Error as problem:
            if is_unwritable(problem):
                raise
            continue
        return not order
    return False


def _insert(db: sqlite3.Connection, put: str, row: Sequence[Value]) -> None:
    """Add a row, unless a column does not take its value."""
    try:
        db.execute(put, row)
    except sqlite3.Error as problem:
        if is_unwritable(problem):
            raise


# From pages


@dataclass(frozen=True, slots=True)
class _Column:
    """What a row tells its table by."""

    name: str
    kind: type
    may_be_null: bool
    is_later: bool  # it was added to the table: a row of before lacks it
    is_key: bool

    def takes(self, value: Value) -> bool:
        """Whether a value may stand in it."""
        if value is None:
            return self.may_be_null or self.is_key
        return isinstance(value, self.kind) and not (isinstance(value, str) and "\0" in value)


def _is_kind(value: Value) -> bool:
    return value in tuple(map(int, Kind))


_DIGEST = re.compile(r"[0-9a-f]{32}:[0-9a-f]{32}")
_WITHOUT_ROWID = ("manual_link", "forgotten", "remembered")
# What holds of each row of a table, by its columns: two tables may have the same types.
_TELLS: dict[str, Callable[[dict[str, Value]], bool]] = {
    "account": lambda row: "@" in str(row["email"]) and str(row["security"]).islower(),
    "company": lambda row: row["source"] in _SOURCES,
    "person": lambda row: row["source"] in _SOURCES,
    "address": lambda row: "@" in str(row["address"]) and "@" not in str(row["site"]),
    "opportunity": lambda row: row["stage"] in STAGES,
    "note": lambda row: _is_kind(row["kind"]) and bool(row["text"]),
    "record_change": lambda row: _is_kind(row["kind"]) and str(row["field"]).islower(),
    "calendar": lambda row: bool(row["url"]),
    "calendar_object": lambda row: bool(row["href"]) and row["raw"] != "",
    "rule_change": lambda row: str(row["setting"]).islower(),
    "forgotten": lambda row: bool(_DIGEST.fullmatch(str(row["digest"]))),
    "remembered": lambda row: bool(_DIGEST.fullmatch(str(row["digest"]))),
    "manual_link": lambda row: (
        row["target"] in (1, 2) and _is_kind(row["kind"]) and row["hand"] in (1, -1)
    ),
}


def _add_from_pages(pages: Pages, to: Path, tables: list[str]) -> None:
    """Add the rows of these tables that lie in pages to which no way leads any more."""
    with closing(sqlite3.connect(to, isolation_level=None)) as db:
        opening.prepare(db)
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("BEGIN")
        shapes = {table: _columns(db, table) for table in tables if table in _TELLS}
        for leaf in pages.leaves():
            for table, columns in shapes.items():
                if leaf.has_rowids == (table in _WITHOUT_ROWID):
                    continue
                rows = [_row(columns, row, leaf.has_rowids) for row in leaf.rows]
                if all(row is not None and _TELLS[table](row) for row in rows):
                    for row in filter(None, rows):
                        put = _putting(table, [one for one in columns if one.name in row])
                        _insert(db, put, list(row.values()))
        db.execute("COMMIT")


def _row(
    columns: list[_Column], values: tuple[Value, ...], has_rowid: bool
) -> dict[str, Value] | None:
    """A row of a page by the names of columns; None when it cannot be one of that table."""
    record = list(values[1:] if has_rowid else values)
    if len(record) > len(columns) or not all(one.is_later for one in columns[len(record) :]):
        return None
    if not all(one.takes(value) for one, value in zip(columns, record, strict=False)):
        return None
    row = {one.name: value for one, value in zip(columns, record, strict=False)}
    if has_rowid:
        if row.get("id", 0) is not None:
            return None
        row["id"] = values[0]
    elif any(row[one.name] is None for one in columns if one.is_key):
        return None
    return row


def _columns(db: sqlite3.Connection, table: str) -> list[_Column]:
    kinds = {"INTEGER": int, "BOOLEAN": int, "VARCHAR": str, "BLOB": bytes}
    return [
        _Column(
            name,
            kinds.get(kind, str),
            not required,
            place >= _first_columns().get(table, 0),
            bool(key),
        )
        for place, name, kind, required, _, key in db.execute(f"PRAGMA table_info({table})")
    ]


@cache
def _first_columns() -> dict[str, int]:
    """How many columns each table had when it was made."""
    found: dict[str, int] = {}
    with closing(sqlite3.connect(":memory:")) as db:
        opening.prepare(db)
        for _, script in sorted(opening.migrations().items()):
            db.executescript(script)
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
                if name not in found:
                    rows = db.execute(f"SELECT count(*) FROM pragma_table_info('{name}')")
                    found[name] = rows.fetchone()[0]
    return found


def _putting(table: str, columns: list[_Column]) -> str:
    listed = ", ".join(f'"{one.name}"' for one in columns)
    return f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({', '.join('?' * len(columns))})"
