"""What the hand says of links: threads and meetings put on a record, or hidden from one (C7)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from crmmail.store.manual import BOTH as BOTH
from crmmail.store.manual import MEETING as MEETING
from crmmail.store.manual import THREAD as THREAD

_LINKS = """
    SELECT l.kind, l.record_id, coalesce(p.name, c.name, o.name), l.why, l.hand
    FROM {what}_link l
    LEFT JOIN person p ON l.kind = 1 AND p.id = l.record_id AND p.deleted_at = 0
    LEFT JOIN company c ON l.kind = 2 AND c.id = l.record_id AND c.deleted_at = 0
    LEFT JOIN opportunity o ON l.kind = 3 AND o.id = l.record_id AND o.deleted_at = 0
    WHERE l.{what}_id = ? AND coalesce(p.id, c.id, o.id) IS NOT NULL
    ORDER BY l.kind, 3 COLLATE NOCASE, l.record_id
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A record that something is on; `hand` is 1 if linked by hand, -1 if hidden by hand."""

    kind: int
    record_id: int
    name: str
    why: str
    hand: int


def links(db: sqlite3.Connection, what: str, target: int) -> list[Link]:
    """The records that a thread or a meeting is on, or is hidden from."""
    return [Link(*row) for row in db.execute(_LINKS.format(what=what), [target])]


def hand(db: sqlite3.Connection, what: str, kind: int, record_id: int, target: int) -> int:
    """Whether it was linked to a record by hand (1), hidden (-1), or neither (0)."""
    row = db.execute(
        f"SELECT hand FROM {what}_link WHERE kind = ? AND record_id = ? AND {what}_id = ?",
        [kind, record_id, target],
    ).fetchone()
    return int(row[0]) if row else 0
