"""The JSON that scripts get: one function a shape. docs/cli.md promises these fields."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crmmail.accounts import credentials
from crmmail.cli.output import iso
from crmmail.store import (
    accounts,
    companies,
    meetings,
    messages,
    notes,
    opportunities,
    people,
    threads,
)
from crmmail.store import (
    meeting_detail as details,
)
from crmmail.store.kinds import Flag, Kind, Level

Shape = dict[str, Any]

_WINDOW = 500
RECORD_NAMES = {Kind.PERSON: "person", Kind.COMPANY: "company", Kind.OPPORTUNITY: "opportunity"}


def windows(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """A view's ids in pieces that are read at once."""
    for start in range(0, len(ids), _WINDOW):
        yield ids[start : start + _WINDOW]


def person(db: sqlite3.Connection, row: people.PersonRow | people.PersonDetail) -> Shape:
    """A person as `people list` prints one."""
    return {
        "id": row.id,
        "name": row.name,
        "addresses": list(people.addresses(db, row.id)),
        "company": row.company or None,
        "threads": row.threads,
        "last_contact": iso(row.last_at),
        "next_meeting": iso(_next_at(db, Kind.PERSON, row)),
    }


def company(db: sqlite3.Connection, row: companies.CompanyRow | companies.CompanyDetail) -> Shape:
    """A company as `companies list` prints one; it is its own company."""
    return {
        "id": row.id,
        "name": row.name,
        "domains": list(row.domains),
        "company": row.name,
        "threads": row.threads,
        "last_contact": iso(row.last_at),
        "next_meeting": iso(_next_at(db, Kind.COMPANY, row)),
    }


def opportunity(
    db: sqlite3.Connection, row: opportunities.OpportunityRow | opportunities.OpportunityDetail
) -> Shape:
    """An opportunity as `opportunities list` prints one; the addresses are its contact's."""
    return {
        "id": row.id,
        "name": row.name,
        "addresses": list(people.addresses(db, row.contact_id)) if row.contact_id else [],
        "company": row.company or None,
        "threads": row.threads,
        "last_contact": iso(row.last_at),
        "next_meeting": iso(_next_at(db, Kind.OPPORTUNITY, row)),
        "contact": row.contact or None,
        "stage": row.stage,
        "amount": row.amount,
        "currency": row.currency,
        "closes_on": row.closes_on or None,
    }


def _next_at(db: sqlite3.Connection, kind: Kind, row: Any) -> int:
    """When the next meeting begins: a list has read it, a single record has not."""
    if hasattr(row, "next_at"):
        return int(row.next_at)
    return meetings.summary(db, kind, row.id, time.time()).next_at


def person_detail(db: sqlite3.Connection, found: people.PersonDetail) -> Shape:
    """A person with all fields, threads and meetings."""
    return {
        **person(db, found),
        "company_id": found.company_id,
        "job": found.job,
        "phone": found.phone,
        "links": found.links.split(),
        "source": found.source,
        "first_contact": iso(found.first_at),
        "notes": notes_of(db, Kind.PERSON, found.id),
        "threads": threads_of(db, Kind.PERSON, found.id),
        "meetings": meetings_of(db, Kind.PERSON, found.id),
    }


def company_detail(db: sqlite3.Connection, found: companies.CompanyDetail) -> Shape:
    """A company with all fields, people, threads and meetings."""
    members = [person(db, row) for row in people.rows(db, found.people)]
    return {
        **company(db, found),
        "links": found.links.split(),
        "source": found.source,
        "first_contact": iso(found.first_at),
        "people": members,
        "notes": notes_of(db, Kind.COMPANY, found.id),
        "threads": threads_of(db, Kind.COMPANY, found.id),
        "meetings": meetings_of(db, Kind.COMPANY, found.id),
    }


def opportunity_detail(db: sqlite3.Connection, found: opportunities.OpportunityDetail) -> Shape:
    """An opportunity with all fields, threads and meetings."""
    return {
        **opportunity(db, found),
        "company_id": found.company_id,
        "contact_id": found.contact_id,
        "first_contact": iso(found.first_at),
        "notes": notes_of(db, Kind.OPPORTUNITY, found.id),
        "threads": threads_of(db, Kind.OPPORTUNITY, found.id),
        "meetings": meetings_of(db, Kind.OPPORTUNITY, found.id),
    }


def notes_of(db: sqlite3.Connection, kind: Kind, record_id: int) -> list[Shape]:
    """What the user wrote about a record, newest first."""
    return [
        {"text": row.text, "created_at": iso(row.created_at), "changed_at": iso(row.changed_at)}
        for row in notes.of_record(db, kind, record_id)
    ]


def threads_of(db: sqlite3.Connection, kind: Kind, record_id: int) -> list[Shape]:
    """A record's threads, newest first, each with why it is there."""
    ids = threads.of_record(db, kind, record_id)
    return [
        thread(row) | {"why": row.why.split(",") if row.why else []}
        for part in windows(ids)
        for row in threads.rows(db, part, kind, record_id)
    ]


def meetings_of(db: sqlite3.Connection, kind: Kind, record_id: int) -> list[Shape]:
    """A record's meetings in time order, each with why it is there."""
    ids = meetings.of_record(db, kind, record_id).ids
    return [
        meeting(row) | {"why": row.why.split(",") if row.why else []}
        for part in windows(ids)
        for row in meetings.rows(db, part, kind, record_id)
    ]


def thread(row: threads.ThreadRow) -> Shape:
    """A thread as `thread list` prints one."""
    return {
        "id": row.id,
        "subject": row.subject,
        "last_at": iso(row.last_at),
        "messages": row.messages,
        "unread": row.unread,
        "attachments": row.attachments,
        "names": list(row.names),
        "preview": row.preview,
    }


def thread_detail(db: sqlite3.Connection, found: threads.ThreadDetail) -> Shape:
    """A thread with the records it is linked to and every message, oldest first."""
    return {
        "id": found.id,
        "subject": found.subject,
        "links": list(_links(found.links)),
        "messages": [message(db, row) for row in messages.of_thread(db, found.id)],
    }


def meeting(row: meetings.OccurrenceRow) -> Shape:
    """A meeting at one of its times as `agenda` prints one; whole days are days, not times."""
    return {
        "id": row.id,
        "meeting": row.meeting_id,
        "title": row.title,
        "starts_at": _moment(row.starts_at, row.all_day),
        "ends_at": _moment(row.ends_at, row.all_day),
        "all_day": row.all_day,
        "cancelled": row.cancelled,
        "location": row.location,
        "link": row.link or None,
        "recurs": row.recurs,
        "response": row.response or None,
        "names": list(row.names),
    }


def _moment(at: int, all_day: bool) -> str | None:
    return (iso(at) or "")[:10] if all_day else iso(at)


def meeting_detail(db: sqlite3.Connection, found: details.MeetingDetail) -> Shape:
    """A meeting with who comes, its records, its other times and the latest mail with them."""
    ids = [i for i in found.times.ids if i != found.row.id]
    briefing = details.briefing(db, found.row.meeting_id)
    return meeting(found.row) | {
        "uid": found.uid,
        "timezone": found.tzid or None,
        "recurrence": found.recurrence or None,
        "description": found.description,
        "calendar": found.calendar or None,
        "account": found.account or None,
        "attendees": [
            {
                "name": one.name,
                "address": one.address,
                "role": one.role or None,
                "response": one.response or None,
                "kind": one.kind,
                "organizer": one.organizer,
                "person_id": one.person_id,
                "no_contact": one.no_contact or None,
            }
            for one in found.attendees
        ],
        "links": list(_links(found.links)),
        "other_times": [
            {"id": row.id, "starts_at": _moment(row.starts_at, row.all_day)}
            for part in windows(ids)
            for row in meetings.rows(db, part)
        ],
        "briefing": [thread(row) for row in threads.rows(db, briefing)],
    }


def message(db: sqlite3.Connection, row: messages.MessageRow) -> Shape:
    """A message with its participants, text and attachments."""
    text = messages.text(db, row.id)
    return {
        "id": row.id,
        "message_id": row.message_id,
        "sent_at": iso(row.sent_at),
        "subject": row.subject,
        "outgoing": row.outgoing,
        "seen": bool(row.flags & Flag.SEEN),
        "flagged": bool(row.flags & Flag.FLAGGED),
        "answered": bool(row.flags & Flag.ANSWERED),
        "participants": [
            {
                "role": one.role,
                "name": one.name,
                "address": one.address,
                "person_id": one.person_id,
                "no_contact": one.no_contact or None,
            }
            for one in row.participants
        ],
        "text": text.text,
        "quotes": [list(span) for span in text.quotes],
        "attachments": [
            {"name": part.name, "type": part.mime, "size": part.size, "inline": part.inline}
            for part in messages.attachments(db, row.id)
        ],
        "size": row.size,
        "visibility": Level(row.level).name.lower(),
    }


def _links(links: Iterable[threads.Link]) -> Iterator[Shape]:
    for link in links:
        if link.hand >= 0:
            yield {
                "record": RECORD_NAMES[Kind(link.kind)],
                "id": link.record_id,
                "name": link.name,
                "why": link.why.split(",") if link.why else ["hand"],
            }


def account(db: sqlite3.Connection, row: accounts.AccountRow) -> Shape:
    """An account as `account list` prints one."""
    states = {state.email: state for state in accounts.states(db)}
    return {
        "email": row.email,
        "name": row.name,
        "host": row.host,
        "port": row.port,
        "security": row.security,
        "username": row.username,
        "password": credentials.describe(row.secret),
        "policy": row.policy,
        "aliases": [one for one in accounts.addresses(db, row.id) if one != row.email],
        "pin": row.pin or None,
        "visibility": Level(row.mail_level).name.lower(),
        "meetings_visibility": Level(row.meeting_level).name.lower(),
        "caldav": row.caldav_url or None,
        "last_success": iso(states[row.email].last_success),
    }
