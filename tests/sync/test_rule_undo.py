"""A rule that is set back takes back all that its change did: the store is what it was (C10)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.events import event
from tests.sync.letters import ME, START, letter
from tests.sync.office import Office

from crmmail.store import accounts, calendars, mail_rules, notes, people, rule_changes
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync import taking_back

LIST = "List-Id: <l.example>"
DAY = 86_400


def fill(mailbox: Mailbox) -> None:
    """Mail of every kind that a rule lets in or keeps out; some of it makes and names people."""
    mailbox.append(
        "INBOX",
        letter(1, sender="Ann Lee <ann@acme.com>"),
        letter(2, sender="Annie Lee <ann@acme.com>", more=LIST, refs="<1@test>"),
        letter(3, sender="Colin Home <col@home.example>"),
        letter(4, sender="Bo Berg <bo@other.com>", to=f"{ME}, Gus <gus@gmail.com>"),
        letter(5, sender="info@acme.com"),
        letter(6, sender="Help <support@tool.com>"),
        letter(7, sender="Old Me <me@old.example>", to="Eve <eve@eden.com>, info@garden.com"),
        letter(8, sender="Free Fay <fay@gmail.com>"),
        letter(9, sender="Newsy <news@paper.com>", to=f"{ME}, Zed <zed@zoo.com>", more=LIST),
        letter(10, sender="Spam <spam@pest.com>", to=f"{ME}, ann@acme.com"),
        letter(11, sender="info@garden.com"),
        letter(12, sender="Robert Berg <bo@other.com>", refs="<4@test>", day=40),
        letter(13, sender="Bo <bo@other.com>", subject="No id").replace(
            b"Message-ID: <13@test>\r\n", b""
        ),
    )
    mailbox.append(
        "Sent",
        letter(20, sender=f"Me <{ME}>", to="Cy Dent <cy@third.com>", day=20),
        letter(21, sender=f"Me <{ME}>", to="ann@acme.com", day=1.5, refs="<1@test>"),
        letter(22, sender=f"Me <{ME}>", to="Dan <dan@gmail.com>, col@home.example", day=21),
        letter(23, sender=f"Me <{ME}>", to="support@tool.com", day=22),
    )
    mailbox.append(
        "Archive",
        letter(30, sender="Hal <hal@ninth.com>", day=50),
        letter(31, sender="Ann B. Lee <ann@acme.com>", day=51),
        letter(32, sender=f"Me <{ME}>", to="info@acme.com, Ivy <ivy@tenth.com>", day=52),
        letter(33, sender=f"Me <{ME}>", to="col@home.example, info@home.example", day=53),
    )


@dataclass(frozen=True, slots=True)
class Case:
    """A setting: what holds before, and what does it and returns what takes it back."""

    do: Callable[[Store], Callable[[], object]]
    first: dict[str, object] = field(default_factory=dict)
    before: Callable[[Store], object] | None = None


def values(**wanted: object) -> Callable[[Store], Callable[[], object]]:
    return lambda store: mail_rules.set_values(store, 1, **wanted)


def pair(there: Callable, back: Callable, *what: object) -> Callable:
    """Something of the account, or of all, that is done and taken back."""

    def do(store: Store) -> Callable[[], object]:
        there(store, *what)
        return partial(back, store, *what)

    return do


def select(on: bool, name: str) -> Callable:
    def do(store: Store) -> Callable[[], object]:
        mail_rules.select_folder(store, 1, name, on=on)
        return lambda: mail_rules.select_folder(store, 1, name, on=not on)

    return do


def off(name: str) -> Callable:
    return lambda store: mail_rules.select_folder(store, 1, name, on=False)


WIDE: dict[str, object] = {"policy": "sent_and_received", "exclude_free": False}
block, unblock = mail_rules.block, mail_rules.unblock
allow, disallow = mail_rules.allow, mail_rules.disallow
CASES = {
    "policy wider": Case(values(policy="sent_and_received")),
    "policy and free mail": Case(values(**WIDE)),
    "policy narrower": Case(values(policy="sent"), WIDE),
    "policy none": Case(values(policy="none"), WIDE),
    "free mail": Case(values(exclude_free=False), {"policy": "sent_and_received"}),
    "free mail, sent": Case(values(exclude_free=False)),
    "no free mail": Case(values(exclude_free=True), WIDE),
    "group mail": Case(values(exclude_group=False), WIDE),
    "no group mail": Case(values(exclude_group=True), {**WIDE, "exclude_group": False}),
    "internal mail": Case(values(sync_internal=True), WIDE),
    "no internal mail": Case(values(sync_internal=False), {**WIDE, "sync_internal": True}),
    "domain of colleagues": Case(
        pair(mail_rules.add_internal, mail_rules.drop_internal, 1, "acme.com"), WIDE
    ),
    "none of colleagues": Case(
        pair(mail_rules.drop_internal, mail_rules.add_internal, 1, "home.example"), WIDE
    ),
    "alias": Case(pair(mail_rules.add_alias, mail_rules.drop_alias, 1, "me@old.example")),
    "alias, wide": Case(
        pair(mail_rules.add_alias, mail_rules.drop_alias, 1, "me@old.example"), WIDE
    ),
    "no alias": Case(
        pair(mail_rules.drop_alias, mail_rules.add_alias, 1, "me@old.example"),
        before=lambda store: mail_rules.add_alias(store, 1, "me@old.example"),
    ),
    "since": Case(values(mail_since=int(START.timestamp()) + 15 * DAY), WIDE),
    "earlier": Case(
        values(mail_since=0), {**WIDE, "mail_since": int(START.timestamp()) + 15 * DAY}
    ),
    "folder off": Case(select(False, "Archive"), WIDE),
    "folder on": Case(select(True, "Archive"), WIDE, off("Archive")),
    "sent off": Case(select(False, "Sent"), WIDE),
    "sent on": Case(select(True, "Sent"), WIDE, off("Sent")),
    "block": Case(pair(block, unblock, "bo@other.com"), WIDE),
    "block a domain": Case(pair(block, unblock, "@acme.com"), WIDE),
    "unblock": Case(
        pair(unblock, block, "@acme.com"), WIDE, lambda store: block(store, "@acme.com")
    ),
    "let in a sender": Case(pair(allow, disallow, "news@paper.com"), WIDE),
    "let in a domain": Case(pair(allow, disallow, "@home.example"), WIDE),
    "let in a message": Case(pair(allow, disallow, "<2@test>"), WIDE),
    "end an exception": Case(
        pair(disallow, allow, "<9@test>"), WIDE, lambda store: allow(store, "<9@test>")
    ),
    "subjects": Case(values(mail_level=1), WIDE),
    "metadata": Case(values(mail_level=0), WIDE),
    "everything": Case(values(mail_level=2), {**WIDE, "mail_level": 0}),
}


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)


def start(store: Store, mailbox: Mailbox, case: Case) -> list[str]:
    """Import under the rules before; returns the dump."""
    fill(mailbox)
    connect(store, mailbox, **{"policy": "sent", **case.first})
    sync(store)
    if case.before:
        case.before(store)
        sync(store)
    return dumped(store)


def numbers(store: Store) -> list[tuple[object, ...]]:
    """The threads of messages whose id is not made of what a level hides."""
    return (
        store.read()
        .execute(
            "SELECT message_id, thread_id FROM message WHERE message_id LIKE '%@test' ORDER BY 1"
        )
        .fetchall()
    )


@pytest.mark.parametrize("syncs", [2, 1, 0], ids=["two syncs", "a sync", "no sync"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_is_changed_and_set_back(
    store: Store, mailbox: Mailbox, password: None, case: Case, syncs: int
) -> None:
    before = start(store, mailbox, case)
    threads = numbers(store)
    undo = case.do(store)
    for _ in range(syncs):
        sync(store)
    if syncs:
        assert dumped(store) != before
    undo()
    sync(store)
    assert dumped(store) == before
    assert numbers(store) == threads
    assert rule_changes.undone(store.read()) == []
    sync(store)
    assert dumped(store) == before


def test_changes_are_set_back_in_any_order(store: Store, mailbox: Mailbox, password: None) -> None:
    before = start(store, mailbox, Case(values()))
    undos = []
    for name in ("policy wider", "free mail", "group mail", "folder off", "alias", "block"):
        undos.append(CASES[name].do(store))
        sync(store)
    for place in (2, 3, 0, 4, 1, 5):
        undos[place]()
        sync(store)
    assert dumped(store) == before


def test_who_was_edited_or_written_to_stays(store: Store, mailbox: Mailbox, password: None) -> None:
    """What a person did outlives the way back; so does whom the rules of now make a contact."""
    start(store, mailbox, Case(values()))
    undo = mail_rules.set_values(store, 1, policy="sent_and_received")
    sync(store)
    names = "SELECT name FROM person ORDER BY 1"
    bo = store.read().execute("SELECT id FROM person WHERE name LIKE '%Berg'").fetchone()[0]
    eve = store.read().execute("SELECT id FROM person WHERE name = 'Eve'").fetchone()[0]
    notes.add(store, Kind.PERSON, bo, "Rows")
    people.edit(store, eve, job="Gardener")
    mailbox.append("Sent", letter(60, sender=f"Me <{ME}>", to="Spam <spam@pest.com>"))
    sync(store)
    undo()
    sync(store)
    kept = [name for (name,) in store.read().execute(names)]
    assert kept == ["Ann B. Lee", "Cy Dent", "Eve", "Ivy", "Robert Berg", "Spam"]
    companies = "SELECT name FROM company ORDER BY 1"
    assert [name for (name,) in store.read().execute(companies)] == [
        "Acme", "Eden", "Other", "Pest", "Tenth", "Third",
    ]  # fmt: skip


def test_a_third_value_keeps_the_people(store: Store, mailbox: Mailbox, password: None) -> None:
    """M12: only the way back to what was takes people out."""
    start(store, mailbox, Case(values()))
    mail_rules.change(store, 1, policy="sent_and_received")
    sync(store)
    count = "SELECT count(*) FROM person"
    before = store.read().execute(count).fetchone()
    mail_rules.change(store, 1, policy="none")
    sync(store)
    assert store.read().execute(count).fetchone() == before


def test_the_way_back_waits_for_every_account(
    store: Store, mailbox: Mailbox, password: None, new_mailbox: Callable[[], Mailbox]
) -> None:
    """A pattern off the blocklist, and on it again: people of both accounts go."""
    other = new_mailbox()
    other.append("INBOX", letter(70, sender="Vi <vi@pest.com>", to="me@work.example"))
    block(store, "@pest.com")
    connect(store, other, "me@work.example")
    before = start(store, mailbox, Case(values(), {"policy": "sent_and_received"}))
    unblock(store, "@pest.com")
    sync(store)
    names = "SELECT name FROM person WHERE name IN ('Vi', 'Spam') ORDER BY 1"
    assert store.read().execute(names).fetchall() == [("Spam",), ("Vi",)]
    block(store, "@pest.com")
    sync(store)
    assert dumped(store) == before


def test_two_passes_take_back_the_same_change(
    store: Store, mailbox: Mailbox, password: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of mail and of calendars: when one has read what is to be done, the other one does it all."""
    before = start(store, mailbox, Case(values()))
    undo = CASES["policy wider"].do(store)
    sync(store)
    undo()
    mail_rules.change(store, 1, exclude_group=False)  # a later change, which stays
    read, found = rule_changes.undone, list[int]()

    def overtaken(db: sqlite3.Connection) -> list[rule_changes.Undone]:
        waiting = read(db)
        found.append(len(waiting))
        if len(found) == 1:
            taking_back.run(store)
        return waiting

    monkeypatch.setattr(rule_changes, "undone", overtaken)
    sync(store)
    assert found == [1, 1]
    assert read(store.read()) == []
    mail_rules.change(store, 1, exclude_group=True)
    sync(store)
    assert dumped(store) == before


def test_nothing_of_a_removed_account_is_left_to_take_back(
    store: Store, mailbox: Mailbox, password: None
) -> None:
    start(store, mailbox, Case(values()))
    mail_rules.change(store, 1, policy="sent_and_received")
    accounts.remove(store, ME)
    assert store.read().execute("SELECT count(*) FROM rule_change").fetchone() == (0,)


def test_it_is_said_before_what_the_way_back_takes(
    store: Store, mailbox: Mailbox, password: None
) -> None:
    start(store, mailbox, Case(values()))
    assert rule_changes.words(store.read(), 1, "policy", "sent") == ""
    mail_rules.change(store, 1, policy="sent_and_received")
    sync(store)
    assert rule_changes.words(store.read(), 1, "policy", "sent") == (
        "Takes back up to 5 contacts that the change made; those that you edited stay."
    )
    assert rule_changes.words(store.read(), 1, "policy", "none") == ""


MEETING_CASES = {
    "policy": Case(values(meeting_policy="both"), {"meeting_policy": "none"}),
    "policy narrower": Case(values(meeting_policy="none")),
    "colleagues": Case(values(sync_internal_meetings=True)),
    "private": Case(values(sync_private=True)),
    "visibility": Case(values(meeting_level=0)),
    "block": Case(pair(block, unblock, "@far.example")),
    "unblock": Case(
        pair(unblock, block, "@far.example"), before=lambda s: block(s, "@far.example")
    ),
    "internal": Case(pair(mail_rules.add_internal, mail_rules.drop_internal, 1, "far.example")),
    "alias": Case(pair(mail_rules.add_alias, mail_rules.drop_alias, 1, "ann@far.example")),
}


@pytest.mark.parametrize("case", MEETING_CASES.values(), ids=MEETING_CASES.keys())
def test_a_rule_of_meetings_is_changed_and_set_back(radicale_office: Office, case: Case) -> None:
    office = radicale_office
    fill_calendar(office)
    if case.first:
        mail_rules.change(office.store, 1, **case.first)
    if case.before:
        case.before(office.store)
    office.settle()
    before = dumped(office.store)
    undo = case.do(office.store)
    office.settle()
    assert dumped(office.store) != before
    undo()
    office.settle()
    assert dumped(office.store) == before


def test_a_calendar_is_read_and_not_any_more(radicale_office: Office) -> None:
    office = radicale_office
    office.settle()
    number = calendars.named(office.store.read(), "work").id
    calendars.select(office.store, number, on=False)
    fill_calendar(office)
    office.settle()
    before = dumped(office.store)
    calendars.select(office.store, number, on=True)
    office.settle()
    assert office.titles() == {"Talk", "Dinner"}
    calendars.select(office.store, number, on=False)
    office.settle()
    assert dumped(office.store) == before


def fill_calendar(office: Office) -> None:
    """A meeting with others, a private one, one of colleagues."""
    office.server.put("work", "1.ics", event(1, "Talk"))
    office.server.put("work", "2.ics", event(2, "Dinner").replace("Ann Far", "Ann Farther"))
    secret = event(3, "Secret", "CLASS:PRIVATE").replace("ann@far", "kay@key")
    office.server.put("work", "3.ics", secret)
    colleagues = event(4, "Standup").replace("ann@far.example", "col@home.example")
    office.server.put("work", "4.ics", colleagues)
