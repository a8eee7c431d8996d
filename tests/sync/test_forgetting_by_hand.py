"""Forgetting a person takes away nothing that was done by hand to others (C5, C10)."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Mailbox
from tests.sync.letters import letter

from crmmail.store import companies, forgetting, mail_rules, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync.loop import Report

Sync = Callable[[], Report]
ANN, BEA, BO = "ann@acme.com", "bea@acme.com", "bo@other.com"


def person(store: Store, address: str) -> int:
    """Whose an address is."""
    query = "SELECT person_id FROM address WHERE address = ?"
    return int(store.read().execute(query, [address]).fetchone()[0])


def company(store: Store, domain: str) -> int:
    """Whose a domain is."""
    found = companies.holders(store.read(), [domain])[domain]
    assert found is not None
    return found


def test_a_company_that_was_edited_stays(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", letter(1, sender=ANN))
    account()
    acme = company(store, "acme.com")
    companies.edit(store, acme, links="https://acme.example")
    forgetting.forget(store, ANN)
    found = companies.get(store.read(), acme)
    assert found is not None
    assert found.links == "https://acme.example"


def test_a_company_that_was_deleted_stays_so(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", letter(1, sender=ANN), letter(2, sender=BEA))
    account()
    companies.delete(store, company(store, "acme.com"))
    for address in (ANN, BEA):
        people.edit(store, person(store, address), company_id=None)
    forgetting.forget(store, ANN)
    mailbox.append("INBOX", letter(3, sender="tom@acme.com"))
    account()
    assert list(companies.view(store.read())) == []


def test_what_is_told_of_a_deal_names_nobody_else(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """The number of the erased person is the next one's."""
    mailbox.append("INBOX", letter(1, sender=BO))
    account()
    mailbox.append("INBOX", letter(2, sender=ANN))
    account()
    ann, bo = person(store, ANN), person(store, BO)
    deal = opportunities.add(store, "Deal", contact_id=ann)
    opportunities.edit(store, deal, contact_id=bo)
    forgetting.forget(store, ANN)
    mailbox.append("INBOX", letter(3, sender="Cy <cy@third.com>"))
    account()
    assert person(store, "cy@third.com") == ann
    query = "SELECT old, new FROM record_change WHERE kind = ? AND field = 'contact_id'"
    assert store.read().execute(query, [int(Kind.OPPORTUNITY)]).fetchall() == [("", str(bo))]


def test_a_rule_that_is_set_back_takes_back_who_has_the_number_of_an_erased_person(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender=BO), letter(2, sender="Fay <fay@gmail.com>"))
    account()
    mailbox.append("INBOX", letter(3, sender=ANN))
    account()
    undo = mail_rules.set_values(store, 1, exclude_free=False)
    forgetting.forget(store, ANN)
    account()
    assert len(people.view(store.read())) == 2  # Bo, and Fay with a number that Ann had
    undo()
    account()
    assert list(people.view(store.read())) == [person(store, BO)]
