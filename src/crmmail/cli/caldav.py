"""The options about an account's calendars, and finding what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from crmmail.accounts import calendars as finding
from crmmail.accounts import credentials, typed
from crmmail.accounts.credentials import HasSecret
from crmmail.cli.arguments import checked, option, password_command, password_env, some
from crmmail.cli.output import note
from crmmail.cli.problems import ArgumentError, RefusedError
from crmmail.errors import CrmmailError
from crmmail.secrecy import masked
from crmmail.store import accounts, calendars
from crmmail.store.database import Store

_T = TypeVar("_T")
NONE = "none"
_LOOKS_LIKE = (
    "The address of a calendar server looks like https://dav.example.org/. Without --caldav, "
    "crmmail looks for it."
)
Url = Annotated[
    str,
    option(
        "--caldav",
        check=checked(lambda url: url == NONE or finding.address(url)),
        words="Where its calendars are; else they are looked for.",
        metavar="URL|none",
    ),
]
Username = Annotated[
    str,
    option("--caldav-username", check=some, words="To sign in there with, if it is another."),
]
PasswordEnv = Annotated[
    str, password_env("The variable with that password, if another.", "--caldav-password-env")
]
PasswordCommand = Annotated[
    str, password_command("The command that prints it.", "--caldav-password-command")
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says of calendars; "" where it says nothing."""

    url: str = ""
    username: str = ""
    password_env: str = ""
    password_command: str = ""
    insecure: bool = False
    test: bool = True

    @property
    def has_password(self) -> bool:
        """Whether calendars have a password of their own."""
        return bool(self.password_env or self.password_command)

    def __bool__(self) -> bool:
        return any((self.url, self.username, self.password_env, self.password_command))


@dataclass(frozen=True, slots=True)
class Found:
    """What to keep of an account's calendars."""

    url: str = ""
    username: str = ""
    secret: str = ""
    calendars: list[tuple[str, str, str]] = field(default_factory=list)  # url, name, color
    why: str = ""
    """Why there are none."""

    def keep(self, store: Store, email: str) -> None:
        """Set it for an account."""
        account_id = accounts.set_calendars(
            store,
            email,
            url=self.url,
            username=self.username,
            secret=self.secret,
            why=self.why,
        )
        calendars.listed(store, account_id, self.calendars)


def find(wish: Wish, email: str, password: str, username: str, host: str) -> Found:
    """The calendars that are wished for. What nobody asked for may be missing without an error."""
    if wish.url == NONE:
        return Found()
    url = finding.address(wish.url) if wish.url else ""
    if url.startswith("http://") and not wish.insecure and not _is_private(url):
        raise CrmmailError(
            "Without encryption, everybody on the way can read the password.",
            "Use https://, or say --insecure if you mean it.",
        )
    secret = _secret(wish)
    if not wish.test:
        return Found(url, wish.username, secret)
    if secret:
        password = credentials.password(_Login(email, secret))
    home = _home(wish, email, password, url, username, host)
    if isinstance(home, str):
        note(f"No calendars: {home} To add them: crmmail account set {email} --caldav URL")
        return Found(why=home)
    listed = [(one.url, one.name, one.color) for one in home.calendars]
    note(f"Calendars: {', '.join(sorted(name for _, name, _ in listed))}.")
    return Found(home.url, home.username if home.username != username else "", secret, listed)


def try_out(account: accounts.AccountRow) -> list[str]:
    """Sign in to an account's calendars; returns their names."""
    if not account.caldav_url:
        return []
    secret = account.caldav_secret or account.secret
    wish = Wish(account.caldav_url, account.caldav_username)
    login = _Login(account.email, secret)
    home = _with_password(
        login,
        lambda password: _home(
            wish, account.email, password, wish.url, account.username, account.host
        ),
    )
    return [] if isinstance(home, str) else sorted(one.name for one in home.calendars)


def change(store: Store, account: accounts.AccountRow, wish: Wish) -> None:
    """Set an account's calendars anew; what only the former ones held leaves the store."""

    def look(password: str) -> Found:
        return find(wish, account.email, password, account.username, account.host)

    asks = wish.test and wish.url != NONE and not wish.has_password
    found = _with_password(account, look) if asks else look("")
    stays = {url for url, _, _ in found.calendars}
    drop(store, account, stays)
    found.keep(store, account.email)


def drop(store: Store, account: accounts.AccountRow, but: Collection[str] = ()) -> None:
    """Take an account's calendars out of the store, but for some, with what only they held."""
    from crmmail.sync import meetings

    for row in calendars.rows(store.read(), account.id):
        if row.url not in but:
            meetings.drop(store, row.id)


def _home(
    wish: Wish, email: str, password: str, url: str, username: str, host: str
) -> finding.Home | str:
    """The calendars, or why there are none that nobody asked for."""
    from crmmail.sync.problems import BadAnswer, Refused

    if not wish:
        return finding.look(email, password, username, host)
    try:
        return finding.find(email, password, wish.username or username, host, url)
    except Refused as problem:
        raise RefusedError(str(problem), problem.hint) from problem
    except BadAnswer as problem:
        if not url:
            raise
        words = f"No calendars at {masked(url)}: {problem}"
        raise CrmmailError(words, problem.hint or _LOOKS_LIKE) from problem


def _with_password(account: HasSecret, attempt: Callable[[str], _T]) -> _T:
    """What a sign-in with an account's password brings.

    A typed password that is refused is asked for again, three times in all.
    """
    if account.secret != typed.ASK:
        return attempt(credentials.password(account))
    from crmmail.sync.problems import Denied

    def again(problem: CrmmailError, left: int) -> None:
        if not isinstance(problem, RefusedError):
            raise problem
        typed.drop(account.email, f"{problem} {problem.hint}")
        if not (left and typed.can_ask() and isinstance(problem.__cause__, Denied)):
            raise problem

    return typed.retried(lambda: credentials.password(account), attempt, again)


def _secret(wish: Wish) -> str:
    if wish.password_env and wish.password_command:
        raise ArgumentError("Give one of --caldav-password-env and --caldav-password-command.")
    if wish.password_env:
        return credentials.environment_reference(wish.password_env)
    return credentials.command_reference(wish.password_command) if wish.password_command else ""


def _is_private(url: str) -> bool:
    from crmmail.sync.dav import is_private

    return is_private(url)


@dataclass(frozen=True, slots=True)
class _Login:
    email: str
    secret: str
