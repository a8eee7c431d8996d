"""Whatever order mail arrives in, the store says the same (T1, C4, M5)."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.servers import PASSWORD
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.store.database import Store


def tangled() -> list[tuple[str, bytes]]:
    """Threads by reference, by ghost and by subject; names that change; roles written to late."""
    made: list[tuple[str, bytes]] = []
    for number in range(0, 400, 8):
        who = f"p{number % 48}@c{number % 40}.com"
        topic = f"Offer number {number}"
        made += [
            ("INBOX", letter(number, sender=f"Name {number} <{who}>", subject=topic)),
            (
                "Sent",
                letter(
                    number + 1, sender=ME, to=who, refs=f"<{number}@test>", subject=f"Re: {topic}"
                ),
            ),
            ("INBOX", letter(number + 2, sender=who, subject=f"AW: {topic}", day=number + 20)),
            (
                "INBOX",
                letter(number + 3, sender=f"Other {number} <{who}>", refs=f"<ghost{number}@test>"),
            ),
            (
                "Archive",
                letter(number + 4, sender=who, refs=f"<ghost{number}@test> <{number + 3}@test>"),
            ),
            ("INBOX", letter(number + 5, sender=f"info@c{number % 40}.com")),
            ("INBOX", letter(number + 6, sender=who, more="Precedence: bulk")),
            ("Sent", letter(number + 7, sender=ME, to=f"info@c{number % 24}.com, {who}")),
        ]
    return made


def test_four_orders_of_arrival_end_in_the_same_store(
    tmp_path: Path, new_mailbox: Callable[[], Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", PASSWORD)
    newest_last = tangled()
    chance = random.Random(7)
    orders = [
        newest_last,
        newest_last[::-1],
        chance.sample(newest_last, len(newest_last)),
        chance.sample(newest_last, len(newest_last)),
    ]
    dumps = []
    for place, order in enumerate(orders):
        mailbox = new_mailbox()
        for folder in ("INBOX", "Sent", "Archive"):
            mailbox.append(folder, *[(raw, (), START) for where, raw in order if where == folder])
        store = Store(tmp_path / f"{place}.db")
        connect(store, mailbox, policy="sent")
        sync(store)
        dumps.append([line.replace(mailbox.user, "user") for line in dumped(store)])
        store.close()
    assert len(dumps[0]) > 500
    for other in dumps[1:]:
        assert other == dumps[0]


def test_arrival_one_by_one_ends_like_a_whole_import(
    tmp_path: Path, new_mailbox: Callable[[], Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", PASSWORD)
    order = random.Random(3).sample(tangled(), 120)
    whole, piecemeal = new_mailbox(), new_mailbox()
    store = Store(tmp_path / "piecemeal.db")
    connect(store, piecemeal)
    for start in range(0, len(order), 30):
        for where, raw in order[start : start + 30]:
            for mailbox in (whole, piecemeal):
                mailbox.append(where, (raw, (), START))
        sync(store)
    other = Store(tmp_path / "whole.db")
    connect(other, whole)
    sync(other)
    strip = lambda lines, user: [line.replace(user, "user") for line in lines]  # noqa: E731
    assert strip(dumped(store), piecemeal.user) == strip(dumped(other), whole.user)
    store.close()
    other.close()
