"""What happened with a record, in one order: its mail, its notes, its making."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crmmail.store import windows
from crmmail.store.kinds import Kind
from crmmail.store.records import TABLES

MAIL, NOTE, MADE = range(3)
"""What an entry is: the lowest two bits of its id; the others are the id of what it shows."""

_IDS = """
    SELECT m.id * 4 AS id, m.id >> 20 AS at FROM thread_link l
    JOIN message m ON m.thread_id = l.thread_id
    WHERE l.kind = :kind AND l.record_id = :record AND l.hand >= 0
    UNION ALL
    SELECT id * 4 + 1, created_at FROM note WHERE kind = :kind AND record_id = :record
    UNION ALL
    SELECT id * 4 + 2, created_at FROM {table} WHERE id = :record AND created_at > 0
    ORDER BY at DESC, id DESC
"""
_MAIL = """
    SELECT json_group_array(json_array(
        wanted.value, m.sent_at, iif(m.outgoing, 'me', coalesce(nullif(p.name, ''),
        nullif(a.name, ''), a.address, '')), m.subject, m.preview, m.thread_id))
    FROM json_each(?) wanted JOIN message m ON m.id = wanted.value >> 2
    LEFT JOIN address a ON a.id = m.from_id
    LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
"""
_NOTES = """
    SELECT json_group_array(json_array(wanted.value, n.created_at, 'me', 'note',
        substr(n.text, 1, 300), n.id))
    FROM json_each(?) wanted JOIN note n ON n.id = wanted.value >> 2
"""
_MADE = """
    SELECT json_group_array(json_array(wanted.value, r.created_at,
        iif(r.source = 'hand', 'me', r.source), 'created', r.name, r.id))
    FROM json_each(?) wanted JOIN {table} r ON r.id = wanted.value >> 2
"""
_MONTHS = """
    SELECT json_group_array(json_array(month, count)) FROM (
        SELECT strftime('%Y%m', m.sent_at, 'unixepoch', 'localtime') AS month, count(*) AS count
        FROM thread_link l JOIN message m ON m.thread_id = l.thread_id AND m.id >= :since << 20
        WHERE l.kind = :kind AND l.record_id = :record AND l.hand >= 0 AND l.last_at >= :since
        GROUP BY month)
"""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An entry: who did what when; `target` is the thread, the note or the record."""

    id: int
    at: int
    who: str
    title: str
    text: str
    target: int

    @property
    def what(self) -> int:
        """MAIL, NOTE or MADE."""
        return self.id & 3


def of_record(db: sqlite3.Connection, kind: int, record_id: int) -> array[int]:
    """The ids of a record's entries, newest first."""
    select = _IDS.format(table=TABLES[Kind(kind)])
    return windows.ids(db, select, {"kind": int(kind), "record": record_id})


def rows(db: sqlite3.Connection, kind: int, ids: Iterable[int]) -> list[TimelineRow]:
    """The entries of a window."""
    wanted = list(ids)
    found: dict[int, TimelineRow] = {}
    queries = {MAIL: _MAIL, NOTE: _NOTES, MADE: _MADE.format(table=TABLES[Kind(kind)])}
    for what, sql in queries.items():
        mine = [i for i in wanted if i & 3 == what]
        if mine:
            for row in windows.packed(db, sql, [json.dumps(mine)]):
                found[row[0]] = TimelineRow(*row)
    return [found[i] for i in wanted if i in found]


def months(
    db: sqlite3.Connection, kind: int, record_id: int, names: Sequence[str], since: int
) -> list[int]:
    """How many messages a record had in each month, named like 202603; `since` is their start."""
    values = {"kind": int(kind), "record": record_id, "since": since}
    counts = dict(windows.packed(db, _MONTHS, values))
    return [counts.get(name, 0) for name in names]
