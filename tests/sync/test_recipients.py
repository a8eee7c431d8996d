"""To whom I have written (M5) is known however often, and however far, mail is judged again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.store import mail_rules
from crmmail.store.database import Store
from crmmail.sync import rejudge, rules
from crmmail.sync.loop import Report

Sync = Callable[[], Report]


def fill(mailbox: Mailbox) -> None:
    """Mail from roles that I wrote to, in mail that rules keep out, and from one that I did not."""
    mailbox.append(
        "INBOX",
        letter(1, sender="info@acme.com"),
        letter(2, sender="support@tool.com"),
        letter(3, sender="contact@shop.com"),
        letter(4, sender="Bo <bo@other.com>"),
        *(letter(number, sender=f"p{number}@c{number}.com") for number in range(20, 30)),
    )
    mailbox.append(
        "Sent",
        letter(5, sender=ME, to="info@acme.com, ann@acme.com"),
        letter(6, sender=ME, to="support@tool.com, spam@pest.com", day=-3),
        letter(7, sender=ME, to="Bo <bo@other.com>, dan@other.com", day=-2),
    )


def written(store: Store) -> list[str]:
    query = "SELECT address FROM address WHERE written ORDER BY 1"
    return [address for (address,) in store.read().execute(query)]


EVERYBODY = [
    "ann@acme.com", "bo@other.com", "dan@other.com", "info@acme.com", "spam@pest.com",
    "support@tool.com",
]  # fmt: skip


def test_mail_that_was_deleted_was_written(store: Store, mailbox: Mailbox, account: Sync) -> None:
    """Rules that change and change back do not let in less because I tidied up."""
    fill(mailbox)
    account()
    with mailbox.client() as client:
        client.select_folder("Sent")
        client.delete_messages(1)
        client.expunge()
    account()
    before = dumped(store)
    assert written(store) == EVERYBODY
    for _ in range(2):
        mail_rules.block(store, "@shop.com")
        account()
        assert written(store) == EVERYBODY
        mail_rules.unblock(store, "@shop.com")
        account()
    assert dumped(store) == before


RULES = {
    "block": lambda store: mail_rules.block(store, "@pest.com"),
    "since": lambda store: mail_rules.change(store, 1, mail_since=int(START.timestamp())),
    "alias": lambda store: mail_rules.add_alias(store, 1, "bo@other.com"),
    "internal": lambda store: mail_rules.add_internal(store, 1, "other.com"),
}


@pytest.mark.parametrize("change", RULES.values(), ids=RULES.keys())
def test_judging_that_is_broken_off_anywhere_ends_as_if_it_had_not_been(
    tmp_path: Path,
    store: Store,
    mailbox: Mailbox,
    account: Sync,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Store], object],
) -> None:
    """Broken off after each step in turn, then done again; and set back half way."""
    monkeypatch.setattr(rejudge, "_BATCH", 3)
    fill(mailbox)
    account()
    before = dumped(store)
    whole = Store(tmp_path / "whole.db")
    connect(whole, mailbox)
    sync(whole)
    change(whole)
    sync(whole)
    change(store)
    for steps in count(1):
        left = iter(range(steps))
        rejudge.apply(store, rules.load(store.read(), 1), stop_after(left))
        if next(left, None) is not None:
            break
    account()
    assert dumped(store) == dumped(whole) != before
    assert steps > 5
    whole.close()


def stop_after(left: Iterator[int]) -> Callable[[], bool]:
    """Stops when nothing is left."""
    return lambda: next(left, None) is None


@pytest.mark.parametrize("steps", [1, 2, 4, 6, 8])
def test_a_rule_that_is_set_back_half_way_has_done_nothing(
    store: Store, mailbox: Mailbox, account: Sync, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(rejudge, "_BATCH", 3)
    fill(mailbox)
    account()
    before = dumped(store)
    undo = mail_rules.set_values(store, 1, mail_since=int(START.timestamp()) + 86_400 * 25)
    rejudge.apply(store, rules.load(store.read(), 1), stop_after(iter(range(steps))))
    undo()
    account()
    assert dumped(store) == before


def test_one_account_s_rules_do_not_forget_what_another_wrote(
    store: Store, mailbox: Mailbox, account: Sync, new_mailbox: Callable[[], Mailbox]
) -> None:
    """What the other account wrote stands in its skip list only."""
    fill(mailbox)
    other = new_mailbox()
    connect(store, other, "me@work.example", mail_since=int(START.timestamp()) + 86_400 * 300)
    other.append("Sent", letter(50, sender="me@work.example", to="contact@shop.com"))
    sync(store)
    sync(store)  # the other account has let in mail of this one
    kept = dumped(store)
    assert "contact@shop.com" in written(store)
    for switch in (True, False):
        mail_rules.change(store, 1, sync_internal=switch)
        sync(store)
    assert dumped(store) == kept
