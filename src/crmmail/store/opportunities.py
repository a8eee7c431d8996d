"""Opportunities: deals, made by hand, that mail gathers around (rules.md C7)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import windows

STAGES = ("new", "screening", "meeting", "proposal", "won", "lost")

_STAGE = f"CASE r.stage {' '.join(f'WHEN {s!r} THEN {i}' for i, s in enumerate(STAGES))} END"
_JOINS = """
    LEFT JOIN company c ON c.id = r.company_id AND c.deleted_at = 0
    LEFT JOIN person p ON p.id = r.contact_id AND p.deleted_at = 0
"""
_FIELDS = """
    r.id, r.name, r.stage, r.amount, r.currency, c.id, coalesce(c.name, ''),
    p.id, coalesce(p.name, ''), r.threads, r.first_at, r.last_at, r.closes_on
"""
_LISTING = windows.Listing(
    source=f"opportunity r {_JOINS}",
    sorts={
        "last": windows.Sort("r.last_at", descending=True),
        "name": windows.Sort("r.name", text=True),
        "company": windows.Sort("coalesce(c.name, '')", text=True),
        "stage": windows.Sort(_STAGE),
        "amount": windows.Sort("r.amount", descending=True),
        "closes": windows.Sort("r.closes_on", text=True),
        "threads": windows.Sort("r.threads", descending=True),
    },
    match="(r.name {like} OR c.name {like} OR p.name {like})",
)
_WINDOW = f"""
    SELECT json_group_array(json_array({_FIELDS}))
    FROM json_each(?) wanted JOIN opportunity r ON r.id = wanted.value {_JOINS}
"""


@dataclass(frozen=True, slots=True)
class OpportunityRow:
    """An opportunity in a list; `amount` is in minor units of `currency`."""

    id: int
    name: str
    stage: str
    amount: int
    currency: str
    company_id: int | None
    company: str
    contact_id: int | None
    contact: str
    threads: int
    first_at: int
    last_at: int
    closes_on: str


@dataclass(frozen=True, slots=True)
class OpportunityDetail:
    """All that the store holds about an opportunity."""

    id: int
    name: str
    stage: str
    amount: int
    currency: str
    company_id: int | None
    company: str
    contact_id: int | None
    contact: str
    threads: int
    first_at: int
    last_at: int
    closes_on: str
    source: str
    created_at: int
    deleted_at: int


def view(
    db: sqlite3.Connection,
    sort: str = "last",
    descending: bool | None = None,
    match: str = "",
    limit: int | None = None,
) -> array[int]:
    """The ids of the opportunities, sorted by a column of theirs, then by name.

    `match` keeps those whose name, company or contact contains each of its words.
    """
    return _LISTING.ids(db, sort, descending, match, limit)


def rows(db: sqlite3.Connection, ids: Iterable[int]) -> list[OpportunityRow]:
    """The rows of a window of a view."""
    return [OpportunityRow(*row) for row in windows.window(db, _WINDOW, ids)]


def get(
    db: sqlite3.Connection, opportunity_id: int, deleted: bool = False
) -> OpportunityDetail | None:
    """One opportunity, or None; a deleted one only when asked for."""
    row = db.execute(
        f"""
        SELECT {_FIELDS}, r.source, r.created_at, r.deleted_at
        FROM opportunity r {_JOINS} WHERE r.id = ? AND (r.deleted_at = 0 OR ?)
        """,
        [opportunity_id, deleted],
    ).fetchone()
    return OpportunityDetail(*row) if row else None
