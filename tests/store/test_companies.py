"""Companies: lists, one of them, and edits (rules.md C5)."""

from __future__ import annotations

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import companies, people, threads
from crmmail.store.kinds import Kind

from .conftest import DAY, NOON, Filler, World


def test_lists(fill: Filler, world: World) -> None:
    db = fill.db
    assert list(companies.view(db)) == [world.zoll, world.acme]
    for sort in ("name", "people", "threads"):
        assert list(companies.view(db, sort)) == [world.acme, world.zoll]
    assert list(companies.view(db, match="ZOLL.EU")) == [world.zoll]
    acme, zoll = companies.rows(db, [world.acme, world.zoll])
    assert acme == companies.CompanyRow(
        world.acme, "Acme", ("acme.com",), 2, 2, NOON, NOON + 2 * DAY, 0
    )
    assert zoll.domains == ("zoll.de", "zoll.eu")


def test_get_has_the_people_newest_first(fill: Filler, world: World) -> None:
    fill.message("bert@acme.com", [fill.own], at=NOON + 9 * DAY)
    acme = companies.get(fill.db, world.acme)
    assert acme
    assert acme.people == (world.bert, world.anna)
    assert acme.domains == ("acme.com",)
    assert companies.get(fill.db, 999) is None


def test_a_new_company_has_the_mail_of_its_domains(fill: Filler, world: World) -> None:
    """C6, C7."""
    message = fill.message("carl@other.example", [fill.own])
    other = companies.create(fill.store, "Other", ["WWW.Other.example"])
    assert list(threads.of_record(fill.db, Kind.COMPANY, other)) == [fill.thread_of(message)]
    (row,) = companies.rows(fill.db, [other])
    assert (row.domains, row.threads) == (("other.example",), 1)


def test_domains_come_and_go_with_their_mail(fill: Filler, world: World) -> None:
    before = fill.content("company", "company_domain", "thread_link")
    message = fill.message("carl@other.example", [fill.own])
    assert companies.add_domain(fill.store, world.acme, "mail.other.example") == "other.example"
    assert fill.thread_of(message) in threads.of_record(fill.db, Kind.COMPANY, world.acme)
    companies.remove_domain(fill.store, world.acme, "other.example")
    assert fill.content("company", "company_domain", "thread_link") == before


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ("zoll.de", "belongs to Zoll"),
        ("anna@gmail.com", "Anybody can have an address at gmail.com"),
        ("acme", "not a domain"),
        ("", "not a domain"),
        (".com", "not a domain"),
    ],
)
def test_domains_that_are_refused(fill: Filler, world: World, domain: str, says: str) -> None:
    with pytest.raises(CrmmailError, match=says) as caught:
        companies.add_domain(fill.store, world.acme, domain)
    assert caught.value.hint


def test_a_foreign_domain_is_not_removed(fill: Filler, world: World) -> None:
    with pytest.raises(CrmmailError, match="no domain of this company"):
        companies.remove_domain(fill.store, world.acme, "zoll.de")


def test_edit_returns_what_undoes_it(fill: Filler, world: World) -> None:
    before = companies.get(fill.db, world.acme)
    undo = companies.edit(fill.store, world.acme, name="ACME Ltd", links="https://acme.com")
    changed = companies.get(fill.db, world.acme)
    assert changed
    assert (changed.name, changed.name_by_hand) == ("ACME Ltd", True)
    companies.edit(fill.store, world.acme, **undo)
    assert companies.get(fill.db, world.acme) == before


def test_delete_and_restore(fill: Filler, world: World) -> None:
    """C5: its people stay, its domains stay its own."""
    before = fill.content("company", "company_domain", "person", "thread_link")
    companies.delete(fill.store, world.acme)
    assert list(companies.view(fill.db)) == [world.zoll]
    assert companies.get(fill.db, world.acme) is None
    assert companies.get(fill.db, world.acme, deleted=True)
    assert not threads.of_record(fill.db, Kind.COMPANY, world.acme)
    anna = people.rows(fill.db, [world.anna])[0]
    assert (anna.company_id, anna.company, anna.threads) == (None, "", 2)
    companies.restore(fill.store, world.acme)
    assert fill.content("company", "company_domain", "person", "thread_link") == before
