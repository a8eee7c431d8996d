"""One meeting, with who comes, and the mail before it (rules.md K, C7)."""

from __future__ import annotations

import sqlite3
from array import array
from dataclasses import dataclass

from crmmail.store import hands, meetings, windows
from crmmail.store.hands import Link
from crmmail.store.meetings import OccurrenceRow, Times

BRIEFING = 12  # threads that are read before a meeting
_ASKED = 60  # attendees whose mail is looked for

_DETAIL = """
    SELECT m.uid, m.tzid, m.recurrence, m.recurrence_id, m.description, coalesce(c.name, ''),
        coalesce(nullif(c.color, ''), ''), coalesce(account.email, '')
    FROM meeting m LEFT JOIN calendar_object object ON object.id = m.object_id
    LEFT JOIN calendar c ON c.id = object.calendar_id LEFT JOIN account ON account.id = c.account_id
    WHERE m.id = ?
"""
_ATTENDEES = """
    SELECT x.position, a.address,
        coalesce(nullif(p.name, ''), nullif(x.name, ''), nullif(a.name, ''), ''),
        x.role, x.response, x.kind, x.organizer, p.id, coalesce(company.name, ''), a.no_contact
    FROM attendee x JOIN address a ON a.id = x.address_id
    LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
    LEFT JOIN company ON company.id = p.company_id AND company.deleted_at = 0
    WHERE x.meeting_id = ? ORDER BY x.organizer DESC, x.position
"""
# The newest threads of each attendee are few index steps, however much mail there is.
_BRIEFING = f"""
    WITH asked AS MATERIALIZED (
        SELECT a.id, p.id AS person_id FROM attendee x JOIN address a ON a.id = x.address_id
        LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
        WHERE x.meeting_id = ? AND a.no_contact NOT IN ('own', 'internal')
        AND x.kind NOT IN ('room', 'resource') ORDER BY x.organizer DESC, x.position LIMIT {_ASKED})
    SELECT json_group_array(id) FROM (
        SELECT t.id FROM thread t WHERE t.id IN (
            SELECT l.thread_id FROM asked JOIN thread_link l ON l.kind = 1
            AND l.record_id = asked.person_id AND l.hand >= 0 AND l.thread_id IN (
                SELECT thread_id FROM thread_link
                WHERE kind = 1 AND record_id = asked.person_id AND hand >= 0
                ORDER BY last_at DESC, thread_id DESC LIMIT {BRIEFING})
            UNION
            SELECT m.thread_id FROM asked JOIN message m ON asked.person_id IS NULL
            AND m.id IN (
                SELECT message_id FROM participant WHERE address_id = asked.id
                ORDER BY message_id DESC LIMIT {BRIEFING * 4}))
        ORDER BY t.last_at DESC, t.id DESC LIMIT {BRIEFING})
"""


@dataclass(frozen=True, slots=True)
class AttendeeRow:
    """Who is invited; `no_contact` is why there is no person of that address (C3)."""

    position: int
    address: str
    name: str
    role: str
    response: str
    kind: str
    organizer: bool
    person_id: int | None
    company: str
    no_contact: str


@dataclass(frozen=True, slots=True)
class MeetingDetail:
    """All that the store holds about a meeting, at one of its times."""

    row: OccurrenceRow
    uid: str
    tzid: str
    recurrence: str
    recurrence_id: str
    description: str
    calendar: str
    color: str
    account: str
    attendees: tuple[AttendeeRow, ...]
    links: list[Link]
    times: Times  # all times of the series, this one too


def get(db: sqlite3.Connection, occurrence_id: int) -> MeetingDetail | None:
    """A meeting at one of its times, or None."""
    with windows.snapshot(db):
        found = meetings.rows(db, [occurrence_id])
        if not found:
            return None
        row = found[0]
        uid, *facts = db.execute(_DETAIL, [row.meeting_id]).fetchone()
        tzid, recurrence, recurrence_id, description, calendar, color, account = facts
        return MeetingDetail(
            row,
            uid,
            tzid,
            recurrence,
            recurrence_id,
            description,
            calendar,
            color,
            account,
            attendees(db, row.meeting_id),
            hands.links(db, hands.MEETING, row.meeting_id),
            meetings.times(db, f"{meetings.ALL} WHERE m.uid = ?", [uid]),
        )


def attendees(db: sqlite3.Connection, meeting_id: int) -> tuple[AttendeeRow, ...]:
    """Who is invited to a meeting, the organiser first."""
    found = db.execute(_ATTENDEES, [meeting_id])
    return tuple(
        AttendeeRow(position, address, name, role, response, kind, bool(organizer), *rest)
        for position, address, name, role, response, kind, organizer, *rest in found
    )


def briefing(db: sqlite3.Connection, meeting_id: int) -> array[int]:
    """The latest threads with those who come to a meeting, newest first; colleagues aside."""
    return array("q", windows.packed(db, _BRIEFING, [meeting_id]))
