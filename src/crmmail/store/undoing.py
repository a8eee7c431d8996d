"""Taking back what was done by hand to records, so that nothing tells that it was done.

Mail goes on meanwhile, and makes people and companies that it would not have made otherwise. They
have higher numbers than those that there were (as in rule_changes.py): of these, those with whom
the user has done nothing go.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from crmmail.addresses import domain_of, site
from crmmail.store import links, records, rule_changes
from crmmail.store.database import Change
from crmmail.store.kinds import Kind

_USED = {
    Kind.PERSON: "SELECT 1 FROM opportunity WHERE contact_id = ?1",
    Kind.COMPANY: """SELECT 1 FROM opportunity WHERE company_id = ?1
                     UNION SELECT 1 FROM person WHERE company_id = ?1""",
    Kind.OPPORTUNITY: "SELECT 1 WHERE NOT ?1",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest person and company that there were."""

    person: int
    company: int


def mark(db: sqlite3.Connection) -> Mark:
    """Who is there now."""
    newest = (
        db.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()[0]
        for table in ("person", "company")
    )
    return Mark(*newest)


def unmake(db: sqlite3.Connection, change: Change, kind: Kind, record_id: int) -> None:
    """Take a record out that was just made, and has no address or domain any more.

    One that somebody else has used meanwhile is deleted as any other.
    """
    if _is_used(db, kind, record_id):
        records.set_deleted(db, kind, record_id, deleted=True)
        links.relink_records(db, change, kind, [record_id])
        return
    rule_changes.take_out(db, change, kind, [record_id])


def _is_used(db: sqlite3.Connection, kind: Kind, record_id: int) -> bool:
    return bool(
        db.execute(
            f"""SELECT 1 FROM note WHERE kind = ?2 AND record_id = ?1
                UNION SELECT 1 FROM manual_link WHERE kind = ?2 AND record_id = ?1
                UNION SELECT 1 FROM record_change WHERE kind = ?2 AND record_id = ?1
                UNION {_USED[kind]}""",
            [record_id, int(kind)],
        ).fetchone()
    )


def free_address(db: sqlite3.Connection, change: Change, address: str, since: Mark) -> None:
    """Take out the person that mail has made of an address since then, and their company."""
    found = db.execute(
        f"""SELECT person.id, company_id FROM person WHERE id > ?
            AND id = (SELECT person_id FROM address WHERE address = ?)
            AND {rule_changes.UNTOUCHED_PERSON}""",
        [since.person, address],
    ).fetchone()
    if found is None:
        return
    person, _ = found
    db.execute("UPDATE address SET person_id = NULL, is_primary = 0 WHERE person_id = ?", [person])
    rule_changes.take_out(db, change, Kind.PERSON, [person])
    rule_changes.take_out_companies(db, change, since.company)


def free_domain(
    db: sqlite3.Connection, change: Change, domain: str, heir: int, since: Mark
) -> None:
    """Take out the company that mail has made of a domain since then; its people are the heir's."""
    found = db.execute(
        """SELECT company_id FROM company_domain WHERE domain = ? AND company_id > ?""",
        [domain, since.company],
    ).fetchone()
    if found is None:
        return
    people = _came_to(db, found[0], [domain], since)
    _move(db, people, heir)
    if db.execute(
        f"SELECT 1 FROM company WHERE id = ? AND {rule_changes.UNTOUCHED_COMPANY}", found
    ).fetchone():
        db.execute("DELETE FROM company_domain WHERE company_id = ?", found)
        rule_changes.take_out(db, change, Kind.COMPANY, [found[0]])
    else:
        _move(db, people, found[0])


def leave(
    db: sqlite3.Connection,
    change: Change,
    company_id: int,
    before: Mapping[str, int | None],
    since: Mark,
) -> None:
    """Take the people who came by mail from a company that has these domains no longer.

    They go where mail would have put them: to the company that has the domain again (`before`
    says which), unless that is deleted, or to a new one.
    """
    from crmmail.store import naming  # nothing that the first picture waits for

    for domain, other in before.items():
        if not (people := _came_to(db, company_id, [domain], since)):
            continue
        row = db.execute("SELECT id, deleted_at FROM company WHERE id = ?", [other]).fetchone()
        if row is None:
            heir: int | None = naming.found(db, change, domain)
        else:
            heir = None if row[1] else row[0]
        _move(db, people, heir)
        if heir is not None:
            links.relink_records(db, change, Kind.COMPANY, [heir])


def part(db: sqlite3.Connection, keep: int, other: int, newest: int) -> None:
    """Give a company that was merged its people who came after that one, by its domains."""
    _move(db, _came_to(db, keep, _domains(db, other), Mark(newest, 0)), other)


def adopt(db: sqlite3.Connection, company_id: int, deleted_at: int) -> None:
    """Give a company that is back its people who came while it was deleted, and have none."""
    found = _came_to(db, None, _domains(db, company_id), Mark(0, 0), deleted_at)
    _move(db, found, company_id)


def _domains(db: sqlite3.Connection, company_id: int) -> list[str]:
    query = "SELECT domain FROM company_domain WHERE company_id = ?"
    return [domain for (domain,) in db.execute(query, [company_id])]


def _came_to(
    db: sqlite3.Connection,
    company_id: int | None,
    domains: list[str],
    since: Mark,
    created_at: int = 0,
) -> list[int]:
    """The people at a company, or at none, whom mail from these domains has made since then."""
    rows = db.execute(
        f"""SELECT person.id, address.address FROM person
            JOIN address ON address.person_id = person.id
            WHERE person.id > ? AND company_id IS ? AND created_at >= ?
            AND {rule_changes.UNTOUCHED_PERSON}""",
        [since.person, company_id, created_at],
    ).fetchall()
    return [person for person, address in rows if site(domain_of(address)) in domains]


def _move(db: sqlite3.Connection, people: list[int], company_id: int | None) -> None:
    db.execute(
        "UPDATE person SET company_id = ? WHERE id IN (SELECT value FROM json_each(?))",
        [company_id, json.dumps(people)],
    )
