"""A thread that works, waits, backs off, and never gives up (rules.md S5)."""

from __future__ import annotations

import logging
import random
import select
import socket
import sqlite3
import threading
import time
from contextlib import suppress

from crmmail.store.database import Store
from crmmail.store.trouble import StoreError, is_trouble
from crmmail.sync.problems import Asking, NoSecret, Problem, Refused, state_after, told

log = logging.getLogger(__name__)

_STRIKES = 2
"""Refused sign-ins in a row after which it waits for the user."""
_SHORTEST, _LONGEST = 2.0, 300.0
"""Seconds to wait after a failure: doubled each time, with jitter."""


class Patience:
    """Calls `_work` until `stop`; `wake` ends any waiting."""

    _store: Store

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopping = threading.Event()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._failures = self._refusals = 0
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Ask the thread to end; a connection under way is cut."""
        self._stopping.set()
        self.wake()
        self._cut()

    def wake(self) -> None:
        """Begin a pass now, whatever it waits for."""
        with suppress(OSError):
            self._bell.send(b"!")

    def _work(self) -> None:
        """Sign in, then pass after pass on one connection until it breaks."""
        raise NotImplementedError

    def _cut(self) -> None:
        """Break the connection under way; from any thread."""

    def _let_go(self) -> None:
        """Close the connection, if there is one."""

    def _tell(self, words: str, hint: str, state: str, next_try: int) -> None:
        """Say what happened; `next_try` is 0 when that is up to the user."""
        raise NotImplementedError

    def _succeeded(self, signed_in_only: bool = False) -> None:
        """Begin to count anew: refusals after a sign-in, failures after a pass."""
        self._refusals = 0
        if not signed_in_only:
            self._failures = 0

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._work()
            except Exception as problem:
                if not self._stopping.is_set():
                    self._failed(problem)
            finally:
                self._let_go()

    def _failed(self, problem: Exception) -> None:
        """Say what happened, and wait: for the user after refusals, else ever longer."""
        if not isinstance(problem, Problem) and not is_trouble(problem):
            self._store.look()  # what cannot be understood may be read from a damaged file
        if is_trouble(problem):
            problem = self._store.report(problem)
        words, hint = told(problem)
        if not isinstance(problem, Problem):
            log.error("%s", self._name, exc_info=problem)
        if self._store.is_damaged:
            self._sleep(None)  # until it is stopped: nothing heals by being tried again
            return
        self._failures += 1
        counts = isinstance(problem, Refused) and not isinstance(problem, NoSecret)
        self._refusals = self._refusals + 1 if counts else 0
        asking = isinstance(problem, Asking)
        if asking or self._refusals >= _STRIKES:
            self._note(words, hint, "asking" if asking else "stopped", 0)
            self._sleep(None)
            self._refusals = 0
            return
        ceiling = min(_LONGEST, _SHORTEST * 2 ** min(self._failures - 1, 10))
        pause = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads retries, no secret
        pause = max(pause, getattr(problem, "wait", 0.0))
        self._note(words, hint, state_after(problem), int(time.time() + pause))
        self._sleep(pause)

    def _note(self, words: str, hint: str, state: str, next_try: int) -> None:
        """Say what happened; the status line says it where no state can be written."""
        try:
            self._tell(words, hint, state, next_try)
        except (sqlite3.Error, StoreError) as unwritten:
            self._store.report(unwritten)

    def _sleep(self, seconds: float | None) -> bool:
        """Wait; returns whether somebody woke it."""
        woken, _, _ = select.select([self._ear], [], [], seconds)
        self._hush()
        return bool(woken)

    def _hush(self) -> None:
        with suppress(BlockingIOError):
            while self._ear.recv(64):
                pass
