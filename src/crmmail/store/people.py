"""People: lists of them, one of them, and what can be changed about one (rules.md C)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import windows

_COMPANY = "LEFT JOIN company c ON c.id = r.company_id AND c.deleted_at = 0"
_LISTING = windows.Listing(
    source=f"person r {_COMPANY}",
    sorts={
        "last": windows.Sort("r.last_at", descending=True),
        "name": windows.Sort("r.name", text=True),
        "company": windows.Sort("coalesce(c.name, '')", text=True),
        "threads": windows.Sort("r.threads", descending=True),
    },
    match="""(
        r.name {like} OR c.name {like}
        OR r.id IN (SELECT person_id FROM address WHERE person_id IS NOT NULL AND address {like})
        OR c.id IN (SELECT company_id FROM company_domain WHERE domain {like})
    )""",
)
_WINDOW = f"""
    SELECT json_group_array(json_array(
        r.id, r.name,
        coalesce((SELECT address FROM address WHERE person_id = r.id
                  ORDER BY is_primary DESC, id LIMIT 1), ''),
        c.id, coalesce(c.name, ''), r.threads, r.first_at, r.last_at))
    FROM json_each(?) wanted JOIN person r ON r.id = wanted.value {_COMPANY}
"""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a list; `address` is the primary one."""

    id: int
    name: str
    address: str
    company_id: int | None
    company: str
    threads: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """All that the store holds about a person; the primary address comes first."""

    id: int
    name: str
    name_by_hand: bool
    addresses: tuple[str, ...]
    company_id: int | None
    company: str
    job: str
    phone: str
    links: str
    source: str
    created_at: int
    deleted_at: int
    threads: int
    first_at: int
    last_at: int


def view(
    db: sqlite3.Connection,
    sort: str = "last",
    descending: bool | None = None,
    match: str = "",
    limit: int | None = None,
) -> array[int]:
    """The ids of the people, sorted by "last", "name", "company" or "threads", then by name.

    `match` keeps those whose name, address, company or domain contains each of its words.
    """
    return _LISTING.ids(db, sort, descending, match, limit)


def rows(db: sqlite3.Connection, ids: Iterable[int]) -> list[PersonRow]:
    """The rows of a window of a view."""
    return [PersonRow(*row) for row in windows.window(db, _WINDOW, ids)]


def get(db: sqlite3.Connection, person_id: int, deleted: bool = False) -> PersonDetail | None:
    """One person, or None; a deleted one only when asked for."""
    row = db.execute(
        f"""
        SELECT r.id, r.name, r.name_by_hand, c.id, coalesce(c.name, ''), r.job, r.phone, r.links,
               r.source, r.created_at, r.deleted_at, r.threads, r.first_at, r.last_at
        FROM person r {_COMPANY} WHERE r.id = ? AND (r.deleted_at = 0 OR ?)
        """,
        [person_id, deleted],
    ).fetchone()
    if row is None:
        return None
    i, name, by_hand, *rest = row
    return PersonDetail(i, name, bool(by_hand), addresses(db, person_id), *rest)


def addresses(db: sqlite3.Connection, person_id: int) -> tuple[str, ...]:
    """The addresses of a person, the primary one first."""
    found = db.execute(
        "SELECT address FROM address WHERE person_id = ? ORDER BY is_primary DESC, id", [person_id]
    )
    return tuple(address for (address,) in found)
