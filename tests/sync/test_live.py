"""The loop while it runs: push, polling, refusals, stalls, a server that goes away (S1, S5, S6)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from tests.conftest import Mailbox
from tests.fake_imap import CLOSE, FakeImap
from tests.patience import PATIENCE
from tests.servers import Dovecot
from tests.sync.conftest import connect
from tests.sync.letters import letter

from crmmail.store.database import Notice, Store
from crmmail.store.kinds import Flag
from crmmail.sync import loop as loop_module
from crmmail.sync import wire
from crmmail.sync.account import AccountSync
from crmmail.sync.loop import Busy, Loop, sync_once
from crmmail.sync.mailbox import Login
from crmmail.sync.mailbox import Mailbox as Client
from crmmail.sync.session import AccountRow


@contextmanager
def looping(store: Store, interval: float = 300.0) -> Iterator[Loop]:
    loop = Loop(store, interval)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop(timeout=PATIENCE)  # its threads write to no store that a fixture has closed


def wait_until(store: Store, met: Callable[[], bool]) -> None:
    """Wait for what the store's notices bring about."""
    changed = threading.Event()

    def note(_notice: Notice) -> None:
        changed.set()

    forget = store.subscribe(note)
    end = time.monotonic() + PATIENCE
    try:
        while not met():
            told = store.read().execute("SELECT * FROM sync_state").fetchall()
            assert time.monotonic() < end, told
            changed.wait(1.0)
            changed.clear()
    finally:
        forget()


@pytest.fixture
def idling(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the first pass is over and the loop waits, INBOX being open."""
    waits, wait = threading.Event(), Client.wait

    def note(
        client: Client,
        seconds: float,
        wake: socket.socket | None = None,
        woken: Callable[[], object] | None = None,
    ) -> bool:
        waits.set()
        return wait(client, seconds, wake, woken)

    monkeypatch.setattr(Client, "wait", note)
    return waits


def count(store: Store) -> int:
    return int(store.read().execute("SELECT count(*) FROM message").fetchone()[0])


def state(store: Store) -> tuple[str, str, str]:
    row = store.read().execute("SELECT state, error, hint FROM sync_state").fetchone()
    return row or ("", "", "")


def test_a_new_message_is_in_the_store_long_before_the_next_poll(
    store: Store, mailbox: Mailbox, account: object, idling: threading.Event
) -> None:
    with looping(store, interval=100 * PATIENCE):
        assert idling.wait(PATIENCE)
        mailbox.append("INBOX", letter(1))
        wait_until(store, lambda: count(store) == 1)


def test_what_comes_between_a_pass_and_the_wait_is_not_left_for_the_next_poll(
    store: Store, mailbox: Mailbox, account: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, late = AccountSync.wait, iter([letter(1)])

    def after_mail(
        sync: AccountSync, seconds: float, ear: socket.socket, woken: Callable[[], object]
    ) -> None:
        for message in late:
            mailbox.append("INBOX", message)
        wait(sync, seconds, ear, woken)

    monkeypatch.setattr(AccountSync, "wait", after_mail)
    with looping(store):
        wait_until(store, lambda: count(store) == 1)


def test_news_in_one_packet_with_the_answer_to_idle_wakes() -> None:
    with FakeImap({"IDLE": "IDLING|* 1 EXISTS"}) as server:
        mailbox = Client(Login(server.host, server.port, "none", "me", "secret"))
        mailbox.examine("INBOX")
        waker, ear = socket.socketpair()
        late = threading.Timer(PATIENCE, waker.send, [b"!"])
        late.start()
        try:
            assert mailbox.wait(2 * PATIENCE, ear)
            assert late.is_alive()  # it did not take the bell
        finally:
            late.cancel()
            mailbox.close()


def test_without_idle_the_next_poll_brings_it(tmp_path: Path, monkeypatch) -> None:
    with Dovecot(without=["IDLE"]) as server:
        mailbox = Mailbox(server, server.add_user("poll@home.example"))
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        store = Store(tmp_path / "poll.db")
        connect(store, mailbox)
        with looping(store, interval=1.0):
            wait_until(store, lambda: state(store)[0] == "waiting")
            mailbox.append("INBOX", letter(1))
            wait_until(store, lambda: count(store) == 1)
        store.close()


@pytest.mark.parametrize("without", [["CONDSTORE", "QRESYNC"], ["CONDSTORE", "QRESYNC", "IDLE"]])
def test_a_star_is_followed_where_no_count_tells_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idling: threading.Event, without: list[str]
) -> None:
    with Dovecot(without=without) as server:
        mailbox = Mailbox(server, server.add_user("star@home.example"))
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        store = Store(tmp_path / "star.db")
        connect(store, mailbox)
        mailbox.append("INBOX", letter(1))
        flags = partial(store.read().execute, "SELECT flags FROM message")
        with looping(store, interval=300.0 if "IDLE" not in without else 1.0):
            assert idling.wait(PATIENCE)  # what the server tells of is what happens from now on
            with mailbox.client() as client:
                client.select_folder("INBOX")
                client.add_flags([1], [b"\\Flagged"])
            wait_until(store, lambda: flags().fetchall() == [(Flag.FLAGGED,)])
        store.close()


def test_mail_in_another_folder_comes_with_the_next_pass(
    store: Store, mailbox: Mailbox, account: object
) -> None:
    with looping(store) as loop:
        wait_until(store, lambda: state(store)[0] == "watching")
        mailbox.append("Archive", letter(1))
        loop.sync_now()
        wait_until(store, lambda: count(store) == 1)


def test_an_account_added_while_it_runs_is_taken_up(
    store: Store, mailbox: Mailbox, monkeypatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", letter(1))
    with looping(store):
        connect(store, mailbox)
        wait_until(store, lambda: count(store) == 1)


def test_a_wrong_password_stops_the_account_and_says_what_to_do(
    store: Store, mailbox: Mailbox, account: object, monkeypatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "wrong")
    with looping(store) as loop:
        wait_until(store, lambda: state(store)[0] == "stopped")
        assert "refused the sign-in" in state(store)[1]
        assert "password" in state(store)[2]
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        loop.sync_now()
        wait_until(store, lambda: state(store)[0] == "watching")
        assert state(store)[1:] == ("", "")


def test_a_server_that_goes_away_is_tried_again(tmp_path: Path, monkeypatch) -> None:
    with Dovecot() as server:
        mailbox = Mailbox(server, server.add_user("gone@home.example"))
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        store = Store(tmp_path / "gone.db")
        connect(store, mailbox)
        with looping(store):
            wait_until(store, lambda: state(store)[0] == "watching")
            server.kill()
            wait_until(store, lambda: state(store)[1] != "")
            server.start()
            mailbox.append("INBOX", letter(1))
            wait_until(store, lambda: count(store) == 1)
        store.close()


def test_a_server_that_ends_each_wait_is_asked_without_idle_and_it_is_no_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "secret")
    errors: list[str] = []
    with FakeImap({"IDLE": CLOSE}) as server:
        connect(store, Mailbox(server, "me"))  # type: ignore[arg-type]
        forget = store.subscribe(lambda _: errors.append(state(store)[1]))
        with looping(store):
            wait_until(store, lambda: state(store)[0] == "waiting")
        forget()
    assert set(errors) == {""}
    assert (server.names().count("IDLE"), server.names().count("LOGIN")) == (2, 3)


def test_stopping_does_not_wait_for_the_server(
    store: Store, mailbox: Mailbox, account: object
) -> None:
    loop = Loop(store)
    loop.start()
    wait_until(store, lambda: state(store)[0] == "watching")
    workers = [worker.thread for worker in loop._workers.values()]
    loop.stop(timeout=PATIENCE)  # an IDLE that goes on has minutes
    assert not loop.alive
    assert [thread.is_alive() for thread in workers] == [False]


def test_a_pass_that_was_asked_for_is_told_before_a_hanging_server_ends_its_wait(
    store: Store,
    mailbox: Mailbox,
    account: object,
    idling: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go, completed = threading.Event(), wire.completed

    def late(client: IMAPClient, tag: bytes) -> tuple[str, Any]:
        go.wait(PATIENCE)
        return completed(client, tag)

    with looping(store) as loop:
        assert idling.wait(PATIENCE)
        assert state(store)[0] == "watching"
        monkeypatch.setattr(wire, "completed", late)
        try:
            loop.sync_now()
            wait_until(store, lambda: state(store)[0] == "checking")
        finally:
            go.set()
        wait_until(store, lambda: state(store)[0] == "watching")


def test_one_process_syncs_at_a_time(store: Store, account: object) -> None:
    with looping(store):
        wait_until(store, lambda: state(store)[0] == "watching")
        with pytest.raises(Busy):
            sync_once(store)


def test_an_account_that_is_read_while_the_loop_stops_gets_no_worker(
    store: Store, account: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go = threading.Event(), threading.Event()
    rows = loop_module.account_rows

    def slow(store: Store) -> list[AccountRow]:
        found = rows(store)
        reading.set()
        go.wait(PATIENCE)
        return found

    monkeypatch.setattr(loop_module, "account_rows", slow)
    loop = Loop(store)
    loop.start()
    assert reading.wait(PATIENCE)
    loop.stop(timeout=0)
    go.set()
    loop.stop(timeout=PATIENCE)
    assert not loop.alive
    assert loop._workers == {}
