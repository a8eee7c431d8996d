"""Sent mail is read ahead for the roles that I wrote to (M5); without that all comes the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Mailbox as Box
from tests.patience import PATIENCE, until
from tests.servers import Dovecot
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, letter

from crmmail.store.database import Store
from crmmail.sync import ahead, rules
from crmmail.sync.ahead import Ahead
from crmmail.sync.loop import Report
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.session import account_rows, sign_in


def written(box: Box) -> None:
    """Sent mail: an old letter to a role, one by somebody else, a draft, and others after it."""
    box.append(
        "Sent",
        letter(0, sender=ME, to="Info <INFO@acme.com>"),
        letter(1, sender="Boss <boss@home.example>", to="sales@acme.com"),
        (letter(2, sender=ME, to="hello@acme.com"), (b"\\Draft",), None),
        letter(3, sender=ME, to="bob@acme.com", more="Cc: support@other.example"),
        *[letter(4 + n, sender=ME, to=f"p{n}@acme.com", day=4 + n) for n in range(8)],
    )


def test_roles_are_found_newest_first_and_what_was_read_is_not_read_again(
    store: Store, mailbox: Box, account: Callable[[], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "STEP", 5)
    written(mailbox)
    (row,) = account_rows(store)
    first = sign_in(row)
    before = first.received
    reader = Ahead(first, "Sent", 13, rules.load(store.read(), row.id))
    roles = set[str]()

    def done() -> bool:
        roles.update(reader.found())
        return reader.below == 1

    until(done)
    assert roles == {"info@acme.com", "support@other.example"}
    assert first.received > before + 100
    reader.close()
    first.close()


def test_closing_leaves_the_rest_for_later(
    store: Store, mailbox: Box, account: Callable[[], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(mailbox)
    (row,) = account_rows(store)
    first, begun, go = sign_in(row), threading.Event(), threading.Event()
    again = Mailbox.again

    def slow(box: Mailbox) -> Mailbox:
        begun.set()
        go.wait(PATIENCE)
        return again(box)

    monkeypatch.setattr(Mailbox, "again", slow)
    reader = Ahead(first, "Sent", 13, rules.load(store.read(), row.id))
    assert begun.wait(PATIENCE)
    [thread] = [one for one in threading.enumerate() if one.name == "crmmail-ahead"]
    reader.close()
    go.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert reader.found() == set()
    assert reader.below == 13
    first.close()


def test_a_server_that_allows_one_connection_gives_the_same(
    tmp_path: Path, store: Store, mailbox: Box, account: Callable[[], Report]
) -> None:
    mail = [letter(40, sender="info@acme.com"), letter(41, sender="sales@acme.com")]
    written(mailbox)
    mailbox.append("INBOX", *mail)
    assert account().stored > 0
    with Dovecot() as server:
        box = Box(server, server.add_user(mailbox.user))
        written(box)
        box.append("INBOX", *mail)
        server.stop()
        with (server.dir / "dovecot.conf").open("a") as settings:
            settings.write("mail_max_userip_connections = 1\n")
        server.start()
        strict = Store(tmp_path / "strict.db")
        connect(strict, box)
        sync(strict)
        assert dumped(strict) == dumped(store)
        strict.close()
