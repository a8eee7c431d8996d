"""The threads of an account: one for its mailbox, one for its calendars, if it has any."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from crmmail.store.database import Store
from crmmail.sync import state as states
from crmmail.sync.account import AccountSync
from crmmail.sync.believing import APART, Looks
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.patience import Patience
from crmmail.sync.problems import Cut
from crmmail.sync.session import AccountRow, CalendarAccount, sign_in

if TYPE_CHECKING:
    from crmmail.sync.dav import Dav

log = logging.getLogger(__name__)

_SOON, _CUTS_SOON = 60.0, 2
"""A server that so often ends a wait within so many seconds is asked without IDLE,"""
_WITHOUT_IDLE = 3_600.0
"""for so many seconds."""
GRACE = 1.5
"""Seconds that calendars leave to the first picture and the mail, when crmmail starts."""


class Worker(Patience):
    """Keeps an account's mail up to date."""

    def __init__(self, store: Store, account: AccountRow, interval: float) -> None:
        self.account = account
        self._store = store
        self._interval = interval
        self._mailbox: Mailbox | None = None
        self._cut_soon = 0  # so many times in a row the server ended a wait that had just begun
        self._cut_at = float("-inf")
        super().__init__(f"crmmail-sync-{account.id}")

    @property
    def signed_in(self) -> bool:
        """Whether there is a connection to cut, and perhaps a transaction under way."""
        return self._mailbox is not None

    def _work(self) -> None:
        states.update(self._store, self.account.id, state="connecting")
        self._mailbox = sign_in(self.account)
        if self._stopping.is_set():
            return
        self._succeeded(signed_in_only=True)
        if self._cut_soon >= _CUTS_SOON and time.monotonic() - self._cut_at < _WITHOUT_IDLE:
            self._mailbox.do_not_idle()
        looks = Looks(APART)
        sync = AccountSync(self._store, self.account.id, self._mailbox, looks)
        while not self._stopping.is_set():
            states.update(self._store, self.account.id, state="checking")
            sync.settle(self._stopping.is_set)
            if self._stopping.is_set():
                return
            self._succeeded()
            states.ended(
                self._store,
                self.account.id,
                sync.errors,
                state="watching" if self._mailbox.has_idle else "waiting",
                next_try=int(time.time() + self._interval),
            )
            if not self._wait(sync):
                return
            self._hush()

    def _wait(self, sync: AccountSync) -> bool:
        """Wait for news; returns whether the connection is still there.

        Many servers end one that waits. That is no error: the next one looks for news at once.
        """
        began = time.monotonic()
        try:
            sync.wait(self._interval, self._ear, self._woken)
        except Cut as problem:
            log.info("account %d: %s", self.account.id, problem)
            self._cut_at = time.monotonic()
            soon = self._cut_at - began < _SOON
            self._cut_soon = min(self._cut_soon + 1, _CUTS_SOON) if soon else 0
            return False
        return True

    def _woken(self) -> None:
        """Say at once that a pass begins: a server that hangs does not even end the wait."""
        if not self._stopping.is_set():
            states.update(self._store, self.account.id, state="checking")

    def _cut(self) -> None:
        if (mailbox := self._mailbox) is not None:
            mailbox.abort()

    def _let_go(self) -> None:
        if self._mailbox is not None:
            self._mailbox.close()
            self._mailbox = None

    def _tell(self, words: str, hint: str, state: str, next_try: int) -> None:
        states.broken_off(self._store, self.account.id, words, hint, state, next_try)


class CalendarWorker(Patience):
    """Keeps an account's calendars up to date, beside its mail, so that neither waits."""

    def __init__(self, store: Store, account: CalendarAccount, interval: float) -> None:
        self.account = account
        self._store = store
        self._interval = interval
        self._dav: Dav | None = None
        super().__init__(f"crmmail-calendars-{account.id}")

    def _work(self) -> None:
        self._sleep(GRACE)
        if self._stopping.is_set():
            return
        from crmmail.sync import calendars  # its HTTP library takes 0.2 s to import

        self._dav = calendars.sign_in(self.account)
        sync = calendars.CalendarSync(self._store, self.account, self._dav, Looks(APART))
        woken = False
        while not self._stopping.is_set():
            sync.run(self._stopping.is_set, fresh=woken)
            if self._stopping.is_set():
                return
            self.account = sync.account
            self._succeeded()
            states.calendars(self._store, self.account.id, "; ".join(sync.errors), went_well=True)
            woken = self._sleep(self._interval)

    def _cut(self) -> None:
        if (dav := self._dav) is not None:
            dav.close()

    def _let_go(self) -> None:
        self._cut()
        self._dav = None

    def _tell(self, words: str, hint: str, state: str, next_try: int) -> None:  # noqa: ARG002
        states.calendars(self._store, self.account.id, words, hint)
