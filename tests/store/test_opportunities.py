"""Opportunities: lists and edits (rules.md C7)."""

from __future__ import annotations

from typing import Any

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import opportunities, threads
from crmmail.store.kinds import Kind

from .conftest import NOON, Filler, World


def test_an_opportunity_has_the_mail_of_its_company_and_its_contact(
    fill: Filler, world: World
) -> None:
    """C7, each row saying which."""
    deal = opportunities.add(fill.store, "Deal", company_id=world.acme, contact_id=world.zoe)
    ids = threads.of_record(fill.db, Kind.OPPORTUNITY, deal)
    assert list(ids) == [world.third, world.second, world.first]
    rows = threads.rows(fill.db, ids, Kind.OPPORTUNITY, deal)
    assert [row.why for row in rows] == ["contact", "company", "company"]
    (row,) = opportunities.rows(fill.db, [deal])
    assert (row.company, row.contact, row.threads, row.first_at) == ("Acme", "Zoë Ärmel", 3, NOON)


def test_another_company_brings_its_mail(fill: Filler, world: World) -> None:
    """C6."""
    deal = opportunities.add(fill.store, "Deal", company_id=world.acme)
    before = fill.content("opportunity", "thread_link")
    undo = opportunities.edit(fill.store, deal, company_id=world.zoll, contact_id=world.bert)
    ids = threads.of_record(fill.db, Kind.OPPORTUNITY, deal)
    assert list(ids) == [world.third, world.second]
    assert undo == {"company_id": world.acme, "contact_id": None}
    opportunities.edit(fill.store, deal, **undo)
    assert fill.content("opportunity", "thread_link") == before


def test_sorts_and_match(fill: Filler, world: World) -> None:
    one = opportunities.add(fill.store, "Änderung", stage="won", amount=5, closes_on="2026-05-01")
    two = opportunities.add(fill.store, "Bau", world.zoll, amount=9, currency="usd")
    three = opportunities.add(fill.store, "Cabin", world.acme, stage="meeting", amount=7)
    orders = {
        "last": [two, three, one],
        "name": [one, two, three],
        "company": [three, two, one],
        "stage": [two, three, one],
        "amount": [two, three, one],
        "closes": [one, two, three],
        "threads": [three, two, one],
    }
    for sort, order in orders.items():
        assert list(opportunities.view(fill.db, sort)) == order, sort
    assert list(opportunities.view(fill.db, match="acme")) == [three]
    assert opportunities.rows(fill.db, [two])[0].currency == "USD"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": " "}, "name is missing"),
        ({"stage": "lots"}, "'lots' is not a stage"),
        ({"amount": -1}, "not an amount"),
        ({"amount": "12"}, "not an amount"),
        ({"currency": "euro"}, "not a currency"),
        ({"closes_on": "soon"}, "not a date"),
        ({"company_id": 999}, "no company with the number 999"),
        ({"contact_id": 999}, "no person with the number 999"),
        ({"colour": "red"}, "no field 'colour'"),
    ],
)
def test_what_is_refused(fill: Filler, world: World, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(CrmmailError, match=says) as caught:
        opportunities.add(fill.store, **({"name": "Deal"} | fields))
    assert caught.value.hint
    assert fill.content("opportunity")["opportunity"] == []


def test_delete_and_restore(fill: Filler, world: World) -> None:
    deal = opportunities.add(fill.store, "Deal", company_id=world.acme)
    before = fill.content("opportunity", "thread_link")
    opportunities.delete(fill.store, deal)
    assert list(opportunities.view(fill.db)) == []
    assert opportunities.get(fill.db, deal) is None
    assert not threads.of_record(fill.db, Kind.OPPORTUNITY, deal)
    opportunities.restore(fill.store, deal)
    assert fill.content("opportunity", "thread_link") == before
    detail = opportunities.get(fill.db, deal)
    assert detail
    assert (detail.name, detail.stage, detail.source) == ("Deal", "new", "hand")
