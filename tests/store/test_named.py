"""Which of the records that match is meant: the one that is called what was typed."""

from __future__ import annotations

import pytest

from crmmail.screens.choices import finder
from crmmail.store import companies, opportunities, people, search
from crmmail.store.kinds import Kind
from crmmail.widgets.picker import SHOWN

from .conftest import Filler


@pytest.fixture
def bakery(fill: Filler) -> dict[str, int]:
    """A company, two people who work there, and what has the name in its own."""
    company = companies.create(fill.store, "Levain", ["levain.example"])
    camille = people.create(fill.store, "Camille", ["camille@levain.example"], company)
    theo = people.create(fill.store, "Théo", ["theo@levain.example"], company)
    annex = companies.create(fill.store, "Atelier Levain", ["atelier.example"])
    deal = opportunities.add(fill.store, "Levain, new oven", company_id=company)
    return {"company": company, "camille": camille, "theo": theo, "annex": annex, "deal": deal}


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("Levain", (Kind.COMPANY, "company")),
        (" levain ", (Kind.COMPANY, "company")),
        ("LEVAIN.example", (Kind.COMPANY, "company")),
        ("leva", (Kind.COMPANY, "company")),
        ("levain, n", (Kind.OPPORTUNITY, "deal")),
        ("atelier", (Kind.COMPANY, "annex")),
        ("theo", (Kind.PERSON, "theo")),
        ("theo@levain.example", (Kind.PERSON, "theo")),
    ],
)
def test_the_record_that_is_called_so_is_the_first_of_all_kinds(
    fill: Filler, bakery: dict[str, int], typed: str, first: tuple[Kind, str]
) -> None:
    found = search.find_records(fill.db, typed)
    assert (found[0].kind, found[0].record_id) == (first[0], bakery[first[1]])


def test_those_that_only_work_there_come_after_those_that_are_called_so(
    fill: Filler, bakery: dict[str, int]
) -> None:
    found = [(one.kind, one.record_id) for one in search.find_records(fill.db, "levain")]
    assert found[:2] == [
        (Kind.COMPANY, bakery["company"]),
        (Kind.OPPORTUNITY, bakery["deal"]),
    ]
    assert set(found[2:]) == {
        (Kind.PERSON, bakery["camille"]),
        (Kind.PERSON, bakery["theo"]),
        (Kind.COMPANY, bakery["annex"]),
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_one_that_is_called_so_is_offered_first_however_many_others_match(
    fill: Filler, kind: Kind
) -> None:
    makers = {
        Kind.PERSON: lambda name: people.create(fill.store, name),
        Kind.COMPANY: lambda name: companies.create(fill.store, name),
        Kind.OPPORTUNITY: lambda name: opportunities.add(fill.store, name),
    }
    wanted = makers[kind]("Zénith")
    for number in range(SHOWN + 10):
        makers[kind](f"Air Zenith {number:03}")
    choices = finder(fill.store, kind)("zenith")
    assert (choices[0].id, choices[0].name, len(choices)) == (wanted, "Zénith", SHOWN)
    assert choices[0].id not in [one.id for one in choices[1:]]


def test_a_deleted_record_is_not_offered_though_it_is_called_so(fill: Filler) -> None:
    gone = companies.create(fill.store, "Zenith")
    for number in range(SHOWN + 1):
        companies.create(fill.store, f"Air Zenith {number:03}")
    companies.delete(fill.store, gone)
    assert gone not in [one.id for one in finder(fill.store, Kind.COMPANY)("zenith")]
