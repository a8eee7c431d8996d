"""Companies: lists of them, one of them, and what can be changed about one (rules.md C5)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crmmail import text, web_links
from crmmail.addresses import is_free, site, typed_domain
from crmmail.store import changes, links, meetings, merging, records, undoing, windows
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.names import What, candidates

_NEXT = meetings.NEXT.replace("{kind}", str(int(Kind.COMPANY)))
_LISTING = windows.Listing(
    source="company r",
    sorts={
        "last": windows.Sort("r.last_at", descending=True),
        "name": windows.Sort("r.name", text=True),
        "domains": windows.Sort(
            "coalesce((SELECT min(domain) FROM company_domain WHERE company_id = r.id), '')",
            text=True,
        ),
        "threads": windows.Sort("r.threads", descending=True),
        "next": windows.Sort(_NEXT, gaps=True),
        "people": windows.Sort(
            "(SELECT count(*) FROM person WHERE company_id = r.id AND deleted_at = 0)",
            descending=True,
        ),
    },
    match="""(
        r.name {like}
        OR EXISTS (SELECT 1 FROM company_domain WHERE company_id = r.id AND domain {like})
    )""",
    candidates=lambda db, text: candidates(db, What.COMPANY, text),
)
_WINDOW = f"""
    SELECT json_group_array(json_array(
        r.id, r.name,
        (SELECT json_group_array(domain)
         FROM (SELECT domain FROM company_domain WHERE company_id = r.id ORDER BY domain)),
        (SELECT count(*) FROM person WHERE company_id = r.id AND deleted_at = 0),
        r.threads, r.first_at, r.last_at,
        coalesce({_NEXT}, 0)))
    FROM json_each(?) wanted JOIN company r ON r.id = wanted.value
"""


_CLEANERS: records.Cleaners = {"name": records.name, "name_by_hand": bool, "links": web_links.kept}
_PUT_BACK: records.Cleaners = {**_CLEANERS, "links": text.block}
"""What was there comes back, whatever rule is newer than it."""


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
    next_at: int  # when the next meeting begins, 0 without one


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
    """The ids of the companies, sorted by a column of theirs, then by name.

    `match` keeps those whose name or domain contains each of its words.
    """
    return _LISTING.ids(db, sort, descending, match, limit)


def rows(db: sqlite3.Connection, ids: Iterable[int]) -> list[CompanyRow]:
    """The rows of a window of a view."""
    return [
        CompanyRow(i, name, tuple(domains), *rest)
        for i, name, domains, *rest in windows.window(db, windows.timely(_WINDOW), ids)
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


def create(store: Store, name: str, domains: Iterable[str] = (), **fields: str) -> int:
    """Make a company by hand; the mail of its domains is its own at once (C6). Returns the id."""
    from crmmail.store.models import Company

    wanted = [_domain(one) for one in domains]
    with store.session(*records.ALL_TOPICS) as (session, db, change):
        company = Company(source="hand", created_at=records.now(), name_by_hand=True)
        records.assign(company, {"name": name, **fields}, _CLEANERS)
        company_id = records.add(session, company)
        for domain in wanted:
            _attach(db, company_id, domain)
        links.relink_records(db, change, Kind.COMPANY, [company_id])
    return company_id


def edit(
    store: Store,
    company_id: int,
    *,
    instead_of: Mapping[str, Any] | None = None,
    opened: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Set name or links; returns what they were, for another edit.

    With `instead_of` only where these are there still; with `opened`, what a form began with, too.
    """
    from crmmail.store.models import Company

    if "name" in fields:
        fields.setdefault("name_by_hand", True)
    with store.session(*records.ALL_TOPICS) as (session, db, change):
        company = records.alive(session, Company, company_id)
        cleaners = _CLEANERS if instead_of is None else _PUT_BACK
        records.check_unchanged(company, instead_of or {}, _CLEANERS)
        records.check_opened(db, company, opened or {})
        before = records.assign(company, fields, cleaners)
        session.flush()
        changes.log_fields(db, Kind.COMPANY, company_id, before, company.model_dump())
        change.records.add((Kind.COMPANY, company_id))
    return before


def add_domain(store: Store, company_id: int, domain: str) -> str:
    """Give a company one more domain, with its mail (C6); returns it as it is stored."""
    wanted = _domain(domain)
    with store.write(*records.ALL_TOPICS) as (db, change):
        records.check_alive(db, Kind.COMPANY, company_id)
        if _attach(db, company_id, wanted):
            changes.log(db, Kind.COMPANY, company_id, "domain", "", wanted)
        links.relink_records(db, change, Kind.COMPANY, [company_id])
    return wanted


def remove_domain(
    store: Store, company_id: int, domain: str, before: int | None = None
) -> undoing.Mark:
    """Take a domain from a company; its people stay. Returns what put_domain_back() needs.

    `before` is the deleted company that had it, and gets it back.
    """
    wanted = _domain(domain)
    with store.write(*records.ALL_TOPICS) as (db, change):
        mark = undoing.mark(db)
        if wanted not in domains(db, company_id):
            raise records.RecordError(f"{wanted} is no domain of this company.", "Add it first.")
        _release(db, wanted, before)
        changes.log(db, Kind.COMPANY, company_id, "domain", wanted, "")
        owners = [one for one in (company_id, before) if one is not None]
        links.relink_records(db, change, Kind.COMPANY, owners)
    return mark


def take_domain_back(
    store: Store, company_id: int, domain: str, before: int | None, since: undoing.Mark
) -> None:
    """Take back that a company got a domain: who came by it since goes, `before` has it again."""
    wanted = _domain(domain)
    remove_domain(store, company_id, wanted, before)
    with store.write(*records.ALL_TOPICS) as (db, change):
        undoing.leave(db, change, company_id, {wanted: before}, since)
        links.relink_records(db, change, Kind.COMPANY, [company_id])


def put_domain_back(store: Store, company_id: int, domain: str, since: undoing.Mark) -> None:
    """Take back that a domain was removed: a company that mail has made of it since goes."""
    wanted = _domain(domain)
    with store.write(*records.ALL_TOPICS) as (db, change):
        undoing.free_domain(db, change, wanted, company_id, since)
    add_domain(store, company_id, wanted)


def holders(db: sqlite3.Connection, typed: Iterable[str]) -> dict[str, int | None]:
    """The company that has each of these domains, also a deleted one."""
    query = "SELECT company_id FROM company_domain WHERE domain = ?"
    found = {one: db.execute(query, [one]).fetchone() for one in map(_domain, typed)}
    return {one: row[0] if row else None for one, row in found.items()}


def unmake(store: Store, company_id: int, before: Mapping[str, int | None]) -> None:
    """Take back that a company was made: none is deleted, and `before` have their domains."""
    with store.write("notes", *records.ALL_TOPICS) as (db, change):
        records.check_alive(db, Kind.COMPANY, company_id)
        had = {domain: before.get(domain) for domain in domains(db, company_id)}
        for domain, other in had.items():
            _release(db, domain, other)
        undoing.leave(db, change, company_id, had, undoing.Mark(0, 0))
        undoing.unmake(db, change, Kind.COMPANY, company_id)
        owners = [one for one in before.values() if one is not None]
        links.relink_records(db, change, Kind.COMPANY, owners)


def delete(store: Store, company_id: int) -> int:
    """Delete a company; new mail does not bring it back (C5). Returns what restore() needs."""
    _set_deleted(store, company_id, deleted=True)
    return company_id


def restore(store: Store, company_id: int) -> None:
    """Bring a deleted company back, with its domains, people, threads and notes."""
    _set_deleted(store, company_id, deleted=False)


def merge(store: Store, keep: int, other: int) -> merging.Merge:
    """Make two companies one, which keeps every domain, person, note and link (C8)."""
    return merging.merge(store, Kind.COMPANY, keep, other)


def unmerge(store: Store, done: merging.Merge) -> None:
    """Take a merge back."""
    merging.unmerge(store, done)


def _set_deleted(store: Store, company_id: int, deleted: bool) -> None:
    with store.write(*records.ALL_TOPICS) as (db, change):
        row = db.execute("SELECT deleted_at FROM company WHERE id = ?", [company_id]).fetchone()
        records.set_deleted(db, Kind.COMPANY, company_id, deleted)
        if not deleted:
            undoing.adopt(db, company_id, row[0])
        links.relink_records(db, change, Kind.COMPANY, [company_id])


def _domain(typed: str) -> str:
    """The registrable domain of what somebody typed; an error in words where it is none."""
    domain = typed_domain(typed.strip().rpartition("@")[2])
    is_one = len(typed.split()) == 1 and "." in domain
    if not (is_one and all(label.strip("-") for label in domain.split("."))):
        raise records.RecordError(f"{typed!r} is not a domain.", "It looks like acme.com.")
    if is_free(domain):
        raise records.RecordError(
            f"Anybody can have an address at {domain}.", "Add the people one by one instead."
        )
    return site(domain)


def _release(db: sqlite3.Connection, domain: str, before: int | None) -> None:
    """Take a domain from the company that has it; the one that had it before has it again."""
    db.execute("DELETE FROM company_domain WHERE domain = ?", [domain])
    db.execute(
        "INSERT INTO company_domain (domain, company_id) SELECT ?, id FROM company WHERE id = ?",
        [domain, before],
    )


def _attach(db: sqlite3.Connection, company_id: int, domain: str) -> bool:
    """Give a domain to a company, if it has it not yet.

    A deleted company gives it up, a live one does not.
    """
    row = db.execute(
        "SELECT company.id, name FROM company_domain JOIN company ON company.id = company_id "
        "WHERE domain = ? AND deleted_at = 0",
        [domain],
    ).fetchone()
    if row and row[0] == company_id:
        return False
    if row:
        raise records.RecordError(
            f"{domain} belongs to {row[1]}.",
            "Merge the two companies, or remove the domain from the other one first.",
        )
    # No upsert: its ON CONFLICT would replace the OR IGNORE of the triggers (search_stale).
    db.execute("DELETE FROM company_domain WHERE domain = ?", [domain])
    db.execute(
        "INSERT INTO company_domain (domain, company_id) VALUES (?, ?)", [domain, company_id]
    )
    return True
