"""People: lists of them, one of them, and what can be changed about one (rules.md C)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crmmail import text, web_links
from crmmail.addresses import domain_of, site
from crmmail.store import (
    address_book,
    changes,
    links,
    meetings,
    merging,
    records,
    undoing,
    windows,
)
from crmmail.store.database import Change, Store
from crmmail.store.kinds import Kind
from crmmail.store.names import What, candidates

_COMPANY = "LEFT JOIN company c ON c.id = r.company_id AND c.deleted_at = 0"
_ADDRESS = """(
    SELECT address FROM address WHERE person_id = r.id ORDER BY is_primary DESC, id LIMIT 1
)"""
_NEXT = meetings.NEXT.replace("{kind}", str(int(Kind.PERSON)))
_LISTING = windows.Listing(
    source=f"person r {_COMPANY}",
    sorts={
        "last": windows.Sort("r.last_at", descending=True),
        "name": windows.Sort("r.name", text=True),
        "company": windows.Sort("coalesce(c.name, '')", text=True),
        "threads": windows.Sort("r.threads", descending=True),
        "next": windows.Sort(_NEXT, gaps=True),
        "address": windows.Sort(f"coalesce({_ADDRESS}, '')", text=True),
    },
    match="""(
        r.name {like} OR c.name {like}
        OR EXISTS (SELECT 1 FROM address WHERE person_id = r.id AND address {like})
        OR EXISTS (SELECT 1 FROM company_domain WHERE company_id = c.id AND domain {like})
    )""",
    candidates=lambda db, text: candidates(db, What.PERSON, text),
)
_WINDOW = f"""
    SELECT json_group_array(json_array(
        r.id, r.name,
        coalesce({_ADDRESS}, ''),
        c.id, coalesce(c.name, ''), r.threads, r.first_at, r.last_at,
        coalesce({_NEXT}, 0)))
    FROM json_each(?) wanted JOIN person r ON r.id = wanted.value {_COMPANY}
"""


_CLEANERS: records.Cleaners = {
    "name": records.name,
    "name_by_hand": bool,
    "company_id": records.reference,
    "job": text.one_line,
    "phone": web_links.phone,
    "links": web_links.kept,
}
_PUT_BACK: records.Cleaners = {**_CLEANERS, "phone": text.one_line, "links": text.block}
"""What was there comes back, whatever rule is newer than it."""


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
    next_at: int  # when the next meeting begins, 0 without one


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
    """The ids of the people, sorted by a column of theirs, then by name.

    `match` keeps those whose name, address, company or domain contains each of its words.
    """
    return _LISTING.ids(db, sort, descending, match, limit)


def rows(db: sqlite3.Connection, ids: Iterable[int]) -> list[PersonRow]:
    """The rows of a window of a view."""
    return [PersonRow(*row) for row in windows.window(db, windows.timely(_WINDOW), ids)]


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


def create(
    store: Store,
    name: str = "",
    addresses: Iterable[str] = (),
    company_id: int | None = None,
    **fields: str,
) -> int:
    """Make a person by hand; their old mail is theirs at once (C6). Returns the id.

    Without a name the mail names them (C4); without a company, the domain of an address does.
    """
    from crmmail.store.models import Person

    wanted = [address_book.parse(one) for one in addresses]
    if not name and not wanted:
        raise records.RecordError("A person needs a name or an address.", "Give at least one.")
    with store.session(*records.ALL_TOPICS) as (session, db, change):
        person = Person(source="hand", created_at=records.now(), name_by_hand=bool(name))
        person.name = records.name(name or _name_of(db, wanted[0]))
        records.assign(person, fields, _CLEANERS)
        person.company_id = company_id or _company_at(db, wanted)
        records.check_link(db, Kind.COMPANY, person.company_id)
        person_id = records.add(session, person)
        for address in wanted:
            address_book.attach(db, person_id, address)
        links.relink_records(db, change, Kind.PERSON, [person_id])
    return person_id


def unmake(store: Store, person_id: int, before: Mapping[str, address_book.Before]) -> None:
    """Take back that a person was made: nobody is deleted, and `before` have their addresses."""
    with store.write("notes", *records.ALL_TOPICS) as (db, change):
        records.check_alive(db, Kind.PERSON, person_id)
        for one in addresses(db, person_id):
            owned = address_book.find(db, person_id, one)
            address_book.release(db, owned, before.get(one, address_book.NOBODYS))
        undoing.unmake(db, change, Kind.PERSON, person_id)
        owners = [one.person_id for one in before.values() if one.person_id is not None]
        links.relink_records(db, change, Kind.PERSON, owners)


def edit(
    store: Store,
    person_id: int,
    *,
    instead_of: Mapping[str, Any] | None = None,
    opened: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Set name, job, phone, links or company_id; returns what they were, for another edit.

    A name that somebody typed stays (C4). With `instead_of` only where these are there still; with
    `opened`, what a form began with, too, but for a name that mail has given.
    """
    from crmmail.store.models import Person

    if "name" in fields:
        fields.setdefault("name_by_hand", True)
    with store.session(*records.ALL_TOPICS) as (session, db, change):
        person = records.alive(session, Person, person_id)
        cleaners = _CLEANERS if instead_of is None else _PUT_BACK
        records.check_unchanged(person, instead_of or {}, _CLEANERS)
        records.check_opened(db, person, _typed(opened or {}, person.name_by_hand))
        records.check_link(db, Kind.COMPANY, fields.get("company_id"))
        before = records.assign(person, fields, cleaners)
        session.flush()
        changes.log_fields(db, Kind.PERSON, person_id, before, person.model_dump())
        change.records.add((Kind.PERSON, person_id))
        if not fields.get("name_by_hand", True):  # mail may have come with another name meanwhile
            _name(db, change, person_id)
        if "company_id" in fields:
            links.relink_records(db, change, Kind.PERSON, [person_id])
    return before


def set_company(store: Store, person_id: int, company_id: int | None) -> int | None:
    """Move a person to a company, or to none; returns the one they were at."""
    before: int | None = edit(store, person_id, company_id=company_id)["company_id"]
    return before


def add_address(store: Store, person_id: int, address: str) -> address_book.Before:
    """Give a person one more address, with its old mail (C6).

    Returns whose it was before, to whom remove_address() gives it back.
    """
    wanted = address_book.parse(address)
    with store.write(*records.ALL_TOPICS) as (db, change):
        records.check_alive(db, Kind.PERSON, person_id)
        if wanted not in addresses(db, person_id):
            changes.log(db, Kind.PERSON, person_id, "address", "", wanted)
        before = address_book.attach(db, person_id, wanted)
        _name(db, change, person_id)
        links.relink_records(db, change, Kind.PERSON, [person_id])
    return before


def remove_address(
    store: Store,
    person_id: int,
    address: str,
    before: address_book.Before = address_book.NOBODYS,
) -> undoing.Mark:
    """Take an address from a person; returns what put_address_back() needs."""
    from crmmail.store import naming  # nothing that the first picture waits for

    with store.write(*records.ALL_TOPICS) as (db, change):
        mark = undoing.mark(db)
        found = address_book.find(db, person_id, address)
        named = naming.is_named_by(db, person_id, found.id)
        address_book.release(db, found, before)
        address_book.ensure_primary(db, person_id)
        changes.log(db, Kind.PERSON, person_id, "address", found.address, "")
        owners = [one for one in (person_id, before.person_id) if one is not None]
        naming.name_people(db, change, owners, less=named)
        links.relink_records(db, change, Kind.PERSON, owners)
    return mark


def put_address_back(store: Store, person_id: int, address: str, since: undoing.Mark) -> None:
    """Take back that an address was removed: a contact that mail has made of it since goes."""
    with store.write(*records.ALL_TOPICS) as (db, change):
        undoing.free_address(db, change, address_book.parse(address), since)
    add_address(store, person_id, address)


def set_primary(store: Store, person_id: int, address: str, instead_of: str = "") -> str:
    """Make one of a person's addresses the primary one; returns which was.

    With `instead_of` only where that one is it still.
    """
    with store.write("people") as (db, change):
        found = address_book.find(db, person_id, address)
        (before,) = addresses(db, person_id)[:1]
        if instead_of and before != instead_of:
            raise records.ChangedError("primary address")
        address_book.make_primary(db, person_id, found.id)
        changes.log(db, Kind.PERSON, person_id, "primary", before, found.address)
        change.records.add((Kind.PERSON, person_id))
    return before


def delete(store: Store, person_id: int) -> int:
    """Delete a person; new mail does not bring them back (C5). Returns what restore() needs."""
    _set_deleted(store, person_id, deleted=True)
    return person_id


def restore(store: Store, person_id: int) -> None:
    """Bring a deleted person back, with their addresses, threads and notes."""
    _set_deleted(store, person_id, deleted=False)


def merge(store: Store, keep: int, other: int) -> merging.Merge:
    """Make two people one, who keeps every address, note and link (C8); returns how to undo it."""
    return merging.merge(store, Kind.PERSON, keep, other)


def unmerge(store: Store, done: merging.Merge) -> None:
    """Take a merge back."""
    merging.unmerge(store, done)


def _set_deleted(store: Store, person_id: int, deleted: bool) -> None:
    with store.write(*records.ALL_TOPICS) as (db, change):
        records.set_deleted(db, Kind.PERSON, person_id, deleted)
        db.execute(
            "UPDATE address SET no_contact = ? WHERE person_id = ?",
            ["deleted" if deleted else "", person_id],
        )
        links.relink_records(db, change, Kind.PERSON, [person_id])


def _name(db: sqlite3.Connection, change: Change, person_id: int) -> None:
    """Let mail name a person, unless somebody typed the name (C4)."""
    from crmmail.store import naming  # nothing that the first picture waits for

    naming.name_people(db, change, [person_id])


def _typed(opened: Mapping[str, Any], by_hand: bool) -> Mapping[str, Any]:
    return opened if by_hand else {key: one for key, one in opened.items() if key != "name"}


def _name_of(db: sqlite3.Connection, address: str) -> str:
    """What mail calls the owner of an address, else the address."""
    row = db.execute("SELECT name FROM address WHERE address = ?", [address]).fetchone()
    return row[0] if row and row[0] else address


def _company_at(db: sqlite3.Connection, wanted: list[str]) -> int | None:
    """The company that has the domain of one of these addresses (C5)."""
    for address in wanted:
        row = db.execute(
            "SELECT company.id FROM company_domain JOIN company ON company.id = company_id "
            "WHERE domain = ? AND deleted_at = 0",
            [site(domain_of(address))],
        ).fetchone()
        if row:
            return int(row[0])
    return None
