"""An account's connection: who signs in, which folder is open, which faults stay in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from crmmail.accounts import providers
from crmmail.errors import CrmmailError
from crmmail.store.database import Store
from crmmail.sync.answers import FolderInfo
from crmmail.sync.mailbox import Login, Mailbox
from crmmail.sync.problems import Asking, BadAnswer, Cut, Denied, Fault, NoSecret, Refused

if TYPE_CHECKING:
    from crmmail.accounts.credentials import HasSecret


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


class SignIn(Protocol):
    """What an account, in the store or not yet, must say to be signed in to."""

    @property
    def email(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def security(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def secret(self) -> str: ...
    @property
    def pin(self) -> str: ...


def sign_in(account: SignIn, password: str = "") -> Mailbox:
    """Connect to an account's server with what its reference stands for, or with that password.

    A token that the server does not like is renewed once.
    """
    from crmmail.accounts import credentials, typed  # keyring is slow to import

    if password:
        return _open(account, password)
    if not account.secret.startswith(credentials.OAUTH):
        if account.secret == typed.ASK:
            return _with_typed(account)
        return _open(account, password_of(account))
    from crmmail.accounts import oauth

    try:
        try:
            return _open(account, oauth.token(account), oauth=True)
        except Refused:
            return _open(account, oauth.token(account, anew=True), oauth=True)
    except oauth.Revoked as problem:
        raise Refused(str(problem), problem.hint) from problem
    except credentials.SecretError as problem:
        raise NoSecret(str(problem), problem.hint) from problem


def _with_typed(account: SignIn) -> Mailbox:
    """Sign in with a typed password; on a free terminal a refused one is asked for again."""
    from crmmail.accounts import typed

    def again(problem: CrmmailError, left: int) -> None:
        if not isinstance(problem, Refused):
            raise problem
        typed.drop(account.email, f"{problem} {problem.hint}")
        if not (left and isinstance(problem, Denied) and typed.can_ask()):
            raise Asking(str(problem), problem.hint) from problem

    return typed.retried(lambda: password_of(account), partial(_open, account), again)


def password_of(account: HasSecret) -> str:
    """The password that an account's reference stands for. Raises a Problem."""
    from crmmail.accounts import credentials, typed

    try:
        return credentials.password(account)
    except typed.NotTyped as problem:
        raise Asking(str(problem), problem.hint) from problem
    except credentials.SecretError as problem:
        raise NoSecret(str(problem), problem.hint) from problem


def _open(account: SignIn, secret: str, *, oauth: bool = False) -> Mailbox:
    username = account.username or account.email
    place = (account.host, account.port, account.security)
    try:
        return Mailbox(Login(*place, username, secret, account.pin, oauth))
    except Refused as problem:
        advice = "" if oauth else providers.advice(account.email, account.host)
        raise type(problem)(str(problem), advice or problem.hint) from problem


def check(account: SignIn, password: str = "") -> list[FolderInfo]:
    """Sign in, list the folders, sign out: the test of an account. Raises a Problem."""
    with closing(sign_in(account, password)) as mailbox:
        return mailbox.folders()


class Session:
    """One connection of one account. Faults of single folders end up in `errors`, in words."""

    def __init__(self, store: Store, account_id: int, mailbox: Mailbox) -> None:
        self.store = store
        self.account_id = account_id
        self.mailbox = mailbox
        self.errors: list[str] = []
        self.failed: set[str] = set()
        """The folders that `errors` speak of."""
        self.cut: Cut | None = None
        """How the connection ended whichever message of a folder was asked for."""
        self.opened = FolderInfo("", "", selectable=False)
        """What the server told of the open folder when it was opened."""
        self.miscounts = False
        """Whether the server was found, on this connection, not to count all changes of flags."""
        self.sent_ahead: int | None = None  # sent mail below this UID is to be read ahead (M5)
        self._open = ""
        self._reported = 0

    def examine(self, name: str, info: FolderInfo | None = None) -> FolderInfo:
        """Open a folder unless it is open; `info` is what LIST-STATUS told of it."""
        if self._open == name and info is not None:
            return info
        if self._open != name:
            self._open = ""
            info = self.opened = self.mailbox.examine(name)
            self._open = name
        return info or FolderInfo(name, "", True)

    def examine_again(self, name: str) -> FolderInfo:
        """Open a folder for what only that tells."""
        self._open = ""
        info = self.opened = self.mailbox.examine(name)
        self._open = name
        return info

    def reflagged(self) -> str:
        """The open folder, if the server told of changed flags there; or ""."""
        return self._open if self.mailbox.flags_moved else ""

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """One bad folder never stops the others (S5)."""
        try:
            yield
        except BadAnswer as problem:
            if (told := f"{name}: {problem}") not in self.errors:
                self.errors.append(told)
            self.failed.add(name)
            if isinstance(problem, Fault) and isinstance(problem.how, Cut):
                self.cut = problem.how
            self._open = ""

    def tell_bytes(self) -> None:
        """Add what came over the wire to the account's count."""
        fresh, self._reported = self.mailbox.received - self._reported, self.mailbox.received
        with self.store.write() as (db, _):
            db.execute(
                "UPDATE sync_state SET bytes_received = bytes_received + ? WHERE account_id = ?",
                [fresh, self.account_id],
            )
