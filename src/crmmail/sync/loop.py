"""The sync loop: one worker thread an account, until the app ends (rules.md S)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from crmmail.store import leaving
from crmmail.store.database import Store
from crmmail.store.trouble import DamagedError, is_trouble
from crmmail.sync import courtesy
from crmmail.sync.keeping import Keeping, back_up
from crmmail.sync.lock import Busy, exclusive
from crmmail.sync.once import Report, add_calendars, sync_account
from crmmail.sync.session import AccountRow, CalendarAccount, account_rows, calendar_accounts
from crmmail.sync.worker import CalendarWorker, Worker

__all__ = ["INTERVAL", "Busy", "Loop", "Report", "exclusive", "sync_once"]

log = logging.getLogger(__name__)

INTERVAL = 300.0
"""Seconds between passes (S1)."""
_LOOK = 30.0  # seconds between two looks for damage at the beginning of each table


def sync_once(
    store: Store,
    emails: Sequence[str] = (),
    on_progress: Callable[[str, int, int], None] | None = None,
) -> list[Report]:
    """Bring the accounts (all, or those named) up to date and return a report of each.

    `on_progress(email, done, total)` is called now and then, from any thread. Raises Busy.
    """
    reports: dict[int, Report] = {}
    with exclusive(store.path):
        leaving.finish(store)
        for mailbox in account_rows(store):
            if (not emails or mailbox.email in emails) and _is_there(store, mailbox.id):
                reports[mailbox.id] = sync_account(store, mailbox, on_progress)
        for account in calendar_accounts(store):
            if not emails or account.email in emails:
                reports[account.id] = add_calendars(store, account, reports.get(account.id))
        if isinstance(problem := back_up(store), DamagedError):
            raise problem
    return [reports[number] for number in sorted(reports)]


def _is_there(store: Store, account_id: int) -> bool:
    """Whether an account was not removed while those before it were synced."""
    query = "SELECT 1 FROM account WHERE id = ?"
    return store.read().execute(query, [account_id]).fetchone() is not None


class Loop:
    """The workers of all accounts. New and changed accounts are noticed by themselves."""

    def __init__(self, store: Store, interval: float = INTERVAL) -> None:
        self._store = store
        self._interval = interval
        self._workers: dict[tuple[type, int], Worker | CalendarWorker] = {}
        self._hiring = threading.Lock()
        self._stop = threading.Event()
        self._keeper: threading.Thread | None = None
        self._look_at = time.monotonic() + _LOOK

    @property
    def alive(self) -> bool:
        """Whether the loop runs."""
        return self._keeper is not None and self._keeper.is_alive()

    def start(self) -> None:
        """Start in daemon threads; returns at once."""
        self._keeper = threading.Thread(target=self._keep, name="crmmail-sync", daemon=True)
        self._keeper.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Ask all workers to end and wait so many seconds for them.

        One that waits for a calendar server, or for a mail server to take its sign-in, is left
        behind: what it would write comes too late.
        """
        with self._hiring:  # no worker begins after the last one was told to end
            self._stop.set()
        for worker in list(self._workers.values()):
            worker.stop()
        until = time.monotonic() + timeout
        mail = (one for one in self._workers.values() if isinstance(one, Worker))
        threads = [one.thread for one in mail if one.signed_in]
        for thread in [self._keeper, *threads]:
            if thread is not None and thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def sync_now(self) -> None:
        """Begin a pass of every account now, and look for damage of the store."""
        self._look_at = 0.0
        for worker in list(self._workers.values()):
            worker.wake()

    def key_pressed(self) -> None:
        """Stand aside while a key is answered."""
        courtesy.key_pressed()

    def _keep(self) -> None:
        """Hold the lock, and one worker for every account that there is.

        The sync of a damaged store ends: nothing more is written to it.
        """
        while not self._stop.is_set() and not self._store.is_damaged:
            try:
                with exclusive(self._store.path):
                    leaving.finish(self._store)
                    keeping = Keeping(self._store, self._stop.is_set)
                    while not self._stop.wait(1.0 if self._workers else 0.0):
                        self._look()
                        if self._store.is_damaged:
                            break
                        self._match_workers()
                        keeping.tick()
                        self._stop.wait(1.0)
            except Busy:
                self._look()
                self._stop.wait(5.0)  # the other process does the work; its changes are seen
            except Exception as problem:
                if not self._stop.is_set():  # else the store may be closed by now
                    log.exception("the keeper of the sync loop")
                    if is_trouble(problem):
                        self._store.report(problem)
                    self._stop.wait(5.0)
        for worker in list(self._workers.values()):
            worker.stop()

    def _look(self) -> None:
        if (now := time.monotonic()) >= self._look_at:
            self._look_at = now + _LOOK
            self._store.look()

    def _match_workers(self) -> None:
        """Start and stop workers until they are those of the accounts as they are now."""
        every: list[AccountRow | CalendarAccount] = [
            *account_rows(self._store),
            *calendar_accounts(self._store),
        ]
        wanted = {(type(row), row.id): row for row in every if not row.paused}
        with self._hiring:
            if self._stop.is_set():
                return
            for key, worker in list(self._workers.items()):
                if wanted.get(key) != worker.account or not worker.thread.is_alive():
                    worker.stop()
                    del self._workers[key]
            for key, account in wanted.items():
                if key not in self._workers:
                    self._workers[key] = self._worker(account)

    def _worker(self, account: AccountRow | CalendarAccount) -> Worker | CalendarWorker:
        if isinstance(account, CalendarAccount):
            return CalendarWorker(self._store, account, self._interval)
        return Worker(self._store, account, self._interval)
