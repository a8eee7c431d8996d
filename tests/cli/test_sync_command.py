"""sync: once, its totals, its errors, and --watch."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crmmail.cli.sync import sentence
from crmmail.cli.watch import line
from crmmail.settings import store_path
from crmmail.store.database import Store
from crmmail.sync.loop import Report, exclusive
from tests.cli.conftest import ANN, FOLDERS, ME, Cli, add_account, mail
from tests.cli.test_main import CRMMAIL
from tests.conftest import Mailbox
from tests.patience import PATIENCE
from tests.servers import Dovecot


@pytest.mark.usefixtures("filled")
def test_the_counts_are_the_totals_of_the_store_and_add_up(cli: Cli) -> None:
    outcome = cli("sync", "--once", "--json")
    assert outcome.code == 0
    [account] = outcome.json["accounts"]
    assert account["email"] == ME
    assert account["skipped"] == {"folder": 1, "group": 1, "internal": 1}
    assert (account["listed"], account["stored"], account["threads"]) == (7, 4, 2)
    assert account["stored"] + sum(account["skipped"].values()) == account["listed"]
    assert account["errors"] == []
    assert account["seconds"] >= 0
    assert account["bytes_received"] > 0


@pytest.mark.usefixtures("filled")
def test_people_get_a_sentence(cli: Cli) -> None:
    outcome = cli("sync", ME)
    assert outcome.code == 0
    assert outcome.out.startswith(
        f"{ME}: 4 of 7 listed messages stored, 3 skipped (folder 1, group 1, internal 1), 2 threads"
    )
    assert outcome.err == ""


@pytest.mark.usefixtures("password")
def test_an_account_with_an_error_is_code_4_and_the_others_go_on(
    cli: Cli, mailbox: Mailbox
) -> None:
    nowhere = ("--imap", "127.0.0.1:1", "--security", "none", "--password-env", "TEST_PASSWORD")
    cli("account", "add", "away@home.example", *nowhere, "--no-test")
    mailbox.append("INBOX", mail(1, ANN, mailbox.user, "Hello"))
    add_account(cli, mailbox, mailbox.user)
    outcome = cli("sync", "--json")
    assert outcome.code == 4
    errors = {one["email"]: one["errors"] for one in outcome.json["accounts"]}
    assert errors[mailbox.user] == []
    assert "takes no connection" in errors["away@home.example"][0]
    assert "away@home.example: " in outcome.err
    assert cli("thread", "list", "--json").json[0]["subject"] == "Hello"


def test_a_missing_password_is_an_error_of_that_account(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", mailbox.password)
    add_account(cli, mailbox)
    monkeypatch.delenv("TEST_PASSWORD")
    outcome = cli("sync")
    assert outcome.code == 4
    assert "TEST_PASSWORD is not set" in outcome.err


def test_without_an_account_there_is_nothing_to_sync(cli: Cli) -> None:
    for words in (["sync"], ["sync", "--watch"], ["sync", "--json"]):
        outcome = cli(*words)
        assert (outcome.code, outcome.out) == (1, "")
        assert "crmmail account add" in outcome.err


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("words", [["sync"], ["sync", "--watch"]], ids=" ".join)
def test_one_process_at_a_time_syncs(cli: Cli, words: list[str]) -> None:
    store = Store(store_path())
    try:
        with exclusive(store.path):
            outcome = cli(*words)
    finally:
        store.close()
    assert outcome.code == 1
    assert "Another crmmail" in outcome.err


@contextmanager
def watching(*words: str) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[str]]]:
    """A running `sync --watch` and the lines that it prints."""
    process = subprocess.Popen(
        [*CRMMAIL, "sync", "--watch", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout
    reader = threading.Thread(target=lambda out: [*map(lines.put, out)], args=[process.stdout])
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()


def until(lines: queue.Queue[str], **wanted: Any) -> dict[str, Any]:
    """The first event with these values."""
    while True:
        event: dict[str, Any] = json.loads(lines.get(timeout=PATIENCE))
        if all(event.get(key) == value for key, value in wanted.items()):
            return event


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_watching_tells_of_new_mail_and_ends_when_asked(
    cli: Cli, mailbox: Mailbox, how: signal.Signals
) -> None:
    mailbox.append("INBOX", mail(1, ANN, mailbox.user, "Old"))
    add_account(cli, mailbox, mailbox.user)
    with watching("--json") as (process, lines):
        until(lines, event="state", email=mailbox.user, state="watching", error=None)
        mailbox.append("INBOX", mail_now(mailbox.user))
        event = until(lines, event="mail")
        assert (event["subject"], event["names"]) == ("Fresh", ["Ann Lee"])
        process.send_signal(how)
        assert process.wait(PATIENCE) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    shown = cli("thread", "show", event["thread"], "--json").json
    assert shown["subject"] == "Fresh"


@pytest.mark.usefixtures("password")
def test_watching_a_store_that_is_damaged_meanwhile_ends_and_says_so(
    cli: Cli, mailbox: Mailbox
) -> None:
    mailbox.append("INBOX", mail(1, ANN, mailbox.user, "Old"))
    add_account(cli, mailbox, mailbox.user)
    with watching("--json") as (process, lines):
        until(lines, event="state", email=mailbox.user, state="watching", error=None)
        path = store_path()
        with path.open("r+b") as file:
            file.seek(4_096)
            file.write(b"\xa5" * (path.stat().st_size - 4_096))
        mailbox.append("INBOX", mail_now(mailbox.user))
        assert process.wait(PATIENCE) == 1
        assert process.stderr
        said = process.stderr.read()
    assert f"{path} is damaged" in said
    assert "crmmail rebuild" in said


def mail_now(to: str) -> bytes:
    """A message that was sent just now."""
    from email.utils import formatdate

    old = mail(2, ANN, to, "Fresh").decode()
    return "\n".join(
        f"Date: {formatdate()}" if one.startswith("Date:") else one for one in old.splitlines()
    ).encode()


def test_events_in_words() -> None:
    state = {"event": "state", "email": ME, "done": 0, "total": 0, "error": None}
    assert line({**state, "state": "watching"}).endswith(f"  {ME}  watching")
    busy = {**state, "state": "importing", "done": 1200, "total": 50_000}
    assert line(busy).endswith("importing 1,200 of 50,000")
    failed = {**state, "state": "waiting", "error": "The server did not answer."}
    assert line(failed).endswith("waiting: The server did not answer.")
    mail_event = {"event": "mail", "names": ["Ann Lee", "me"], "subject": "Offer"}
    assert line(mail_event).endswith("new mail: Ann Lee, me: Offer")


def test_a_run_in_one_sentence() -> None:
    report = Report(ME, 12_000, 10_000, 9_990, {"group": 2_000}, 1, 12.34, 5_000_000, [])
    assert sentence(report) == (
        f"{ME}: 10,000 of 12,000 listed messages stored, 2,000 skipped (group 2,000), 1 thread; "
        "5.0 MB in 12.3 s"
    )


def test_the_dump_of_two_stores_that_say_the_same_is_the_same(
    cli: Cli, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cli("dump").out
    monkeypatch.setenv("CRMMAIL_DATA_DIR", str(tmp_path / "other"))
    with Dovecot() as server:
        moved = Mailbox(server, server.add_user("moved"))
        for folder, messages in reversed(FOLDERS.items()):
            moved.append(folder, *reversed(messages))
        add_account(cli, moved)
        assert cli("sync").code == 0
    assert len(first) > 1_000
    assert cli("dump").out == first
