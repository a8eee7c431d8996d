"""Why meetings are where they are: in the store and linked, or in the ledger of a calendar."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from crmmail.addresses import normal
from crmmail.store import hands, meeting_search, meetings, windows
from crmmail.store.hands import Link
from crmmail.store.meetings import AttendeeRow
from crmmail.text import one_line

_RULES = {
    "unreadable": "K8: it could not be read",
    "endless": "K2: it recurs too often to be followed",
    "empty": "K2: it takes place at no time",
    "old": "K2: over for more than five years",
    "later": "K2: more than a year ahead",
    "private": "K7: private or confidential",
    "blocked": "M3: somebody in it is on the blocklist",
    "nobody": "K7: nobody but you takes part",
    "internal": "K7: between colleagues only",
    "forgotten": "somebody in it was forgotten: crmmail remember ADDRESS lets them in again",
}


@dataclass(frozen=True, slots=True)
class StoredMeeting:
    """A meeting of the store, at the time of it that is nearest, and the calendars that have it."""

    id: int
    uid: str
    starts_at: int
    title: str
    calendars: list[tuple[str, str]]  # account and calendar
    attendees: tuple[AttendeeRow, ...]
    links: list[Link]


@dataclass(frozen=True, slots=True)
class SkippedMeeting:
    """A resource of a calendar that is no meeting in the store; `words` say by which rule."""

    uid: str
    account: str
    calendar: str
    href: str
    starts_at: int
    title: str
    reason: str
    words: str


def describe(reason: str, detail: str = "") -> str:
    """Why a meeting was skipped, in words, with the rule that says so."""
    words = _RULES.get(reason, reason)
    return f"{words} ({detail})" if detail else words


def stored(db: sqlite3.Connection, query: str, limit: int) -> list[StoredMeeting]:
    """The meetings with an attendee, a UID, or words in the title; those to come first."""
    found = (meetings.get(db, occurrence) for occurrence in _find(db, one_line(query), limit))
    return [
        StoredMeeting(
            one.row.id,
            one.uid,
            one.row.starts_at,
            one.row.title,
            _calendars(db, one.uid),
            one.attendees,
            hands.links(db, hands.MEETING, one.row.meeting_id),
        )
        for one in found
        if one is not None
    ]


def skipped(db: sqlite3.Connection, query: str, limit: int) -> list[SkippedMeeting]:
    """The skipped meetings with that UID, those words in the title, or that address in them."""
    if not (text := one_line(query)):
        return []
    if address := normal(text):
        condition, parameters = windows.matching(address, "lower(object.raw) {like}")
    else:
        condition, parameters = windows.matching(text, "object.title {like}")
    after = len(parameters)
    found = db.execute(
        f"""
        SELECT uid, coalesce(account.email, ''), calendar.name, href, starts_at, title, reason,
            detail
        FROM calendar_object object JOIN calendar ON calendar.id = object.calendar_id
        LEFT JOIN account ON account.id = calendar.account_id
        WHERE reason != '' AND ({condition} OR uid = ?{after + 1})
        ORDER BY starts_at DESC, object.id LIMIT ?{after + 2}
        """,
        [*parameters, text, limit],
    )
    return [
        SkippedMeeting(uid, account, name, href, at, title, reason, describe(reason, detail))
        for uid, account, name, href, at, title, reason, detail in found
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
