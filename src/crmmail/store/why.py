"""Why mail and meetings are where they are: stored, linked or skipped, each with its rule."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, field

from crmmail.addresses import normal
from crmmail.store import (
    accounts,
    ledger,
    meeting_ledger,
    meeting_why,
    messages,
    search,
    threads,
    windows,
)
from crmmail.store.kinds import Kind, Level
from crmmail.store.meeting_ledger import SkippedMeeting
from crmmail.store.meeting_why import StoredMeeting
from crmmail.store.messages import Person, Placement
from crmmail.text import one_line

_NUMBERED = re.compile(r"(thread|person|company|opportunity):(\d{1,18})")
_CONTACTS = {
    "own": "C3: your own address",
    "internal": "C3: a colleague, at an internal domain",
    "group": "C3: a role or machine address, nobody in person",
    "blocked": "C3: on the blocklist",
    "free-mail": "C3: a free-mail provider",
    "policy": "C2: the account makes no contacts of such mail",
    "deleted": "C5: you deleted this contact",
}
_LINKS = {
    "participant": "C7: takes part",
    "people": "C7: somebody there takes part",
    "domain": "C7: an address at its domain takes part",
    "company": "C7: it is its company's",
    "contact": "C7: it is its point of contact's",
}


@dataclass(frozen=True, slots=True)
class Participant:
    """Who takes part in a message; `words` say which contact that is, or why none."""

    role: str
    name: str
    address: str
    person_id: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Link:
    """A record that a message's thread belongs to; `words` say by which rule."""

    kind: int
    record_id: int
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A message of the store: where it lies, who takes part, what it is linked to."""

    id: int
    message_id: str
    sent_at: int
    subject: str
    thread_id: int
    placements: list[Placement]
    participants: list[Participant]
    links: list[Link]
    hidden: bool = False  # V1: the subject is not kept


@dataclass(frozen=True, slots=True)
class Skipped:
    """A message of the ledger; `words` say by which rule it is there."""

    row: ledger.LedgerRow
    words: str


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the store; `words` say whose it is, or why nobody's."""

    address: str
    name: str
    person_id: int | None
    words: str
    messages: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A folder whose mail is not fetched (M1): where mail that is not found may be."""

    email: str
    folder: str
    messages: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the user's: what of its mail is here, in words."""

    email: str
    words: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A thread of a record; `words` say by which rule it is there."""

    thread_id: int
    subject: str
    last_at: int
    words: str
    hidden: bool = False  # V1: the subject is not kept


@dataclass(frozen=True, slots=True)
class Why:
    """All answers to one question; `unread` only when there is no other."""

    query: str
    address: Address | None
    stored: list[Stored]
    skipped: list[Skipped]
    meetings: list[StoredMeeting]
    skipped_meetings: list[SkippedMeeting]
    unread: list[Unread]
    account: Account | None = None
    linked: list[Linked] = field(default_factory=list)
    absent: str = ""
    """The thread or record that was asked about by its number, if there is none."""


def explain(db: sqlite3.Connection, query: str, limit: int = 20) -> Why:
    """What became of the mail and meetings with an address, an id, or some words as their title.

    Or why the threads of "person:3" are its, or all about "thread:5". The newest `limit` of each
    answer.
    """
    query = one_line(query)
    with windows.snapshot(db):
        if numbered := _NUMBERED.fullmatch(query):
            return _of_number(db, query, numbered[1], int(numbered[2]), limit)
        address = _address(db, normal(query))
        stored = [_stored(db, row) for row in _find(db, query, limit)]
        skipped = [
            Skipped(row, ledger.describe(row.reason, row.detail))
            for row in ledger.find(db, query, limit)
        ]
        met, unmet = meeting_why.stored(db, query, limit), meeting_ledger.find(db, query, limit)
        account = _account(db, query)
        found = address or stored or skipped or met or unmet or account
        unread = [] if found else _unread(db)
    return Why(query, address, stored, skipped, met, unmet, unread, account)


def _of_number(db: sqlite3.Connection, query: str, what: str, number: int, limit: int) -> Why:
    """Of a thread its messages; of a record why each of its threads is there."""
    if what == "thread":
        found = messages.of_thread(db, number)[::-1][:limit]
        absent = "" if found else f"thread {number}"
        return Why(query, None, [_stored(db, row) for row in found], [], [], [], [], absent=absent)
    rows = db.execute(
        """SELECT thread.id, thread.subject, thread.last_at, why, hand, message.level
           FROM thread_link JOIN thread ON thread.id = thread_link.thread_id
           LEFT JOIN message ON message.id = thread.last_id WHERE kind = ? AND record_id = ?
           ORDER BY thread_link.last_at DESC, thread.id DESC LIMIT ?""",
        [Kind[what.upper()], number, limit],
    )
    linked = [
        Linked(thread_id, subject, last_at, link(words, hand), level == Level.METADATA)
        for thread_id, subject, last_at, words, hand, level in rows
    ]
    table = f"{Kind[what.upper()].name.lower()} WHERE deleted_at = 0 AND id = ?"
    known = db.execute(f"SELECT 1 FROM {table}", [number]).fetchone()
    absent = "" if known else f"{what} {number}"
    return Why(query, None, [], [], [], [], [], linked=linked, absent=absent)


def _account(db: sqlite3.Connection, query: str) -> Account | None:
    account = accounts.get(db, query) if normal(query) else None
    if account is None:
        return None
    kept = {
        Level.SUBJECT: "; kept are subjects only",
        Level.METADATA: "; kept is who and when only",
    }
    words = (
        accounts.still_to_come(db, account.id) or "all mail of the folders that are read is here"
    )
    words += kept.get(Level(account.mail_level), "")
    return Account(account.email, words + ("; paused" if account.paused else ""))


def contact(no_contact: str) -> str:
    """Why an address is no contact, in words (C3)."""
    return _CONTACTS.get(no_contact, no_contact)


def link(why: str, hand: int) -> str:
    """Why a thread is on a record, in words (C7)."""
    if hand < 0:
        return "C7: hidden by hand"
    words = [_LINKS.get(word, word) for word in why.split(",") if word]
    return "; ".join(["C7: linked by hand", *words] if hand else words)


def _find(db: sqlite3.Connection, query: str, limit: int) -> list[messages.MessageRow]:
    rows = (messages.get(db, message_id) for message_id in _find_ids(db, query, limit))
    return [row for row in rows if row]


def _find_ids(db: sqlite3.Connection, text: str, limit: int) -> list[int]:
    by_id = "SELECT id FROM message WHERE message_id = ?"
    if found := db.execute(by_id, [text.strip("<>")]).fetchall():
        return [message_id for (message_id,) in found]
    if address := normal(text):
        took_part = """
            SELECT DISTINCT message_id FROM participant JOIN address ON address.id = address_id
            WHERE address = ? ORDER BY message_id DESC LIMIT ?
        """
        return [message_id for (message_id,) in db.execute(took_part, [address, limit])]
    return search.find(db, text, limit, column="subject")


def _address(db: sqlite3.Connection, address: str) -> Address | None:
    row = db.execute(
        """
        SELECT address, address.name, person.id, person.name, no_contact,
               (SELECT count(DISTINCT message_id) FROM participant WHERE address_id = address.id)
        FROM address LEFT JOIN person ON person.id = person_id AND person.deleted_at = 0
        WHERE address = ?
        """,
        [address],
    ).fetchone()
    if row is None:
        return None
    address, name, person_id, person, no_contact, count = row
    return Address(address, name, person_id, whose(person_id, person, no_contact), count)


def _stored(db: sqlite3.Connection, row: messages.MessageRow) -> Stored:
    sql = "SELECT thread_id FROM message WHERE id = ?"
    (thread_id,) = db.execute(sql, [row.id]).fetchone()
    thread = threads.get(db, thread_id)
    links = thread.links if thread else []
    return Stored(
        row.id,
        row.message_id,
        row.sent_at,
        row.subject,
        thread_id,
        messages.placements(db, row.id),
        [_participant(one) for one in row.participants],
        [Link(one.kind, one.record_id, one.name, link(one.why, one.hand)) for one in links],
        row.level == Level.METADATA,
    )


def _participant(one: Person) -> Participant:
    words = whose(one.person_id, one.name, one.no_contact)
    return Participant(one.role, one.name, one.address, one.person_id, words)


def whose(person_id: int | None, person: str, no_contact: str) -> str:
    """Which contact an address is, or why none."""
    if person_id is not None:
        return f"contact: {person}"
    return f"no contact ({contact(no_contact)})" if no_contact else "no contact"


def _unread(db: sqlite3.Connection) -> list[Unread]:
    found = db.execute(
        """
        SELECT email, folder.name, messages FROM folder JOIN account ON account.id = account_id
        WHERE NOT selected AND messages > 0 ORDER BY email, folder.name
        """
    )
    return [Unread(*row) for row in found]
