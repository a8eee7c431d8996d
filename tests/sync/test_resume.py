"""kill -9 at any moment of an import loses nothing and doubles nothing (S2)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import letter

from crmmail.store.database import Store

_SYNC = """
import sys
from pathlib import Path
from crmmail.store.database import Store
from crmmail.sync.loop import sync_once
for report in sync_once(Store(Path(sys.argv[1]))):
    sys.exit(bool(report.errors))
"""
KILLS = 25


def letters(count: int) -> list[bytes]:
    """A mix: threads of four, newsletters, senders enough to make people all along."""
    made = []
    for number in range(count):
        first = number - number % 4
        made.append(
            letter(
                number,
                sender=f"Person {number % 97} <p{number % 97}@c{number % 31}.com>",
                refs=f"<{first}@test>" if number != first else "",
                more="List-Id: <l.example>" if number % 7 == 0 else "",
                text=f"Letter {number}. " * 40,
                day=number / 10,
            )
        )
    return made


def run(path: Path, seconds: float | None) -> bool:
    """Sync in a process of its own, killed after so many seconds; whether it came to its end."""
    process = subprocess.Popen([sys.executable, "-c", _SYNC, str(path)], env=os.environ.copy())
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False


def test_kill_9_at_random_moments(tmp_path: Path, mailbox: Mailbox, monkeypatch) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", *letters(3_000))
    mailbox.append("Archive", *letters(300))
    whole = Store(tmp_path / "whole.db")
    connect(whole, mailbox)
    started = time.monotonic()
    sync(whole)
    seconds = time.monotonic() - started
    killed = Store(tmp_path / "killed.db")
    connect(killed, mailbox)
    killed.close()
    chance = random.Random(2)
    kills = 0
    while kills < KILLS:
        if run(tmp_path / "killed.db", chance.uniform(0.2, 0.4 + seconds / 4)):
            fresh = tmp_path / "killed.db"
            for file in tmp_path.glob("killed.db*"):
                file.unlink()
            again = Store(fresh, anew=True)
            connect(again, mailbox)
            again.close()
            continue
        kills += 1
        half = Store(tmp_path / "killed.db")
        assert half.read().execute("PRAGMA integrity_check").fetchone() == ("ok",)
        half.close()
    assert run(tmp_path / "killed.db", None)
    resumed = Store(tmp_path / "killed.db")
    assert dumped(resumed) == dumped(whole)
    resumed.close()
    whole.close()
