"""An account's connection: who signs in, which folder is open, which faults stay in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crmmail.store.database import Store
from crmmail.sync.answers import FolderInfo
from crmmail.sync.mailbox import Login, Mailbox
from crmmail.sync.problems import BadAnswer


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What signing in needs to know."""

    id: int
    email: str
    host: str
    port: int
    security: str
    username: str
    secret: str
    paused: bool
    pin: str = ""
    login_at: int = 0


def account_rows(store: Store) -> list[AccountRow]:
    """Every account with a mailbox, in the order in which they were added."""
    rows = store.read().execute(
        """SELECT id, email, host, port, security, username, secret, paused, pin,
                  login_at
           FROM account WHERE host != '' ORDER BY id"""
    )
    return [AccountRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class CalendarAccount:
    """What signing in to an account's calendars needs to know."""

    id: int
    email: str
    url: str
    username: str
    secret: str
    paused: bool
    login_at: int = 0


def calendar_accounts(store: Store) -> list[CalendarAccount]:
    """Every account that has calendars; what they do not say of their own, the mailbox says."""
    found = store.read().execute(
        """SELECT id, email, caldav_url,
                  coalesce(nullif(caldav_username, ''), nullif(username, ''), email),
                  coalesce(nullif(caldav_secret, ''), secret), paused, login_at
           FROM account WHERE caldav_url != '' ORDER BY id"""
    )
    return [CalendarAccount(*row) for row in found]


def sign_in(account: AccountRow) -> Mailbox:
    """Connect to an account's server with the password from where it is kept."""
    from crmmail.accounts import credentials  # keyring is slow to import

    return Mailbox(
        Login(
            account.host,
            account.port,
            account.security,
            account.username or account.email,
            credentials.password(account),
            account.pin,
        )
    )


class Session:
    """One connection of one account. Faults of single folders end up in `errors`, in words."""

    def __init__(self, store: Store, account_id: int, mailbox: Mailbox) -> None:
        self.store = store
        self.account_id = account_id
        self.mailbox = mailbox
        self.errors: list[str] = []
        self.sent_ahead: list[int] | None = None  # UIDs of sent mail to be read ahead (M5)
        self._open = ""
        self._reported = 0

    def examine(self, name: str, info: FolderInfo | None = None) -> FolderInfo:
        """Open a folder unless it is open; `info` is what LIST-STATUS told of it."""
        if self._open == name and info is not None:
            return info
        if self._open != name:
            self._open = ""
            info = self.mailbox.examine(name)
            self._open = name
        return info or FolderInfo(name, "", True)

    def examine_again(self, name: str) -> FolderInfo:
        """Open a folder for what only that tells."""
        self._open = ""
        info = self.mailbox.examine(name)
        self._open = name
        return info

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """One bad folder never stops the others (S5)."""
        try:
            yield
        except BadAnswer as problem:
            self.errors.append(f"{name}: {problem}")
            self._open = ""

    def tell_bytes(self) -> None:
        """Add what came over the wire to the account's count."""
        fresh, self._reported = self.mailbox.received - self._reported, self.mailbox.received
        with self.store.write() as (db, _):
            db.execute(
                "UPDATE sync_state SET bytes_received = bytes_received + ? WHERE account_id = ?",
                [fresh, self.account_id],
            )
