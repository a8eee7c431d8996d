"""Which meetings of a list have some words: in the title, the place, or who comes."""

from __future__ import annotations

import json
import sqlite3
from array import array
from itertools import compress

from crmmail.store import windows
from crmmail.store.meetings import Times

_TEXTS = """
    SELECT json_group_array(json_array(m.id, m.title, m.location, iif(m.link != '', 'online', ''), (
        SELECT group_concat(
            coalesce(nullif(p.name, ''), nullif(x.name, ''), a.name) || ' ' || a.address, ' ')
        FROM attendee x JOIN address a ON a.id = x.address_id
        LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
        WHERE x.meeting_id = m.id AND a.no_contact != 'own')))
    FROM meeting m WHERE m.id IN (
        SELECT meeting_id FROM occurrence WHERE id IN (SELECT value FROM json_each(?)))
"""
_OCCURRENCES = """
    SELECT json_group_array(id) FROM occurrence
    WHERE meeting_id IN (SELECT value FROM json_each(?))
"""


def having(db: sqlite3.Connection, times: Times, match: str) -> Times:
    """The times of those meetings of a list in which each word of `match` is found."""
    words = windows.fold(match).split()
    if not words:
        return times
    found = [
        meeting
        for meeting, *texts in windows.packed(db, _TEXTS, [json.dumps(times.ids.tolist())])
        if _has(words, windows.fold(" ".join(filter(None, texts))))
    ]
    wanted = set(windows.packed(db, _OCCURRENCES, [json.dumps(found)]))
    kept = [i in wanted for i in times.ids]
    columns = (times.ids, times.starts, times.ends, times.off)
    return Times(*(array("q", compress(column, kept)) for column in columns))


def _has(words: list[str], text: str) -> bool:
    return all(word in text for word in words)
