"""What no server can give back, as one plain value: it goes into the daily backups.

Records are known in it by their numbers in the store that it came from; where it is put back, they
are found by their addresses, domains, or names (store/put_back.py). No text and no subject of a
message is in it, and no password.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Iterable
from typing import Any

from crmmail import addresses, money
from crmmail.store import numbers, windows
from crmmail.store.kinds import Kind

FORMAT = "crmmail made by hand"
VERSION = 2
Document = dict[str, Any]
Row = dict[str, Any]

PLACES = {Kind.PERSON: "people", Kind.COMPANY: "companies", Kind.OPPORTUNITY: "opportunities"}
"""Where a document has the records of a kind."""
REFERENCES = {
    "company_id": Kind.COMPANY,
    "contact_id": Kind.PERSON,
    "person_id": Kind.PERSON,
}
"""Columns that hold the number of another record."""
COUNTED = ("people", "companies", "opportunities", "notes", "links", "accounts")
"""The parts of a document that somebody wants to see the number of."""

_KNOWN_BY_HAND = """
    SELECT record_id FROM note WHERE kind = {kind}
    UNION SELECT record_id FROM record_change WHERE kind = {kind}
    UNION SELECT record_id FROM manual_link WHERE kind = {kind}
    UNION SELECT CAST(new AS INTEGER) FROM record_change WHERE kind = {kind} AND field = 'merged'
"""
_COMPANIES = f"""
    SELECT id FROM company WHERE name_by_hand OR source = 'hand' OR deleted_at OR links != ''
    UNION {_KNOWN_BY_HAND.format(kind=2)} UNION SELECT company_id FROM opportunity
    UNION SELECT CAST(old AS INTEGER) FROM record_change WHERE field = 'company_id'
    UNION SELECT CAST(new AS INTEGER) FROM record_change WHERE field = 'company_id'
"""
_PEOPLE = f"""
    SELECT id FROM person WHERE name_by_hand OR source = 'hand' OR deleted_at
        OR job != '' OR phone != '' OR links != ''
    UNION {_KNOWN_BY_HAND.format(kind=1)} UNION SELECT contact_id FROM opportunity
    UNION SELECT CAST(old AS INTEGER) FROM record_change WHERE field = 'contact_id'
    UNION SELECT CAST(new AS INTEGER) FROM record_change WHERE field = 'contact_id'
"""
# What the sync finds out by itself, or what holds for this store only.
_COUNTERS = ("threads", "first_at", "last_at")
_OF_ACCOUNT = ("applied", "meetings_applied", "login_at")
_FOLDER = ("name", "role", "selectable", "selected")
_KNOWN_BY = {"accounts": "email", "people": "created_at", "companies": "created_at"} | {
    "opportunities": "created_at"
}
_UNKNOWN: dict[Kind, Row] = {
    Kind.PERSON: {"addresses": [], "name_by_hand": 1, "company_id": None},
    Kind.COMPANY: {"domains": [], "name_by_hand": 1},
    Kind.OPPORTUNITY: {"company_id": None, "contact_id": None},
}
_LATER = (
    "written",
    "rules",
    "numbers",
    "remembered",
)  # parts that documents have not had from the beginning
_OF_PEOPLE = ("blocklist", "allowlist")
_ADDRESS = re.compile(r"[^\s@:;,<>()\"=]{1,320}@[^\s@:;,<>()\"=?\\]+")


def collect(db: sqlite3.Connection, now: int) -> Document:
    """All that was made by hand in a store of this version, as of one moment."""
    with windows.snapshot(db):
        people = _rows(db, "person", f"id IN ({_PEOPLE})", drop=_COUNTERS)
        hired = {row["company_id"] for row in people if row["company_id"]}
        companies = _rows(db, "company", f"id IN ({_COMPANIES})", drop=_COUNTERS)
        known = {row["id"] for row in companies}
        more = ", ".join(str(int(one)) for one in sorted(hired - known))
        companies += _rows(db, "company", f"id IN ({more})", drop=_COUNTERS) if more else []
        return {
            "format": FORMAT,
            "version": VERSION,
            "made_at": now,
            "accounts": [_account(db, row) for row in _rows(db, "account", drop=_OF_ACCOUNT)],
            "blocklist": _column(db, "SELECT pattern FROM blocklist ORDER BY 1"),
            "allowlist": _column(db, "SELECT pattern FROM allowlist ORDER BY 1"),
            "forgotten": _column(db, "SELECT digest FROM forgotten ORDER BY 1"),
            "remembered": _column(db, "SELECT digest FROM remembered ORDER BY 1"),
            "people": [row | {"addresses": _addresses(db, row["id"])} for row in people],
            "companies": [row | {"domains": _domains(db, row["id"])} for row in companies],
            "opportunities": _rows(db, "opportunity", drop=_COUNTERS),
            "notes": _rows(db, "note", drop=("id",)),
            "changes": _rows(db, "record_change", drop=("id",)),
            "links": _rows(db, "manual_link"),
            "calendars": _calendars(db),
            "written": _written(db),
            "rules": _rules(db),
            "numbers": numbers.collect(db),
        }


def upgraded(document: Document) -> Document:
    """A document of an older version as one of this: its amounts were hundredths (money.py), and it
    had fewer parts."""
    made: Document = {part: [] for part in _LATER} | document | {"version": VERSION}
    if document["version"] >= 2:
        return made
    made["opportunities"] = [
        row | {"amount": money.from_hundredths(row["amount"], row["currency"])}
        for row in document["opportunities"]
    ]
    made["changes"] = [
        row | {name: _upgraded_amount(row[name]) for name in ("old", "new")}
        if row["field"] == "amount"
        else row
        for row in document["changes"]
    ]
    return made


def _upgraded_amount(told: str) -> str:
    amount, _, currency = told.partition(" ")
    return f"{money.from_hundredths(int(amount), currency)} {currency}" if currency else told


def completed(document: Document, other: Document) -> Document:
    """A document with the records that only another one of the same store has.

    They are known by their numbers. Where a number is not the same record in both, the other is of
    another store, and nothing is taken from it.
    """
    made = dict(document)
    for part, known_by in _KNOWN_BY.items():
        have = {row["id"]: row[known_by] for row in document[part]}
        if any(have.get(row["id"], row[known_by]) != row[known_by] for row in other[part]):
            return document
        made[part] = document[part] + [row for row in other[part] if row["id"] not in have]
    return made


def with_unknown(document: Document) -> Document:
    """A document in which each note has a record: one of which only notes are left gets a name."""
    made = dict(document)
    for kind, part in PLACES.items():
        have = {row["id"] for row in document[part]}
        lost: dict[int, Row] = {}
        for note in document["notes"]:
            if note["kind"] == kind and (number := note["record_id"]) not in have | lost.keys():
                name = f"Unknown {kind.name.lower()} {number}"
                row = {"id": number, "name": name, "source": "hand"}
                row |= {"created_at": note["created_at"], "deleted_at": 0}
                lost[number] = row | _UNKNOWN[kind]
        made[part] = [*document[part], *lost.values()]
    return made


def is_empty(document: Document) -> bool:
    """Whether nobody would miss it."""
    parts = (*COUNTED, "blocklist", "allowlist", "calendars", "forgotten")
    return not any(document[part] for part in parts)


def without_forgotten(document: Document, is_forgotten: Callable[[str], bool]) -> Document:
    """The document without a trace of the people whose addresses were erased."""
    gone = {
        row["id"]
        for row in document["people"]
        if any(is_forgotten(one["address"]) for one in row["addresses"])
    }
    while more := _merged_into(document, gone) - gone:
        gone |= more
    sites = {
        addresses.site(addresses.domain_of(one["address"]))
        for row in document["people"]
        if row["id"] in gone
        for one in row["addresses"]
    }
    rest: Document = dict(document)
    rest["people"] = [row for row in document["people"] if row["id"] not in gone]
    for part in ("notes", "changes", "links"):
        rest[part] = [
            row
            for row in document[part]
            if (row["kind"], row["record_id"]) not in {(1, one) for one in gone}
            and not (part == "changes" and _names(row, is_forgotten, gone))
        ]
    rest["opportunities"] = [
        row | {"contact_id": None} if row["contact_id"] in gone else row
        for row in document["opportunities"]
    ]
    rest["companies"] = _still_known(rest, sites)
    for part in ("blocklist", "allowlist", "written"):
        rest[part] = [one for one in document[part] if not is_forgotten(one)]
    rest["calendars"] = [
        row | {"raw": [one for one in row["raw"] if not _tells(one, is_forgotten)]}
        for row in document["calendars"]
    ]
    return rest


def _merged_into(document: Document, people: Collection[int]) -> set[int]:
    """The deleted people that were merged into some of these."""
    deleted = {row["id"] for row in document["people"] if row["deleted_at"]}
    return {
        int(row["new"])
        for row in document["changes"]
        if (row["kind"], row["field"]) == (Kind.PERSON, "merged") and row["record_id"] in people
    } & deleted


def _still_known(document: Document, sites: set[str]) -> list[Row]:
    """The companies without those that only somebody forgotten told of."""
    needed = {row["company_id"] for row in document["people"] + document["opportunities"]}
    for part in ("notes", "links"):
        needed |= {row["record_id"] for row in document[part] if row["kind"] == Kind.COMPANY}
    return [
        row
        for row in document["companies"]
        if row["source"] == "hand"
        or row["name_by_hand"]
        or row["id"] in needed
        or not sites.intersection(row["domains"])
    ]


def _names(row: Row, is_forgotten: Callable[[str], bool], gone: Collection[int]) -> bool:
    """Whether a change of another record tells of somebody forgotten."""
    if row["field"] == "contact_id" or (row["field"] == "merged" and row["kind"] == Kind.PERSON):
        return bool({row["old"], row["new"]} & {str(one) for one in gone})
    return _tells(f"{row['old']} {row['new']}", is_forgotten)


def _tells(text: str, is_forgotten: Callable[[str], bool]) -> bool:
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    return any(is_forgotten(addresses.normal(one)) for one in set(_ADDRESS.findall(unfolded)))


def _account(db: sqlite3.Connection, row: Row) -> Row:
    number = row["id"]
    own = "SELECT address FROM own_address WHERE account_id = ? ORDER BY 1"
    internal = "SELECT domain FROM internal_domain WHERE account_id = ? ORDER BY 1"
    return row | {
        "addresses": _column(db, own, number),
        "internal": _column(db, internal, number),
        "folders": [
            {name: one[name] for name in _FOLDER}
            for one in _rows(db, "folder", f"account_id = {int(number)} AND NOT former")
        ],
        "calendars": [
            {name: one[name] for name in ("url", "name", "color", "selected")}
            for one in _rows(db, "calendar", f"account_id = {int(number)}")
        ],
    }


def _addresses(db: sqlite3.Connection, person: int) -> list[Row]:
    found = db.execute(
        "SELECT address, name, is_primary FROM address WHERE person_id = ? ORDER BY id", [person]
    )
    return [{"address": one, "name": name, "primary": bool(first)} for one, name, first in found]


def _domains(db: sqlite3.Connection, company: int) -> list[str]:
    return _column(db, "SELECT domain FROM company_domain WHERE company_id = ? ORDER BY 1", company)


def _calendars(db: sqlite3.Connection) -> list[Row]:
    """What was imported from files, as it came."""
    query = "SELECT raw FROM calendar_object WHERE calendar_id = ? AND raw != '' ORDER BY href"
    return [
        {"name": row["name"], "raw": _column(db, query, row["id"])}
        for row in _rows(db, "calendar", "account_id IS NULL")
    ]


def _written(db: sqlite3.Connection) -> list[str]:
    """The role addresses that one has written to (M5): the server may have lost that mail."""
    found = _column(db, "SELECT address FROM address WHERE written ORDER BY 1")
    return [one for one in found if addresses.is_role(one.partition("@")[0])]


def _rules(db: sqlite3.Connection) -> list[Row]:
    """The changes of rules that can be set back (C10).

    Not of the lists of addresses: of an entry there is a digest, of which nobody could say later
    whether it is that of somebody who was forgotten.
    """
    rows = _rows(db, "rule_change", f"setting NOT IN {_OF_PEOPLE}", drop=("id",))
    return [
        {name: value for name, value in row.items() if not name.endswith("_mark")} for row in rows
    ]


def _rows(
    db: sqlite3.Connection, table: str, where: str = "1", drop: Iterable[str] = ()
) -> list[Row]:
    cursor = db.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY 1, 2, 3")
    names = [column[0] for column in cursor.description]
    dropped = set(drop)
    return [
        {name: value for name, value in zip(names, row, strict=True) if name not in dropped}
        for row in cursor
    ]


def _column(db: sqlite3.Connection, query: str, *values: object) -> list[Any]:
    return [value for (value,) in db.execute(query, values)]
