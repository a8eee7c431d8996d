"""Search: everything that a query finds, in groups; messages by words, records by names."""

from __future__ import annotations

import json
import sqlite3
import time
from array import array
from dataclasses import dataclass

from crmmail.store import (
    companies,
    meeting_search,
    message_search,
    named,
    newest,
    opportunities,
    people,
    snippets,
    windows,
)
from crmmail.store.kinds import Kind
from crmmail.store.names import Names
from crmmail.store.query import Query, Term, parse
from crmmail.store.records import TABLES
from crmmail.store.snippets import Span
from crmmail.text import one_line

# The terms that say something of a record; one of any other says something of messages only.
_SAYING = {
    Kind.PERSON: {"text", "person", "company"},
    Kind.COMPANY: {"text", "company"},
    Kind.OPPORTUNITY: {"text", "opportunity", "company", "person"},
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A thread that was found: its newest message that fits, and where in that the words are."""

    thread_id: int
    message_id: int
    text: str
    spans: tuple[Span, ...]

    @property
    def sent_at(self) -> int:
        """When the message was sent."""
        return self.message_id >> 20


@dataclass(frozen=True, slots=True)
class Found:
    """What a query has found: records in the order of their lists, newest threads, next meetings.

    `problems` say what of the query was left out; `words` and `names` are the terms to highlight in
    subjects and in the names of records.
    """

    problems: tuple[str, ...]
    words: tuple[Term, ...]
    names: tuple[Term, ...]
    people: array[int]
    companies: array[int]
    opportunities: array[int]
    hits: tuple[Hit, ...]
    meetings: tuple[int, ...]  # occurrences, the nearest of each meeting

    def __bool__(self) -> bool:
        records = self.people or self.companies or self.opportunities
        return bool(records or self.hits or self.meetings)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record that was found by name; `detail` is what tells it from its namesakes."""

    kind: int
    record_id: int
    name: str
    detail: str


def search(
    db: sqlite3.Connection,
    text: str,
    limit: int = 50,
    *,
    partial: bool = True,
    now: float | None = None,
) -> Found:
    """What a query finds (crmmail.store.query), at most `limit` of each group.

    With `partial`, its last word is still being typed.
    """
    query = parse(text, partial=partial, now=now)
    with windows.snapshot(db):
        looked_up = Names(db)
        hits, problems = _hits(looked_up, query, limit)
        return Found(
            tuple(dict.fromkeys((*query.problems, *problems))),
            words(query, "text", "subject"),
            words(query, "text", "person", "company", "opportunity"),
            _records(looked_up, Kind.PERSON, query, limit),
            _records(looked_up, Kind.COMPANY, query, limit),
            _records(looked_up, Kind.OPPORTUNITY, query, limit),
            hits,
            meeting_search.find(looked_up, query, limit, time.time() if now is None else now),
        )


def _hits(names: Names, query: Query, limit: int) -> tuple[tuple[Hit, ...], list[str]]:
    best: dict[int, int] = {}  # thread -> its newest message that fits
    problems: list[str] = []
    for terms in query.alternatives:
        plan = message_search.plan(names, terms)
        problems += plan.problems
        if not plan:
            continue
        threads = _walk(names.db, plan, limit, best)
        other = message_search.by_subject(names, plan) if threads < limit else None
        if other is not None:
            _walk(names.db, other, limit, best)
    newest = sorted(best.items(), key=lambda item: item[1], reverse=True)[:limit]
    pieces = snippets.of_messages(names.db, [i for _, i in newest], words(query, "text"))
    found = zip(newest, pieces, strict=True)
    return tuple(Hit(thread, i, *piece) for (thread, i), piece in found), problems


def _walk(
    db: sqlite3.Connection, plan: message_search.Plan, limit: int, best: dict[int, int]
) -> int:
    """Add what a plan finds; returns how many threads that are."""
    hits = message_search.walk(db, plan, limit)
    for message_id, thread in hits:
        best[thread] = max(best.get(thread, 0), message_id)
    return len({thread for _, thread in hits})


def words(query: Query, *fields: str) -> tuple[Term, ...]:
    """The terms of some fields that have to be there: what is highlighted."""
    every = dict.fromkeys(term for terms in query.alternatives for term in terms)
    return tuple(term for term in every if not term.negated and term.field in fields)


def _records(names: Names, kind: Kind, query: Query, limit: int) -> array[int]:
    found: set[int] = set()
    for terms in query.alternatives:
        if all(term.field in _SAYING[kind] for term in terms):
            wanted = [word for term in terms if not term.negated for word in _parts(term)]
            refused = [_parts(term) for term in terms if term.negated]
            found.update(newest.newest(names, kind, wanted, refused, limit))
    return windows.ids(
        names.db,
        f"""SELECT id FROM {TABLES[kind]} WHERE id IN (SELECT value FROM json_each(?))
            ORDER BY {newest.ORDER} LIMIT ?""",
        [json.dumps(list(found)), limit],
    )


def _parts(term: Term) -> list[str]:
    return [term.value] if term.phrase else term.value.split()


def find(db: sqlite3.Connection, text: str, limit: int = 50, column: str = "") -> list[int]:
    """The ids of the messages with all these words, newest first.

    A word is found in subject, text, names and addresses, or in one `column` of "subject",
    "people", "text"; of the last word, the beginning is enough.
    """
    if not (query := fts_query(text)):
        return []
    if column:
        query = f"{{{column}}} : ({query})"
    found = db.execute(
        "SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?", [query, limit]
    )
    return [message_id for (message_id,) in found]


def fts_query(text: str) -> str:
    """What somebody typed as an FTS5 query: each word a string, so that none is an operator."""
    words = [word for word in one_line(text).split() if any(c.isalnum() for c in word)]
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return " AND ".join(quoted) + " *" if quoted else ""


def find_records(db: sqlite3.Connection, text: str, limit: int = 20) -> list[FoundRecord]:
    """The people, companies and opportunities whose name, address or domain contains each word.

    At most `limit` of each kind. First come those that are called so, then those whose name begins
    so, then those with the newest contact.
    """
    if not text.split():
        return []
    found: list[tuple[int, FoundRecord]] = []
    ranks = named.ranked(db, Kind.PERSON, text, people.view(db, match=text, limit=limit), limit)
    for person in people.rows(db, ranks):
        record = FoundRecord(Kind.PERSON, person.id, person.name, person.address)
        found.append((ranks[person.id], record))
    ranks = named.ranked(db, Kind.COMPANY, text, companies.view(db, match=text, limit=limit), limit)
    for company in companies.rows(db, ranks):
        domains = ", ".join(company.domains)
        record = FoundRecord(Kind.COMPANY, company.id, company.name, domains)
        found.append((ranks[company.id], record))
    ids = opportunities.view(db, match=text, limit=limit)
    ranks = named.ranked(db, Kind.OPPORTUNITY, text, ids, limit)
    for one in opportunities.rows(db, ranks):
        record = FoundRecord(Kind.OPPORTUNITY, one.id, one.name, one.company or one.contact)
        found.append((ranks[one.id], record))
    return [record for _, record in sorted(found, key=lambda one: one[0])]
