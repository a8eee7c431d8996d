"""Opportunities: deals, made by hand, that mail gathers around (rules.md C7)."""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crmmail import money, text
from crmmail.store import changes, links, meetings, records, undoing, windows
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.names import What, candidates

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
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
_NEXT = meetings.NEXT.replace("{kind}", str(int(Kind.OPPORTUNITY)))
_LISTING = windows.Listing(
    source=f"opportunity r {_JOINS}",
    sorts={
        "last": windows.Sort("r.last_at", descending=True),
        "name": windows.Sort("r.name", text=True),
        "company": windows.Sort("coalesce(c.name, '')", text=True),
        "contact": windows.Sort("coalesce(p.name, '')", text=True),
        "stage": windows.Sort(_STAGE),
        "amount": windows.Sort(money.UNITS, descending=True),
        "closes": windows.Sort("r.closes_on", text=True),
        "threads": windows.Sort("r.threads", descending=True),
        "next": windows.Sort(_NEXT, gaps=True),
    },
    match="(r.name {like} OR c.name {like} OR p.name {like})",
    candidates=lambda db, text: candidates(db, What.OPPORTUNITY, text),
)
_WINDOW = f"""
    SELECT json_group_array(json_array({_FIELDS}, coalesce({_NEXT}, 0)))
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
    next_at: int  # when the next meeting begins, 0 without one


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
    return [OpportunityRow(*row) for row in windows.window(db, windows.timely(_WINDOW), ids)]


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


def add(
    store: Store,
    name: str,
    company_id: int | None = None,
    contact_id: int | None = None,
    **fields: Any,
) -> int:
    """Make an opportunity, which has its company's and its contact's mail at once (C6, C7).

    `fields` are stage, amount, currency and closes_on. Returns the id.
    """
    from crmmail.store.models import Opportunity

    fields |= {"name": name, "company_id": company_id, "contact_id": contact_id}
    with store.session(*records.ALL_TOPICS) as (session, db, change):
        opportunity = Opportunity(name="", created_at=records.now())
        _assign(db, opportunity, fields, _CLEANERS)
        opportunity_id = records.add(session, opportunity)
        links.relink_records(db, change, Kind.OPPORTUNITY, [opportunity_id])
    return opportunity_id


def edit(
    store: Store, opportunity_id: int, *, opened: Mapping[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """Set any field; a new company or contact brings its mail (C6). Returns what was there.

    With `opened`, what a form began with, only where that is there still.
    """
    return _edit(store, opportunity_id, fields, _CLEANERS, opened=opened)


def put_back(
    store: Store,
    opportunity_id: int,
    *,
    instead_of: Mapping[str, Any] | None = None,
    **before: Any,
) -> dict[str, Any]:
    """Take an edit back, with what it returned. A stage that is not in the list is put back too.

    With `instead_of`, which is what it was given, only where that is there still.
    """
    return _edit(
        store, opportunity_id, before, {**_CLEANERS, "stage": str, "currency": str}, instead_of
    )


def _edit(
    store: Store,
    opportunity_id: int,
    fields: dict[str, Any],
    cleaners: records.Cleaners,
    instead_of: Mapping[str, Any] | None = None,
    opened: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    from crmmail.store.models import Opportunity

    with store.session(*records.ALL_TOPICS) as (session, db, change):
        opportunity = records.alive(session, Opportunity, opportunity_id)
        records.check_unchanged(opportunity, instead_of or {}, _CLEANERS)
        records.check_opened(db, opportunity, opened or {})
        before = _assign(db, opportunity, fields, cleaners)
        session.flush()
        _log(db, opportunity_id, before, opportunity.model_dump())
        change.records.add((Kind.OPPORTUNITY, opportunity_id))
        if fields.keys() & {"company_id", "contact_id"}:
            links.relink_records(db, change, Kind.OPPORTUNITY, [opportunity_id])
    return before


def check(field: str, value: Any) -> None:
    """Raise an error in words when a field cannot hold a value."""
    _CLEANERS[field](value)


def unmake(store: Store, opportunity_id: int) -> None:
    """Take back that an opportunity was made."""
    with store.write("notes", *records.ALL_TOPICS) as (db, change):
        records.check_alive(db, Kind.OPPORTUNITY, opportunity_id)
        undoing.unmake(db, change, Kind.OPPORTUNITY, opportunity_id)


def delete(store: Store, opportunity_id: int) -> int:
    """Delete an opportunity; returns what restore() needs."""
    _set_deleted(store, opportunity_id, deleted=True)
    return opportunity_id


def restore(store: Store, opportunity_id: int) -> None:
    """Bring a deleted opportunity back, with its threads and notes."""
    _set_deleted(store, opportunity_id, deleted=False)


def _set_deleted(store: Store, opportunity_id: int, deleted: bool) -> None:
    with store.write(*records.ALL_TOPICS) as (db, change):
        records.set_deleted(db, Kind.OPPORTUNITY, opportunity_id, deleted)
        links.relink_records(db, change, Kind.OPPORTUNITY, [opportunity_id])


def _assign(
    db: sqlite3.Connection, row: Any, fields: dict[str, Any], cleaners: records.Cleaners
) -> dict[str, Any]:
    records.check_link(db, Kind.COMPANY, fields.get("company_id"))
    records.check_link(db, Kind.PERSON, fields.get("contact_id"))
    return records.assign(row, fields, cleaners)


def _log(
    db: sqlite3.Connection, opportunity_id: int, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Note what was changed; amounts with their currency, in minor units."""
    old = dict(before)
    if "amount" in old:
        old["amount"] = _priced(old["amount"], old.get("currency", after["currency"]))
        after = after | {"amount": _priced(after["amount"], after["currency"])}
    changes.log_fields(db, Kind.OPPORTUNITY, opportunity_id, old, after)


def _priced(amount: int, currency: str) -> str:
    return f"{amount} {currency}" if amount else ""


def _stage(value: str) -> str:
    if value not in STAGES:
        raise records.RecordError(f"{value!r} is not a stage.", f"One of: {', '.join(STAGES)}.")
    return value


def _amount(value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise records.RecordError(
            f"{value!r} is not an amount.", "It is a whole number of the currency's smallest unit."
        )
    return value


def _currency(value: str) -> str:
    code = value.strip().upper()
    if not money.is_currency(code):
        raise records.RecordError(
            f"{text.one_line(value, 60)!r} is not a currency of ISO 4217.",
            "Give its code of three letters, like EUR or USD.",
        )
    return code


def _closes_on(value: str) -> str:
    try:
        if not value:
            return ""
        if not _DATE.fullmatch(value):
            raise ValueError(value)
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise records.RecordError(
            f"{text.one_line(value, 60)!r} is not a date.",
            "Write it as year-month-day: 2026-03-14.",
        ) from None


_CLEANERS: records.Cleaners = {
    "name": records.name,
    "company_id": records.reference,
    "contact_id": records.reference,
    "stage": _stage,
    "amount": _amount,
    "currency": _currency,
    "closes_on": _closes_on,
}
