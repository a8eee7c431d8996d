"""Addresses become people and companies (rules.md C2 to C5)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress

from crmmail import addresses
from crmmail.store.database import Change
from crmmail.store.kinds import Kind
from crmmail.store.removal import remove_messages
from crmmail.sync.message import person_name
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


def rename(db: sqlite3.Connection, change: Change, address_ids: Iterable[int]) -> None:
    """Let the newest usable display name name each person, unless the user did (C4).

    A name that only calendars tell has no time: that of any message comes before it.
    """
    rows = db.execute(
        """SELECT person.id, person.name, other.address, other.name,
                  max(printf('%020d', other.name_at) || other.address)
           FROM json_each(?) AS wanted CROSS JOIN address ON address.id = wanted.value
           CROSS JOIN person ON person.id = address.person_id AND NOT person.name_by_hand
           CROSS JOIN address AS other ON other.person_id = person.id AND other.name != ''
           GROUP BY person.id""",
        [json.dumps(list(address_ids))],
    ).fetchall()
    for person, old, address, display, _ in rows:
        if (name := person_name(display, address)) != old:
            db.execute("UPDATE person SET name = ? WHERE id = ?", [name, person])
            change.topics.add("people")
            change.records.add((Kind.PERSON, person))


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
    name_again(db, change, people)


def name_again(db: sqlite3.Connection, change: Change, people: Iterable[int]) -> None:
    """Name people after mail or meetings of theirs have left (C4).

    Where what is left has no name for them, it is that of the address; where nothing is left, the
    name stays.
    """
    rows = db.execute(
        """SELECT address.id, address.address, person.id, person.name, max(address.is_primary),
                  max(address.name != '')
           FROM json_each(?) AS wanted
           CROSS JOIN person ON person.id = wanted.value AND NOT person.name_by_hand
           CROSS JOIN address ON address.person_id = person.id
           WHERE EXISTS (SELECT 1 FROM participant WHERE address_id = address.id)
           OR EXISTS (SELECT 1 FROM attendee WHERE address_id = address.id)
           GROUP BY person.id""",
        [json.dumps(list(people))],
    ).fetchall()
    rename(db, change, [row[0] for row in rows if row[5]])
    for _, address, person, old, _, named in rows:
        if not named and (name := person_name("", address)) != old:
            db.execute("UPDATE person SET name = ? WHERE id = ?", [name, person])
            change.topics.add("people")
            change.records.add((Kind.PERSON, person))


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
    company = int(
        db.execute(
            "INSERT INTO company (name, source, created_at) VALUES (?, ?, ?)",
            [company_name(site), source, now],
        ).lastrowid
        or 0
    )
    db.execute("INSERT INTO company_domain (domain, company_id) VALUES (?, ?)", [site, company])
    founded.add(site)
    change.topics.add("companies")
    change.records.add((Kind.COMPANY, company))
    return company


def company_name(site: str) -> str:
    """The name of a company known by its registrable domain only (C5): "acme.co.uk" is Acme."""
    label = site.partition(".")[0]
    if label.startswith("xn--"):
        with suppress(UnicodeError):
            label = label.encode("ascii").decode("idna")
    return label[:1].upper() + label[1:]
