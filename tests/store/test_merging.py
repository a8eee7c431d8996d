"""Two records become one, and two again (rules.md C8)."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import companies, notes, opportunities, people, threads
from crmmail.store.kinds import Kind
from crmmail.store.merging import Merge

from .conftest import Filler, World

EVERYTHING = (
    "person",
    "address",
    "company",
    "company_domain",
    "opportunity",
    "note",
    "thread_link",
)


def test_the_kept_person_has_all(fill: Filler, world: World) -> None:
    people.edit(fill.store, world.zoe, phone="123")
    note = notes.add(fill.store, Kind.PERSON, world.zoe, "likes tea")
    deal = opportunities.add(fill.store, "Deal", contact_id=world.zoe)
    threads.link(fill.store, Kind.PERSON, world.zoe, world.first)

    people.merge(fill.store, world.bert, world.zoe)

    bert = people.get(fill.db, world.bert)
    assert bert
    assert bert.addresses == ("bert@acme.com", "zoe@zoll.de")
    assert (bert.name, bert.company_id, bert.phone) == ("Bert Crane", world.acme, "123")
    assert [n.id for n in notes.of_record(fill.db, Kind.PERSON, world.bert)] == [note]
    found = threads.of_record(fill.db, Kind.PERSON, world.bert)
    assert list(found) == [world.third, world.second, world.first]
    assert bert.threads == 3
    assert opportunities.rows(fill.db, [deal])[0].contact == "Bert Crane"
    assert list(people.view(fill.db)) == [world.bert, world.anna]
    assert world.third in threads.of_record(fill.db, Kind.COMPANY, world.acme)


@pytest.mark.parametrize(("keep", "other"), [("bert", "zoe"), ("zoe", "anna"), ("anna", "bert")])
def test_undo_restores_people_exactly(fill: Filler, world: World, keep: str, other: str) -> None:
    for name in ("anna", "bert", "zoe"):
        person = getattr(world, name)
        notes.add(fill.store, Kind.PERSON, person, f"about {name}")
        opportunities.add(fill.store, f"Deal of {name}", contact_id=person)
    people.edit(fill.store, world.anna, job="CEO", links="https://x.example")
    people.set_primary(fill.store, world.anna, "anna@mail.example")
    threads.hide(fill.store, Kind.PERSON, world.anna, world.first)
    threads.link(fill.store, Kind.PERSON, world.bert, world.first)
    threads.link(fill.store, Kind.PERSON, world.zoe, world.second)
    before = fill.content(*EVERYTHING)

    done = people.merge(fill.store, getattr(world, keep), getattr(world, other))
    assert fill.content(*EVERYTHING) != before
    people.unmerge(fill.store, done)

    assert fill.content(*EVERYTHING) == before


def test_undo_survives_being_written_down(fill: Filler, world: World) -> None:
    threads.link(fill.store, Kind.PERSON, world.zoe, world.first)
    before = fill.content(*EVERYTHING)
    done = people.merge(fill.store, world.bert, world.zoe)
    people.unmerge(fill.store, Merge(**json.loads(json.dumps(asdict(done)))))
    assert fill.content(*EVERYTHING) == before


def test_a_person_without_addresses_takes_the_primary_one(fill: Filler, world: World) -> None:
    carl = people.create(fill.store, "Carl")
    before = fill.content(*EVERYTHING)
    done = people.merge(fill.store, carl, world.anna)
    assert people.addresses(fill.db, carl) == ("anna@acme.com", "anna@mail.example")
    people.unmerge(fill.store, done)
    assert fill.content(*EVERYTHING) == before


def test_a_merge_keeps_what_the_hand_said_of_the_kept(fill: Filler, world: World) -> None:
    threads.hide(fill.store, Kind.PERSON, world.anna, world.second)
    threads.link(fill.store, Kind.PERSON, world.bert, world.second)
    people.merge(fill.store, world.anna, world.bert)
    assert world.second not in threads.of_record(fill.db, Kind.PERSON, world.anna)


def test_undo_leaves_what_was_changed_since(fill: Filler, world: World) -> None:
    people.edit(fill.store, world.zoe, job="CTO")
    done = people.merge(fill.store, world.bert, world.zoe)
    people.edit(fill.store, world.bert, job="COO")
    people.remove_address(fill.store, world.bert, "zoe@zoll.de")
    people.add_address(fill.store, world.anna, "zoe@zoll.de")

    people.unmerge(fill.store, done)

    bert, zoe = (people.get(fill.db, i) for i in (world.bert, world.zoe))
    assert bert
    assert zoe
    assert (bert.job, zoe.job, zoe.addresses) == ("COO", "CTO", ())
    assert "zoe@zoll.de" in people.addresses(fill.db, world.anna)


def test_each_undo_works_once(fill: Filler, world: World) -> None:
    done = people.merge(fill.store, world.bert, world.zoe)
    people.unmerge(fill.store, done)
    before = fill.content(*EVERYTHING)
    with pytest.raises(CrmmailError, match="is not deleted"):
        people.unmerge(fill.store, done)
    assert fill.content(*EVERYTHING) == before


def test_the_kept_company_has_all(fill: Filler, world: World) -> None:
    deal = opportunities.add(fill.store, "Deal", company_id=world.zoll)
    notes.add(fill.store, Kind.COMPANY, world.zoll, "pays late")
    threads.link(fill.store, Kind.COMPANY, world.zoll, world.first)
    before = fill.content(*EVERYTHING)

    done = companies.merge(fill.store, world.acme, world.zoll)

    (row,) = companies.rows(fill.db, companies.view(fill.db))
    assert (row.id, row.people, row.threads) == (world.acme, 3, 3)
    assert row.domains == ("acme.com", "zoll.de", "zoll.eu")
    assert opportunities.rows(fill.db, [deal])[0].threads == 3
    assert len(notes.of_record(fill.db, Kind.COMPANY, world.acme)) == 1

    companies.unmerge(fill.store, done)
    assert fill.content(*EVERYTHING) == before


def test_what_is_refused(fill: Filler, world: World) -> None:
    with pytest.raises(CrmmailError, match="with itself"):
        people.merge(fill.store, world.anna, world.anna)
    with pytest.raises(CrmmailError, match="no person with the number 999"):
        people.merge(fill.store, world.anna, 999)
    people.delete(fill.store, world.zoe)
    with pytest.raises(CrmmailError, match="is not there any more"):
        people.merge(fill.store, world.anna, world.zoe)
