"""The app while a server stalls: it takes the call and says nothing, or stops in mid-sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync import worker
from crmmail.sync.loop import Loop, sync_once
from tests.conftest import Mailbox
from tests.dav_proxy import DavProxy
from tests.dav_servers import Radicale
from tests.fake_imap import STALL, FakeImap
from tests.patience import PATIENCE
from tests.screens.harness import press, text, until
from tests.sync.conftest import connect
from tests.sync.letters import letter

AT_ONCE = 15.0  # on a busy machine


@pytest.fixture(autouse=True)
def clock() -> None:
    """Here time goes on: sockets wait by it."""


@pytest.fixture
def synced(mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """What a sync brought in while the server was well."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    monkeypatch.setattr(Loop.stop, "__defaults__", (PATIENCE,))
    mailbox.append("INBOX", letter(1), letter(2, sender="Bo Ek <bo@birch.example>"))
    store = Store(tmp_path / "crmmail.db")
    connect(store, mailbox)
    (report,) = sync_once(store)
    assert (report.errors, report.stored) == ([], 2)
    yield store
    store.close()


class MidSentence:
    """Passes on what a server says until it says a certain thing: of that half, and no more."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self.stalls = threading.Event()

    def __call__(self, answer: bytes) -> bytes:
        if self.stalls.is_set():
            return b""
        if self._said in answer:
            self.stalls.set()
            return answer[: len(answer) // 2]
        return answer


def ask_through(store: Store, port: int) -> None:
    """Let the account's server be the one at this port."""
    with store.write("accounts") as (db, _):
        db.execute("UPDATE account SET port = ?", [port])


def mail_threads_end() -> bool:
    """Whether all threads that follow a mailbox end: one that signs in is not waited for."""
    mine = [one for one in threading.enumerate() if one.name.startswith("crmmail-sync-")]
    for one in mine:
        one.join(AT_ONCE)
    return not any(one.is_alive() for one in mine)


async def keys_answer_and_quit(app: CrmmailApp, stalls: threading.Event | None = None) -> None:
    """Move, open a record and a thread, go back, quit: all of it while the server stalls."""
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "Bo Ek" in text(app) and (not stalls or stalls.is_set()))
        records = app.screen
        assert isinstance(records, RecordsScreen)
        before = records.shown.cursor
        await press(pilot, "j" if before == 0 else "k")
        assert records.shown.cursor != before
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
        await press(pilot, "enter")
        assert isinstance(app.screen, ThreadScreen)
        assert "This is letter" in text(app)
        await press(pilot, "escape", "escape")
        assert app.screen is records
        began = time.monotonic()
        await pilot.press("ctrl+q")
    assert time.monotonic() - began < AT_ONCE


async def test_keys_answer_while_a_mail_server_takes_the_call_and_says_nothing(
    synced: Store,
) -> None:
    with FakeImap(greeting=b"") as silent:
        ask_through(synced, silent.port)
        await keys_answer_and_quit(CrmmailApp(synced))


async def test_keys_answer_while_a_mail_server_greets_and_says_no_more(synced: Store) -> None:
    greeted = threading.Event()

    def stall(_call: object) -> str:
        greeted.set()
        return STALL

    with FakeImap({"CAPABILITY": stall, "LOGIN": stall}) as server:
        ask_through(synced, server.port)
        app = CrmmailApp(synced)
        await keys_answer_and_quit(app, greeted)


@pytest.mark.parametrize("said", [b"HEADER.FIELDS", b"BODY[]", b"* LIST"], ids=str)
async def test_keys_answer_while_a_mail_server_stops_in_the_middle(
    said: bytes, synced: Store, mailbox: Mailbox
) -> None:
    mailbox.append("INBOX", letter(3))
    half = MidSentence(said)
    with FakeImap(before=mailbox.server, tamper=half) as server:
        ask_through(synced, server.port)
        await keys_answer_and_quit(CrmmailApp(synced), half.stalls)
        assert mail_threads_end()


async def test_keys_answer_while_a_calendar_server_stalls(
    synced: Store, radicale: Radicale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE", 0.0)
    monkeypatch.setenv("CAL_PASSWORD", radicale.password)
    with DavProxy(radicale) as proxy:
        proxy.stall.set()
        accounts.set_calendars(
            synced, "me@home.example", proxy.url, radicale.user, "env:CAL_PASSWORD"
        )
        await keys_answer_and_quit(CrmmailApp(synced), proxy.stall)
        assert proxy.waiting
        assert mail_threads_end()


async def test_setting_up_a_mailbox_on_a_server_that_stalls_can_be_left(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "secret")
    asked = threading.Event()

    def stall(_call: object) -> str:
        asked.set()
        return STALL

    with FakeImap({"LOGIN": stall}) as server:
        accounts.add(
            empty_store, "me@home.example", host=server.host, port=server.port,
            security="none", secret="env:CRMMAIL_PASSWORD",
        )  # fmt: skip
        known = accounts.get(empty_store.read(), "me@home.example")
        app = CrmmailApp(empty_store, sync=False)
        async with app.run_test(size=(100, 30)) as pilot:
            app.push_screen(FirstRunScreen(empty_store, known, untrusted=True))  # tests at once
            await until(pilot, asked.is_set)
            assert f"Signing in to {server.host}" in text(app)
            line = app.screen.query_one("#field-variable Input", Input)
            line.focus()
            await press(pilot, "a", "b")
            assert line.value == "ab"
            await press(pilot, "escape", "y")
            assert isinstance(app.screen, RecordsScreen)
            began = time.monotonic()
            await pilot.press("ctrl+q")
        assert time.monotonic() - began < AT_ONCE


async def test_a_message_that_stops_on_its_way_holds_nobody(
    synced: Store, mailbox: Mailbox
) -> None:
    half = MidSentence(b"BODY[]")
    with FakeImap(before=mailbox.server, tamper=half) as server:
        ask_through(synced, server.port)
        app = CrmmailApp(synced, sync=False)
        async with app.run_test(size=(120, 30)) as pilot:
            await press(pilot, "enter", "enter", "R")
            await until(pilot, lambda: "Fetching The source from the server" in text(app))
            assert "escape cancels" in text(app)
            assert half.stalls.is_set()
            await press(pilot, "escape")
            assert "Fetching" not in text(app)
            await press(pilot, "escape")
            assert isinstance(app.screen, RecordScreen)
            await press(pilot, "enter", "R")
            began = time.monotonic()
            await pilot.press("ctrl+q")
        assert time.monotonic() - began < AT_ONCE
