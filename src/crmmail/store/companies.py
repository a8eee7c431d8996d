"""Companies: lists of them, one of them, and what can be changed about one (rules.md C5)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import windows

_LISTING = windows.Listing(
    source="company r",
    sorts={
        "last": windows.Sort("r.last_at", descending=True),
        "name": windows.Sort("r.name", text=True),
        "threads": windows.Sort("r.threads", descending=True),
        "people": windows.Sort(
            "(SELECT count(*) FROM person WHERE company_id = r.id AND deleted_at = 0)",
            descending=True,
        ),
    },
    match="""(
        r.name {like} OR r.id IN (SELECT company_id FROM company_domain WHERE domain {like})
    )""",
)
_WINDOW = """
    SELECT json_group_array(json_array(
        r.id, r.name,
        (SELECT json_group_array(domain)
         FROM (SELECT domain FROM company_domain WHERE company_id = r.id ORDER BY domain)),
        (SELECT count(*) FROM person WHERE company_id = r.id AND deleted_at = 0),
        r.threads, r.first_at, r.last_at))
    FROM json_each(?) wanted JOIN company r ON r.id = wanted.value
"""


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company in a list; `people` counts those who are known there."""

    id: int
    name: str
    domains: tuple[str, ...]
    people: int
    threads: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class CompanyDetail:
    """All that the store holds about a company; its people newest contact first."""

    id: int
    name: str
    name_by_hand: bool
    domains: tuple[str, ...]
    people: tuple[int, ...]
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
    """The ids of the companies, sorted by "last", "name", "threads" or "people", then by name.

    `match` keeps those whose name or domain contains each of its words.
    """
    return _LISTING.ids(db, sort, descending, match, limit)


def rows(db: sqlite3.Connection, ids: Iterable[int]) -> list[CompanyRow]:
    """The rows of a window of a view."""
    return [
        CompanyRow(i, name, tuple(domains), *rest)
        for i, name, domains, *rest in windows.window(db, _WINDOW, ids)
    ]


def get(db: sqlite3.Connection, company_id: int, deleted: bool = False) -> CompanyDetail | None:
    """One company, or None; a deleted one only when asked for."""
    row = db.execute(
        """
        SELECT id, name, name_by_hand, links, source, created_at, deleted_at, threads, first_at,
               last_at
        FROM company WHERE id = ? AND (deleted_at = 0 OR ?)
        """,
        [company_id, deleted],
    ).fetchone()
    if row is None:
        return None
    i, name, by_hand, *rest = row
    return CompanyDetail(
        i, name, bool(by_hand), domains(db, company_id), people(db, company_id), *rest
    )


def domains(db: sqlite3.Connection, company_id: int) -> tuple[str, ...]:
    """The domains of a company."""
    found = db.execute(
        "SELECT domain FROM company_domain WHERE company_id = ? ORDER BY domain", [company_id]
    )
    return tuple(domain for (domain,) in found)


def people(db: sqlite3.Connection, company_id: int) -> tuple[int, ...]:
    """The ids of the people of a company, newest contact first."""
    found = db.execute(
        "SELECT id FROM person WHERE company_id = ? AND deleted_at = 0 "
        "ORDER BY last_at DESC, name, id",
        [company_id],
    )
    return tuple(person_id for (person_id,) in found)
