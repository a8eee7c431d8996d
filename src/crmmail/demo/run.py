"""The demo's life: a sample mailbox and calendar behind servers, a store, mail that comes in."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from crmmail.demo.calendar_server import CalendarServer
from crmmail.demo.sample import Sample, deals
from crmmail.errors import CrmmailError
from crmmail.store import accounts, opportunities, people
from crmmail.store.database import Store

if TYPE_CHECKING:
    from crmmail.demo.server import Server

EMAIL = "mira@quietrooms.example"
ALIAS = "hello@quietrooms.example"
SECRET = "CRMMAIL_DEMO_PASSWORD"  # noqa: S105 - the variable's name
_PASSWORD = "quiet"  # noqa: S105 - of a mailbox on loopback that is gone in a minute


class Demo:
    """A context: inside it the server runs, and `store_path` is a store with its account.

    Raises CrmmailError where the extra `demo` is not installed.
    """

    def __init__(self, folder: Path, now: datetime | None = None, every: float = 20.0) -> None:
        self.store_path = folder / "crmmail.db"
        self._folder = folder
        self.email = EMAIL
        self._opened_at = time.monotonic()
        self._now = now or datetime.now(UTC).replace(microsecond=0)
        self._every = every
        self._sample = Sample(self._now)
        self._arrivals = self._sample.arrivals(self._clock)
        self._ending = threading.Event()
        self._stack = ExitStack()
        self.server: Server
        self.calendar: CalendarServer

    def __enter__(self) -> Self:
        try:
            from crmmail.demo.server import Server
        except ImportError as problem:
            raise CrmmailError(
                "The demo's servers are not installed.",
                "Install it: pip install 'crmmail[demo]'",
            ) from problem
        with self._stack:
            server = Server(EMAIL, _PASSWORD, self._sample.messages)
            self.server = self._stack.enter_context(server)
            self.calendar = self._stack.enter_context(
                CalendarServer(self._folder / "calendar", EMAIL, _PASSWORD, self._sample.meetings)
            )
            self._stack.callback(_put_back, SECRET, os.environ.get(SECRET))
            os.environ[SECRET] = _PASSWORD
            self._add_account()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._stack.close()

    def deliver_next(self) -> bool:
        """Let the next prepared message arrive; False when all have."""
        message = next(self._arrivals, None)
        if message is not None:
            self.server.deliver(message)
        return message is not None

    def start_deliveries(self) -> None:
        """Let a message arrive now and then, and note the deals once their companies are there."""
        thread = threading.Thread(target=self._live, name="demo-deliveries", daemon=True)
        self._stack.callback(thread.join, 2)
        self._stack.callback(self._ending.set)
        thread.start()

    def note_deals(self, store: Store) -> bool:
        """Add the sample's opportunities; False while a contact of theirs is not there yet."""
        wanted = deals(self._now)
        db = store.read()
        contacts = {row.address: row for row in people.rows(db, people.view(db))}
        if not all(deal.contact in contacts for deal in wanted):
            return False
        for deal in wanted:
            contact = contacts[deal.contact]
            opportunities.add(
                store,
                deal.name,
                contact.company_id,
                contact.id,
                stage=deal.stage,
                amount=deal.amount,
                currency=deal.currency,
                closes_on=deal.closes_on,
            )
        return True

    def _live(self) -> None:
        store = Store(self.store_path)
        try:
            while not self.note_deals(store):
                if self._ending.wait(0.5):
                    return
        finally:
            store.close()
        while not self._ending.wait(self._every):
            if not self.deliver_next():
                return

    def _add_account(self) -> None:
        store = Store(self.store_path)
        try:
            accounts.add(
                store,
                EMAIL,
                host=self.server.host,
                port=self.server.port,
                security="none",
                secret=f"env:{SECRET}",
                policy="sent_and_received",
                aliases=[ALIAS],
                caldav_url=self.calendar.url,
            )
        finally:
            store.close()

    def _clock(self) -> datetime:
        """The demo's time, which goes on from its now."""
        return self._now + timedelta(seconds=int(time.monotonic() - self._opened_at))


def _put_back(name: str, value: str | None) -> None:
    """An environment variable as it was: the process may have another demo."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
