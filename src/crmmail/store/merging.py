"""Two records that are one: merging them, and taking that back (rules.md C8)."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from crmmail.store import address_book, changes, links, manual, records, undoing
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

_Filled = tuple[int | str | None, int | str | None]


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging two records changed: all that taking it back needs, in plain values."""

    kind: int
    keep: int
    other: int
    moved: dict[str, list[int | str]]  # table -> keys of the rows that pointed to `other`
    primary: list[int]  # addresses that were primary of `other`
    filled: dict[str, _Filled]  # column -> before, after
    notes: list[int | str]
    # thread or meeting -> what the hand said of those of `other`, also of those that are away
    hand: dict[str, list[manual.Deed]]
    # thread or meeting -> of these, what `keep` got by it
    given: dict[str, list[manual.Deed]]
    newest: int  # the newest person then


POINTING = {
    Kind.PERSON: {"address": ("id", "person_id"), "opportunity": ("id", "contact_id")},
    Kind.COMPANY: {
        "company_domain": ("domain", "company_id"),
        "person": ("id", "company_id"),
        "opportunity": ("id", "company_id"),
    },
}
"""What points to a record: table -> key, column."""
FILLED = {Kind.PERSON: ("company_id", "job", "phone", "links"), Kind.COMPANY: ("links",)}
"""What the other one gives when the kept one has none."""


def merge(store: Store, kind: Kind, keep: int, other: int) -> Merge:
    """Give one record all that another has, and delete that; returns what unmerge() needs."""
    if keep == other:
        raise records.RecordError("A record cannot be merged with itself.", "Choose two records.")
    with store.write("notes", *records.ALL_TOPICS) as (db, change):
        records.check_alive(db, kind, keep)
        records.check_alive(db, kind, other)
        done = Merge(
            int(kind),
            keep,
            other,
            moved={
                table: _keys(db, table, *POINTING[kind][table], other) for table in POINTING[kind]
            },
            primary=_surrender_primary(db, keep, other) if kind is Kind.PERSON else [],
            filled=_fill(db, kind, keep, other),
            notes=_keys(db, "note", "id", "record_id", other, f"kind = {int(kind)}"),
            hand={what: manual.of_record(db, what, kind, other) for what in manual.BOTH},
            given={what: _given(db, what, kind, keep, other) for what in manual.BOTH},
            newest=undoing.mark(db).person,
        )
        _point(db, done, other, keep)
        for what in manual.BOTH:
            manual.remove(db, what, done.hand[what])
            manual.insert(db, what, done.given[what])
        records.set_deleted(db, kind, other, deleted=True)
        changes.log(db, kind, keep, "merged", "", other)
        links.relink_records(db, change, kind, [keep, other], by_hand=True)
    return done


def unmerge(store: Store, done: Merge) -> None:
    """Take a merge back: both records are what they were, but for what was changed since."""
    kind = Kind(done.kind)
    with store.write("notes", *records.ALL_TOPICS) as (db, change):
        records.set_deleted(db, kind, done.other, deleted=False)
        changes.unlog_merge(db, kind, done.keep, done.other)
        _point(db, done, done.keep, done.other)
        if kind is Kind.PERSON:
            _return_primary(db, done)
        else:
            undoing.part(db, done.keep, done.other, done.newest)
        for column, (before, after) in done.filled.items():
            db.execute(
                f"UPDATE {records.TABLES[kind]} SET {column} = ? WHERE id = ? AND {column} IS ?",
                [before, done.keep, after],
            )
        if kind is Kind.PERSON:  # mail may have come with another name meanwhile
            from crmmail.store import naming  # nothing that the first picture waits for

            naming.name_people(db, change, [done.keep, done.other])
        for what in manual.BOTH:
            manual.remove(db, what, done.given[what])
            manual.insert(db, what, done.hand[what])
        links.relink_records(db, change, kind, [done.keep, done.other], by_hand=True)


def _keys(
    db: sqlite3.Connection, table: str, key: str, column: str, value: int, also: str = "1"
) -> list[int | str]:
    sql = f"SELECT {key} FROM {table} WHERE {column} = ? AND {also} ORDER BY {key}"
    return [found for (found,) in db.execute(sql, [value])]


def _point(db: sqlite3.Connection, done: Merge, old: int, new: int) -> None:
    """Let what the merge moved point from one of the two records to the other."""
    pointing = POINTING[Kind(done.kind)] | {"note": ("id", "record_id")}
    for table, keys in (done.moved | {"note": done.notes}).items():
        key, column = pointing[table]
        db.execute(
            f"UPDATE {table} SET {column} = ? WHERE {column} = ? "
            f"AND {key} IN (SELECT value FROM json_each(?))",
            [new, old, json.dumps(keys)],
        )


def _surrender_primary(db: sqlite3.Connection, keep: int, other: int) -> list[int]:
    """The primary address of `other`, which is none any more where the kept person has one."""
    sql = "SELECT id FROM address WHERE person_id = ? AND is_primary"
    primary = [found for (found,) in db.execute(sql, [other])]
    if db.execute(sql, [keep]).fetchone():
        db.execute("UPDATE address SET is_primary = 0 WHERE person_id = ?", [other])
    return primary


def _return_primary(db: sqlite3.Connection, done: Merge) -> None:
    for person in (done.keep, done.other):
        address_book.ensure_primary(db, person)
    if done.primary:
        db.execute(
            "UPDATE address SET is_primary = (id = ?1) WHERE person_id = ?2 "
            "AND EXISTS (SELECT 1 FROM address WHERE id = ?1 AND person_id = ?2)",
            [done.primary[0], done.other],
        )


def _fill(db: sqlite3.Connection, kind: Kind, keep: int, other: int) -> dict[str, _Filled]:
    """Take from `other` the fields that are empty in the kept record: column -> before, after."""
    table, filled = records.TABLES[kind], {}
    for column in FILLED[kind]:
        sql = f"SELECT {column} FROM {table} WHERE id = ?"
        (ours,), (theirs,) = (db.execute(sql, [i]).fetchone() for i in (keep, other))
        if theirs and not ours:
            db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [theirs, keep])
            filled[column] = (ours, theirs)
    if kind is Kind.PERSON:  # the user has chosen this name: the other's mail never changes it (C4)
        sql = "UPDATE person SET name_by_hand = 1 WHERE id = ? AND name != '' AND NOT name_by_hand"
        if db.execute(sql, [keep]).rowcount:
            filled["name_by_hand"] = (0, 1)
    return filled


def _given(
    db: sqlite3.Connection, what: str, kind: Kind, keep: int, other: int
) -> list[manual.Deed]:
    """What the hand said of the other record, where it has said nothing of the kept one."""
    own = {deed[0] for deed in manual.of_record(db, what, kind, keep)}
    return [
        (key, of, keep, hand, at)
        for key, of, _, hand, at in manual.of_record(db, what, kind, other)
        if key not in own
    ]
