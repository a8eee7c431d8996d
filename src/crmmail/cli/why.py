"""why: what became of some mail, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from crmmail.cli.output import AsJson, day, examples, iso, open_store, print_json, write
from crmmail.cli.problems import NotFoundError
from crmmail.cli.shapes import RECORD_NAMES
from crmmail.store import why as store_why
from crmmail.store.kinds import Kind
from crmmail.store.why import Skipped, Stored, Why
from crmmail.widgets import words

EXAMPLES = examples(
    "crmmail why ann@acme.example",
    "crmmail why 'offer for the new press'",
    "crmmail why '<20260314.1234@acme.example>' --json",
)


def why(
    query: Annotated[str, typer.Argument(help="An address, a Message-ID, or words of a subject.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many messages of each kind.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Say where mail is: stored and linked to whom, or skipped, and by which rule.

    Exit code 3: the store has never seen it.
    """
    with open_store() as store:
        answer = store_why.explain(store.read(), query, limit)
    if as_json:
        print_json(_shape(answer))
    else:
        for line in _lines(answer):
            write(line + "\n")
    if not (answer.address or answer.stored or answer.skipped):
        raise NotFoundError(f"No mail that crmmail has seen matches {query!r}.", _elsewhere(answer))


def _elsewhere(answer: Why) -> str:
    """Where mail that was never listed may be (M1)."""
    if not answer.unread:
        return "Perhaps it has not been fetched yet: crmmail sync, crmmail status"
    folders = ", ".join(f"{one.folder} ({one.messages:,}) of {one.email}" for one in answer.unread)
    return f"It may be in a folder that is not read (M1): {folders}"


def _lines(answer: Why) -> Iterator[str]:
    if (found := answer.address) is not None:
        count = words.plural(found.messages, "message")
        yield f"{found.address}: {found.words}; takes part in {count}"
    for stored in answer.stored:
        yield ""
        yield from _stored_lines(stored)
    for skipped in answer.skipped:
        yield ""
        yield _title(skipped.row.sent_at, skipped.row.subject, skipped.row.sender)
        yield f"  skipped   {skipped.words}"
        yield f"  lies in   {skipped.row.folder} of {skipped.row.email}"


def _stored_lines(stored: Stored) -> Iterator[str]:
    sender = next((one.address for one in stored.participants if one.role == "from"), "")
    yield _title(stored.sent_at, stored.subject, sender)
    yield f"  stored    in thread {stored.thread_id}"
    for place in stored.placements:
        yield f"  lies in   {place.folder} of {place.email}"
    for one in stored.participants:
        yield f"  {one.role:<10}{one.address}: {one.words}"
    for link in stored.links:
        yield f"  linked to {RECORD_NAMES[Kind(link.kind)]} {link.name} ({link.words})"
    if not stored.links:
        yield "  linked to nobody"


def _title(sent_at: int, subject: str, sender: str) -> str:
    return f"{day(sent_at)}  {subject or '(no subject)'}  from {sender or 'nobody'}"


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
