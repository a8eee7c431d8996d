"""What a person does by hand in a walk (hand_walk.py); each returns what takes it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from tests.sync.hand_world import SENDERS, Undo, Walk

from crmmail.screens import blocking, deeds, edit, merging, notes, participants
from crmmail.screens.linking import MEETINGS, THREADS, set_link
from crmmail.store import (
    accounts,
    calendars,
    companies,
    contact_ledger,
    ledger,
    letting,
    mail_rules,
    meeting_ledger,
    opportunities,
    people,
)
from crmmail.store.kinds import Kind

Deed: TypeAlias = Callable[[Walk], Undo | None]


def link_thread(walk: Walk) -> Undo | None:
    thread = walk.one("SELECT id, subject FROM thread")
    record = walk.record()
    if thread is None or record is None:
        return None
    value = walk.rnd.choice([1, 1, -1, -1, 0])
    walk.said.append(f"  {value} {record} thread {thread}")
    return set_link(walk.store, THREADS, (*record, thread[0]), value)


def link_meeting(walk: Walk) -> Undo | None:
    meeting = walk.one("SELECT id FROM meeting")
    record = walk.record()
    if meeting is None or record is None:
        return None
    return set_link(walk.store, MEETINGS, (*record, meeting[0]), walk.rnd.choice([1, -1, 0]))


def note(walk: Walk) -> Undo | None:
    record = walk.record()
    walk.number += 1
    return notes._add(walk.store, *record, f"Note {walk.number}") if record else None


def change_note(walk: Walk) -> Undo | None:
    row = walk.one("SELECT id FROM note")
    walk.number += 1
    return notes._edit(walk.store, row[0], f"Changed {walk.number}") if row else None


def delete_note(walk: Walk) -> Undo | None:
    row = walk.one("SELECT id FROM note")
    return notes._delete(walk.store, row[0]) if row else None


def _new(walk: Walk, kind: Kind, **values: object) -> Undo | None:
    form = edit.new_form(walk.store, kind, lambda _: None)
    return form.save({one.key: one.start for one in form.fields} | values)  # type: ignore[arg-type]  # what a field holds


def _some_address(walk: Walk) -> str:
    """One that nobody has, a stranger's, somebody deleted's; perhaps somebody's."""
    walk.number += 1
    found = walk.one(
        """SELECT address FROM address WHERE person_id IS NULL OR person_id IN (
               SELECT id FROM person WHERE deleted_at > 0)"""
    )
    new = f"new{walk.number}@new{walk.number % 3}.com"
    return walk.rnd.choice([new, found[0] if found else new, "ann@acme.com", "dee@fourth.com"])


def new_person(walk: Walk) -> Undo | None:
    name = walk.rnd.choice(["", f"Person {walk.number}"])
    return _new(walk, Kind.PERSON, name=name, addresses=_some_address(walk))


def new_company(walk: Walk) -> Undo | None:
    domain = _some_address(walk).partition("@")[2]
    return _new(walk, Kind.COMPANY, name=f"Firm {walk.number}", domains=domain)


def new_deal(walk: Walk) -> Undo | None:
    walk.number += 1
    person, company = walk.record(Kind.PERSON), walk.record(Kind.COMPANY)
    return _new(
        walk,
        Kind.OPPORTUNITY,
        name=f"Deal {walk.number}",
        contact_id=person[1] if person else None,
        company_id=walk.rnd.choice([None, company[1] if company else None]),
    )


def change_record(walk: Walk) -> Undo | None:
    record = walk.record()
    if record is None:
        return None
    walk.number += 1
    kind, number = record
    db = walk.store.read()
    values: dict[str, object] = {}
    if kind is Kind.PERSON:
        found: Any = people.get(db, number)
        company = walk.record(Kind.COMPANY)
        held = list(found.addresses)
        what = walk.rnd.choice(["name", "job", "add", "remove", "primary", "company"])
        if what in ("name", "job"):
            values = {what: f"Other {walk.number}"}
        elif what == "company":
            values = {"company_id": company[1] if company and walk.rnd.randrange(3) else None}
        else:
            if what == "add":
                held.append(_some_address(walk))
            elif what == "remove":
                held = held[1:]
            walk.rnd.shuffle(held)
            values = {"addresses": "\n".join(held)}
    elif kind is Kind.COMPANY:
        found = companies.get(db, number)
        held = list(found.domains)
        what = walk.rnd.choice(["name", "add", "remove", "links"])
        if what == "add":
            values = {"domains": "\n".join([*held, _some_address(walk).partition("@")[2]])}
        elif what == "remove":
            values = {"domains": "\n".join(held[1:])}
        else:
            values = {what: f"https://other.example/{walk.number}"}
    else:
        found = opportunities.get(db, number)
        person = walk.record(Kind.PERSON)
        values = walk.rnd.choice(
            [
                {"name": f"Other {walk.number}"},
                {"amount": str(walk.number)},
                {"contact_id": person[1] if person else None},
                {"stage": walk.rnd.randrange(6)},
            ]
        )
    walk.said.append(f"  {kind.name} {found.name}: {values}")
    form = edit.edit_form(walk.store, found)
    return form.save({one.key: one.start for one in form.fields} | values)  # type: ignore[arg-type]  # what a field holds


def delete_record(walk: Walk) -> Undo | None:
    record = walk.record()
    walk.said.append(f"  {record}")
    return deeds._delete(walk.store, record[0], [record[1]]) if record else None


def merge(walk: Walk) -> Undo | None:
    kind = walk.rnd.choice([Kind.PERSON, Kind.COMPANY])
    keep, *others = (walk.record(kind) for _ in range(walk.rnd.choice([2, 2, 3])))
    rest = {one[1] for one in others if one} - {keep[1] if keep else 0}
    if keep is None or not rest:
        return None
    walk.said.append(f"  {kind.name} {keep[1]} {rest}")
    return merging.merge(walk.store, kind, keep[1], sorted(rest))


def set_company(walk: Walk) -> Undo | None:
    person, company = walk.record(Kind.PERSON), walk.record(Kind.COMPANY)
    if person is None or company is None:
        return None
    return deeds._set_company(walk.store, [person[1]], walk.rnd.choice([company[1], None]))


def block(walk: Walk) -> Undo | None:
    address = walk.rnd.choice(SENDERS).partition("<")[2][:-1]
    return blocking._block(
        walk.store, [walk.rnd.choice([address, f"@{address.partition('@')[2]}"])]
    )


def unblock(walk: Walk) -> Undo | None:
    row = walk.one("SELECT pattern FROM blocklist")
    return letting._unblock(walk.store, row[0]) if row else None


def rule(walk: Walk) -> Undo | None:
    account = walk.one("SELECT id FROM account")[0]
    since = 1_767_600_000 + walk.rnd.randrange(60) * 86_400
    values = walk.rnd.choice(
        [
            {"policy": walk.rnd.choice(accounts.POLICIES)},
            {"meeting_policy": walk.rnd.choice(accounts.MEETING_POLICIES)},
            {"exclude_group": walk.rnd.choice([True, False])},
            {"exclude_free": walk.rnd.choice([True, False])},
            {"sync_internal": walk.rnd.choice([True, False])},
            {"sync_internal_meetings": walk.rnd.choice([True, False])},
            {"mail_since": walk.rnd.choice([0, since])},
            {"mail_level": walk.rnd.choice([0, 1, 2])},
            {"meeting_level": walk.rnd.choice([0, 2])},
        ]
    )
    walk.said.append(f"  {account} {values}")
    return mail_rules.set_values(walk.store, account, **values)


def folder(walk: Walk) -> Undo | None:
    row = walk.one("SELECT account_id, name, selected FROM folder WHERE selectable AND NOT former")
    if row is None:
        return None
    walk.said.append(f"  {row}")
    account, name, on = row
    mail_rules.select_folder(walk.store, account, name, on=not on)
    return partial(mail_rules.select_folder, walk.store, account, name, on=bool(on))


def internal(walk: Walk) -> Undo | None:
    account = walk.one("SELECT id FROM account")[0]
    domain = walk.rnd.choice(["acme.com", "far.example", "other.com", "home.example"])
    here = domain in accounts.internal_domains(walk.store.read(), account)
    walk.said.append(f"  {account} {domain} {here}")
    both = mail_rules.add_internal, mail_rules.drop_internal
    both[here](walk.store, account, domain)
    return partial(both[not here], walk.store, account, domain)


def alias(walk: Walk) -> Undo | None:
    account = walk.one("SELECT id FROM account")[0]
    address = walk.rnd.choice(["ann@acme.com", "bo@other.com", "alias@home.example"])
    here = address in accounts.addresses(walk.store.read(), account)
    walk.said.append(f"  {account} {address} {here}")
    both = mail_rules.add_alias, mail_rules.drop_alias
    both[here](walk.store, account, address)
    return partial(both[not here], walk.store, account, address)


def let_in(walk: Walk) -> Undo | None:
    db, by = walk.store.read(), ledger.Filter()
    kinds = (
        (ledger.view, ledger.window),
        (meeting_ledger.view, meeting_ledger.window),
        (contact_ledger.view, contact_ledger.window),
    )
    view, window = walk.rnd.choice(kinds)
    ids = list(view(db, by))  # type: ignore[operator]  # one of three pairs
    if not ids:
        return None
    (row,) = window(db, [walk.rnd.choice(ids)])  # type: ignore[operator]  # one of three pairs
    ways = letting.ways(db, row)
    if not ways:
        return None
    way = walk.rnd.choice(ways)
    walk.said.append(f"  {way.words}")
    return letting.let_in(walk.store, row, way.key)


def end_exception(walk: Walk) -> Undo | None:
    row = walk.one("SELECT pattern FROM allowlist")
    if row is None:
        return None
    mail_rules.disallow(walk.store, row[0])
    return partial(mail_rules.allow, walk.store, row[0])


def make_contact(walk: Walk) -> Undo | None:
    row = walk.one("SELECT address, no_contact FROM address WHERE person_id IS NULL")
    walk.said.append(f"  {row}")
    return participants.create(walk.store, row[0]) if row else None


def calendar(walk: Walk) -> Undo | None:
    row = walk.one("SELECT id, selected FROM calendar")
    if row is None:
        return None
    calendars.select(walk.store, row[0], on=not row[1])
    return partial(calendars.select, walk.store, row[0], on=bool(row[1]))


DEEDS: tuple[Deed, ...] = (
    *(link_thread,) * 4,
    *(link_meeting,) * 2,
    note,
    change_note,
    delete_note,
    new_person,
    new_company,
    new_deal,
    *(change_record,) * 3,
    *(delete_record,) * 2,
    *(merge,) * 2,
    set_company,
    *(block,) * 2,
    unblock,
    *(rule,) * 3,
    *(folder,) * 2,
    internal,
    alias,
    *(let_in,) * 2,
    end_exception,
    make_contact,
    calendar,
)
