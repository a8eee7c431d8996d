"""Addresses become people and companies (rules.md C2 to C5)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable

from crmmail import addresses
from crmmail.mail_names import person_name
from crmmail.store import naming
from crmmail.store.database import Change
from crmmail.store.kinds import Kind
from crmmail.store.removal import remove_messages
from crmmail.sync.rules import Rules, contact_bar


def meet(
    db: sqlite3.Connection,
    change: Change,
    candidates: Iterable[str],
    rules: Rules,
    source: str = "mail",
) -> set[int]:
    """Make people, and their companies, of the candidates that may be contacts.

    Returns the ids of the addresses whose old mail is to be linked (C6): of the new people, and
    all at the domains of the new companies.
    """
    allowed = sorted({one for one in candidates if not contact_bar(one, rules)})
    if not allowed:
        return set()
    strangers = db.execute(
        """SELECT address.id, address.address, address.site, address.name
           FROM json_each(?) AS wanted CROSS JOIN address ON address.address = wanted.value
           WHERE address.person_id IS NULL""",
        [json.dumps(allowed)],
    ).fetchall()
    now = int(time.time())
    founded = set[str]()
    for address_id, address, site, name in strangers:
        company = _company(db, change, site, now, founded, source)
        person = db.execute(
            "INSERT INTO person (name, company_id, source, created_at) VALUES (?, ?, ?, ?)",
            [person_name(name, address), company, source, now],
        ).lastrowid
        db.execute(
            "UPDATE address SET person_id = ?, is_primary = 1, no_contact = '' WHERE id = ?",
            [person, address_id],
        )
        change.records.add((Kind.PERSON, int(person or 0)))
    if strangers:
        change.topics.add("people")
    at_new = db.execute(
        """SELECT address.id FROM json_each(?) AS wanted
           CROSS JOIN address ON address.site = wanted.value""",
        [json.dumps(sorted(founded))],
    )
    return {row[0] for row in strangers} | {row[0] for row in at_new}


def leave(db: sqlite3.Connection, change: Change, message_ids: Iterable[int]) -> None:
    """Take messages out of the store; people are called what the mail that is left calls them."""
    packed = json.dumps(list(message_ids))
    if packed == "[]":
        return
    people = [
        row[0]
        for row in db.execute(
            """SELECT DISTINCT address.person_id FROM json_each(?) AS gone
               CROSS JOIN participant ON participant.message_id = gone.value
               CROSS JOIN address ON address.id = participant.address_id
               WHERE address.person_id IS NOT NULL""",
            [packed],
        )
    ]
    remove_messages(db, change, json.loads(packed))
    naming.name_again(db, change, people)


def _company(
    db: sqlite3.Connection, change: Change, site: str, now: int, founded: set[str], source: str
) -> int | None:
    """The company at a work domain, made when it is new; None where anybody can have an address."""
    if not site or addresses.is_free(site):
        return None
    known = db.execute(
        """SELECT company.id, company.deleted_at FROM company_domain
           JOIN company ON company.id = company_domain.company_id WHERE domain = ?""",
        [site],
    ).fetchone()
    if known:
        return None if known[1] else int(known[0])  # C5: a deleted company stays deleted
    company = naming.found(db, change, site, source, now)
    founded.add(site)
    return company
