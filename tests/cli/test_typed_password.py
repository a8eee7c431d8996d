"""A password that is typed for one run is kept nowhere."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.accounts import typed
from tests.cli.conftest import ME, Cli
from tests.conftest import Mailbox
from tests.terminal import Terminal

CURSOR = b";48;5;188m"
"""In the line that has the keys, the cursor is the one cell with the colour of text behind it."""


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    typed._held.clear()
    yield
    typed._held.clear()
    typed.ask_here()


def test_without_a_keyring_it_is_asked_for_in_each_run_and_kept_nowhere(
    cli: Cli, mailbox: Mailbox, tmp_path: Path
) -> None:
    crmmail = (sys.executable, "-m", "crmmail")
    password = f"{mailbox.password}\n".encode()
    place = ("--imap", f"{mailbox.host}:{mailbox.port}", "--security", "none")
    add = ("account", "add", ME, *place, "--username", mailbox.user, "--caldav", "none")
    with Terminal(*crmmail, *add) as terminal:
        terminal.shows(b"kept nowhere")
        terminal.shows(b"Password of")
        terminal.asks_unseen()
        terminal.press(password)
        assert terminal.ends() == 0
        assert mailbox.password.encode() not in terminal.seen
    assert cli("account", "list", "--json").json[0]["password"] == "typed in each run"
    with Terminal(*crmmail, "sync") as terminal:
        terminal.shows(b"(kept nowhere):")
        terminal.asks_unseen()
        terminal.press(password)
        assert terminal.ends() == 0
    with Terminal(*crmmail) as terminal:
        terminal.shows(b"Password of")
        terminal.shows(CURSOR)  # before, keys are not taken to be meant for the question
        terminal.press(password.replace(b"\n", b"\r"))
        terminal.shows(b"People")
        terminal.shows(b"up to date")
        terminal.press(b"\x11")
        assert terminal.ends() == 0
    with closing(sqlite3.connect(tmp_path / "data" / "crmmail.db")) as db:
        rows = [line for line in db.iterdump() if line.startswith("INSERT INTO")]
    assert any("'ask:'" in row for row in rows)
    assert not any(f"'{mailbox.password}'" in row for row in rows)


def test_the_app_starts_on_a_store_in_a_relative_folder(tmp_path: Path) -> None:
    run = f"cd {tmp_path} && CRMMAIL_DATA_DIR=here {sys.executable} -m crmmail"
    with Terminal("sh", "-c", run) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(b"\x11")
        assert terminal.ends() == 0


def test_where_nobody_can_be_asked_it_is_an_error(cli: Cli) -> None:
    refused = cli("account", "add", ME, "--imap", "127.0.0.1:1", "--security", "none")
    assert refused.code == 1
    assert "no usable keyring" in refused.err
