"""How soon the newest threads can be browsed, watched from outside while crmmail imports."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.servers import Dovecot

from benchmarks.measure import environment
from benchmarks.rivals import Crmmail

THREADS = 200
_NEWEST = """
    SELECT message.message_id FROM thread JOIN message ON message.id = thread.last_id
    ORDER BY thread.last_at DESC, thread.id DESC LIMIT ?
"""
_PATIENCE = 600.0
_SEEN = 5 * THREADS
"""Threads looked at while they come: some are still in two pieces, which pushes others down."""


class TooSlowError(Exception):
    """The threads did not come."""


@dataclass(frozen=True, slots=True)
class Browsable:
    """Seconds from the login."""

    any: float  # until some 200 threads are in the store
    most: float  # until 190 of the 200 newest of the whole mailbox are, with their newest messages
    newest: float  # until all 200 are


def newest_threads(store: Path) -> list[str]:
    """The newest threads, by the Message-ID of their newest message."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        return [mid for (mid,) in db.execute(_NEWEST, [THREADS])]


def watch(server: Dovecot, crmmail: Crmmail, wanted: list[str]) -> Browsable:
    """Import into an empty store until the wanted threads are there; then end the import."""
    crmmail.prepare()
    logins = _logins(server)
    process = subprocess.Popen(
        crmmail.sync_command,
        env=environment(crmmail.env),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while _logins(server) == logins:
            _check(process, time.monotonic())
            time.sleep(0.002)
        return _poll(process, crmmail.store, set(wanted))
    finally:
        process.terminate()
        process.wait()


def _poll(process: subprocess.Popen[bytes], store: Path, wanted: set[str]) -> Browsable:
    start, some, most, version = time.monotonic(), 0.0, 0.0, -1
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        while True:
            over = process.poll() is not None
            version, before = db.execute("PRAGMA data_version").fetchone()[0], version
            if version != before:  # looking is not free on a machine with two cores
                present = {mid for (mid,) in db.execute(_NEWEST, [_SEEN])}
                passed, there = time.monotonic() - start, len(wanted & present)
                some = some or (passed if len(present) >= len(wanted) else 0.0)
                most = most or (passed if there >= 0.95 * len(wanted) else 0.0)
                if there == len(wanted):
                    return Browsable(some, most, passed)
            if over:
                raise TooSlowError("the import ended without the newest threads")
            _check(process, start)
            time.sleep(0.01)


def _check(process: subprocess.Popen[bytes], start: float) -> None:
    if process.poll() not in (None, 0):
        raise TooSlowError(f"crmmail ended with {process.returncode}")
    if time.monotonic() - start > _PATIENCE:
        raise TooSlowError(f"not there after {_PATIENCE:.0f} s")


def _logins(server: Dovecot) -> int:
    return (server.dir / "log").read_text("utf-8", "replace").count("Login: user=<")
