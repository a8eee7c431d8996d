"""Messages: those of a thread, their text, their attachments, where they lie."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from crmmail.store import windows
from crmmail.store.kinds import Level

_ROWS = """
    SELECT json_group_array(json_array(
        id, message_id, sent_at, subject, outgoing, flags,
        (SELECT json_group_array(json_array(
             role, iif(p.name != '', p.name, iif(t.name != '', t.name, a.name)), a.address,
             p.id, a.no_contact))
         FROM (SELECT * FROM participant WHERE message_id = m.id ORDER BY position) t
         JOIN address a ON a.id = t.address_id
         LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0),
        preview, attachments, size, level))
    FROM (SELECT * FROM message WHERE {where} ORDER BY id) m
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Who takes part in a message: under the person's name, else the header's, else none.

    `no_contact` says why the address is nobody's (C3).
    """

    role: str
    name: str
    address: str
    person_id: int | None
    no_contact: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message of a thread, without its text."""

    id: int
    message_id: str
    sent_at: int
    subject: str
    outgoing: bool
    flags: int
    participants: tuple[Person, ...]
    preview: str
    attachments: int
    size: int
    level: int = Level.EVERYTHING


@dataclass(frozen=True, slots=True)
class Text:
    """The readable text of a message; `quotes` are spans of quoted lines, end excluded."""

    text: str
    quotes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a message that is no text of it; `size` is in bytes as encoded."""

    position: int
    name: str
    mime: str
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a message lies on a server."""

    email: str
    folder: str
    uid: int
    flags: int


def of_thread(db: sqlite3.Connection, thread_id: int) -> list[MessageRow]:
    """The messages of a thread, oldest first."""
    return _read(db, "thread_id = ?", thread_id)


def get(db: sqlite3.Connection, message_id: int) -> MessageRow | None:
    """One message, or None."""
    found = _read(db, "id = ?", message_id)
    return found[0] if found else None


def newest_of(db: sqlite3.Connection, thread_id: int) -> int | None:
    """The newest message of a thread."""
    row = db.execute("SELECT last_id FROM thread WHERE id = ?", [thread_id]).fetchone()
    return int(row[0]) if row else None


def thread_of(db: sqlite3.Connection, message_id: int) -> int | None:
    """The thread that a message is in now: threads join as mail arrives."""
    row = db.execute("SELECT thread_id FROM message WHERE id = ?", [message_id]).fetchone()
    return int(row[0]) if row else None


def text(db: sqlite3.Connection, message_id: int) -> Text:
    """The text of a message; empty if it has none."""
    row = db.execute(
        "SELECT text, quotes FROM message_text WHERE message_id = ?", [message_id]
    ).fetchone()
    return Text(row[0], spans(row[1])) if row else Text("", ())


def spans(quotes: str) -> tuple[tuple[int, int], ...]:
    """The line spans that "3-9,14-20" writes down."""
    pairs = (span.split("-") for span in quotes.split(",") if span)
    return tuple((int(first), int(end)) for first, end in pairs)


def attachments(db: sqlite3.Connection, message_id: int) -> list[Attachment]:
    """What a message carries, in its order."""
    found = db.execute(
        "SELECT position, name, mime, size, inline FROM attachment WHERE message_id = ? "
        "ORDER BY position",
        [message_id],
    )
    return [
        Attachment(position, name, mime, size, bool(inline))
        for position, name, mime, size, inline in found
    ]


def placements(db: sqlite3.Connection, message_id: int) -> list[Placement]:
    """Where a message lies: in which account, folder, under which UID."""
    found = db.execute(
        """
        SELECT account.email, folder.name, placement.uid, placement.flags
        FROM placement JOIN folder ON folder.id = placement.folder_id
        JOIN account ON account.id = folder.account_id
        WHERE placement.message_id = ? ORDER BY account.email, folder.name, placement.uid
        """,
        [message_id],
    )
    return [Placement(*row) for row in found]


def _read(db: sqlite3.Connection, where: str, value: int) -> list[MessageRow]:
    found = windows.packed(db, _ROWS.replace("{where}", where), [value])
    return [_row(*row) for row in found]


def _row(*values: Any) -> MessageRow:
    i, message_id, sent_at, subject, outgoing, flags, people, *rest = values
    participants = tuple(Person(*person) for person in people)
    return MessageRow(i, message_id, sent_at, subject, bool(outgoing), flags, participants, *rest)
