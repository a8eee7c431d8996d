"""What merging records will do, in words, before it is done (rules.md C8)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from crmmail.store import manual, merging, records
from crmmail.store.kinds import Kind

_NAMED = 3  # addresses or domains that are named
_FIELDS = {"company_id": "company", "job": "job", "phone": "phone", "links": "links"}
_NOUNS = {
    "address": ("address", "addresses"),
    "company_domain": ("domain", "domains"),
    "person": ("person", "people"),
    "opportunity": ("opportunity", "opportunities"),
    "note": ("note", "notes"),
}
_SPELLED = {
    "address": "SELECT address FROM address WHERE person_id IN {ids} ORDER BY id",
    "company_domain": "SELECT domain FROM company_domain WHERE company_id IN {ids} ORDER BY 1",
}


def effect(db: sqlite3.Connection, kind: Kind, keep: int, others: Sequence[int]) -> str:
    """What the kept record gets of the others, and what of theirs is not kept."""
    name, *theirs = (_name(db, kind, one) for one in (keep, *others))
    gets = [*_moved(db, kind, others), *_hand(db, kind, others), *_filled(db, kind, keep, others)]
    gone = theirs[0] if len(theirs) == 1 else f"the other {len(theirs)}"
    sentences = [
        f"The name {name} stays.",
        f"It gets {', '.join(gets)}." if gets else "It gets nothing: there is nothing to get.",
    ]
    if lost := [*_lost(db, kind, keep, others)]:
        sentences.append(f"Not kept: {', '.join(lost)}.")
    leave = "leaves the list; u brings it back" if len(theirs) == 1 else "leave the list; u undoes"
    return " ".join([*sentences, f"{gone[:1].upper()}{gone[1:]} {leave}."])


def _name(db: sqlite3.Connection, kind: Kind, record_id: int) -> str:
    sql = f"SELECT name FROM {records.TABLES[kind]} WHERE id = ?"
    row = db.execute(sql, [record_id]).fetchone()
    return row[0] if row else ""


def _moved(db: sqlite3.Connection, kind: Kind, others: Sequence[int]) -> Iterator[str]:
    """What points to the others, and will to the kept one."""
    ids = json.dumps(list(others))
    for table, (_, column) in merging.POINTING[kind].items():
        count = f"SELECT count(*) FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"
        if said := _plural(table, db.execute(count, [ids]).fetchone()[0]):
            yield said + _spelled(db, table, ids)
    count = """SELECT count(*) FROM note WHERE kind = ? AND record_id IN
               (SELECT value FROM json_each(?))"""
    if said := _plural("note", db.execute(count, [int(kind), ids]).fetchone()[0]):
        yield said


def _spelled(db: sqlite3.Connection, table: str, ids: str) -> str:
    if table not in _SPELLED:
        return ""
    sql = _SPELLED[table].replace("{ids}", "(SELECT value FROM json_each(?))")
    found = [row[0] for row in db.execute(sql, [ids])]
    more = ["…"] if len(found) > _NAMED else []
    return f" ({', '.join(found[:_NAMED] + more)})"


def _hand(db: sqlite3.Connection, kind: Kind, others: Sequence[int]) -> Iterator[str]:
    """The threads and meetings that were linked or hidden by hand."""
    if any(manual.of_record(db, what, kind, one) for what in manual.BOTH for one in others):
        yield "what was linked or hidden by hand"


def _filled(db: sqlite3.Connection, kind: Kind, keep: int, others: Sequence[int]) -> Iterator[str]:
    """The fields that are empty in the kept record, and not in another."""
    for column in merging.FILLED[kind]:
        found = [_value(db, kind, column, other) for other in others]
        if not _value(db, kind, column, keep) and any(found):
            yield f"the {_FIELDS[column]} {next(filter(None, found))}"


def _lost(db: sqlite3.Connection, kind: Kind, keep: int, others: Sequence[int]) -> Iterator[str]:
    """The values of the others that have no place in the kept record."""
    for other in others:
        yield f"the name {_name(db, kind, other)}"
    for column in merging.FILLED[kind]:
        values = [_value(db, kind, column, one) for one in (keep, *others)]
        stays = next(filter(None, values), "")
        lost = dict.fromkeys(value for value in values if value and value != stays)
        yield from (f"the {_FIELDS[column]} {value}" for value in lost)


def _value(db: sqlite3.Connection, kind: Kind, column: str, record_id: int) -> str:
    sql = f"SELECT {column} FROM {records.TABLES[kind]} WHERE id = ?"
    row = db.execute(sql, [record_id]).fetchone()
    if row is None or not row[0]:
        return ""
    if column == "company_id":
        return _name(db, Kind.COMPANY, row[0])
    return " ".join(str(row[0]).split())


def _plural(table: str, count: int) -> str:
    one, many = _NOUNS[table]
    return f"{count:,} {one if count == 1 else many}" if count else ""
