"""The ledger of contacts: people and companies that the user deleted, whose mail still comes (C5).

Their mail is in the store, on the records of the others who take part; it does not bring them back.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import windows
from crmmail.store.kinds import Kind
from crmmail.store.ledger import Filter

REASON = "deleted contact"
NAMES = {REASON: "deleted contacts"}

_CONTACT = 1 << 61
"""What the ids of contacts have beside those of mail; meetings have another bit."""
_KIND = 2  # bits of an id
_PEOPLE = f"""
    SELECT {_CONTACT} | (r.id << {_KIND}) | {int(Kind.PERSON)} AS id, r.deleted_at AS at
    FROM person r WHERE r.deleted_at > 0 AND EXISTS (
        SELECT 1 FROM address a WHERE a.person_id = r.id AND (
            EXISTS (SELECT 1 FROM participant WHERE address_id = a.id)
            OR EXISTS (SELECT 1 FROM attendee WHERE address_id = a.id))
        AND {{person}})
"""
_COMPANIES = f"""
    SELECT {_CONTACT} | (r.id << {_KIND}) | {int(Kind.COMPANY)}, r.deleted_at FROM company r
    WHERE r.deleted_at > 0 AND EXISTS (
        SELECT 1 FROM company_domain d JOIN address a ON a.site = d.domain
        WHERE d.company_id = r.id AND {{company}})
"""
_OF = {
    Kind.PERSON: ("person", "SELECT id FROM address WHERE person_id = r.id"),
    Kind.COMPANY: (
        "company",
        """SELECT a.id FROM company_domain d JOIN address a ON a.site = d.domain
           WHERE d.company_id = r.id""",
    ),
}
_KNOWN = {
    Kind.PERSON: "SELECT group_concat(address, ', ') FROM address WHERE person_id = r.id",
    Kind.COMPANY: "SELECT group_concat(domain, ', ') FROM company_domain WHERE company_id = r.id",
}


@dataclass(frozen=True, slots=True)
class DeletedContact:
    """A person or a company that was deleted; `known` are the addresses or the domains."""

    id: int
    kind: int
    record_id: int
    name: str
    known: str
    deleted_at: int
    messages: int  # of theirs, that are in the store
    meetings: int

    @property
    def reason(self) -> str:
        """What the ledger calls it."""
        return REASON

    @property
    def words(self) -> str:
        """By which rule it is not there."""
        return "C5: you deleted this contact"

    @property
    def brief(self) -> str:
        """The same without the rule's number."""
        return self.words.partition(": ")[2]


def is_contact(row: int) -> bool:
    """Whether an id of the ledger is one of this one."""
    return row >> _CONTACT.bit_length() - 1 == 1


def view(db: sqlite3.Connection, by: Filter) -> array[int]:
    """The ids of the contacts of which mail or meetings are here, those deleted last first."""
    if by.reason not in ("", REASON) or by.folder_id or by.calendar_id or by.sender:
        return array("q")
    person, parameters = windows.matching(by.match, "(r.name {like} OR a.address {like})")
    company, _ = windows.matching(by.match, "(r.name {like} OR d.domain {like})")
    select = f"{_PEOPLE} UNION ALL {_COMPANIES} ORDER BY at DESC, id"
    return windows.ids(
        db, f"SELECT id FROM ({select.format(person=person, company=company)})", parameters
    )


def by_reason(db: sqlite3.Connection) -> dict[str, int]:
    """How many of them there are, as the other ledgers tell it."""
    return {REASON: found} if (found := len(view(db, Filter()))) else {}


def window(db: sqlite3.Connection, wanted: Iterable[int]) -> list[DeletedContact]:
    """The rows of a window of a view."""
    found = (_contact(db, i) for i in wanted)
    return [row for row in found if row is not None]


def _contact(db: sqlite3.Connection, row_id: int) -> DeletedContact | None:
    kind = Kind(row_id & (1 << _KIND) - 1)
    record_id = (row_id & ~_CONTACT) >> _KIND
    table, addresses = _OF[kind]
    row = db.execute(
        f"""SELECT r.name, coalesce(({_KNOWN[kind]}), ''), r.deleted_at,
                (SELECT count(DISTINCT message_id) FROM participant
                 WHERE address_id IN ({addresses})),
                (SELECT count(DISTINCT meeting_id) FROM attendee
                 WHERE address_id IN ({addresses}))
            FROM {table} r WHERE r.id = ? AND r.deleted_at > 0""",
        [record_id],
    ).fetchone()
    return DeletedContact(row_id, kind, record_id, *row) if row else None
