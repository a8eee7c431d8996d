"""What a sync writes is not taken for a change of the accounts: the app begins a pass after one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conftest import Mailbox
from tests.dav_proxy import DavProxy
from tests.dav_servers import Radicale
from tests.sync.conftest import connect
from tests.sync.events import event
from tests.sync.letters import letter

from crmmail.store import accounts, mail_rules
from crmmail.store.database import Notice, Store
from crmmail.store.levels import Level
from crmmail.sync.loop import sync_once


@pytest.fixture
def proxy(
    store: Store, mailbox: Mailbox, radicale: Radicale, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DavProxy]:
    """An account with a message and a calendar with a meeting."""
    monkeypatch.setenv("CAL_PASSWORD", radicale.password)
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    connect(store, mailbox)
    mailbox.append("INBOX", letter(1))
    radicale.make("work")
    radicale.put("work", "1.ics", event(1, "First"))
    with DavProxy(radicale) as proxy:
        accounts.set_calendars(
            store, "me@home.example", proxy.url, radicale.user, "env:CAL_PASSWORD"
        )
        yield proxy


def topics_of_a_sync(store: Store) -> set[str]:
    """What the notices of a whole sync are about."""
    heard: set[str] = set()

    def listen(notice: Notice) -> None:
        heard.update(notice.topics)

    stop = store.subscribe(listen)
    sync_once(store)
    stop()
    return heard


def test_no_pass_asks_for_another(store: Store, proxy: DavProxy, mailbox: Mailbox) -> None:
    account_id = accounts.all_accounts(store.read())[0].id
    assert account_id is not None
    first = topics_of_a_sync(store)
    assert {"threads", "meetings", "state"} <= first
    passes = [first, topics_of_a_sync(store)]

    mailbox.append("INBOX", letter(2, sender="Bo Ek <bo@birch.example>"))
    proxy.server.put("work", "2.ics", event(2, "Second"))
    proxy.server.make("home")
    passes.append(topics_of_a_sync(store))

    mail_rules.set_values(store, account_id, meeting_level=Level.METADATA)
    mail_rules.block(store, "@birch.example")
    passes.append(topics_of_a_sync(store))

    proxy.script = lambda _: (503, {}, b"")
    passes.append(topics_of_a_sync(store))
    proxy.script = lambda _: None
    proxy.server.delete("home")
    passes += [topics_of_a_sync(store) for _ in range(4)]

    assert "accounts" not in set.union(*passes)
    assert len(store.read().execute("SELECT id FROM calendar").fetchall()) == 1
