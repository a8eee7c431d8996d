"""What happened with a record, in one order: mail, meetings, notes, its making, its changes."""

from __future__ import annotations

import json
import sqlite3
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crmmail.store import meetings, windows
from crmmail.store.changes import REFERENCES, FieldChange
from crmmail.store.kinds import Kind, Level
from crmmail.store.records import TABLES

MAIL, NOTE, MADE, CHANGE, MEETING = range(5)
"""What an entry is: the lowest three bits of its id; the others are the id of what it shows."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One sort of entry: how a record's are found, and how those of a window are read.

    `ids` selects (id, at) of the record :record of the kind :kind; `columns` are what TimelineRow
    has after its id, read from `table`. {table} is the record's own.
    """

    ids: str
    columns: str
    table: str


def _held(side: str) -> str:
    """What a field held: the name of the record where it held a reference."""
    cases = [(field, table) for field, table in REFERENCES.items()] + [("merged", "{table}")]
    names = " ".join(
        f"WHEN '{field}' THEN coalesce((SELECT name FROM {table} WHERE id = e.{side}), '')"
        for field, table in cases
    )
    return f"CASE e.field {names} ELSE e.{side} END"


_SOURCES = {
    MAIL: _Source(
        """SELECT m.id, m.id >> 20 FROM thread_link l JOIN message m ON m.thread_id = l.thread_id
           WHERE l.kind = :kind AND l.record_id = :record AND l.hand >= 0""",
        f"""e.sent_at, iif(e.outgoing, 'me', coalesce(nullif(p.name, ''), nullif(a.name, ''),
           a.address, '')), e.subject, e.preview, e.thread_id,
           e.subject = '' AND e.level = {Level.METADATA}""",
        """message e LEFT JOIN address a ON a.id = e.from_id
           LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0""",
    ),
    NOTE: _Source(
        "SELECT id, created_at FROM note WHERE kind = :kind AND record_id = :record",
        "e.created_at, 'me', 'Note', substr(e.text, 1, 300), e.id, 0",
        "note e",
    ),
    MADE: _Source(
        "SELECT id, created_at FROM {table} WHERE id = :record AND created_at > 0",
        "e.created_at, iif(e.source = 'hand', 'me', e.source), 'Created', '', e.id, 0",
        "{table} e",
    ),
    CHANGE: _Source(
        "SELECT id, at FROM record_change WHERE kind = :kind AND record_id = :record",
        f"e.at, 'me', '', '', e.record_id, 0, e.field, {_held('old')}, {_held('new')}",
        "record_change e",
    ),
    # What one has met at; what comes is in the calendar.
    MEETING: _Source(
        meetings.MET,
        f"""{meetings.START.replace("o.", "e.")}, coalesce((
                SELECT iif(a.no_contact = 'own', 'me', coalesce(nullif(p.name, ''),
                    nullif(a.name, ''), a.address))
                FROM address a LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
                WHERE a.id = m.organizer_id), ''),
            m.title, coalesce(nullif(m.location, ''), substr(m.description, 1, 300)), e.id,
            {meetings.HIDDEN}""",
        "occurrence e JOIN meeting m ON m.id = e.meeting_id",
    ),
}
_MONTHS = """
    SELECT json_group_array(json_array(month, count)) FROM (
        SELECT strftime('%Y%m', m.sent_at, 'unixepoch', 'localtime') AS month, count(*) AS count
        FROM thread_link l JOIN message m ON m.thread_id = l.thread_id AND m.id >= :since << 20
        WHERE l.kind = :kind AND l.record_id = :record AND l.hand >= 0 AND l.last_at >= :since
        GROUP BY month)
"""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An entry: who did what when; `target` is the thread, note, record or occurrence.

    `hidden`: it is visibility that it has no title (V1, V5).
    """

    id: int
    at: int
    who: str
    title: str
    text: str
    target: int
    hidden: bool = False
    change: FieldChange | None = None

    @property
    def what(self) -> int:
        """MAIL, NOTE, MADE, CHANGE or MEETING."""
        return self.id & 7


def of_record(db: sqlite3.Connection, kind: int, record_id: int) -> array[int]:
    """The ids of a record's entries, newest first."""
    table = TABLES[Kind(kind)]
    found = " UNION ALL ".join(
        f"SELECT {what} AS what, * FROM ({source.ids.format(table=table)})"
        for what, source in _SOURCES.items()
    )
    select = f"""WITH entry (what, id, at) AS ({found}) SELECT id << 3 | what AS id FROM entry
                 ORDER BY at DESC, what DESC, entry.id DESC"""
    return windows.ids(
        db, select, {"kind": int(kind), "record": record_id, "now": int(time.time())}
    )


def rows(db: sqlite3.Connection, kind: int, ids: Iterable[int]) -> list[TimelineRow]:
    """The entries of a window."""
    wanted = list(ids)
    found: dict[int, TimelineRow] = {}
    for what, source in _SOURCES.items():
        mine = [i >> 3 for i in wanted if i & 7 == what]
        sql = f"""SELECT json_group_array(json_array(e.id << 3 | {what}, {source.columns}))
                  FROM json_each(?) wanted JOIN {source.table} WHERE e.id = wanted.value"""
        if mine:
            packed = windows.packed(db, sql.format(table=TABLES[Kind(kind)]), [json.dumps(mine)])
            found |= {values[0]: _row(*values) for values in packed}
    return [found[i] for i in wanted if i in found]


def _row(
    entry: int, at: int, who: str, title: str, text: str, target: int, hidden: int, *change: str
) -> TimelineRow:
    changed = FieldChange(*change) if change else None
    return TimelineRow(entry, at, who, title, text, target, bool(hidden), changed)


def months(
    db: sqlite3.Connection, kind: int, record_id: int, names: Sequence[str], since: int
) -> list[int]:
    """How many messages a record had in each month, named like 202603; `since` is their start."""
    values = {"kind": int(kind), "record": record_id, "since": since}
    counts = dict(windows.packed(db, _MONTHS, values))
    return [counts.get(name, 0) for name in names]
