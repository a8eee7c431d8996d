"""Flags on a server that does not count their changes: followed, in few bytes (S3)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from tests.conftest import Mailbox
from tests.fake_imap import FakeImap
from tests.servers import Dovecot
from tests.sync.conftest import connect, sync
from tests.sync.letters import letter

from crmmail.store.database import Store
from crmmail.sync import reflagging
from crmmail.sync.account import AccountSync
from crmmail.sync.session import account_rows, sign_in

SEEN, FLAGGED = rb"\Seen", rb"\Flagged"


@dataclass
class Plain:
    """An account with eight messages in INBOX, two of them in the skip list; three count as new."""

    store: Store
    mailbox: Mailbox
    fake: FakeImap

    def sync(self) -> list[str]:
        """Sync over a new connection; returns of which messages of INBOX flags were asked for."""
        before = len(self.fake.calls)
        sync(self.store)
        self.fake.ended()
        return self.asked(before)

    def asked(self, before: int) -> list[str]:
        """Of which messages flags were asked for, after so many commands."""
        asked = (one.arguments.split() for one in self.fake.calls[before:])
        return [words[0] for words in asked if words[1:] == ["(UID", "FLAGS)"]]

    def mark(self, uid: int, flag: bytes) -> None:
        with self.mailbox.client() as client:
            client.select_folder("INBOX")
            client.add_flags([uid], [flag])

    def flags(self) -> dict[int, int]:
        """Those of the messages that have some, by UID."""
        rows = """SELECT uid, flags FROM placement WHERE flags
                  UNION ALL SELECT uid, flags FROM skipped WHERE flags"""
        return dict(self.store.read().execute(rows).fetchall())

    def later(self, seconds: int) -> None:
        """All flags were last read so long ago."""
        with self.store.write() as (db, _):
            db.execute("UPDATE folder SET flags_at = flags_at - ?", [seconds])


@pytest.fixture
def plain(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plain]:
    with (
        Dovecot(without=["CONDSTORE", "QRESYNC"]) as server,
        FakeImap({}, before=server) as fake,
    ):
        mailbox = Mailbox(server, server.add_user("plain@home.example"))
        near = Mailbox(fake, mailbox.user)  # type: ignore[arg-type]
        group = "List-Id: <l.example>"
        mailbox.append("INBOX", *(letter(n, more=group if n < 3 else "") for n in range(1, 9)))
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        monkeypatch.setattr(reflagging, "NEWEST", 3)
        connect(store, near)
        plain = Plain(store, mailbox, fake)
        plain.sync()
        yield plain


def test_each_connection_reads_the_flags_of_the_newest_messages_only(plain: Plain) -> None:
    plain.mark(7, FLAGGED)
    plain.mark(2, FLAGGED)
    assert plain.sync() == ["6:8"]
    assert plain.flags() == {7: 2}


def test_once_a_day_the_flags_of_all_are_read(plain: Plain) -> None:
    plain.mark(2, FLAGGED)
    plain.mark(4, FLAGGED)
    plain.later(86_400)
    assert plain.sync() == ["6:8", "1:5"]
    assert plain.flags() == {2: 2, 4: 2}
    assert plain.sync() == ["6:8"]


def test_all_are_read_when_the_count_of_unread_tells_that_an_old_one_was_read(
    plain: Plain,
) -> None:
    plain.mark(8, SEEN)
    assert plain.sync() == ["6:8"]
    plain.mark(4, SEEN)
    assert plain.sync() == ["6:8", "1:5"]
    assert plain.flags() == {8: 1, 4: 1}


def test_new_mail_makes_nobody_read_the_flags_of_all(plain: Plain) -> None:
    plain.mailbox.append("INBOX", letter(9))
    assert plain.sync() == ["7:9"]
    assert plain.flags() == {}


def test_what_the_server_tells_in_passing_makes_all_be_read_once_an_hour(plain: Plain) -> None:
    (account,) = account_rows(plain.store)
    bell, ear = socket.socketpair()
    with closing(sign_in(account)) as mailbox, bell, ear:
        one = AccountSync(plain.store, account.id, mailbox)
        one.settle()
        bell.send(b"!")  # INBOX is opened, and nobody waits
        one.wait(0, ear)
        plain.mark(2, FLAGGED)
        before = len(plain.fake.calls)
        one.settle()
        assert plain.asked(before) == ["6:8"]
        plain.later(3_600)
        one.wait(0, ear)
        one.settle()
        assert plain.asked(before) == ["6:8", "6:8", "1:5"]
        assert plain.flags() == {2: 2}
        one.wait(0, ear)
        one.settle()
        assert len(plain.asked(before)) == 3
