"""The app's way to a new account: a test on the server, the password's place, the row."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmmail.accounts import credentials, providers, typed
from crmmail.accounts.credentials import SecretError
from crmmail.errors import CrmmailError
from crmmail.screens.signing_up import (
    BrowserWanted,
    CalendarsFound,
    Entry,
    LookedUp,
    LookUp,
    SignedUp,
    SignUp,
)
from crmmail.screens.undo import FieldError
from crmmail.store import accounts, calendars
from crmmail.store.database import Store

if TYPE_CHECKING:
    from crmmail.sync.mailbox import Login


def start(store: Store, wanted: SignUp) -> None:
    """Try or save in a thread that nobody waits for; the asker gets the answer as a message."""
    threading.Thread(target=_run, args=(store, wanted), name="crmmail-setup", daemon=True).start()


def look_up(wanted: LookUp) -> None:
    """Look for an address's server, in a thread; what is found comes as messages, the best last."""
    threading.Thread(target=_look, args=(wanted,), name="crmmail-look-up", daemon=True).start()


def _look(wanted: LookUp) -> None:
    from crmmail.accounts import discovery

    with suppress(RuntimeError):  # the app is closing
        for found in discovery.find(wanted.email):
            wanted.asker.post_message(LookedUp(wanted.email, found))
        wanted.asker.post_message(LookedUp(wanted.email, None))


def _run(store: Store, wanted: SignUp) -> None:
    answer = SignedUp(wanted)
    try:
        if wanted.save:
            _save(store, wanted.entry, wanted.calendars)
        else:
            folders = _folders(store, wanted)
            answer = SignedUp(wanted, folders, _calendars(wanted.entry))
    except CrmmailError as problem:
        answer = SignedUp(wanted, problem=problem, fingerprint=getattr(problem, "fingerprint", ""))
    except Exception as problem:  # a thread of its own: nobody else would hear of it
        from crmmail.sync.problems import told

        answer = SignedUp(wanted, problem=CrmmailError(*told(problem)))
    with suppress(RuntimeError):  # the app is closing
        wanted.asker.post_message(answer)


def _login(wanted: SignUp) -> Login:
    """With what to sign in, as it was typed or shown in the browser."""
    from crmmail.sync.mailbox import Login

    entry = wanted.entry
    secret = _token(wanted) if entry.oauth else _password(entry)
    place = entry.host, entry.port, entry.security
    return Login(*place, entry.username, secret, entry.pin, bool(entry.oauth))


def _folders(store: Store, wanted: SignUp) -> tuple[tuple[str, str, int], ...]:
    from crmmail.sync.mailbox import check
    from crmmail.sync.problems import Refused
    from crmmail.sync.session import check as check_kept

    entry = wanted.entry
    if not entry.known and accounts.get(store.read(), entry.email) is not None:
        raise FieldError("email", f"{entry.email} is an account already.")
    try:
        found = check_kept(entry) if entry.secret else check(_login(wanted))
    except Refused as problem:
        hint = providers.advice(entry.email, entry.host) or "Many providers want an app password."
        raise FieldError("secret", str(problem), hint) from problem
    return tuple((one.name, one.role, one.messages) for one in found if one.selectable)


def _calendars(entry: Entry) -> CalendarsFound | str:
    """What the same password opens, or why nothing: without calendars it goes on all the same."""
    from crmmail.accounts.calendars import look

    if entry.known:
        return ""
    if entry.oauth:
        return "They want a password, and none was typed."
    home = look(entry.email, _password(entry), entry.username, entry.host)
    if isinstance(home, str):
        return home
    found = tuple((one.url, one.name, one.color) for one in home.calendars)
    return CalendarsFound(home.url, home.username, found)


def _token(wanted: SignUp) -> str:
    """Let the user sign in in the browser; the screen shows where."""
    from crmmail.accounts import issuers, oauth

    entry = wanted.entry
    source = issuers.issuer(entry.oauth)
    credentials.keyring_backends()  # before the sign-in, so that nobody does it in vain

    def show(url: str) -> None:
        wanted.asker.post_message(BrowserWanted(source.title, url))

    tokens = oauth.in_browser(source, entry.email, show, wanted.cancelled)
    oauth.hold(entry.email, tokens)
    return tokens.access


def _password(entry: Entry) -> str:
    if entry.password:
        return entry.password
    try:
        return credentials.password(_HasSecret(entry.email, _reference(entry)))
    except SecretError as problem:
        raise FieldError(_field(entry), str(problem)) from problem


def _reference(entry: Entry) -> str:
    """Where the password will come from, other than the keyring."""
    try:
        if entry.command:
            return credentials.command_reference(entry.command)
        return credentials.environment_reference(entry.variable)
    except SecretError as problem:
        raise FieldError(_field(entry), str(problem)) from problem


def _field(entry: Entry) -> str:
    return "command" if entry.command else "variable"


def _save(store: Store, entry: Entry, found: CalendarsFound | str) -> None:
    from crmmail.accounts import leaving

    if entry.secret:
        secret = entry.secret
    elif entry.oauth:
        from crmmail.accounts import oauth

        oauth.keep(entry.email)
        secret = credentials.OAUTH + entry.oauth
    elif entry.once:
        typed.hold(entry.email, entry.password)
        secret = typed.ASK
    elif entry.password:
        try:
            secret = credentials.keep(entry.email, entry.password)
        except SecretError as problem:
            raise FieldError("password", str(problem)) from problem
    else:
        secret = _reference(entry)
    login = {name: getattr(entry, name) for name in ("host", "port", "security", "username", "pin")}
    if entry.known:
        before = accounts.get(store.read(), entry.email)
        accounts.set_login(store, entry.email, **login, secret=secret)
        leaving.forget(entry.email, before.secret if before else "", secret)
        return  # its calendars are as they were
    account_id = accounts.add(store, entry.email, **login, secret=secret)
    leaving.forget(entry.email, "", secret)
    if isinstance(found, str):
        accounts.set_calendars(store, entry.email, "", why=found)
    else:
        accounts.set_calendars(store, entry.email, found.url, found.username)
        calendars.listed(store, account_id, found.calendars)


@dataclass(frozen=True, slots=True)
class _HasSecret:
    email: str
    secret: str
