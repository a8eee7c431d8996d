"""A changed rule is applied to what is here, both ways: the store ends like a fresh import (M9)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.store.database import Store
from crmmail.sync.loop import Report

Sync = Callable[[], Report]


def letters() -> list[bytes]:
    """One of every kind that a rule can turn on or off."""
    return [
        letter(1),
        letter(2, more="List-Id: <l.example>"),
        letter(3, sender="Colleague <col@home.example>"),
        letter(4, sender="Spam <spam@pest.com>"),
        letter(5, sender="Spam <more@sub.pest.com>", to=f"{ME}, ann@acme.com"),
        letter(6, sender="info@acme.com"),
        letter(7, sender="Old Me <me@old.example>", to="bo@other.com"),
        letter(8, sender="Free <free@gmail.com>"),
        letter(9, sender=f"Me <{ME}>", to="Cy <cy@third.com>", refs="<1@test>"),
        letter(10, sender="Ann Lee <ann@acme.com>", refs="<2@test>"),
    ]


CHANGES = {
    "group": "UPDATE account SET exclude_group = 0",
    "internal": "UPDATE account SET sync_internal = 1",
    "domain": "INSERT INTO internal_domain VALUES (1, 'acme.com')",
    "address blocked": "INSERT INTO blocklist VALUES ('spam@pest.com')",
    "domain blocked": "INSERT INTO blocklist VALUES ('@pest.com')",
    "alias": "INSERT INTO own_address VALUES (1, 'me@old.example')",
    "internal domain dropped": "DELETE FROM internal_domain",
    "sender let in": "INSERT INTO allowlist VALUES ('info@acme.com')",
    "domain let in": "INSERT INTO allowlist VALUES ('@home.example')",
    "message let in": "INSERT INTO allowlist VALUES ('<2@test>')",
    "subjects only": "UPDATE account SET mail_level = 1",
    "metadata only": "UPDATE account SET mail_level = 0",
    "since": f"UPDATE account SET mail_since = {int(START.timestamp()) + 5 * 86_400}",
    "folder": "UPDATE folder SET selected = 0 WHERE name = 'Archive'",
}
"""Each with people who are there already: people never leave with a rule (M12)."""


CASES = [
    pytest.param(change, level, id=f"{name}-{'everything' if level else 'metadata'}")
    for name, change in CHANGES.items()
    for level in (2, 0)
    if level or "mail_level" not in change  # test_visibility has every pair of levels
]


@pytest.mark.parametrize(("change", "level"), CASES)
def test_a_changed_rule_and_back(
    tmp_path: Path, store: Store, mailbox: Mailbox, account: Sync, change: str, level: int
) -> None:
    mailbox.append("INBOX", *letters()[:7])
    mailbox.append("Archive", *letters()[4:])
    with store.write() as (db, _):
        db.execute("UPDATE account SET policy = 'none', mail_level = ?", [level])
    account()
    before = dumped(store)
    fresh = Store(tmp_path / "fresh.db")
    connect(fresh, mailbox, policy="none", mail_level=level)
    if "UPDATE folder" in change:
        sync(fresh)
    with fresh.write() as (db, _):
        db.execute(change)
    sync(fresh)
    kept = {
        name: store.read().execute(f"SELECT count(*) FROM {name}").fetchone()
        for name in ("account", "internal_domain", "blocklist", "own_address", "allowlist")
    }
    with store.write() as (db, _):
        db.execute(change)
    account()
    assert dumped(store) == dumped(fresh)
    assert dumped(store) != before
    with store.write() as (db, _):  # it fails where the index is not that of the mail
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    undo(store, change, level)
    account()
    assert dumped(store) == before
    assert kept == {
        name: store.read().execute(f"SELECT count(*) FROM {name}").fetchone() for name in kept
    }
    fresh.close()


def undo(store: Store, change: str, level: int) -> None:
    """Set the rule back to what it was."""
    with store.write() as (db, _):
        if change.startswith("DELETE"):
            db.execute("INSERT INTO internal_domain VALUES (1, 'home.example')")
        elif change.startswith("INSERT"):
            table = change.split()[2]
            newest = {
                "blocklist": "",
                "allowlist": "",
                "own_address": "WHERE address = 'me@old.example'",
                "internal_domain": "WHERE domain = 'acme.com'",
            }[table]
            db.execute(f"DELETE FROM {table} {newest}")
        else:
            db.execute(
                """UPDATE account SET exclude_group = 1, sync_internal = 0, mail_since = 0,
                   mail_level = ?""",
                [level],
            )
            db.execute("UPDATE folder SET selected = 1 WHERE name = 'Archive'")


def test_a_changed_policy_makes_the_people_of_old_mail(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", *letters())
    with store.write() as (db, _):
        db.execute("UPDATE account SET policy = 'none'")
    account()
    names = "SELECT name, threads FROM person ORDER BY name"
    assert store.read().execute(names).fetchall() == []
    with store.write() as (db, _):
        db.execute("UPDATE account SET policy = 'sent'")
    account()
    assert store.read().execute(names).fetchall() == [("Cy", 1)]
    with store.write() as (db, _):
        db.execute("UPDATE account SET policy = 'sent_and_received', exclude_free = 0")
    account()
    assert [name for name, _ in store.read().execute(names)] == [
        "Ann Lee",
        "Bo",
        "Cy",
        "Free",
        "Old Me",
        "Spam",
        "Spam",
    ]


CONTACTS = {
    "policy sent": "policy = 'sent'",
    "policy sent and received": "policy = 'sent_and_received'",
    "free-mail": "policy = 'sent_and_received', exclude_free = 0",
}


@pytest.mark.parametrize("change", CONTACTS.values(), ids=CONTACTS.keys())
def test_who_becomes_a_contact_is_changed_and_back(
    tmp_path: Path, store: Store, mailbox: Mailbox, account: Sync, change: str
) -> None:
    """Forth it ends like a fresh import; back, the people stay (M12) and all else is as before."""
    mailbox.append("INBOX", *letters())
    with store.write() as (db, _):
        db.execute("UPDATE account SET policy = 'none'")
    account()
    before = dumped(store)
    fresh = Store(tmp_path / "fresh.db")
    connect(fresh, mailbox)
    for changed in (store, fresh):
        with changed.write() as (db, _):
            db.execute(f"UPDATE account SET {change}")
        sync(changed)
    assert dumped(store) == dumped(fresh) != before
    people = store.read().execute("SELECT count(*) FROM person").fetchone()
    with store.write() as (db, _):
        db.execute("UPDATE account SET policy = 'none', exclude_free = 1")
    account()
    assert without_records(dumped(store)) == without_records(before)
    assert store.read().execute("SELECT count(*) FROM person").fetchone() == people
    fresh.close()


def without_records(lines: list[str]) -> list[dict[str, object]]:
    """The lines of a dump but for people, companies, and whose an address is."""
    found = [json.loads(line) for line in lines]
    return [
        {name: value for name, value in one.items() if name != "no_contact"}
        for one in found
        if one["what"] not in ("person", "company")
    ]


def test_nothing_is_judged_twice_without_a_change(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", *letters())
    account()
    applied = store.read().execute("SELECT applied FROM account").fetchone()
    account()
    assert store.read().execute("SELECT applied FROM account").fetchone() == applied != ("",)
