"""Links and hides of mail made by hand outlive its rows (C7), and so do thread ids."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.store import companies, forgetting, mail_rules, opportunities, people, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind, Level
from crmmail.store.manual import digest_key
from crmmail.sync.loop import Report

Sync = Callable[[], Report]
OTHER = "Dee <dee@fourth.com>"


def letters() -> list[bytes]:
    """Two threads with Ann, one with Bo, one of a list, one from a colleague; one without an id."""
    return [
        letter(1, subject="Offer"),
        letter(2, sender=f"Me <{ME}>", to="Ann Lee <ann@acme.com>", refs="<1@test>"),
        letter(3, subject="Invoice"),
        letter(4, sender="Bo <bo@other.com>", subject="Boat"),
        letter(5, sender="News <news@paper.com>", more="List-Id: <l.example>"),
        letter(6, sender="Col <col@home.example>"),
        letter(7, subject="No id").replace(b"Message-ID: <7@test>\r\n", b""),
        letter(8, subject="Re: Invoice"),  # T2: joins by its subject only
    ]


def numbers(store: Store) -> dict[str, int]:
    """The thread of each message, by what the server said of it."""
    query = "SELECT sent_at, thread_id FROM message"
    return {
        f"{(at - int(START.timestamp())) // 86_400}": thread
        for at, thread in store.read().execute(query)
    }


def by_hand(store: Store) -> list[tuple[object, ...]]:
    """What is shown of links and hides by hand: record, thread, hand."""
    query = "SELECT kind, record_id, thread_id, hand FROM thread_link WHERE hand != 0 ORDER BY 1, 3"
    return store.read().execute(query).fetchall()


def link_by_hand(store: Store) -> None:
    """Link, and hide, threads of every kind, to records of every kind."""
    found = numbers(store)
    ann = person(store, "ann@acme.com")
    deal = opportunities.add(store, "Press")
    other = companies.create(store, "Zoll", ["zoll.de"])
    threads.hide(store, Kind.PERSON, ann, found["1"])
    threads.link(store, Kind.OPPORTUNITY, deal, found["1"])
    threads.link(store, Kind.OPPORTUNITY, deal, found["4"])
    threads.link(store, Kind.COMPANY, other, found["3"])
    threads.link(store, Kind.COMPANY, other, found["7"])


def person(store: Store, address: str) -> int:
    """Whose an address is."""
    query = "SELECT person_id FROM address WHERE address = ?"
    return int(store.read().execute(query, [address]).fetchone()[0])


def select(on: bool, store: Store, _mailbox: Mailbox) -> None:
    """Read INBOX, or not."""
    mail_rules.select_folder(store, 1, "INBOX", on=on)


def rule(store: Store, _mailbox: Mailbox, **values: object) -> None:
    """Set a rule of the account."""
    mail_rules.change(store, 1, **values)


def block(pattern: str, store: Store, _mailbox: Mailbox) -> None:
    mail_rules.block(store, pattern)


def unblock(pattern: str, store: Store, _mailbox: Mailbox) -> None:
    mail_rules.unblock(store, pattern)


def internal(store: Store, _mailbox: Mailbox) -> None:
    mail_rules.add_internal(store, 1, "acme.com")


def not_internal(store: Store, _mailbox: Mailbox) -> None:
    mail_rules.drop_internal(store, 1, "acme.com")


def expunge(_store: Store, mailbox: Mailbox) -> None:
    """All that was linked is gone from the server, in earnest."""
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages(client.search(["NOT", "SUBJECT", "Other"]))
        client.expunge()


def append(_store: Store, mailbox: Mailbox) -> None:
    """It is there again, under other UIDs."""
    mailbox.append("INBOX", *letters())


def new_uids(_store: Store, mailbox: Mailbox) -> None:
    """The folder is another one, with another UIDVALIDITY, and the same mail."""
    with mailbox.client() as client:
        client.delete_folder("Work")
        client.create_folder("Work")
    mailbox.append("Work", *letters())


AWAY_AND_BACK = {
    "block": (partial(block, "@acme.com"), partial(unblock, "@acme.com")),
    "block one": (partial(block, "ann@acme.com"), partial(unblock, "ann@acme.com")),
    "folder": (partial(select, False), partial(select, True)),
    "internal": (internal, not_internal),
    "since": (
        partial(rule, mail_since=int(START.timestamp()) + 20 * 86_400),
        partial(rule, mail_since=0),
    ),
    "since, half": (
        partial(rule, mail_since=int(START.timestamp()) + 3 * 86_400),
        partial(rule, mail_since=0),
    ),
    "subjects": (partial(rule, mail_level=Level.SUBJECT), partial(rule, mail_level=2)),
    "metadata": (partial(rule, mail_level=Level.METADATA), partial(rule, mail_level=2)),
    "deleted": (expunge, append),
}


@pytest.mark.parametrize(("away", "back"), AWAY_AND_BACK.values(), ids=AWAY_AND_BACK.keys())
def test_what_leaves_and_comes_back_is_linked_and_hidden_as_before(
    store: Store, mailbox: Mailbox, account: Sync, away: Callable, back: Callable
) -> None:
    mailbox.append("INBOX", *letters())
    mailbox.append("INBOX", *(letter(n, subject="Other", sender=OTHER) for n in range(20, 40)))
    account()
    link_by_hand(store)
    before = dumped(store), numbers(store), by_hand(store)
    assert len(before[2]) == 5
    for _ in range(2):
        away(store, mailbox)
        account()
        back(store, mailbox)
        account()
        assert numbers(store) == before[1]
        assert by_hand(store) == before[2]
        assert dumped(store) == before[0]


def test_a_folder_that_begins_anew_keeps_what_was_done_by_hand(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """Its UIDVALIDITY is another one (S4)."""
    mailbox.append("Work", *letters())
    account()
    link_by_hand(store)
    before = dumped(store), numbers(store), by_hand(store)
    new_uids(store, mailbox)
    account()
    assert (dumped(store), numbers(store), by_hand(store)) == before


def test_no_thread_gets_the_number_of_one_that_is_away(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1), letter(2, sender="Bo <bo@other.com>"))
    account()
    before = numbers(store)
    mail_rules.block(store, "bo@other.com")
    account()
    mailbox.append("INBOX", letter(3), letter(4))
    account()
    mail_rules.unblock(store, "bo@other.com")
    account()
    after = numbers(store)
    assert {number: after[number] for number in before} == before
    assert len(set(after.values())) == 4


def test_each_part_of_a_thread_that_falls_apart_is_what_it_was(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """A message that a rule lets in joins two threads; taken back, they part, each with its own."""
    mailbox.append("INBOX", letter(1), letter(2, sender="Bo <bo@other.com>"))
    account()
    before = numbers(store)
    deal = opportunities.add(store, "Press")
    threads.link(store, Kind.OPPORTUNITY, deal, before["1"])
    threads.hide(store, Kind.PERSON, person(store, "bo@other.com"), before["2"])
    shown = by_hand(store)
    mailbox.append("INBOX", letter(3, refs="<1@test> <2@test>", more="List-Id: <l.example>"))
    account()
    kept = dumped(store)
    undo = mail_rules.set_values(store, 1, exclude_group=False)
    account()
    assert len(set(numbers(store).values())) == 1
    assert sorted((kind, hand) for kind, _, _, hand in by_hand(store)) == [(1, -1), (3, 1)]
    undo()
    account()
    assert numbers(store) == before
    assert by_hand(store) == shown
    assert dumped(store) == kept


def test_a_link_stays_with_what_is_left_of_its_thread(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """The reply that came later is linked when the message is deleted that the link was made on."""
    mailbox.append("INBOX", letter(1, subject="Invoice"))
    account()
    deal = opportunities.add(store, "Press")
    threads.link(store, Kind.OPPORTUNITY, deal, numbers(store)["1"])
    mailbox.append("INBOX", letter(2, subject="Re: Invoice"))
    account()
    shown = by_hand(store)
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages(1)
        client.expunge()
    account()
    assert list(numbers(store)) == ["2"]
    assert by_hand(store) == shown


def test_what_was_taken_back_stays_so(store: Store, mailbox: Mailbox, account: Sync) -> None:
    """A link that was made and unmade is not there after its mail left and came back."""
    mailbox.append("INBOX", letter(1), letter(2, refs="<1@test>", sender="Bo <bo@other.com>"))
    account()
    ann, thread = person(store, "ann@acme.com"), numbers(store)["1"]
    threads.hide(store, Kind.PERSON, ann, thread)
    mail_rules.block(store, "ann@acme.com")
    account()
    threads.set_hand(store, Kind.PERSON, ann, thread, 0)
    mail_rules.unblock(store, "ann@acme.com")
    account()
    assert by_hand(store) == []
    assert store.read().execute("SELECT count(*) FROM manual_link").fetchone() == (0,)


def test_merged_and_unmerged_while_the_mail_is_away(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", *letters())
    account()
    ann, bo = person(store, "ann@acme.com"), person(store, "bo@other.com")
    thread = numbers(store)["4"]
    threads.link(store, Kind.PERSON, ann, thread)
    shown = by_hand(store)
    mail_rules.block(store, "bo@other.com")
    account()
    assert by_hand(store) == []
    done = people.merge(store, bo, ann)
    mail_rules.unblock(store, "bo@other.com")
    account()
    assert by_hand(store) == [(1, bo, thread, 1)]
    people.unmerge(store, done)
    assert by_hand(store) == shown


def test_nothing_of_somebody_forgotten_is_kept(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """Neither what the hand said of her mail, nor in which threads it was: not of blocked mail."""
    mailbox.append("INBOX", *letters())
    account()
    deal = opportunities.add(store, "Press")
    for number in ("1", "3", "4"):
        threads.link(store, Kind.OPPORTUNITY, deal, numbers(store)[number])
    mail_rules.block(store, "ann@acme.com")
    account()
    forgetting.forget(store, "ann@acme.com")
    account()
    keys = {key for (key,) in store.read().execute("SELECT key FROM manual_link")}
    keys |= {key for (key,) in store.read().execute("SELECT key FROM former_id")}
    assert keys == {digest_key("4@test")}


def test_an_account_that_comes_back_has_its_links(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    from crmmail.store import accounts

    mailbox.append("INBOX", *letters())
    account()
    link_by_hand(store)
    shown, before = by_hand(store), numbers(store)
    accounts.remove(store, ME)
    assert by_hand(store) == []
    connect(store, mailbox)
    sync(store)
    assert by_hand(store) == shown
    assert numbers(store) == before
