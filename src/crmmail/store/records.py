"""What edits of people, companies and opportunities share."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from crmmail import text
from crmmail.errors import CrmmailError
from crmmail.store import changes
from crmmail.store.kinds import Kind

if TYPE_CHECKING:
    from sqlmodel import Session

    from crmmail.store.models import Company, Opportunity, Person

    Record = TypeVar("Record", Person, Company, Opportunity)

Cleaners = Mapping[str, Callable[[Any], Any]]

TABLES = {Kind.PERSON: "person", Kind.COMPANY: "company", Kind.OPPORTUNITY: "opportunity"}
TOPICS = {Kind.PERSON: "people", Kind.COMPANY: "companies", Kind.OPPORTUNITY: "opportunities"}
# A change of one kind shows on the screens of the others: counts, names, links.
ALL_TOPICS = ("threads", *TOPICS.values())


class RecordError(CrmmailError):
    """A record cannot be changed like that."""


class GoneError(RecordError):
    """A record is not there, or no more; or is to be brought back, and is there."""


class ChangedError(RecordError):
    """A field does not hold any more what it held when somebody began to change it."""

    def __init__(self, field: str) -> None:
        super().__init__(f"The {spoken(field)} was changed since.", "It stays as it is.")
        self.field = field


def now() -> int:
    """The time, as the store writes it."""
    return int(time.time())


def alive(session: Session, table: type[Record], record_id: int) -> Record:
    """The record of that id; an error in words when there is none, or no more."""
    row = session.get(table, record_id)
    if row is None or row.deleted_at:
        kind = Kind[table.__name__.upper()]
        raise _missing(kind, record_id, row.name if row is not None else "")
    return row


def check_alive(db: sqlite3.Connection, kind: Kind, record_id: int) -> None:
    """Raise an error in words when there is no such record, or no more."""
    sql = f"SELECT 1 FROM {TABLES[kind]} WHERE id = ? AND deleted_at = 0"
    if not db.execute(sql, [record_id]).fetchone():
        raise _missing(kind, record_id, _name(db, kind, record_id))


def assign(row: Any, fields: Mapping[str, Any], cleaners: Cleaners) -> dict[str, Any]:
    """Set fields of a record, cleaned; returns what they were."""
    if unknown := sorted(fields.keys() - cleaners.keys()):
        known = ", ".join(cleaners)
        raise RecordError(f"There is no field {unknown[0]!r}.", f"What can be set: {known}.")
    before = {}
    for field, value in fields.items():
        before[field] = getattr(row, field)
        setattr(row, field, cleaners[field](value))
    return before


def check_unchanged(row: Any, instead_of: Mapping[str, Any], cleaners: Cleaners) -> None:
    """Raise an error in words when a field does not hold what an edit has put there.

    Something newer, by whomever, is not to be overwritten when that edit is taken back.
    """
    for field, value in instead_of.items():
        if getattr(row, field) != cleaners[field](value):
            raise ChangedError(field)


def check_opened(db: sqlite3.Connection, row: Any, opened: Mapping[str, Any]) -> None:
    """Raise ChangedError when a field does not hold what it held when its form was opened.

    A record that is deleted counts as none, as it is shown.
    """
    for field, value in opened.items():
        now = getattr(row, field)
        if now is not None and field in changes.REFERENCES:
            sql = f"SELECT id FROM {changes.REFERENCES[field]} WHERE id = ? AND deleted_at = 0"
            now = next((one for (one,) in db.execute(sql, [now])), None)
        if now != value:
            raise ChangedError(field)


def spoken(field: str) -> str:
    """What a field is called in a sentence."""
    return "closing date" if field == "closes_on" else field.removesuffix("_id")


def add(session: Session, row: Record) -> int:
    """Store a new record; returns its id."""
    session.add(row)
    session.flush()
    assert row.id is not None  # noqa: S101 - flushed
    return row.id


def reference(value: int | None) -> int | None:
    """The id of another record, or none."""
    return None if value is None else int(value)


def check_link(db: sqlite3.Connection, kind: Kind, record_id: int | None) -> None:
    """Raise an error in words when a record is to point to one that is not there."""
    if record_id is not None:
        check_alive(db, kind, record_id)


def name(value: str) -> str:
    """A name that somebody typed, made safe; never empty."""
    if not (clean := text.one_line(value)):
        raise RecordError("A name is missing.", "Give a name of at least one letter.")
    return clean


def set_deleted(db: sqlite3.Connection, kind: Kind, record_id: int, deleted: bool) -> None:
    """Delete a record softly (C5), or bring it back."""
    state = "deleted_at = 0" if deleted else "deleted_at > 0"
    done = db.execute(
        f"UPDATE {TABLES[kind]} SET deleted_at = ? WHERE id = ? AND {state}",
        [now() if deleted else 0, record_id],
    )
    if not done.rowcount:
        raise _missing(kind, record_id, _name(db, kind, record_id), deleted=deleted)
    changes.log(db, kind, record_id, "deleted", not deleted, deleted)


def deleted(db: sqlite3.Connection, kind: Kind) -> int:
    """How many records of a kind the user has deleted."""
    sql = f"SELECT count(*) FROM {TABLES[kind]} WHERE deleted_at > 0"
    return int(db.execute(sql).fetchone()[0])


def _name(db: sqlite3.Connection, kind: Kind, record_id: int) -> str:
    """What a record is called, deleted or not; "" where there is none."""
    found = db.execute(f"SELECT name FROM {TABLES[kind]} WHERE id = ?", [record_id]).fetchone()
    return str(found[0]) if found else ""


def _missing(kind: Kind, record_id: int, called: str, *, deleted: bool = True) -> GoneError:
    if called:
        state = "is not there any more: deleted or merged" if deleted else "is not deleted"
        return GoneError(f"{called} {state}.")
    state = "" if deleted else "deleted "
    return GoneError(
        f"There is no {state}{TABLES[kind]} with the number {record_id}.",
        f"crmmail {TOPICS[kind]} list shows those that there are.",
    )
