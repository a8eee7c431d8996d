"""Search: messages by their words, records by their names."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from crmmail.store import companies, opportunities, people
from crmmail.store.kinds import Kind
from crmmail.text import one_line


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found by name; `detail` is what tells it from its namesakes."""

    kind: int
    record_id: int
    name: str
    detail: str


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


def find_records(db: sqlite3.Connection, text: str, limit: int = 20) -> list[Found]:
    """The people, companies and opportunities whose name, address or domain contains each word.

    At most `limit` of each kind, those with the newest contact first.
    """
    if not text.split():
        return []
    return [
        *(
            Found(Kind.PERSON, row.id, row.name, row.address)
            for row in people.rows(db, people.view(db, match=text, limit=limit))
        ),
        *(
            Found(Kind.COMPANY, row.id, row.name, ", ".join(row.domains))
            for row in companies.rows(db, companies.view(db, match=text, limit=limit))
        ),
        *(
            Found(Kind.OPPORTUNITY, row.id, row.name, row.company or row.contact)
            for row in opportunities.rows(db, opportunities.view(db, match=text, limit=limit))
        ),
    ]
