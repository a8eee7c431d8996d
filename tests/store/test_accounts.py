"""Accounts: adding, removing, and what they hold."""

from __future__ import annotations

from typing import Any

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import accounts, notes, people, search, threads
from crmmail.store.database import Notice, Store
from crmmail.store.kinds import Kind

from .conftest import Filler, World


def test_add(store: Store) -> None:
    """M4: the own domain is internal by default, where it is a work domain."""
    account = accounts.add(
        store,
        " Me@Home.example",
        host="imap.home.example",
        port=143,
        security="starttls",
        secret="env:PASSWORD",
        policy="none",
        aliases=["Alias@home.example", "me@home.example"],
        exclude_group=False,
    )
    db = store.read()
    (row,) = accounts.all_accounts(db)
    assert row == accounts.get(db, "ME@home.example")
    assert (row.id, row.email, row.username) == (account, "me@home.example", "me@home.example")
    assert (row.host, row.port, row.security, row.policy) == (
        "imap.home.example",
        143,
        "starttls",
        "none",
    )
    assert row.exclude_group is False
    assert row.exclude_free is True
    assert accounts.addresses(db, account) == ["alias@home.example", "me@home.example"]
    assert accounts.internal_domains(db, account) == ["home.example"]
    (state,) = accounts.states(db)
    assert (state.account_id, state.email, state.state) == (account, "me@home.example", "new")


def test_a_free_mail_domain_is_not_internal(store: Store) -> None:
    account = accounts.add(store, "me@gmail.com")
    assert accounts.internal_domains(store.read(), account) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"email": "me at home"}, "not an e-mail address"),
        ({"aliases": ["x"]}, "'x' is not an e-mail address"),
        ({"port": 0}, "0 is not a port"),
        ({"port": 70_000}, "70000 is not a port"),
        ({"security": "ssl"}, "'ssl' is no security"),
        ({"policy": "all"}, "'all' is no policy"),
        ({"host": "imap.home.example/x"}, "is not a server"),
        ({"email": "ME@there.example"}, "an account me@there.example already"),
    ],
)
def test_what_is_refused(store: Store, values: dict[str, Any], says: str) -> None:
    accounts.add(store, "me@there.example")
    with pytest.raises(CrmmailError, match=says) as caught:
        accounts.add(store, **({"email": "me@home.example"} | values))
    assert caught.value.hint
    assert len(accounts.all_accounts(store.read())) == 1


def test_counts_add_up(fill: Filler, world: World) -> None:
    """Every listed message is stored, or skipped with a reason."""
    fill.folder(world.account, "Junk", role="junk", selected=False, messages=7)
    lists = fill.folder(world.account, "Lists", messages=2)
    fill.skip(lists, "group", "List-Id")
    fill.skip(world.inbox, "internal")
    message = fill.message("zoe@zoll.de", [fill.own], folder=lists)
    fill.place(message, world.inbox)
    with fill.store.write() as (db, _):
        db.execute("UPDATE folder SET messages = 6 WHERE id = ?", [world.inbox])

    counts = accounts.counts(fill.db, world.account)

    assert counts.skipped == {"folder": 7, "group": 1, "internal": 1}
    assert (counts.listed, counts.stored, counts.messages, counts.threads) == (15, 6, 5, 4)
    assert counts.listed == counts.stored + sum(counts.skipped.values())
    inbox, junk, other = accounts.folders(fill.db, world.account)
    assert (inbox.name, inbox.stored, inbox.skipped, inbox.selected) == ("INBOX", 5, 1, True)
    assert (junk.name, junk.role, junk.selected, junk.messages) == ("Junk", "junk", False, 7)
    assert (other.stored, other.skipped) == (1, 1)


def test_remove_takes_what_only_it_held(fill: Filler, world: World) -> None:
    """M12: mail goes, people, companies and notes stay."""
    other = fill.account("me@other.example")
    there = fill.folder(other)
    shared = threads.get(fill.db, world.third)
    assert shared
    fill.place(shared.messages[0], there)
    note = notes.add(fill.store, Kind.PERSON, world.anna, "stays")
    notices: list[Notice] = []
    fill.store.subscribe(notices.append)

    accounts.remove(fill.store, "ME@home.example")

    assert [row.email for row in accounts.all_accounts(fill.db)] == ["me@other.example"]
    assert list(threads.newest(fill.db)) == [world.third]
    assert search.find(fill.db, "offer") == []
    assert search.find(fill.db, "schöne") == shared.messages
    anna, zoe = people.rows(fill.db, [world.anna, world.zoe])
    assert (anna.threads, anna.last_at, zoe.threads) == (0, 0, 1)
    assert notes.get(fill.db, note)
    left = fill.content("own_address", "internal_domain", "placement", "message_text", "folder")
    assert [len(rows) for rows in left.values()] == [1, 1, 1, 1, 1]
    fill.db.execute("PRAGMA query_only = OFF")
    fill.db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    assert fill.db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert {"accounts", "threads"} <= notices[-1].topics


def test_only_what_is_there_is_removed(fill: Filler, world: World) -> None:
    with pytest.raises(CrmmailError, match=r"no account x@y\.example") as caught:
        accounts.remove(fill.store, "x@y.example")
    assert "me@home.example" in caught.value.hint
