"""What mail and meetings call people, and the companies that they make (rules.md C4, C5)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable

from crmmail.mail_names import company_name, person_name
from crmmail.store.database import Change
from crmmail.store.kinds import Kind


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


def name_people(
    db: sqlite3.Connection, change: Change, people: Iterable[int], *, less: bool = False
) -> None:
    """Let mail name people whose addresses have changed, or whose names are its own again (C4).

    With `less`, an address has left them that had named them: whom no mail names now is called
    after the address that is left, but for those who were made by hand.
    """
    rows = db.execute(
        """SELECT min(address.id), wanted.value, source FROM json_each(?) AS wanted
           CROSS JOIN person ON person.id = wanted.value
           CROSS JOIN address ON address.person_id = wanted.value GROUP BY wanted.value""",
        [json.dumps(list(people))],
    ).fetchall()
    rename(db, change, [row[0] for row in rows])
    if less:
        name_again(db, change, [row[1] for row in rows if row[2] != "hand"])


def is_named_by(db: sqlite3.Connection, person_id: int, address_id: int) -> bool:
    """Whether somebody is called what mail calls one of their addresses."""
    row = db.execute(
        """SELECT person.name, address.name, address FROM person
           JOIN address ON address.person_id = person.id WHERE person.id = ? AND address.id = ?""",
        [person_id, address_id],
    ).fetchone()
    return bool(row and row[1]) and row[0] == person_name(*row[1:])


def found(
    db: sqlite3.Connection, change: Change, site: str, source: str = "mail", now: int | None = None
) -> int:
    """Make the company of a domain that no company has, as mail does (C5); returns its id."""
    company = db.execute(
        "INSERT INTO company (name, source, created_at) VALUES (?, ?, ?)",
        [company_name(site), source, int(time.time()) if now is None else now],
    ).lastrowid
    db.execute("INSERT INTO company_domain (domain, company_id) VALUES (?, ?)", [site, company])
    change.topics.add("companies")
    change.records.add((Kind.COMPANY, int(company or 0)))
    return int(company or 0)
