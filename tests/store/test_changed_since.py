"""Taking an edit back leaves what was changed since, by another process too (U2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from crmmail.errors import CrmmailError
from crmmail.screens import deeds, edit
from crmmail.screens import notes as notes_screen
from crmmail.screens.undo import Steps
from crmmail.store import companies, mail_rules, notes, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

from .conftest import World


@pytest.fixture
def other(store: Store, world: World) -> Iterator[Store]:
    """The store as another process has it open."""
    with closing(Store(store.path)) as other:
        yield other


def value(store: Store, table: str, column: str, number: int) -> Any:
    (found,) = store.read().execute(f"SELECT {column} FROM {table} WHERE id = ?", [number])
    return found[0]


def test_a_field_that_was_changed_since_stays_and_the_others_are_set_back(
    store: Store, world: World, other: Store
) -> None:
    people.edit(store, world.anna, job="Clerk", phone="1", links="old.example")
    anna = people.get(store.read(), world.anna)
    assert anna is not None
    steps = Steps()
    edit._save_person(store, anna, {"job": "CEO", "phone": "2", "links": "new.example"}, steps)
    people.edit(other, world.anna, phone="+49 30 123")
    with pytest.raises(CrmmailError, match="The phone was changed since"):
        steps.undo()
    now = people.get(store.read(), world.anna)
    assert now is not None
    assert (now.job, now.phone, now.links) == ("Clerk", "+49 30 123", "old.example")


def test_a_field_that_is_as_it_was_typed_is_set_back(store: Store, world: World) -> None:
    anna = people.get(store.read(), world.anna)
    assert anna is not None
    steps = Steps()
    typed = {"name": "  Anna   B. ", "job": " CEO ", "company_id": world.zoll}
    edit._save_person(store, anna, typed, steps)
    assert value(store, "person", "name", world.anna) == "Anna B."
    steps.undo()
    assert people.get(store.read(), world.anna) == anna


def test_a_company_that_somebody_else_has_chosen_since_stays(
    store: Store, world: World, other: Store
) -> None:
    was = value(store, "person", "company_id", world.zoe)
    undo = deeds._set_company(store, [world.anna, world.zoe], None)
    people.set_company(other, world.anna, world.zoll)
    with pytest.raises(CrmmailError, match="The company was changed since"):
        undo()
    assert value(store, "person", "company_id", world.anna) == world.zoll
    assert value(store, "person", "company_id", world.zoe) == was


def test_so_do_the_fields_of_companies_and_opportunities(
    store: Store, world: World, other: Store
) -> None:
    deal = opportunities.add(store, "Press", world.acme, amount=700, closes_on="2026-01-31")
    acme, press = companies.get(store.read(), world.acme), opportunities.get(store.read(), deal)
    assert acme is not None
    assert press is not None
    steps = Steps()
    edit._save_company(store, acme, {"name": "Acme Ltd", "links": "acme.example"}, steps)
    edit._save_opportunity(store, press, {"amount": "8.00", "closes_on": "2026-02-28"}, steps)
    companies.edit(other, world.acme, name="Acme Inc.")
    opportunities.edit(other, deal, closes_on="2026-03-31")
    with pytest.raises(CrmmailError, match="The closing date was changed since"):
        steps.undo()
    assert value(store, "company", "name", world.acme) == "Acme Inc."
    assert value(store, "company", "links", world.acme) == acme.links
    assert value(store, "opportunity", "amount", deal) == 700
    assert value(store, "opportunity", "closes_on", deal) == "2026-03-31"


def test_so_does_the_primary_address(store: Store, world: World, other: Store) -> None:
    for one in ("two@home.example", "three@home.example"):
        people.add_address(store, world.anna, one)
    first, *rest = people.addresses(store.read(), world.anna)
    steps = Steps()
    edit._save_addresses(
        store, world.anna, [rest[-1], *(one for one in (first, *rest) if one != rest[-1])], steps
    )
    people.set_primary(other, world.anna, rest[0])
    with pytest.raises(CrmmailError, match="The primary address was changed since"):
        steps.undo()
    assert people.addresses(store.read(), world.anna)[0] == rest[0]


@pytest.mark.parametrize("made", [notes_screen._add, notes_screen._edit])
def test_a_note_that_was_changed_since_stays(
    store: Store, world: World, other: Store, made: Callable[..., Callable[[], object]]
) -> None:
    if made is notes_screen._add:
        undo = made(store, Kind.PERSON, world.anna, "Likes tea. ")
        (note,) = store.read().execute("SELECT max(id) FROM note").fetchone()
    else:
        note = notes.add(store, Kind.PERSON, world.anna, "Likes gin.")
        undo = made(store, note, "Likes tea. ")
    notes.edit(other, note, "Likes tea, and wrote for an hour more.")
    with pytest.raises(CrmmailError, match="The note was changed since"):
        undo()
    assert value(store, "note", "text", note) == "Likes tea, and wrote for an hour more."


def test_so_does_a_setting(store: Store, world: World, other: Store) -> None:
    undo = mail_rules.set_values(store, world.account, policy="none", exclude_group=False)
    mail_rules.change(other, world.account, policy="sent_and_received")
    with pytest.raises(CrmmailError, match="The setting was changed since"):
        undo()
    assert value(store, "account", "policy", world.account) == "sent_and_received"
    assert value(store, "account", "exclude_group", world.account) == 0


def test_a_setting_that_is_as_it_was_set_is_set_back_once(store: Store, world: World) -> None:
    undo = mail_rules.set_values(store, world.account, mail_since=86_400, name="Work")
    undo()
    assert value(store, "account", "mail_since", world.account) == 0
    assert value(store, "account", "name", world.account) == ""
    with pytest.raises(CrmmailError, match="The setting was changed since"):
        undo()


def test_what_the_store_does_not_take_now_can_be_taken_back_later(store: Store) -> None:
    done: list[str] = []
    locked = [True]

    def second() -> None:
        if locked[0]:
            raise sqlite3.OperationalError("database is locked")
        done.append("second")

    steps = Steps()
    steps.add(lambda: done.append("first"))
    steps.add(second)
    with pytest.raises(sqlite3.OperationalError):
        steps.undo()
    locked[0] = False
    steps.undo()
    assert done == ["second", "first"]
