"""A calendar on a real server, with a proxy before it and a store that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.dav_proxy import DavProxy
from tests.dav_servers import CalDav

from crmmail.store import accounts, calendars
from crmmail.store.database import Store
from crmmail.sync.calendars import CalendarSync, sign_in
from crmmail.sync.session import calendar_accounts


@dataclass(slots=True)
class Office:
    """A calendar "work" on a server, a proxy before it, and an account on the proxy."""

    server: CalDav
    proxy: DavProxy
    store: Store
    sync: CalendarSync

    def settle(self) -> None:
        """Sync, which must go well."""
        self.sync.settle()
        assert self.sync.errors == []

    def is_equal(self, calendar: str = "work") -> bool:
        """Whether the store holds exactly the server's resources, in their newest form."""
        row = calendars.named(self.store.read(), calendar)
        held = dict(
            self.store.read().execute(
                "SELECT href, raw FROM calendar_object WHERE calendar_id = ?", [row.id]
            )
        )
        there = self.server.resources(calendar)
        return {path: _lines(text) for path, text in there.items()} == {
            path: _lines(text) for path, text in held.items()
        }

    def again(self) -> CalendarSync:
        """A session that remembers nothing, as after a start of crmmail."""
        account = calendar_accounts(self.store)[0]
        self.sync = CalendarSync(self.store, account, sign_in(account))
        return self.sync

    def later(self) -> list[str]:
        """Another run of crmmail; returns what it says went wrong."""
        sync = self.again()
        sync.settle()
        return sync.errors

    def titles(self) -> set[str]:
        """The titles of all meetings in the store."""
        return {title for (title,) in self.store.read().execute("SELECT title FROM meeting")}


def _lines(text: str) -> list[str]:
    """A resource without what a server may write differently."""
    kept = (line for line in text.splitlines() if not line.startswith(("PRODID", "DTSTAMP")))
    return sorted(kept)


def opened(server: CalDav, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office on a server, with an account."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", server.password)
    server.make("work")
    with DavProxy(server) as proxy:
        accounts.add(
            store,
            "me@home.example",
            caldav_url=proxy.url,
            caldav_username=server.user,
            secret="env:CRMMAIL_PASSWORD",
        )
        account = calendar_accounts(store)[0]
        yield Office(server, proxy, store, CalendarSync(store, account, sign_in(account)))
