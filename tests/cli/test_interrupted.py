"""`status` after a sync was killed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crmmail import settings
from crmmail.store.database import Store
from tests.cli.conftest import Cli
from tests.conftest import Mailbox
from tests.fake_imap import STALL, FakeImap
from tests.patience import until
from tests.sync.conftest import connect
from tests.sync.letters import letter


def test_status_says_importing_while_a_sync_works_and_interrupted_once_it_is_killed(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", *[letter(number) for number in range(5)])
    path = settings.store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FakeImap({"UID FETCH": STALL}, before=mailbox.server) as fake:
        store = Store(path)
        connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
        store.close()
        running = subprocess.Popen([sys.executable, "-m", "crmmail", "sync", "--once"])
        try:
            until(lambda: cli("status", "--json").json["accounts"][0]["state"] == "importing")
        finally:
            running.kill()
            running.wait()
    assert cli("status", "--json").json["accounts"][0]["state"] == "interrupted"
    assert "interrupted 0 of 5" in cli("status").out
