"""What another process has changed since is not overwritten: by an undo (U2), by a save (U14)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from crmmail.errors import CrmmailError
from crmmail.screens import deeds, edit
from crmmail.screens import notes as notes_screen
from crmmail.screens.undo import FieldError, Steps
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


def opened(store: Store, kind: Kind, record: int) -> Callable[..., Callable[[], object]]:
    """The form of a record as it is opened now: to be saved with what is typed into it."""
    module = {Kind.PERSON: people, Kind.COMPANY: companies, Kind.OPPORTUNITY: opportunities}[kind]
    found = module.get(store.read(), record)
    assert found is not None
    form = edit.edit_form(store, found)

    def save(**typed: Any) -> Callable[[], object]:
        undo = form.save({one.key: one.start for one in form.fields} | typed)
        assert undo is not None
        return undo

    return save


def test_a_field_that_was_changed_since_stays_and_the_others_are_set_back(
    store: Store, world: World, other: Store
) -> None:
    people.edit(store, world.anna, job="Clerk", phone="1", links="old.example")
    save = opened(store, Kind.PERSON, world.anna)
    undo = save(job="CEO", phone="+49 30 2", links="https://new.example")
    people.edit(other, world.anna, phone="+49 30 123")
    with pytest.raises(CrmmailError, match="The phone was changed since"):
        undo()
    now = people.get(store.read(), world.anna)
    assert now is not None
    assert (now.job, now.phone, now.links) == ("Clerk", "+49 30 123", "old.example")


def test_a_field_that_is_as_it_was_typed_is_set_back(store: Store, world: World) -> None:
    anna = people.get(store.read(), world.anna)
    assert anna is not None
    save = opened(store, Kind.PERSON, world.anna)
    undo = save(name="  Anna   B. ", job=" CEO ", company_id=world.zoll)
    assert value(store, "person", "name", world.anna) == "Anna B."
    undo()
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
    acme = companies.get(store.read(), world.acme)
    assert acme is not None
    steps = Steps()
    steps.add(
        "the company",
        opened(store, Kind.COMPANY, world.acme)(name="Acme Ltd", links="https://acme.example"),
    )
    steps.add(
        "the press", opened(store, Kind.OPPORTUNITY, deal)(amount="8.00", closes_on="2026-02-28")
    )
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
    wanted = [rest[-1], *(one for one in (first, *rest) if one != rest[-1])]
    undo = opened(store, Kind.PERSON, world.anna)(addresses="\n".join(wanted))
    people.set_primary(other, world.anna, rest[0])
    with pytest.raises(CrmmailError, match="The primary address was changed since"):
        undo()
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
    steps.add("one", lambda: done.append("first"))
    steps.add("two", second)
    with pytest.raises(sqlite3.OperationalError):
        steps.undo()
    locked[0] = False
    steps.undo()
    assert done == ["second", "first"]


class TestSave:
    """A form is saved after another process has changed what it shows."""

    def test_a_newer_value_is_told_and_the_next_save_replaces_it(
        self, store: Store, world: World, other: Store
    ) -> None:
        save = opened(store, Kind.PERSON, world.anna)
        people.edit(other, world.anna, job="CTO")
        with pytest.raises(
            FieldError, match=r"The job was changed meanwhile. It is now: CTO"
        ) as said:
            save(job="CEO", phone="+49 30 1")
        assert (said.value.field, "Save again" in said.value.hint) == ("job", True)
        assert value(store, "person", "job", world.anna) == "CTO"
        assert value(store, "person", "phone", world.anna) == ""
        undo = save(job="CEO", phone="+49 30 1")
        assert value(store, "person", "job", world.anna) == "CEO"
        assert value(store, "person", "phone", world.anna) == "+49 30 1"
        undo()
        assert value(store, "person", "job", world.anna) == "CTO"

    def test_changed_once_more_it_is_told_once_more(
        self, store: Store, world: World, other: Store
    ) -> None:
        save = opened(store, Kind.COMPANY, world.acme)
        companies.edit(other, world.acme, name="Acme Inc.")
        with pytest.raises(FieldError, match=r"now: Acme Inc."):
            save(name="Acme Ltd")
        companies.edit(other, world.acme, name="Acme SE")
        with pytest.raises(FieldError, match="now: Acme SE"):
            save(name="Acme Ltd")
        save(name="Acme Ltd")
        assert value(store, "company", "name", world.acme) == "Acme Ltd"

    def test_another_field_that_was_changed_stays_and_is_no_error(
        self, store: Store, world: World, other: Store
    ) -> None:
        save = opened(store, Kind.PERSON, world.anna)
        people.edit(other, world.anna, job="CTO", links="https://anna.example")
        save(phone="+49 30 1")
        now = people.get(store.read(), world.anna)
        assert now is not None
        assert (now.job, now.phone, now.links) == ("CTO", "+49 30 1", "https://anna.example")

    def test_the_company_is_told_by_its_name(
        self, store: Store, world: World, other: Store
    ) -> None:
        save = opened(store, Kind.PERSON, world.anna)
        people.set_company(other, world.anna, world.zoll)
        with pytest.raises(FieldError, match=r"The company was changed meanwhile. It is now: Zoll"):
            save(company_id=None)
        save(company_id=None)
        assert value(store, "person", "company_id", world.anna) is None

    def test_a_company_that_is_deleted_counts_as_none(self, store: Store, world: World) -> None:
        companies.delete(store, world.acme)
        opened(store, Kind.PERSON, world.anna)(company_id=world.zoll)
        assert value(store, "person", "company_id", world.anna) == world.zoll

    def test_a_name_that_mail_gave_meanwhile_is_no_newer_value(
        self, store: Store, world: World, other: Store
    ) -> None:
        """A name that the user types comes before any of mail (C4)."""
        save = opened(store, Kind.PERSON, world.anna)
        with other.write() as (db, _):
            db.execute("UPDATE person SET name = 'Anna Frost' WHERE id = ?", [world.anna])
        save(name="Annie")
        assert value(store, "person", "name", world.anna) == "Annie"
        save = opened(store, Kind.PERSON, world.anna)
        people.edit(other, world.anna, name="Anne")
        with pytest.raises(FieldError, match=r"The name was changed meanwhile. It is now: Anne"):
            save(name="Annika")

    def test_an_amount_is_told_with_its_currency_and_never_stored_in_another(
        self, store: Store, world: World, other: Store
    ) -> None:
        deal = opportunities.add(store, "Press", world.acme, amount=700, currency="EUR")
        save = opened(store, Kind.OPPORTUNITY, deal)
        opportunities.edit(other, deal, amount=900, currency="JPY")
        with pytest.raises(
            FieldError, match=r"The amount was changed meanwhile. It is now: 900 JPY"
        ):
            save(amount="8.00")
        save(amount="8.00")
        assert value(store, "opportunity", "amount", deal) == 800
        assert value(store, "opportunity", "currency", deal) == "EUR"

    def test_addresses_and_domains_that_were_added_elsewhere_stay(
        self, store: Store, world: World, other: Store
    ) -> None:
        person, company = (
            opened(store, Kind.PERSON, world.anna),
            opened(store, Kind.COMPANY, world.zoll),
        )
        people.add_address(other, world.anna, "new@home.example")
        people.remove_address(other, world.anna, "anna@mail.example")
        companies.add_domain(other, world.zoll, "zoll.at")
        person(addresses="anna@acme.com\nanna@mail.example\nmine@home.example")
        company(domains="zoll.de")
        assert set(people.addresses(store.read(), world.anna)) == {
            "anna@acme.com",
            "new@home.example",
            "mine@home.example",
        }
        assert companies.domains(store.read(), world.zoll) == ("zoll.at", "zoll.de")

    def test_another_primary_address_is_told(
        self, store: Store, world: World, other: Store
    ) -> None:
        people.add_address(store, world.anna, "third@home.example")
        save = opened(store, Kind.PERSON, world.anna)
        people.set_primary(other, world.anna, "third@home.example")
        wanted = "anna@mail.example\nanna@acme.com\nthird@home.example"
        with pytest.raises(FieldError, match=r"now: third@home.example") as said:
            save(addresses=wanted)
        assert said.value.field == "addresses"
        save(addresses=wanted)
        assert people.addresses(store.read(), world.anna)[0] == "anna@mail.example"

    def test_a_note_that_was_changed_is_told_and_the_next_save_replaces_it(
        self, store: Store, world: World, other: Store
    ) -> None:
        number = notes.add(store, Kind.PERSON, world.anna, "Likes gin.")
        note = notes.get(store.read(), number)
        assert note is not None
        save = notes_screen._editing(store, note)
        notes.edit(other, number, "Likes gin, and rain.")
        with pytest.raises(CrmmailError, match=r"It is now: Likes gin, and rain."):
            save("Likes tea.")
        assert value(store, "note", "text", number) == "Likes gin, and rain."
        undo = save("Likes tea.")
        assert value(store, "note", "text", number) == "Likes tea."
        undo()
        assert value(store, "note", "text", number) == "Likes gin, and rain."
