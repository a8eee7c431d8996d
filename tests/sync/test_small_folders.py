"""More than half of a folder waits for later runs, however small it is, unless the server itself
says that messages have left (M12).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from tests.conftest import Mailbox
from tests.patience import PATIENCE
from tests.sync.liar import Liar, delete, lying

from crmmail.store.database import Store
from crmmail.sync.account import AccountSync
from crmmail.sync.believing import APART, Looks
from crmmail.sync.session import account_rows, sign_in


@pytest.fixture(autouse=True)
def password(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)


@pytest.mark.parametrize(
    ("had", "deleted"), [(1, 1), (2, 2), (3, 2), (5, 3), (5, 5), (9, 5)], ids=str
)
def test_more_than_half_leaves_with_the_third_run(
    store: Store, mailbox: Mailbox, had: int, deleted: int
) -> None:
    with lying(store, mailbox, INBOX=range(20), Deals=range(100, 100 + had)) as liar:
        delete(mailbox, "Deals", deleted)
        which = "one" if deleted == 1 else str(deleted)
        for run in ("(1 of 3)", "(2 of 3)"):
            (told,) = liar.sync().errors
            assert told.startswith(f"Deals: the server does not list {which} of its messages any")
            assert told.endswith(f"here until 3 runs in a row say the same {run}.")
            assert len(liar.held()) == 20 + had
        assert liar.sync().errors == []
        assert len(liar.held()) == 20 + had - deleted


@pytest.mark.parametrize(("had", "deleted"), [(2, 1), (3, 1), (4, 2), (11, 5)], ids=str)
def test_half_leaves_at_once(store: Store, mailbox: Mailbox, had: int, deleted: int) -> None:
    with lying(store, mailbox, INBOX=range(20), Deals=range(100, 100 + had)) as liar:
        delete(mailbox, "Deals", deleted)
        assert liar.sync().errors == []
        assert len(liar.held()) == 20 + had - deleted


def test_a_folder_of_three_that_is_empty_for_two_runs_loses_nothing(
    store: Store, mailbox: Mailbox
) -> None:
    with lying(store, mailbox, INBOX=range(20), Deals=range(100, 103)) as liar:
        empty = [
            (rb"\* 3 EXISTS", b"* 0 EXISTS"),
            (rb"MESSAGES 3", b"MESSAGES 0"),
            (rb"SEARCH 1 2 3", b"SEARCH"),
            (rb"\* \d+ FETCH \(UID [123] FLAGS \([^)]*\)( MODSEQ \(\d+\))?\)\r\n", b""),
        ]
        for _ in range(2):
            assert "3 of its messages" in liar.sync(*empty).errors[0]
            assert len(liar.texts()) == 23
        assert liar.sync().errors == []
        assert len(liar.held()) == 23
        assert "(1 of 3)" in liar.sync(*empty).errors[0]


def test_the_only_message_of_a_folder_that_is_moved_waits_for_nobody(
    store: Store, mailbox: Mailbox
) -> None:
    with lying(store, mailbox, INBOX=range(20), Deals=range(100, 101)) as liar:
        with mailbox.client() as client:
            client.select_folder("Deals")
            client.move([1], "INBOX")
        report = liar.sync()
        assert (report.errors, report.listed) == ([], 21)
        assert len(liar.held()) == 21


class TestTold:
    """A connection stays open, and the server says on it that messages have left."""

    @contextmanager
    def staying(self, liar: Liar) -> Iterator[tuple[AccountSync, socket.socket]]:
        ear, waker = socket.socketpair()
        with closing(sign_in(account_rows(liar.store)[0])) as connection, ear, waker:
            yield AccountSync(liar.store, 1, connection, Looks(APART)), ear

    @pytest.mark.parametrize("deleted", [1, 2, 3])
    def test_it_is_believed_at_once_of_as_many_as_it_told_of(
        self, store: Store, mailbox: Mailbox, deleted: int
    ) -> None:
        with lying(store, mailbox, INBOX=range(3)) as liar, self.staying(liar) as (sync, ear):
            sync.settle()
            sync.wait(0, ear)  # which opens INBOX
            delete(mailbox, "INBOX", deleted)
            sync.settle()
            assert (sync.errors, len(liar.held())) == ([], 3 - deleted)

    def test_so_it_is_in_idle(self, store: Store, mailbox: Mailbox) -> None:
        with lying(store, mailbox, INBOX=range(1)) as liar, self.staying(liar) as (sync, ear):
            sync.settle()
            idles = threading.Thread(target=sync.wait, args=[PATIENCE, ear])
            idles.start()
            assert liar.idling.wait(PATIENCE)
            delete(mailbox, "INBOX", 1)
            idles.join(PATIENCE)
            assert not idles.is_alive()
            sync.settle()
            assert (sync.errors, liar.held()) == ([], set())

    def test_a_message_more_than_it_told_of_waits(self, store: Store, mailbox: Mailbox) -> None:
        with lying(store, mailbox, INBOX=range(3)) as liar, self.staying(liar) as (sync, ear):
            sync.settle()
            sync.wait(0, ear)
            delete(mailbox, "INBOX", 3)
            liar.edits = [(rb"\* 2 EXPUNGE\r\n", b"")]
            sync.settle()
            assert "INBOX: the server does not list 3 of its messages any more" in sync.errors[0]
            assert len(liar.held()) == 3

    def test_what_it_told_of_one_folder_says_nothing_of_another(
        self, store: Store, mailbox: Mailbox
    ) -> None:
        with (
            lying(store, mailbox, INBOX=range(3), Deals=range(100, 102)) as liar,
            self.staying(liar) as (sync, ear),
        ):
            sync.settle()
            sync.wait(0, ear)
            delete(mailbox, "INBOX", 2)
            delete(mailbox, "Deals", 2)
            sync.settle()
            assert len(sync.errors) == 1
            assert sync.errors[0].startswith("Deals: the server does not list 2 of its messages")
            assert liar.held() == {"2@test", "100@test", "101@test"}

    def test_what_it_told_of_what_came_and_went_says_nothing_of_a_later_loss(
        self, store: Store, mailbox: Mailbox
    ) -> None:
        with lying(store, mailbox, INBOX=range(3)) as liar, self.staying(liar) as (sync, ear):
            sync.settle()
            sync.wait(0, ear)
            left = b"* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n* 4 EXPUNGE\r\n"
            liar.edits = [(rb"(?m)^(\w+ OK NOOP)", left + rb"\1")]
            sync.settle()
            assert (sync.errors, len(liar.held())) == ([], 3)
            liar.edits = [
                (rb"\* 3 EXISTS", b"* 0 EXISTS"),
                (rb"MESSAGES 3", b"MESSAGES 0"),
                (rb"\* SEARCH[^\r]*", b"* SEARCH"),
                (rb"\* \d+ FETCH[^\n]*\n", b""),
            ]
            sync.settle()
            assert "INBOX: the server does not list 3 of its messages any more" in sync.errors[0]
            assert len(liar.held()) == 3
