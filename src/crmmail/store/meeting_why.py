"""Why meetings of the store are where they are (of those that are not: meeting_ledger.py)."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from crmmail.addresses import normal
from crmmail.store import hands, meeting_detail, meeting_search, meetings
from crmmail.store.hands import Link
from crmmail.store.meeting_detail import AttendeeRow
from crmmail.text import one_line


@dataclass(frozen=True, slots=True)
class StoredMeeting:
    """A meeting of the store, at the time of it that is nearest, and the calendars that have it."""

    id: int
    uid: str
    starts_at: int
    title: str
    hidden: bool  # V5: the title is not kept
    calendars: list[tuple[str, str]]  # account and calendar
    attendees: tuple[AttendeeRow, ...]
    links: list[Link]


def stored(db: sqlite3.Connection, query: str, limit: int) -> list[StoredMeeting]:
    """The meetings with an attendee, a UID, or words in the title; those to come first."""
    found = (meeting_detail.get(db, occurrence) for occurrence in _find(db, one_line(query), limit))
    return [
        StoredMeeting(
            one.row.id,
            one.uid,
            one.row.starts_at,
            one.row.title,
            one.row.hidden,
            _calendars(db, one.uid),
            one.attendees,
            hands.links(db, hands.MEETING, one.row.meeting_id),
        )
        for one in found
        if one is not None
    ]


def _find(db: sqlite3.Connection, text: str, limit: int) -> list[int]:
    """The occurrences that are meant, one of each meeting."""
    now = time.time()
    by_uid = "SELECT id FROM meeting WHERE uid = ? ORDER BY recurrence_id LIMIT 1"
    took_part = """
        SELECT DISTINCT meeting_id FROM attendee JOIN address ON address.id = address_id
        WHERE address = ?
    """
    if found := db.execute(by_uid, [text]).fetchall():
        ids = [meeting for (meeting,) in found]
    elif address := normal(text):
        ids = [meeting for (meeting,) in db.execute(took_part, [address])]
    else:
        return list(meeting_search.by_title(db, text, limit, now))
    near = meetings.rows(db, meetings.nearest(db, ids, now).values())
    near.sort(key=lambda row: (row.starts_at < now, abs(row.starts_at - now)))
    return [row.id for row in near[:limit]]


def _calendars(db: sqlite3.Connection, uid: str) -> list[tuple[str, str]]:
    found = db.execute(
        """
        SELECT DISTINCT coalesce(account.email, ''), calendar.name FROM calendar_object object
        JOIN calendar ON calendar.id = object.calendar_id
        LEFT JOIN account ON account.id = calendar.account_id
        WHERE uid = ? AND reason = '' ORDER BY 1, 2
        """,
        [uid],
    )
    return [(account, calendar) for account, calendar in found]
