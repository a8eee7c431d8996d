"""A provider's thread ids join what references do not, inside one account (T4)."""

from __future__ import annotations

import pytest
from tests.sync.letters import letter

from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync import ingest, rules
from crmmail.sync.batch import Batch, Kept
from crmmail.sync.message import parse_body, parse_header


@pytest.fixture
def folders(store: Store) -> dict[int, int]:
    """Two accounts with a folder each: folder id by account id."""
    made = {}
    for email in ("me@home.example", "me@second.example"):
        account = accounts.add(
            store,
            email,
            host="localhost",
            port=1,
            security="none",
            username="",
            secret="env:X",
            policy="sent_and_received",
        )
        with store.write() as (db, _):
            made[account] = db.execute(
                "INSERT INTO folder (account_id, name) VALUES (?, 'INBOX')", [account]
            ).lastrowid
    return made


def take(store: Store, account: int, folder: int, number: int, provider: str = "") -> None:
    """Store a letter as a sync of that account would."""
    raw = letter(number)
    header = parse_header(raw, 1_700_000_000)
    there = ingest.known(store.read(), [header.message_id])
    body = None if there else parse_body(raw)
    kept = Kept(number, 0, header, body, provider)
    ingest.save(store, Batch(rules.load(store.read(), account), folder, [kept], []))


def partition(store: Store) -> list[str]:
    """The Message-IDs of every thread, joined."""
    rows = store.read().execute(
        "SELECT group_concat(message_id, ' ') FROM (SELECT * FROM message ORDER BY id) "
        "GROUP BY thread_id ORDER BY 1"
    )
    return [row[0] for row in rows]


def test_one_thread_id_is_one_thread(store: Store, folders: dict[int, int]) -> None:
    account, folder = next(iter(folders.items()))
    take(store, account, folder, 1, "77")
    take(store, account, folder, 2, "77")
    take(store, account, folder, 3, "78")
    assert partition(store) == ["1@test 2@test", "3@test"]


def test_another_account_means_another_thread_by_it(store: Store, folders: dict[int, int]) -> None:
    (one, first), (other, second) = folders.items()
    take(store, one, first, 1, "77")
    take(store, other, second, 2, "77")
    assert partition(store) == ["1@test", "2@test"]


def test_a_message_known_from_elsewhere_joins_by_its_provider(
    store: Store, folders: dict[int, int]
) -> None:
    (one, first), (other, second) = folders.items()
    take(store, one, first, 1)
    take(store, other, second, 2, "77")
    take(store, other, second, 1, "77")
    assert partition(store) == ["1@test 2@test"]
