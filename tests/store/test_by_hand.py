"""What no server can give back: each table is decided on, each change by hand is noticed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import (
    accounts,
    by_hand,
    daily,
    forgetting,
    handmade,
    mail_rules,
    notes,
    opening,
    opportunities,
    people,
    threads,
)
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.put_back import put_back

from .conftest import Filler, World

_SHADOWS = ("_data", "_idx", "_docsize", "_config", "_content")


def columns(table: str) -> set[str]:
    """The columns of a table of a new store."""
    with closing(sqlite3.connect(":memory:")) as db:
        opening.prepare(db)
        for number in sorted(opening.migrations()):
            db.executescript(opening.migrations()[number])
        return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


class TestDecisions:
    """A new table or column is put into the backup, or left out, on purpose."""

    def test_each_table_is_in_one_set(self) -> None:
        decided = [by_hand.BY_HAND, by_hand.NUMBERS, by_hand.FROM_SERVERS, by_hand.OF_THIS_FILE]
        found = {
            name
            for name in opening.tables()
            if not name.startswith(("search", "sqlite_")) and not name.endswith(_SHADOWS)
        }
        assert frozenset.union(*decided) == found
        assert sum(map(len, decided)) == len(found)

    @pytest.mark.parametrize(
        ("table", "kept", "left"),
        [
            (
                "folder",
                {"name", "role", "selectable", "selected", "account_id"},
                {"id", "uidvalidity", "uidnext", "floor", "modseq", "messages", "former", "wire"}
                | {"suspects", "compared", "flags_at", "flags_failed", "unseen"},
            ),
            (
                "calendar",
                {"url", "name", "color", "selected", "account_id"},
                {"id", "sync_token", "ctag", "compared_at", "last_success", "error"}
                | {"missing", "missing_runs", "missing_at", "failing"},
            ),
            (
                "address",
                {"address", "site", "name", "person_id", "is_primary", "written"},
                {"id", "name_at", "no_contact"},
            ),
            (
                "rule_change",
                {"setting", "key", "account_id", "before", "undone"},
                {"id", "person_mark", "company_mark"},
            ),
        ],
    )
    def test_each_column_of_what_is_kept_in_part_is_decided_on(
        self, table: str, kept: set[str], left: set[str]
    ) -> None:
        assert columns(table) == kept | left

    def test_each_column_of_an_account_is_watched_but_for_those_of_the_sync(self) -> None:
        assert columns("account") - set(by_hand._CONFIGURED) == {"id", *handmade._OF_ACCOUNT}


# What a person does to the world; the note is the world's only one.
DEEDS: dict[str, Callable[[Store, World], object]] = {
    "note": lambda store, world: notes.add(store, Kind.PERSON, world.anna, "Likes tea."),
    "edit": lambda store, world: people.edit(store, world.anna, job="CEO"),
    "rename": lambda store, world: people.edit(store, world.anna, name="Anna B."),
    "delete": lambda store, world: people.delete(store, world.bert),
    "create": lambda store, _: people.create(store, "Eve", ["eve@acme.example"]),
    "deal": lambda store, world: opportunities.add(store, "The press", world.acme),
    "link": lambda store, world: threads.link(store, Kind.PERSON, world.anna, world.third),
    "hide": lambda store, world: threads.hide(store, Kind.PERSON, world.anna, world.second),
    "block": lambda store, _: mail_rules.block(store, "@spam.example"),
    "alias": lambda store, _: mail_rules.add_alias(store, 1, "i@home.example"),
    "rule": lambda store, _: mail_rules.change(store, 1, exclude_group=False),
    "level": lambda store, _: mail_rules.change(store, 1, mail_level=0),
    "folder": lambda store, _: mail_rules.select_folder(store, 1, "INBOX", on=False),
    "account": lambda store, _: accounts.add(store, "me@x.example", host="imap.x.example"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_a_change_by_hand_is_noticed(store: Store, world: World, fill: Filler, deed: str) -> None:
    if not store.read().execute("SELECT 1 FROM folder WHERE name = 'INBOX'").fetchone():
        fill.folder(1)
    before = store.by_hand
    DEEDS[deed](store, world)
    assert store.by_hand > before


def test_what_the_sync_writes_is_no_change_by_hand(store: Store, fill: Filler) -> None:
    account = fill.account()
    folder = fill.folder(account)
    before = store.by_hand
    fill.person("Anna", "anna@acme.com")
    fill.message("anna@acme.com", [fill.own], "Offer", folder=folder)
    with store.write("state") as (db, _):
        db.execute("UPDATE account SET applied = 'x', meetings_applied = 'y'")
        db.execute("UPDATE folder SET uidnext = 7, messages = 5")
        db.execute("UPDATE person SET name = 'Anna B.', threads = 3, last_at = 5")
    assert store.by_hand == before


class TestDocument:
    """What was not in it before."""

    def test_a_role_address_that_was_written_to_is_let_in_after_a_rebuild(
        self, store: Store, world: World, tmp_path: Path
    ) -> None:
        with store.write() as (db, _):
            db.executemany(
                "INSERT INTO address (address, site, written) VALUES (?, 'acme.com', ?)",
                [("support@acme.com", 1), ("info@acme.com", 0), ("carl@acme.com", 1)],
            )
        found = handmade.collect(store.read(), 0)
        assert found["written"] == ["support@acme.com"]
        (tmp_path / "other").mkdir()
        with closing(Store(tmp_path / "other" / "crmmail.db")) as other:
            put_back(other, found)
            rows = other.read().execute("SELECT address FROM address WHERE written").fetchall()
        assert rows == [("support@acme.com",)]

    def test_a_rule_that_was_changed_can_be_set_back_after_a_rebuild(
        self, store: Store, world: World
    ) -> None:
        mail_rules.change(store, 1, policy="sent_and_received")
        mail_rules.block(store, "anna@acme.com")
        store.close()
        repairing.rebuild(store.path)
        with closing(Store(store.path)) as new:
            rows = new.read().execute("SELECT setting, before, undone FROM rule_change").fetchall()
            assert rows == [("policy", "sent", 0)]
            mail_rules.change(new, 1, policy="sent")
            rows = new.read().execute("SELECT setting, undone FROM rule_change").fetchall()
        assert ("policy", 1) in rows

    def test_threads_and_meetings_have_their_numbers_again(
        self, store: Store, world: World, fill: Filler
    ) -> None:
        from crmmail.store import former

        numbers = dict(store.read().execute("SELECT message_id, thread_id FROM message").fetchall())
        store.close()
        for way in ("salvaged", "from the daily backup"):
            if way != "salvaged":
                with closing(Store(store.path)) as again:
                    daily.daily(again, renew=True)
                store.path.write_bytes(b"\xa5" * 50_000)
            repairing.rebuild(store.path)
            with closing(Store(store.path)) as new, new.write() as (db, _):
                assert former.free(db, numbers) == numbers, way
                assert former.new_thread(db) > max(numbers.values())

    def test_nobody_who_is_forgotten_is_known_by_a_digest_in_a_backup(
        self, store: Store, world: World
    ) -> None:
        made = daily.daily(store)
        assert made is not None
        keys = {
            key
            for (key,) in store.read().execute(
                """SELECT digest_key(message.message_id) FROM message
                   WHERE id IN (SELECT message_id FROM participant JOIN address
                                ON address.id = address_id WHERE address = 'anna@acme.com')"""
            )
        }
        known = {key for _, _, key, _ in daily.read(made)["numbers"]}
        assert keys & known
        forgetting.forget(store, "anna@acme.com")
        left = {key for _, _, key, _ in daily.read(made)["numbers"]}
        assert not keys & left
        assert left

    def test_it_says_where_a_password_comes_from_and_has_none(self, store: Store) -> None:
        accounts.add(store, "me@x.example", host="imap.x.example", secret="command:pass mail/x")
        text = json.dumps(handmade.collect(store.read(), 0))
        assert "command:pass mail/x" in text

    def test_a_backup_of_an_older_version_goes_back(
        self, store: Store, world: World, tmp_path: Path
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        found = handmade.collect(store.read(), 0)
        old = {part: rows for part, rows in found.items() if part not in handmade._LATER}
        (tmp_path / "other").mkdir()
        with closing(Store(tmp_path / "other" / "crmmail.db")) as other:
            assert put_back(other, old)["notes"] == 1
