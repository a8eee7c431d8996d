"""Forgetting somebody: no trace is left, the mail stays out, and comes back when remembered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, sync
from tests.sync.letters import ME, letter

from crmmail.store import (
    accounts,
    forgetting,
    mail_rules,
    notes,
    opportunities,
    people,
    remembering,
)
from crmmail.store.database import Store
from crmmail.store.dump import dump
from crmmail.store.kinds import Kind
from crmmail.store.records import RecordError
from crmmail.sync.loop import Report

ANN, BOB = "ann@xylophone.example", "bob@acme.example"


@pytest.fixture
def filled(store: Store, mailbox: Mailbox, account: Callable[[], Report]) -> Store:
    """Mail with Ann, with Ann and Bob, with Bob; of Ann in the ledger too."""
    ann, news = f"Ann Xylophone <{ANN}>", "List-Id: <z.example>"
    mailbox.append(
        "Sent",
        letter(1, sender=ME, to=ann, subject="Zebra plans"),
        letter(2, sender=ME, to=f"{BOB}, {ANN}", subject="Zebra for two"),
        letter(3, sender=ME, to=BOB, subject="Offer"),
    )
    mailbox.append(
        "INBOX",
        letter(4, sender=ann, subject="Zebra news", more=news),
        letter(5, sender=BOB, subject="Re: Offer", text="I heard of ann@xylophone.example."),
    )
    account()
    return store


def bytes_of(store: Store) -> bytes:
    """All that is in the store's files."""
    return b"".join(path.read_bytes() for path in store.path.parent.glob(f"{store.path.name}*"))


def person(store: Store, address: str) -> int | None:
    row = store.read().execute("SELECT person_id FROM address WHERE address = ?", [address])
    return (row.fetchone() or (None,))[0]


def test_nothing_is_left_and_nothing_comes_back(filled: Store) -> None:
    ann = person(filled, ANN)
    assert ann
    notes.add(filled, Kind.PERSON, ann, "Plays the quagga")
    people.add_address(filled, ann, "ann@quagga.example")
    deal = opportunities.add(filled, "Concert", contact_id=ann)
    mail_rules.block(filled, "ann@quagga.example")
    found = forgetting.forget(filled, ANN)
    assert (found.messages, found.skipped, found.notes) == (2, 1, 1)
    assert forgetting.mentions(filled.read(), found.addresses) == 1
    left = bytes_of(filled)
    for word in (b"ebra", b"uagga", b"Xylophone"):
        assert word not in left, word
    sync(filled)  # M: listed = stored + skipped
    assert forgetting.traces(filled.read(), ANN).messages == 0
    assert b"ebra" not in bytes_of(filled)
    assert person(filled, BOB)
    remaining = opportunities.get(filled.read(), deal)
    assert remaining is not None
    assert remaining.contact_id is None


def test_the_ledger_keeps_the_count_and_says_nothing(filled: Store) -> None:
    forgetting.forget(filled, ANN)
    rows = filled.read().execute(
        "SELECT message_id, sent_at, subject, sender, size, facts, detail FROM skipped "
        "WHERE reason = 'forgotten'"
    )
    assert rows.fetchall() == [("", 0, "", "", 0, "", "")] * 3
    (account,) = accounts.all_accounts(filled.read())
    counts = accounts.counts(filled.read(), account.id)
    assert counts.listed == counts.stored + sum(counts.skipped.values())


def test_new_mail_of_the_forgotten_stays_out(filled: Store, mailbox: Mailbox) -> None:
    forgetting.forget(filled, ANN)
    mailbox.append("INBOX", letter(6, sender=ANN, subject="Zebra again"))
    mailbox.append("Sent", letter(7, sender=ME, to=ANN, subject="Zebra answer"))
    sync(filled)
    assert b"ebra" not in bytes_of(filled)
    assert person(filled, ANN) is None


def test_remembered_mail_is_what_a_fresh_import_has(
    filled: Store, mailbox: Mailbox, tmp_path: Path
) -> None:
    forgetting.forget(filled, ANN)
    sync(filled)
    remembering.remember(filled, ANN)
    sync(filled)
    fresh = Store(tmp_path / "fresh.db")
    connect(fresh, mailbox)
    sync(fresh)
    assert list(dump(filled.read())) == list(dump(fresh.read()))
    fresh.close()


def test_a_company_that_only_their_mail_told_of_goes_too(filled: Store) -> None:
    names = {row[0] for row in filled.read().execute("SELECT name FROM company")}
    assert names == {"Xylophone", "Acme"}
    forgetting.forget(filled, ANN)
    assert filled.read().execute("SELECT name FROM company").fetchall() == [("Acme",)]


def test_the_last_account_leaves_no_byte_of_its_mail(filled: Store) -> None:
    accounts.remove(filled, ME)
    assert b"ebra" not in bytes_of(filled)


def test_own_addresses_and_strangers_to_forgetting_are_told(filled: Store) -> None:
    with pytest.raises(RecordError, match="own address"):
        forgetting.forget(filled, ME)
    with pytest.raises(RecordError, match="was not forgotten"):
        remembering.remember(filled, BOB)
    with pytest.raises(RecordError, match="not an e-mail address"):
        forgetting.forget(filled, "nobody")


def test_meetings_go_and_their_resources_say_nothing(store: Store) -> None:
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (id, url) VALUES (1, 'file:x')")
        db.execute(
            "INSERT INTO calendar_object (id, calendar_id, href, uid, raw, title) "
            "VALUES (1, 1, '/1', 'zebra', 'ATTENDEE:mailto:ann@xylophone.example', 'Zebra')"
        )
        db.execute("INSERT INTO address (id, address) VALUES (7, ?)", [ANN])
        db.execute(
            "INSERT INTO meeting (id, uid, title, object_id) VALUES (1, 'zebra', 'Zebra', 1)"
        )
        db.execute("INSERT INTO attendee (meeting_id, position, address_id) VALUES (1, 0, 7)")
    assert forgetting.forget(store, ANN).meetings == 1
    assert b"ebra" not in bytes_of(store)
    row = store.read().execute("SELECT href, reason FROM calendar_object").fetchone()
    assert row == ("/1", "forgotten")


def test_digests_tell_whether_not_who() -> None:
    one = forgetting.digest(ANN)
    assert forgetting.digest(ANN, [one]) == one
    assert forgetting.digest(BOB, [one]) != one
    assert forgetting.digest(ANN) != one
    assert "ann" not in json.dumps(one)
