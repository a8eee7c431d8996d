"""What a person does while a sync runs holds: the pass under way brings nothing back (S12)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, letter
from tests.sync.office import Office
from tests.sync.resources import calendar, meeting
from tests.sync.test_forgetting import bytes_of

from crmmail.store import forgetting, mail_rules, people
from crmmail.store.accounts import remove
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.sync import ingest, meetings, rejudge
from crmmail.sync.loop import sync_once

Act = Callable[[Store], object]
ANN, BOB = "ann@xylophone.example", "bob@acme.example"


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act, int], list[int]]:
    """Lets something happen after a batch was judged and fetched, before it is written: at that
    one of the writes. What is returned counts them.
    """

    def happen(act: Act, at: int = 1) -> list[int]:
        real, writes = ingest.save, list[int]()

        def save(store: Store, batch: ingest.Batch) -> int:
            writes.append(len(batch.kept) + len(batch.passed))
            if len(writes) == at:
                act(store)
            return real(store, batch)

        monkeypatch.setattr(ingest, "save", save)
        return writes

    return happen


@pytest.fixture
def filled(store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An account that was not synced yet: mail with Ann and with Bob, some of it group mail."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    ann, bob = f"Ann Xylophone <{ANN}>", f"Bob Stone <{BOB}>"
    for number in range(0, 120, 4):
        news = "List-Id: <z.example>" if number % 8 else ""
        mailbox.append(
            "INBOX",
            letter(number, sender=ann, subject=f"Zebra {number}", more=news),
            letter(number + 1, sender=bob, to=f"{ME}, {ANN}", subject=f"Zebra {number}"),
        )
        mailbox.append(
            "Sent",
            letter(number + 2, sender=ME, to=bob, subject=f"Offer {number}"),
            letter(number + 3, sender=ME, to=ann, subject=f"Zebra {number}"),
        )
    connect(store, mailbox)
    return store


RULES: dict[str, Act] = {
    "block": lambda store: mail_rules.block(store, BOB),
    "block a domain": lambda store: mail_rules.block(store, "@xylophone.example"),
    "forget": lambda store: forgetting.forget(store, ANN),
    "no text": lambda store: mail_rules.change(store, 1, mail_level=Level.SUBJECT),
    "no subject": lambda store: mail_rules.change(store, 1, mail_level=Level.METADATA),
    "since": lambda store: mail_rules.change(store, 1, mail_since=1_770_000_000),
    "policy": lambda store: mail_rules.change(store, 1, policy="none"),
    "lists": lambda store: mail_rules.change(store, 1, exclude_group=False),
    "alias": lambda store: mail_rules.add_alias(store, 1, BOB),
    "exception": lambda store: mail_rules.allow(store, ANN),
}


@pytest.mark.parametrize("what", RULES)
def test_a_rule_that_changes_before_the_first_write_holds_from_then_on(
    filled: Store, mailbox: Mailbox, tmp_path: Path, between, what: str
) -> None:
    writes = between(RULES[what])
    sync(filled)
    assert len(writes) > 1
    fresh = Store(tmp_path / "fresh.db")
    connect(fresh, mailbox)
    RULES[what](fresh)
    sync(fresh)
    assert _told(filled) == _told(fresh)
    fresh.close()


def _told(store: Store) -> list[str]:
    """The content of a store, without the mark of its rules, in which each store's salt is."""
    return [re.sub(r'"applied": "\w*"', "", line) for line in dumped(store)]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_who_is_forgotten_during_an_import_leaves_no_trace(filled: Store, between, at: int) -> None:
    writes = between(lambda store: forgetting.forget(store, ANN), at)
    (report,) = sync(filled)
    assert len(writes) > at
    assert report.skipped["forgotten"] == 90
    assert forgetting.traces(filled.read(), ANN).messages == 0
    for trace in (b"ebra", b"ylophone"):
        assert trace not in bytes_of(filled), trace


def test_who_is_forgotten_while_new_mail_is_written_leaves_no_trace(
    filled: Store, mailbox: Mailbox, between
) -> None:
    sync(filled)
    mailbox.append("INBOX", letter(500, sender=ANN, subject="Zebra again"))
    between(lambda store: forgetting.forget(store, ANN))
    (report,) = sync(filled)
    assert report.skipped["forgotten"] == 91
    for trace in (b"ebra", b"ylophone"):
        assert trace not in bytes_of(filled), trace


def test_a_pass_in_the_middle_of_forgetting_leaves_no_trace(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(filled)
    real, passes = forgetting._forget_messages, list[int]()

    def forget_some(store: Store, packed: str) -> bool:
        if not passes:
            passes.append(1)
            sync(store)  # it finds the new rule, and judges by it what is still here
        return real(store, packed)

    monkeypatch.setattr(forgetting, "_forget_messages", forget_some)
    forgetting.forget(filled, ANN)
    (report,) = sync(filled)
    assert passes
    assert report.skipped["forgotten"] == 90
    for trace in (b"ebra", b"ylophone"):
        assert trace not in bytes_of(filled), trace


def test_a_rule_that_changes_while_another_one_is_applied_is_applied_too(
    filled: Store, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(filled)
    mail_rules.change(filled, 1, exclude_group=False)
    real, steps = rejudge._stored_step, list[int]()

    def step(*about: object) -> object:
        steps.append(1)
        return real(*about)  # type: ignore[arg-type]

    def advance(db: object, *_: object) -> None:
        if len(steps) == 1:
            steps.append(1)
            db.execute("INSERT OR IGNORE INTO blocklist VALUES (?)", [BOB])  # type: ignore[attr-defined]

    monkeypatch.setattr(rejudge, "_stored_step", step)
    monkeypatch.setattr(rejudge.progress, "advance", advance)
    sync(filled)
    fresh = Store(tmp_path / "fresh.db")
    connect(fresh, mailbox)
    sync(fresh)  # the people of a rule that has changed stay
    mail_rules.change(fresh, 1, exclude_group=False)
    mail_rules.block(fresh, BOB)
    sync(fresh)
    assert dumped(filled) == dumped(fresh)
    fresh.close()


def _person(store: Store, address: str) -> int:
    row = store.read().execute("SELECT person_id FROM address WHERE address = ?", [address])
    return int(row.fetchone()[0])


def test_who_is_deleted_during_an_import_stays_deleted(filled: Store, between) -> None:
    between(lambda store: people.delete(store, _person(store, ANN)), at=2)
    sync(filled)
    rows = filled.read().execute("SELECT name, deleted_at > 0 FROM person ORDER BY name")
    assert rows.fetchall() == [("Ann Xylophone", 1), ("Bob Stone", 0)]


def test_who_is_merged_during_an_import_stays_one(filled: Store, between) -> None:
    def merge(store: Store) -> None:
        people.merge(store, _person(store, BOB), _person(store, ANN))

    between(merge, at=2)
    sync(filled)
    alive = "SELECT id, threads FROM person WHERE deleted_at = 0"
    ((kept, linked),) = filled.read().execute(alive).fetchall()
    assert _person(filled, ANN) == _person(filled, BOB) == kept
    assert filled.read().execute("SELECT count(*) FROM thread").fetchone() == (linked,)


def test_a_message_that_leaves_between_listing_and_writing_is_fetched(
    filled: Store, mailbox: Mailbox, new_mailbox: Callable[[], Mailbox], between
) -> None:
    """Another account, whose mail leaves, had it when this one looked."""
    other = new_mailbox()
    other.append("INBOX", letter(1, sender=BOB, to="you@other.example", subject="Both"))
    mailbox.append("INBOX", letter(1, sender=BOB, to="you@other.example", subject="Both"))
    connect(filled, other, "you@other.example")
    sync_once(filled, ["you@other.example"])

    between(lambda store: remove(store, "you@other.example"))
    (report,) = sync(filled)
    assert "unreadable" not in report.skipped
    (text,) = (
        filled.read()
        .execute(
            "SELECT text FROM message_text WHERE message_id IN (SELECT id FROM message "
            "WHERE message_id = '1@test')"
        )
        .fetchone()
    )
    assert "letter 1" in text


def test_an_account_that_is_removed_while_it_is_synced_ends_with_a_sentence(
    filled: Store, between
) -> None:
    between(lambda store: remove(store, ME), at=2)
    (report,) = sync_once(filled)
    assert report.errors == ["The account was removed while it was synced."]
    assert filled.read().execute("SELECT count(*) FROM message").fetchone() == (0,)
    assert filled.read().execute("SELECT count(*) FROM sync_state").fetchone() == (0,)


CALENDAR: dict[str, Act] = {
    "forget": lambda store: forgetting.forget(store, ANN),
    "block": lambda store: mail_rules.block(store, ANN),
}


@pytest.mark.parametrize("what", CALENDAR)
def test_what_changes_while_meetings_are_fetched_holds_for_them(
    radicale_office: Office, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    office = radicale_office
    ann, bob = (f"Ann Xylophone <{ANN}>",), (f"Bob <{BOB}>",)
    office.server.put("work", "one", calendar(meeting(uid="one", title="Zebra", people=ann)))
    office.server.put("work", "two", calendar(meeting(uid="two", title="Offer", people=bob)))
    real, saved = meetings.save, list[int]()

    def save(store: Store, *about: object, **more: object) -> None:
        if not saved:
            CALENDAR[what](store)
        saved.append(1)
        real(store, *about, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(meetings, "save", save)
    office.settle()
    assert office.titles() == {"Offer"}
    assert office.store.read().execute("SELECT name FROM person").fetchall() == [("Bob",)]
    if what == "forget":
        for trace in (b"ebra", b"ylophone"):
            assert trace not in bytes_of(office.store), trace
