"""One account's thread: connects, passes, waits, backs off, and never gives up (rules.md S5)."""

from __future__ import annotations

import logging
import random
import select
import socket
import threading
import time
from contextlib import suppress

from crmmail.store.database import Store
from crmmail.sync import state
from crmmail.sync.account import AccountSync
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.problems import Problem, Refused, told
from crmmail.sync.session import AccountRow, sign_in

log = logging.getLogger(__name__)

_STRIKES = 2
"""Refused sign-ins in a row after which the account waits for its user."""
_SHORTEST, _LONGEST = 2.0, 300.0
"""Seconds to wait after a failure: doubled each time, with jitter."""


class Worker:
    """Runs until `stop`; `wake` begins a pass at once."""

    def __init__(self, store: Store, account: AccountRow, interval: float) -> None:
        self.account = account
        self._store = store
        self._interval = interval
        self._mailbox: Mailbox | None = None
        self._stopping = threading.Event()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._failures = self._refusals = 0
        self.thread = threading.Thread(
            target=self._run, name=f"crmmail-sync-{account.id}", daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """Ask the thread to end; a connection under way is cut."""
        self._stopping.set()
        self.wake()
        if (mailbox := self._mailbox) is not None:
            mailbox.abort()

    def wake(self) -> None:
        """Begin a pass now, whatever the worker waits for."""
        with suppress(OSError):
            self._bell.send(b"!")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._connected()
            except Exception as problem:
                if not self._stopping.is_set():
                    self._failed(problem)
            finally:
                if self._mailbox is not None:
                    self._mailbox.close()
                    self._mailbox = None

    def _connected(self) -> None:
        """Sign in, then pass after pass on one connection until it breaks."""
        state.update(self._store, self.account.id, state="connecting")
        self._mailbox = sign_in(self.account)
        self._refusals = 0
        sync = AccountSync(self._store, self.account.id, self._mailbox)
        while not self._stopping.is_set():
            state.update(self._store, self.account.id, state="checking")
            sync.settle(self._stopping.is_set)
            if self._stopping.is_set():
                return
            self._failures = 0
            state.succeeded(self._store, self.account.id)
            state.update(
                self._store,
                self.account.id,
                state="watching" if self._mailbox.has_idle else "waiting",
                next_try=int(time.time() + self._interval),
                error="; ".join(sync.errors),
            )
            sync.wait(self._interval, self._ear)
            self._hush()

    def _failed(self, problem: Exception) -> None:
        """Say what happened, and wait: for the user after refusals, else ever longer."""
        words, hint = told(problem)
        if not isinstance(problem, Problem):
            log.error("sync of account %d", self.account.id, exc_info=problem)
        self._failures += 1
        self._refusals = self._refusals + 1 if isinstance(problem, Refused) else 0
        if self._refusals >= _STRIKES:
            state.update(
                self._store, self.account.id, state="stopped", next_try=0, error=words, hint=hint
            )
            self._sleep(None)
            self._refusals = 0
            return
        ceiling = min(_LONGEST, _SHORTEST * 2 ** min(self._failures - 1, 10))
        pause = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads retries, no secret
        pause = max(pause, getattr(problem, "wait", 0.0))
        state.update(
            self._store,
            self.account.id,
            state="waiting",
            next_try=int(time.time() + pause),
            error=words,
            hint=hint,
        )
        self._sleep(pause)

    def _sleep(self, seconds: float | None) -> None:
        select.select([self._ear], [], [], seconds)
        self._hush()

    def _hush(self) -> None:
        with suppress(BlockingIOError):
            while self._ear.recv(64):
                pass
