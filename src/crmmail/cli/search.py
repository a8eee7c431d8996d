"""search: what the search screen finds, on the command line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Annotated

import typer

from crmmail.cli import shapes
from crmmail.cli.arguments import MANY, some
from crmmail.cli.output import AsJson, day, examples, iso, note, open_store, print_json, table
from crmmail.cli.problems import NotFoundError
from crmmail.store import companies, meetings, opportunities, people, threads
from crmmail.store import search as store_search
from crmmail.store.query import OPERATORS
from crmmail.store.search import Found
from crmmail.widgets.occasion import day_of

EXAMPLES = examples(
    "crmmail search acme",
    "crmmail search 'from:ann offer -draft after:2026-01-31'",
    """crmmail search '"new press" has:attachment' --json""",
    "The operators:",
    *(f"{example}  {meaning}" for example, meaning in OPERATORS),
)


def search(
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY...", callback=some, help="Words, phrases and operators, see below."
        ),
    ],
    limit: Annotated[
        int, typer.Option(min=1, max=MANY, help="At most so many of each group.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Find people, companies, opportunities, meetings and threads.

    Exit code 3: nothing is found.
    """
    text = " ".join(query)
    with open_store() as store:
        db = store.read()
        found = store_search.search(db, text, limit, partial=False)
        if as_json:
            print_json(_shape(db, text, found))
        elif found:
            table(("what", "id", "last", "name", "about"), _rows(db, found), ("id",))
    for problem in found.problems:
        note(f"Left out: {problem}.")
    if not found:
        raise NotFoundError(f"Nothing matches {text!r}.", "The operators: crmmail search --help")


def _shape(db: sqlite3.Connection, text: str, found: Found) -> shapes.Shape:
    hits = {hit.thread_id: hit for hit in found.hits}
    return {
        "query": text,
        "problems": list(found.problems),
        "people": [shapes.person(db, row) for row in people.rows(db, found.people)],
        "companies": [shapes.company(db, row) for row in companies.rows(db, found.companies)],
        "opportunities": [
            shapes.opportunity(db, row) for row in opportunities.rows(db, found.opportunities)
        ],
        "meetings": [shapes.meeting(row) for row in meetings.rows(db, found.meetings)],
        "threads": [
            shapes.thread(row)
            | {
                "message": hits[row.id].message_id,
                "sent_at": iso(hits[row.id].sent_at),
                "snippet": hits[row.id].text,
                "matches": [list(span) for span in hits[row.id].spans],
            }
            for row in threads.rows(db, hits)
        ],
    }


def _rows(db: sqlite3.Connection, found: Found) -> Iterator[tuple[str, ...]]:
    for person in people.rows(db, found.people):
        yield "person", str(person.id), day(person.last_at), person.name, person.address
    for company in companies.rows(db, found.companies):
        about = ", ".join(company.domains)
        yield "company", str(company.id), day(company.last_at), company.name, about
    for deal in opportunities.rows(db, found.opportunities):
        about = deal.company or deal.contact
        yield "opportunity", str(deal.id), day(deal.last_at), deal.name, about
    for meeting in meetings.rows(db, found.meetings):
        about = ", ".join(meeting.names)
        yield "meeting", str(meeting.id), day(day_of(meeting)), meeting.title, about
    hits = {hit.thread_id: hit for hit in found.hits}
    for thread in threads.rows(db, hits):
        hit = hits[thread.id]
        yield "thread", str(thread.id), day(hit.sent_at), thread.subject, hit.text
