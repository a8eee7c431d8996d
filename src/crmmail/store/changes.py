"""What the user has changed about records: written with each edit, read by the timeline.

A change that is taken back within the hour was a slip, or `u` was pressed: both leave no trace.
Other records are logged by their number, so that their names are what they are called now, and
are gone when they are.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crmmail.store.kinds import Kind
from crmmail.text import one_line

_A_SLIP = 3600  # seconds within which a change that is taken back leaves no trace
_SEVERAL = frozenset({"address", "domain"})  # a record can have several: each is for itself
_QUIET = frozenset({"name_by_hand"})
REFERENCES = {"company_id": "company", "contact_id": "person"}
"""Fields that hold another record, and its table. "merged" holds one of the record's own kind."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What a field held before, and after."""

    field: str
    old: str
    new: str


def log(
    db: sqlite3.Connection, kind: Kind, record_id: int, field: str, old: object, new: object
) -> None:
    """Note that the user has changed a field of a record."""
    change = FieldChange(field, _text(old), _text(new))
    if change.old == change.new or field in _QUIET or _takes_back(db, kind, record_id, change):
        return
    db.execute(
        "INSERT INTO record_change (kind, record_id, at, field, old, new) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [int(kind), record_id, int(time.time()), field, change.old, change.new],
    )


def log_fields(
    db: sqlite3.Connection,
    kind: Kind,
    record_id: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Note what an edit has changed: the fields of `before`, as they were and as they are."""
    for field, old in before.items():
        log(db, kind, record_id, field, old, after[field])


def unlog_merge(db: sqlite3.Connection, kind: Kind, keep: int, other: int) -> None:
    """A merge was taken back: it leaves no trace."""
    db.execute(
        "DELETE FROM record_change WHERE kind = ? AND record_id = ? AND field = 'merged' "
        "AND new = ?",
        [int(kind), keep, str(other)],
    )


def _takes_back(db: sqlite3.Connection, kind: Kind, record_id: int, change: FieldChange) -> bool:
    """Forget the field's last change when this one puts back what it found, soon enough."""
    same = "AND ? IN (old, new)" if change.field in _SEVERAL else ""
    last = db.execute(
        f"SELECT id, at, old, new FROM record_change WHERE kind = ? AND record_id = ? "
        f"AND field = ? {same} ORDER BY at DESC, id DESC LIMIT 1",
        [int(kind), record_id, change.field, *([change.old or change.new] if same else [])],
    ).fetchone()
    if last is None or last[1] < time.time() - _A_SLIP or last[2:] != (change.new, change.old):
        return False
    db.execute("DELETE FROM record_change WHERE id = ?", [last[0]])
    return True


def _text(value: object) -> str:
    """A value as one line of text; nothing for nothing."""
    return one_line(str(value)) if value else ""
