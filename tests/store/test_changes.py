"""What the user has changed about records, as the timeline tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from crmmail.store import companies, notes, opportunities, people, timeline
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

from .conftest import DAY, NOON, Filler, World

NOW = NOON + 30 * DAY


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    """A month after the last message."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def told(store: Store, kind: Kind, record_id: int) -> list[tuple[str, str, str]]:
    """The changes of a record, newest first."""
    db = store.read()
    rows = timeline.rows(db, kind, timeline.of_record(db, kind, record_id))
    changed = [row.change for row in rows if row.what == timeline.CHANGE and row.change]
    return [(change.field, change.old, change.new) for change in changed]


def test_each_field_of_a_person_is_told(fill: Filler, world: World) -> None:
    people.edit(fill.store, world.anna, job="Engineer", name="Anna B")
    people.set_company(fill.store, world.anna, world.zoll)
    people.add_address(fill.store, world.anna, "anna@new.example")
    people.set_primary(fill.store, world.anna, "anna@new.example")
    people.remove_address(fill.store, world.anna, "anna@mail.example")
    assert told(fill.store, Kind.PERSON, world.anna) == [
        ("address", "anna@mail.example", ""),
        ("primary", "anna@acme.com", "anna@new.example"),
        ("address", "", "anna@new.example"),
        ("company_id", "Acme", "Zoll"),
        ("name", "Anna Berg", "Anna B"),
        ("job", "", "Engineer"),
    ]


def test_each_field_of_a_company_is_told(fill: Filler, world: World) -> None:
    companies.edit(fill.store, world.acme, links="https://acme.com\nhttps://acme.org")
    companies.add_domain(fill.store, world.acme, "acme.org")
    companies.add_domain(fill.store, world.acme, "acme.org")
    companies.remove_domain(fill.store, world.acme, "acme.com")
    assert told(fill.store, Kind.COMPANY, world.acme) == [
        ("domain", "acme.com", ""),
        ("domain", "", "acme.org"),
        ("links", "", "https://acme.com https://acme.org"),
    ]


def test_stages_and_amounts_of_an_opportunity_are_told(fill: Filler, world: World) -> None:
    deal = opportunities.add(fill.store, "Press", world.acme, stage="proposal", amount=50_000)
    opportunities.edit(fill.store, deal, stage="won", amount=60_000, contact_id=world.anna)
    assert told(fill.store, Kind.OPPORTUNITY, deal) == [
        ("contact_id", "", "Anna Berg"),
        ("amount", "50000 EUR", "60000 EUR"),
        ("stage", "proposal", "won"),
    ]


def test_what_is_the_same_as_before_is_no_change(fill: Filler, world: World) -> None:
    people.edit(fill.store, world.anna, name="Anna Berg", job="")
    assert told(fill.store, Kind.PERSON, world.anna) == []


def test_what_is_taken_back_soon_leaves_no_trace(
    fill: Filler, world: World, clock: time_machine.Coordinates
) -> None:
    deal = opportunities.add(fill.store, "Press", world.acme)
    before = opportunities.edit(fill.store, deal, stage="meeting", amount=100)
    clock.shift(600)
    opportunities.edit(fill.store, deal, **before)
    assert told(fill.store, Kind.OPPORTUNITY, deal) == []


def test_what_is_taken_back_later_is_a_change_of_its_own(
    fill: Filler, world: World, clock: time_machine.Coordinates
) -> None:
    deal = opportunities.add(fill.store, "Press", world.acme)
    opportunities.edit(fill.store, deal, stage="meeting")
    clock.shift(7200)
    opportunities.edit(fill.store, deal, stage="new")
    assert told(fill.store, Kind.OPPORTUNITY, deal) == [
        ("stage", "meeting", "new"),
        ("stage", "new", "meeting"),
    ]


def test_only_the_last_change_of_a_field_is_taken_back(fill: Filler, world: World) -> None:
    for job in ("A", "B", "C", "A", ""):
        people.edit(fill.store, world.anna, job=job)
    assert [(old, new) for _, old, new in told(fill.store, Kind.PERSON, world.anna)] == [
        ("A", ""),
        ("C", "A"),
        ("B", "C"),
        ("A", "B"),
        ("", "A"),
    ]


def test_two_addresses_are_taken_back_each_for_itself(fill: Filler, world: World) -> None:
    for address in ("one@new.example", "two@new.example"):
        people.add_address(fill.store, world.anna, address)
    people.remove_address(fill.store, world.anna, "one@new.example")
    assert told(fill.store, Kind.PERSON, world.anna) == [("address", "", "two@new.example")]


def test_a_merge_is_told_and_its_undoing_leaves_no_trace(
    fill: Filler, world: World, clock: time_machine.Coordinates
) -> None:
    done = people.merge(fill.store, world.anna, world.bert)
    assert told(fill.store, Kind.PERSON, world.anna) == [("merged", "", "Bert Crane")]
    clock.shift(60)
    people.unmerge(fill.store, done)
    assert told(fill.store, Kind.PERSON, world.anna) == []
    assert told(fill.store, Kind.PERSON, world.bert) == []


def test_a_failed_edit_is_not_told(fill: Filler, world: World) -> None:
    deal = opportunities.add(fill.store, "Press", world.acme)
    with pytest.raises(Exception, match="not a stage"):
        opportunities.edit(fill.store, deal, amount=5, stage="nonsense")
    assert told(fill.store, Kind.OPPORTUNITY, deal) == []


def test_everything_is_in_one_order(
    fill: Filler, world: World, clock: time_machine.Coordinates
) -> None:
    notes.add(fill.store, Kind.PERSON, world.anna, "Call her")
    clock.shift(60)
    people.edit(fill.store, world.anna, job="Engineer")
    ids = timeline.of_record(fill.db, Kind.PERSON, world.anna)
    rows = timeline.rows(fill.db, Kind.PERSON, ids)
    made, mail = timeline.MADE, timeline.MAIL
    assert [row.what for row in rows] == [timeline.CHANGE, timeline.NOTE, mail, mail, made, mail]
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
