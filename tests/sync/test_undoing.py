"""What was done by hand is taken back without a trace, whatever mail came meanwhile (C5, C9)."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Mailbox
from tests.sync.conftest import dumped
from tests.sync.letters import letter

from crmmail.screens import edit, participants
from crmmail.screens.linking import THREADS, set_link
from crmmail.screens.undo import Undo
from crmmail.store import companies, mail_rules, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync.loop import Report

Sync = Callable[[], Report]
ZOE = "Zoe <zoe@zoll.de>"


def new(store: Store, kind: Kind, **values: object) -> Undo:
    """Make a record with the form; returns what takes it back."""
    form = edit.new_form(store, kind, lambda _: None)
    undo = form.save({one.key: one.start for one in form.fields} | values)  # type: ignore[arg-type]  # texts
    assert undo is not None
    return undo


def change(store: Store, kind: Kind, record_id: int, **values: object) -> Undo:
    """Change a record with the form; returns what takes it back."""
    found = (people if kind is Kind.PERSON else companies).get(store.read(), record_id)
    assert found is not None
    form = edit.edit_form(store, found)
    undo = form.save({one.key: one.start for one in form.fields} | values)  # type: ignore[arg-type]  # texts
    assert undo is not None
    return undo


def owner(store: Store, address: str) -> int:
    """Whose an address is."""
    query = "SELECT person_id FROM address WHERE address = ?"
    return int(store.read().execute(query, [address]).fetchone()[0])


def at(store: Store, domain: str) -> int:
    """Whose a domain is."""
    found = companies.holders(store.read(), [domain])[domain]
    assert found is not None
    return found


def test_a_record_that_is_made_and_taken_back_leaves_nothing(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1), letter(2, sender="Fay <fay@gmail.com>"))
    account()
    ann, before = owner(store, "ann@acme.com"), dumped(store)
    for undo in (
        lambda: new(store, Kind.PERSON, name="Pat", addresses="pat@new.com\nfay@gmail.com"),
        lambda: new(store, Kind.COMPANY, name="New", domains="new.com"),
        lambda: new(store, Kind.OPPORTUNITY, name="Deal", contact_id=ann),
        lambda: participants.create(store, "fay@gmail.com"),
        lambda: change(store, Kind.PERSON, ann, addresses="ann@acme.com\npat@new.com"),
        lambda: change(store, Kind.PERSON, ann, addresses=""),
    ):
        undo()()
        assert dumped(store) == before
        account()
        assert dumped(store) == before


def test_a_deleted_contact_has_its_address_again(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """Else the next mail would bring it back (C5), and nobody could restore it."""
    mailbox.append("INBOX", letter(1, sender=ZOE))
    account()
    zoe, zoll = owner(store, "zoe@zoll.de"), at(store, "zoll.de")
    pat = people.create(store, "Pat", ["pat@new.com"])
    firm = companies.create(store, "Firm", ["firm.com"])
    people.delete(store, zoe)
    companies.delete(store, zoll)
    before = dumped(store)
    for deed in (
        lambda: new(store, Kind.PERSON, addresses="zoe@zoll.de"),
        lambda: new(store, Kind.COMPANY, name="Other", domains="zoll.de"),
        lambda: participants.create(store, "zoe@zoll.de"),
        lambda: change(store, Kind.PERSON, pat, addresses="pat@new.com\nzoe@zoll.de"),
        lambda: change(store, Kind.COMPANY, firm, domains="firm.com\nzoll.de"),
    ):
        undo = deed()
        assert dumped(store) != before
        undo()
        assert dumped(store) == before
    mailbox.append("INBOX", letter(2, sender=ZOE))
    account()
    assert list(people.view(store.read())) == [pat]
    assert list(companies.view(store.read())) == [firm]
    people.restore(store, zoe)
    companies.restore(store, zoll)
    assert people.addresses(store.read(), zoe) == ("zoe@zoll.de",)
    assert companies.people(store.read(), zoll) == (zoe,)


def test_what_was_removed_comes_back_though_mail_has_made_another_of_it(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender=ZOE))
    account()
    zoe, zoll = owner(store, "zoe@zoll.de"), at(store, "zoll.de")
    address = change(store, Kind.PERSON, zoe, addresses="")
    domain = change(store, Kind.COMPANY, zoll, domains="")
    mailbox.append("INBOX", letter(2, sender=ZOE), letter(3, sender="Tom <tom@zoll.de>"))
    account()
    assert owner(store, "zoe@zoll.de") != zoe
    assert at(store, "zoll.de") != zoll
    domain()
    address()
    assert people.addresses(store.read(), zoe) == ("zoe@zoll.de",)
    assert len(people.view(store.read())) == 2
    assert list(companies.view(store.read())) == [zoll]
    assert set(companies.people(store.read(), zoll)) == {zoe, owner(store, "tom@zoll.de")}


def test_a_link_is_taken_back_while_its_mail_is_away(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender=ZOE), letter(2))
    account()
    deal = opportunities.add(store, "Deal")
    before = dumped(store)
    (thread,) = (
        store.read().execute("SELECT thread_id FROM message WHERE message_id = '1@test'").fetchone()
    )
    undo = set_link(store, THREADS, (Kind.OPPORTUNITY, deal, thread), 1)
    mail_rules.block(store, "zoe@zoll.de")
    account()
    undo()
    mail_rules.unblock(store, "zoe@zoll.de")
    account()
    assert dumped(store) == before
    assert store.read().execute("SELECT count(*) FROM manual_link").fetchone() == (0,)


def test_a_link_is_taken_back_from_each_part_of_its_thread(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """Two conversations were one when the link was made; what each had before it has again."""
    mailbox.append("INBOX", letter(1, sender=ZOE), letter(2), letter(3, refs="<1@test> <2@test>"))
    account()
    deal = opportunities.add(store, "Deal")
    (thread,) = store.read().execute("SELECT id FROM thread").fetchone()
    set_link(store, THREADS, (Kind.OPPORTUNITY, deal, thread), -1)
    undo = set_link(store, THREADS, (Kind.OPPORTUNITY, deal, thread), 1)
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages(3)
        client.expunge()
    account()
    query = "SELECT thread_id, hand FROM thread_link WHERE kind = 3 ORDER BY 1"
    assert [hand for _, hand in store.read().execute(query)] == [1, 1]
    undo()
    assert [hand for _, hand in store.read().execute(query)] == [-1, -1]


def test_numbers_stay_when_threads_that_were_joined_fall_apart(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """T5, also where a part has messages that were in a third thread once."""
    mailbox.append("INBOX", *(letter(n, sender=f"P{n} <p{n}@firm{n}.com>") for n in (1, 2, 3)))
    account()
    mailbox.append("INBOX", letter(4, refs="<1@test> <3@test>"))
    account()
    query = "SELECT message_id, thread_id FROM message ORDER BY 1"
    before = store.read().execute(query).fetchall()
    assert len({thread for _, thread in before}) == 2
    mailbox.append("INBOX", letter(5, refs="<2@test> <1@test>"))
    account()
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages(5)
        client.expunge()
    account()
    assert store.read().execute(query).fetchall() == before


def test_a_company_that_comes_back_has_the_people_who_came_meanwhile(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """After a delete, and after a merge: as if neither had been."""
    mailbox.append("INBOX", letter(1, sender=ZOE), letter(2))
    account()
    zoll, acme = at(store, "zoll.de"), at(store, "acme.com")
    alone = people.create(store, "Kim", company_id=acme)
    companies.delete(store, zoll)
    mailbox.append("INBOX", letter(3, sender="Tom <tom@zoll.de>"))
    account()
    tom = owner(store, "tom@zoll.de")
    assert companies.people(store.read(), acme) == (owner(store, "ann@acme.com"), alone)
    companies.restore(store, zoll)
    assert set(companies.people(store.read(), zoll)) == {owner(store, "zoe@zoll.de"), tom}
    done = companies.merge(store, acme, zoll)
    mailbox.append("INBOX", letter(4, sender="Uta <uta@zoll.de>"), letter(5, sender="al@acme.com"))
    account()
    assert len(companies.people(store.read(), acme)) == 6
    companies.unmerge(store, done)
    here = {owner(store, f"{name}@zoll.de") for name in ("zoe", "tom", "uta")}
    assert set(companies.people(store.read(), zoll)) == here
    assert len(companies.people(store.read(), acme)) == 3


def name(store: Store, person: int) -> str:
    """What somebody is called."""
    found = people.get(store.read(), person)
    assert found is not None
    return found.name


def test_mail_that_came_meanwhile_names_those_who_were_merged(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender=ZOE), letter(2, sender="Al <al@acme.com>"))
    account()
    zoe, al = owner(store, "zoe@zoll.de"), owner(store, "al@acme.com")
    done = people.merge(store, zoe, al)
    mailbox.append(
        "INBOX",
        letter(3, sender="Zoe Frost <zoe@zoll.de>"),
        letter(4, sender="Albert Lee <al@acme.com>"),
    )
    account()
    assert name(store, zoe) == "Zoe"
    people.unmerge(store, done)
    assert (name(store, zoe), name(store, al)) == ("Zoe Frost", "Albert Lee")


def test_so_it_does_with_a_name_that_was_typed_and_taken_back(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender=ZOE))
    account()
    zoe = owner(store, "zoe@zoll.de")
    undo = change(store, Kind.PERSON, zoe, name="Z")
    mailbox.append("INBOX", letter(2, sender="Zoe Frost <zoe@zoll.de>"))
    account()
    assert name(store, zoe) == "Z"
    undo()
    assert name(store, zoe) == "Zoe Frost"


def test_an_address_that_is_taken_back_takes_its_name_along(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender="zoe@zoll.de"))
    account()
    zoe, before = owner(store, "zoe@zoll.de"), dumped(store)
    undo = change(store, Kind.PERSON, zoe, addresses="zoe@zoll.de\nshop@zoll.de")
    mailbox.append("INBOX", letter(2, sender="The Shop <shop@zoll.de>"))
    account()
    assert name(store, zoe) == "The Shop"
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages(2)
        client.expunge()
    account()
    undo()
    assert name(store, zoe) == "Zoe"
    assert dumped(store) == before


def test_people_who_joined_a_company_that_is_taken_back_have_that_which_mail_makes(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """As if it had never been made; whom the user put there is at no company."""
    mailbox.append("INBOX", letter(1))
    account()
    undo = new(store, Kind.COMPANY, name="Press works", domains="press.com\nzoll.de")
    mailbox.append("INBOX", letter(2, sender="Pat <pat@press.com>"), letter(3, sender=ZOE))
    account()
    works = at(store, "press.com")
    pat, zoe = owner(store, "pat@press.com"), owner(store, "zoe@zoll.de")
    assert set(companies.people(store.read(), works)) == {pat, zoe}
    undo()
    press, zoll = at(store, "press.com"), at(store, "zoll.de")
    assert (companies.people(store.read(), press), companies.people(store.read(), zoll)) == (
        (pat,),
        (zoe,),
    )
    found = [companies.get(store.read(), one) for one in (press, zoll)]
    assert [(one.name, one.source, one.threads) for one in found if one] == [
        ("Press", "mail", 1),
        ("Zoll", "mail", 1),
    ]
    names = "SELECT name FROM company ORDER BY name"
    assert store.read().execute(names).fetchall() == [("Acme",), ("Press",), ("Zoll",)]


def test_so_do_those_who_joined_by_a_domain_that_is_taken_back(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1, sender="Ann <ann@acme.com>"), letter(5, sender=ZOE))
    account()
    acme, zoll = at(store, "acme.com"), at(store, "zoll.de")
    companies.delete(store, zoll)
    undo = change(store, Kind.COMPANY, acme, domains="acme.com\npress.com\nzoll.de")
    mailbox.append(
        "INBOX", letter(2, sender="Pat <pat@press.com>"), letter(3, sender="Tom <tom@zoll.de>")
    )
    account()
    assert len(companies.people(store.read(), acme)) == 3
    undo()
    assert companies.people(store.read(), acme) == (owner(store, "ann@acme.com"),)
    assert companies.people(store.read(), at(store, "press.com")) == (
        owner(store, "pat@press.com"),
    )
    tom = people.get(store.read(), owner(store, "tom@zoll.de"))
    assert tom is not None
    assert (tom.company_id, at(store, "zoll.de")) == (None, zoll)
