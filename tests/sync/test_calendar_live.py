"""The loop over calendars, beside the mail: at once, again when asked, after faults (S1, S5)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conftest import Mailbox
from tests.dav_proxy import DavProxy
from tests.dav_servers import Radicale
from tests.sync.conftest import connect
from tests.sync.events import event
from tests.sync.letters import letter
from tests.sync.test_live import count, looping, wait_until

from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync import patience, worker
from crmmail.sync.worker import CalendarWorker

ME = "me@home.example"


@pytest.fixture
def proxy(radicale: Radicale, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[DavProxy]:
    """An account with calendars only, whose server has one meeting."""
    monkeypatch.setenv("CAL_PASSWORD", radicale.password)
    monkeypatch.setattr(worker, "GRACE", 0.0)
    monkeypatch.setattr(patience, "_SHORTEST", 0.05)
    radicale.make("work")
    radicale.put("work", "1.ics", event(1, "First"))
    with DavProxy(radicale) as proxy:
        accounts.add(store, ME, secret="env:CAL_PASSWORD")
        accounts.set_calendars(store, ME, proxy.url, radicale.user)
        yield proxy


def titles(store: Store) -> set[str]:
    return {title for (title,) in store.read().execute("SELECT title FROM meeting")}


def state(store: Store) -> accounts.StateRow:
    return accounts.states(store.read())[0]


def test_meetings_are_there_soon_and_again_when_asked(store: Store, proxy: DavProxy) -> None:
    with looping(store) as loop:
        wait_until(store, lambda: titles(store) == {"First"})
        wait_until(store, lambda: state(store).calendar_success > 0)
        assert not state(store).has_mail
        proxy.server.put("work", "2.ics", event(2, "Second"))
        proxy.server.make("home")
        proxy.server.put("home", "3.ics", event(3, "Third"))
        loop.sync_now()
        wait_until(store, lambda: titles(store) == {"First", "Second", "Third"})


def test_a_wrong_password_waits_for_the_user(
    store: Store, proxy: DavProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAL_PASSWORD", "wrong")
    with looping(store) as loop:
        wait_until(store, lambda: "refused the sign-in" in state(store).calendar_error)
        assert "password" in state(store).calendar_hint
        monkeypatch.setenv("CAL_PASSWORD", proxy.server.password)
        wait_until(store, lambda: len(proxy.answered) >= 4)  # twice, and each time a call for it
        loop.sync_now()
        wait_until(store, lambda: state(store).calendar_error == "")
        assert titles(store) == {"First"}


def test_a_server_in_trouble_is_tried_again_until_it_is_well(store: Store, proxy: DavProxy) -> None:
    proxy.script = lambda _: (503, {}, b"")
    with looping(store):
        wait_until(store, lambda: "trouble of its own" in state(store).calendar_error)
        proxy.script = lambda _: None
        wait_until(store, lambda: titles(store) == {"First"})
        wait_until(store, lambda: state(store).calendar_error == "")


def test_mail_does_not_wait_for_a_calendar_that_stalls(
    store: Store, proxy: DavProxy, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    connect(store, mailbox, "mail@home.example")
    accounts.set_calendars(store, ME, "")
    accounts.set_calendars(
        store, "mail@home.example", proxy.url, proxy.server.user, "env:CAL_PASSWORD"
    )
    proxy.stall.set()
    mailbox.append("INBOX", letter(1))
    with looping(store) as loop:
        wait_until(store, lambda: bool(proxy.waiting))
        wait_until(store, lambda: count(store) == 1)
        [stalled] = [one for one in loop._workers.values() if isinstance(one, CalendarWorker)]
        loop.stop(timeout=600)  # does not wait for it either: so long it would not have lived
        assert stalled.thread.is_alive()


def test_an_account_whose_calendars_are_taken_away_is_left_alone(
    store: Store, proxy: DavProxy
) -> None:
    with looping(store) as loop:
        wait_until(store, lambda: state(store).calendar_success > 0)
        accounts.set_calendars(store, ME, "")
        wait_until(store, lambda: not loop._workers)
