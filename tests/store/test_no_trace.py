"""Nobody who was forgotten is found in any file of the store: its log, its copies, its backups."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing

import pytest

from crmmail.store import (
    daily,
    files,
    forgetting,
    former,
    mail_rules,
    meetings,
    merging,
    notes,
    opportunities,
    people,
    removal,
    threads,
)
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.manual import digest_key

from .conftest import NOON, Filler, World

UID = "weekly@acme.example"
TRACES = ("anna@acme.com", "anna@mail.example", "Anna Berg", "Annabel", "xylophone", UID)
_EVENT = (
    "BEGIN:VEVENT\r\nUID:other@acme.example\r\nSUMMARY:Talk with Anna Berg\r\n"
    "ATTENDEE;CN=Anna:mailto:anna\r\n @acme.com\r\nEND:VEVENT\r\n"
)


@pytest.fixture
def lived(store: Store, world: World, fill: Filler) -> World:
    """A world in which everything that can be done with Anna was done."""
    account = world.account
    people.edit(store, world.anna, job="CEO", links="https://xylophone.example")
    notes.add(store, Kind.PERSON, world.anna, "Likes the xylophone.")
    deal = opportunities.add(store, "The press", world.acme, world.anna)
    twin = people.create(store, "Annabel", ["annabel@mail.example"])
    merging.merge(store, Kind.PERSON, world.anna, twin)
    threads.link(store, Kind.OPPORTUNITY, deal, world.first)
    threads.hide(store, Kind.PERSON, world.zoe, world.second)
    for at in ("", "20260314T080000Z", "20260321T080000Z"):
        fill.meeting(
            "Weekly", (NOON, NOON + 60), people=["anna@acme.com"], uid=UID, recurrence_id=at
        )
    (meeting,) = store.read().execute("SELECT min(id) FROM meeting").fetchone()
    meetings.link(store, Kind.OPPORTUNITY, deal, meeting)
    with store.write() as (db, change):  # one occurrence has left, and its number is kept
        removal.remove_meetings(db, change, [meeting + 2])
    mail_rules.block(store, "anna@acme.com")
    mail_rules.unblock(store, "anna@acme.com")
    mail_rules.allow(store, "anna@mail.example")
    with store.write() as (db, _):
        (mid,) = db.execute(
            "SELECT message_id FROM message WHERE thread_id = ?", [world.first]
        ).fetchone()
    mail_rules.allow(store, f"<{mid}>")
    calendar = fill._insert("calendar", account_id=account, url="x", name="Work")
    fill._insert(
        "calendar_object", calendar_id=calendar, href="a", uid="other@acme.example",
        raw=_EVENT, reason="private", title="Talk with Anna Berg",
    )  # fmt: skip
    daily.daily(store)
    daily.save(store)
    for ending in ("kept-2026-03-14-090000", "damaged-2026-03-14-090000", "before-7"):
        files.copy_whole(store.path, store.path.with_name(f"{store.path.name}.{ending}"))
    store.path.with_name(f"{store.path.name}.unsaved-x.txt").write_text("Note: Anna Berg called")
    store.path.with_name(f"{store.path.name}.unsaved-y.txt").write_text("Note: somebody called")
    return world


def holding(store: Store, *words: str) -> list[str]:
    """The files in which one of these words is, unpacked where they are packed."""
    found = set()
    for path in store.path.parent.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        if any(word.encode().lower() in data.lower() for word in words):
            found.add(path.name)
    return sorted(found)


def digests(store: Store) -> set[int]:
    """All that is kept of anything as a digest."""
    found: set[int] = set()
    for table, column in (
        ("former_id", "key"),
        ("former_id", "uid_key"),
        ("manual_link", "key"),
        ("rule_change", "key"),
    ):
        found |= {
            key for (key,) in store.read().execute(f'SELECT "{column}" FROM {table}').fetchall()
        }
    return found


def mids_of(store: Store, address: str) -> list[str]:
    """The Message-IDs of somebody's mail."""
    query = """SELECT DISTINCT message.message_id FROM message
               JOIN participant ON participant.message_id = message.id
               JOIN address ON address.id = address_id WHERE address = ?"""
    return [mid for (mid,) in store.read().execute(query, [address])]


def test_no_file_and_no_digest_tells_of_somebody_who_was_forgotten(
    store: Store, lived: World
) -> None:
    mids = mids_of(store, "anna@acme.com")
    assert len(mids) >= 2
    assert len(holding(store, *TRACES)) >= 7
    ours = {digest_key(text) for text in (*mids, UID, "anna@acme.com", "anna@mail.example")}
    ours |= {digest_key(f"<{mid}>") for mid in mids}
    ours |= {digest_key(f"{UID} {at}") for at in ("", "20260314T080000Z", "20260321T080000Z")}
    assert len(digests(store) & ours) >= 4
    forgetting.forget(store, "anna@acme.com")
    assert holding(store, *TRACES, *mids) == []
    assert digests(store) & ours == set()
    for copy in files.copies_of(store.path):
        found = daily.read(copy.path)
        kept = {row["key"] for row in found["links"] + found["rules"]}
        kept |= {key for _, _, *keys in found["numbers"] for key in keys}
        assert kept & ours == set(), copy.name
    assert holding(store, "somebody called") == ["crmmail.db.unsaved-y.txt"]
    assert holding(store, "Zoë") != []


@pytest.mark.parametrize(
    ("name", "typed", "is_left"),
    [
        ("Jo", "Note on Bert\n\nThe major offer is for Johanna.", True),
        ("Jo", "Note on Bert\n\nJo's offer", False),
        ("Will", "Bert will call.", True),
        ("Will", "Will: the offer", False),
        ("Will Doe", "WILL DOE called", False),
        ("Will", "to JO@acme.example", False),
        ("Will", "to mojo@acme.example", True),
    ],
)
def test_text_of_a_form_goes_with_who_is_named_in_it_and_not_with_others(
    store: Store, name: str, typed: str, is_left: bool
) -> None:
    people.create(store, name, ["jo@acme.example"])
    path = store.path.with_name(f"{store.path.name}.unsaved-2026-03-14-090000.txt")
    path.write_text(typed)
    forgetting.forget(store, "jo@acme.example")
    assert path.exists() == is_left


def test_text_of_a_form_that_cannot_be_read_is_named_before_anything_is_changed(
    store: Store, world: World
) -> None:
    path = store.path.with_name(f"{store.path.name}.unsaved-2026-03-14-090000.txt")
    path.mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        forgetting.forget(store, "anna@acme.com")
    assert caught.value.filename == str(path)
    assert people.get(store.read(), world.anna).name == "Anna Berg"
    path.rmdir()
    assert forgetting.forget(store, "anna@acme.com").name == "Anna Berg"


def test_the_numbers_of_single_occurrences_are_erased_with_their_series(store: Store) -> None:
    with store.write() as (db, _):
        db.executemany(
            "INSERT INTO meeting (id, uid, recurrence_id) VALUES (?, ?, ?)",
            [(1, UID, ""), (2, UID, "20260314T080000Z"), (3, "other", "")],
        )
        former.remember_meetings(db, "[1, 2, 3]")
        former.erase(db, uids=[UID])
        assert db.execute("SELECT id FROM former_id").fetchall() == [(3,)]


def test_what_was_kept_of_single_occurrences_by_an_older_crmmail_is_erased_too(
    store: Store, lived: World
) -> None:
    """Migration 0017 could not say whose they are: their digests are of UID and RECURRENCE-ID."""
    one = digest_key(f"{UID} 20260314T080000Z")
    kept = digest_key("message@x.example")
    with store.write() as (db, _):
        db.execute("INSERT INTO former_id VALUES (2, ?, 77, 0), (1, ?, 78, 0)", [one, kept])
    daily.daily(store, renew=True)
    forgetting.forget(store, "anna@acme.com")
    assert one not in digests(store)
    assert kept in digests(store)
    for copy in files.copies_of(store.path):
        assert one not in {row[2] for row in daily.read(copy.path)["numbers"]}, copy.name


def test_the_file_is_rewritten_at_once_and_sound(store: Store, lived: World) -> None:
    forgetting.forget(store, "anna@acme.com")
    assert not store.read().execute("SELECT 1 FROM chore").fetchone()
    with closing(sqlite3.connect(store.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
