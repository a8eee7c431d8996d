"""Whose an address is (rules.md C1): one person's at most, and each person has one primary."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from crmmail import addresses
from crmmail.store.records import RecordError


@dataclass(frozen=True, slots=True)
class Owned:
    """An address of a person."""

    id: int
    address: str
    is_primary: bool


def parse(typed: str) -> str:
    """The form in which an address is compared; an error in words when it is none."""
    if not (address := addresses.normal(typed)):
        raise RecordError(f"{typed!r} is not an e-mail address.", "It looks like anna@acme.com.")
    return address


def attach(db: sqlite3.Connection, person_id: int, address: str) -> str:
    """Give an address to a person; returns why it was nobody's (C3).

    An error names the person who has it already; a deleted person gives it up.
    """
    row = db.execute(
        """
        SELECT address.id, no_contact, person.id, person.name FROM address
        LEFT JOIN person ON person.id = person_id AND person.deleted_at = 0 WHERE address = ?
        """,
        [address],
    ).fetchone()
    if row is None:
        site = addresses.site(addresses.domain_of(address))
        new = db.execute("INSERT INTO address (address, site) VALUES (?, ?)", [address, site])
        row = (new.lastrowid, "", None, None)
    address_id, before, owner, owner_name = row
    if owner not in (None, person_id):
        raise RecordError(
            f"{address} belongs to {owner_name}.",
            "Merge the two people, or remove the address from the other one first.",
        )
    if before == "own":
        raise RecordError(f"{address} is your own address.", "Give the address of somebody else.")
    if owner is None:
        db.execute(
            "UPDATE address SET person_id = ?, is_primary = 0, no_contact = '' WHERE id = ?",
            [person_id, address_id],
        )
        ensure_primary(db, person_id)
    return str(before)


def no_contact(db: sqlite3.Connection, address: str) -> str:
    """Why an address is nobody's (C3), "" when there is no reason."""
    row = db.execute("SELECT no_contact FROM address WHERE address = ?", [address]).fetchone()
    return str(row[0]) if row else ""


def find(db: sqlite3.Connection, person_id: int, typed: str) -> Owned:
    """An address that a person has; an error in words when it is not theirs."""
    address = parse(typed)
    row = db.execute(
        "SELECT id, address, is_primary FROM address WHERE person_id = ? AND address = ?",
        [person_id, address],
    ).fetchone()
    if row is None:
        raise RecordError(f"{address} is not an address of this person.", "Add it to them first.")
    return Owned(row[0], row[1], bool(row[2]))


def ensure_primary(db: sqlite3.Connection, person_id: int) -> None:
    """Let the first address of a person be the primary one, where none is."""
    db.execute(
        """
        UPDATE address SET is_primary = 1
        WHERE id = (SELECT min(id) FROM address WHERE person_id = ?1)
        AND NOT EXISTS (SELECT 1 FROM address WHERE person_id = ?1 AND is_primary)
        """,
        [person_id],
    )
