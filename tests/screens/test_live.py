"""The app while it syncs: real server, real loop, what the user sees (S1, S2)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmmail.app import CrmmailApp
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.conftest import Mailbox
from tests.screens.harness import press, text, until


@pytest.fixture(autouse=True)
def clock() -> None:
    """Here time goes on."""


@pytest.fixture
def synced(mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("LIVE_PASSWORD", mailbox.password)
    store = Store(tmp_path / "crmmail.db")
    accounts.add(
        store, mailbox.user, host=mailbox.host, port=mailbox.port, security="none",
        username=mailbox.user, secret="env:LIVE_PASSWORD", policy="sent_and_received",
    )  # fmt: skip
    yield store
    store.close()


def mail(mailbox: Mailbox, number: int, subject: str, words: str) -> bytes:
    return (
        f"From: Ada Lovelace <ada@acme.example>\r\nTo: {mailbox.user}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{number}@acme.example>\r\n"
        f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n\r\n{words}\r\n"
    ).encode()


async def test_a_delivered_message_is_on_the_open_records_screen(
    mailbox: Mailbox, synced: Store
) -> None:
    mailbox.append("INBOX", mail(mailbox, 1, "First words", "Good morning."))
    app = CrmmailApp(synced, sync=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "Ada Lovelace" in text(app))
        await until(pilot, lambda: "up to date" in text(app))
        await press(pilot, "enter")
        assert "First words  Good morning." in text(app)
        await until(pilot, lambda: accounts.states(synced.read())[0].state == "watching")
        mailbox.append("INBOX", mail(mailbox, 2, "Second words", "Good evening."))
        await until(pilot, lambda: "Second words  Good evening." in text(app))
        assert "2 threads" in text(app)


async def test_a_wrong_password_is_told_on_the_status_line(
    mailbox: Mailbox, synced: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_PASSWORD", "wrong")
    app = CrmmailApp(synced, sync=True)
    async with app.run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: f"✗ {mailbox.user}" in text(app))
        assert accounts.states(synced.read())[0].error[:30] in text(app)
