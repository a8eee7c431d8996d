"""Whose an address is (rules.md C1): one person's at most, and each person has one primary."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from crmmail import addresses
from crmmail.store import removal
from crmmail.store.records import RecordError


@dataclass(frozen=True, slots=True)
class Owned:
    """An address of a person."""

    id: int
    address: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Before:
    """Whose an address was before somebody got it: a deleted person's, or nobody's (C3)."""

    no_contact: str = ""
    person_id: int | None = None
    is_primary: bool = False


NOBODYS = Before()


def parse(typed: str) -> str:
    """The form in which an address is compared; an error in words when it is none."""
    if not (address := addresses.typed_address(typed)):
        raise RecordError(f"{typed!r} is not an e-mail address.", "It looks like anna@acme.com.")
    return address


def attach(db: sqlite3.Connection, person_id: int, address: str) -> Before:
    """Give an address to a person; returns whose it was, for `release`.

    An error names the person who has it already; a deleted person gives it up.
    """
    row = db.execute(
        """
        SELECT address.id, no_contact, person_id, is_primary, person.deleted_at, person.name
        FROM address LEFT JOIN person ON person.id = person_id WHERE address = ?
        """,
        [address],
    ).fetchone()
    if row is None:
        site = addresses.site(addresses.domain_of(address))
        new = db.execute("INSERT INTO address (address, site) VALUES (?, ?)", [address, site])
        row = (new.lastrowid, "", None, False, 0, "")
    address_id, reason, owner, is_primary, deleted_at, name = row
    if owner is not None and owner != person_id and not deleted_at:
        raise RecordError(
            f"{address} belongs to {name}.",
            "Merge the two people, or remove the address from the other one first.",
        )
    if reason == "own":
        raise RecordError(f"{address} is your own address.", "Give the address of somebody else.")
    if owner != person_id:
        db.execute(
            "UPDATE address SET person_id = ?, is_primary = 0, no_contact = '' WHERE id = ?",
            [person_id, address_id],
        )
        ensure_primary(db, person_id)
        if owner is not None:
            ensure_primary(db, owner)
    return Before(str(reason), owner, bool(is_primary))


def release(db: sqlite3.Connection, owned: Owned, before: Before = NOBODYS) -> None:
    """Take an address from the person who has it, and give it back to whom `attach` took it from.

    One that is nobody's, and in no mail and no meeting, is not kept.
    """
    owner = db.execute(
        "SELECT id, deleted_at FROM person WHERE id = ?", [before.person_id]
    ).fetchone()
    if owner is None:
        db.execute(
            "UPDATE address SET person_id = NULL, is_primary = 0, no_contact = ? WHERE id = ?",
            [before.no_contact, owned.id],
        )
        removal.forget(db, [owned.id])
        return
    db.execute(
        "UPDATE address SET person_id = ?, is_primary = 0, no_contact = ? WHERE id = ?",
        [owner[0], "deleted" if owner[1] else "", owned.id],
    )
    if before.is_primary:
        make_primary(db, owner[0], owned.id)
    ensure_primary(db, owner[0])


def held(db: sqlite3.Connection, address: str) -> Before:
    """Whose an address is now."""
    row = db.execute(
        "SELECT no_contact, person_id, is_primary FROM address WHERE address = ?", [address]
    ).fetchone()
    return Before(str(row[0]), row[1], bool(row[2])) if row else NOBODYS


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


def make_primary(db: sqlite3.Connection, person_id: int, address_id: int) -> None:
    """Let one of a person's addresses be the primary one."""
    db.execute(
        "UPDATE address SET is_primary = (id = ?) WHERE person_id = ?", [address_id, person_id]
    )


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
