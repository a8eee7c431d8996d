"""why: what became of some mail or meeting, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from crmmail.cli.arguments import MANY, some
from crmmail.cli.output import AsJson, day, examples, iso, note, open_store, print_json, write
from crmmail.cli.problems import NotFoundError
from crmmail.cli.shapes import RECORD_NAMES
from crmmail.store import why as store_why
from crmmail.store.kinds import Kind, Level
from crmmail.store.meeting_detail import AttendeeRow
from crmmail.store.meeting_ledger import lies_in
from crmmail.store.meeting_why import StoredMeeting
from crmmail.store.why import Skipped, Stored, Why, link
from crmmail.widgets import words

EXAMPLES = examples(
    "crmmail why ann@acme.example",
    "crmmail why 'offer for the new press'",
    "crmmail why '<20260314.1234@acme.example>' --json",
    "crmmail why person:3",
)
_LISTS = ("stored", "skipped", "meetings", "skipped_meetings", "linked")


def why(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            callback=some,
            help="An address, a Message-ID or UID, or words of a title; person:3, thread:5.",
        ),
    ],
    limit: Annotated[
        int, typer.Option(min=1, max=MANY, help="At most so many messages of each kind.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Say where mail and meetings are: stored and linked to whom, or skipped, and by which rule.

    Exit code 3: the store has never seen it.
    """
    with open_store() as store:
        found_more = store_why.explain(store.read(), query, limit + 1)
    answer = replace(found_more, **{name: getattr(found_more, name)[:limit] for name in _LISTS})
    if as_json:
        print_json(_shape(answer))
    elif text := "\n".join(_lines(answer)).lstrip("\n"):
        write(f"{text}\n")
    if answer != found_more:
        note(f"There are more. Of each kind the first {limit} are shown; --limit N shows more.")
    found = (answer.address, answer.account, answer.stored, answer.skipped, answer.linked)
    if not any((*found, answer.meetings, answer.skipped_meetings)):
        if answer.absent:
            raise NotFoundError(f"There is no {answer.absent}.")
        raise NotFoundError(
            f"No mail or meeting that crmmail has seen matches {query!r}.", _elsewhere(answer)
        )


def _elsewhere(answer: Why) -> str:
    """Where mail that was never listed may be (M1)."""
    if not answer.unread:
        return "Perhaps it has not been fetched yet: crmmail sync, crmmail status"
    folders = ", ".join(f"{one.folder} ({one.messages:,}) of {one.email}" for one in answer.unread)
    return f"It may be in a folder that is not read (M1): {folders}"


def _lines(answer: Why) -> Iterator[str]:
    if answer.account is not None:
        yield f"{answer.account.email}: an account of yours: {answer.account.words}"
    if (found := answer.address) is not None:
        count = words.plural(found.messages, "message")
        yield f"{found.address}: {found.words}; takes part in {count}"
    for stored in answer.stored:
        yield ""
        yield from _stored_lines(stored)
    for met in answer.meetings:
        yield ""
        yield from _meeting_lines(met)
    for linked in answer.linked:
        subject = words.titled(linked.subject, linked.hidden, "subject")
        yield f"{day(linked.last_at)}  {subject}  ({linked.words})"
    for skipped in answer.skipped:
        yield ""
        row = skipped.row
        yield _title(row.sent_at, row.subject, row.sender, hidden=row.level == Level.METADATA)
        yield f"  skipped   {skipped.words}"
        if again := words.tries(row.attempts, row.next_try):
            yield f"  attempts  {again}"
        yield f"  lies in   {skipped.row.folder} of {skipped.row.email}"
    for one in answer.skipped_meetings:
        yield ""
        yield f"{day(one.starts_at)}  {words.titled(one.title, one.hidden)}"
        yield f"  skipped   {one.words}"
        yield f"  lies in   {one.place}"


def _stored_lines(stored: Stored) -> Iterator[str]:
    sender = next((one.address for one in stored.participants if one.role == "from"), "")
    yield _title(stored.sent_at, stored.subject, sender, hidden=stored.hidden)
    yield f"  stored    in thread {stored.thread_id}"
    for place in stored.placements:
        yield f"  lies in   {place.folder} of {place.email}"
    for one in stored.participants:
        yield f"  {one.role:<10}{one.address}: {one.words}"
    yield from _link_lines([(one.kind, one.name, one.words) for one in stored.links])


def _meeting_lines(met: StoredMeeting) -> Iterator[str]:
    yield f"{day(met.starts_at)}  {words.titled(met.title, met.hidden)}"
    yield f"  stored    as meeting {met.id}"
    for account, calendar in met.calendars:
        yield f"  lies in   {lies_in(account, calendar)}"
    for one in met.attendees:
        role = "organiser" if one.organizer else "attendee"
        yield f"  {role:<10}{one.address}: {_whose(one)}"
    yield from _link_lines([(one.kind, one.name, link(one.why, one.hand)) for one in met.links])


def _whose(one: AttendeeRow) -> str:
    return store_why.whose(one.person_id, one.name, one.no_contact)


def _link_lines(links: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    for kind, name, rule in links:
        yield f"  linked to {RECORD_NAMES[Kind(kind)]} {name} ({rule})"
    if not links:
        yield "  linked to nobody"


def _title(sent_at: int, subject: str, sender: str, *, hidden: bool) -> str:
    what = words.titled(subject, hidden, "subject")
    return f"{day(sent_at)}  {what}  from {sender or 'nobody'}"


def _shape(answer: Why) -> dict[str, Any]:
    found = answer.address
    return {
        "query": answer.query,
        "address": found
        and {
            "address": found.address,
            "name": found.name,
            "person_id": found.person_id,
            "why": found.words,
            "messages": found.messages,
        },
        "stored": [_stored_shape(one) for one in answer.stored],
        "skipped": [_skipped_shape(one) for one in answer.skipped],
        "meetings": [_meeting_shape(one) for one in answer.meetings],
        "skipped_meetings": [
            {
                "uid": one.uid,
                "account": one.account or None,
                "calendar": one.calendar,
                "starts_at": iso(one.starts_at),
                "title": one.title,
                "reason": one.reason,
                "why": one.words,
            }
            for one in answer.skipped_meetings
        ],
        "account": answer.account and {"email": answer.account.email, "why": answer.account.words},
        "linked": [
            {
                "thread": one.thread_id,
                "subject": one.subject,
                "last_at": iso(one.last_at),
                "why": one.words,
            }
            for one in answer.linked
        ],
        "unread_folders": [
            {"account": one.email, "folder": one.folder, "messages": one.messages}
            for one in answer.unread
        ],
    }


def _stored_shape(stored: Stored) -> dict[str, Any]:
    return {
        "id": stored.id,
        "message_id": stored.message_id,
        "sent_at": iso(stored.sent_at),
        "subject": stored.subject,
        "thread": stored.thread_id,
        "placements": [
            {"account": one.email, "folder": one.folder, "uid": one.uid}
            for one in stored.placements
        ],
        "participants": [
            {
                "role": one.role,
                "name": one.name,
                "address": one.address,
                "person_id": one.person_id,
                "why": one.words,
            }
            for one in stored.participants
        ],
        "links": [
            {
                "record": RECORD_NAMES[Kind(one.kind)],
                "id": one.record_id,
                "name": one.name,
                "why": one.words,
            }
            for one in stored.links
        ],
    }


def _meeting_shape(met: StoredMeeting) -> dict[str, Any]:
    return {
        "id": met.id,
        "uid": met.uid,
        "starts_at": iso(met.starts_at),
        "title": met.title,
        "calendars": [
            {"account": account or None, "calendar": calendar}
            for account, calendar in met.calendars
        ],
        "attendees": [
            {
                "name": one.name,
                "address": one.address,
                "person_id": one.person_id,
                "why": _whose(one),
            }
            for one in met.attendees
        ],
        "links": [
            {
                "record": RECORD_NAMES[Kind(one.kind)],
                "id": one.record_id,
                "name": one.name,
                "why": link(one.why, one.hand),
            }
            for one in met.links
        ],
    }


def _skipped_shape(skipped: Skipped) -> dict[str, Any]:
    row = skipped.row
    return {
        "account": row.email,
        "folder": row.folder,
        "uid": row.uid,
        "reason": row.reason,
        "why": skipped.words,
        "message_id": row.message_id,
        "sent_at": iso(row.sent_at),
        "subject": row.subject,
        "sender": row.sender,
    }
