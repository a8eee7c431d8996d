"""What `account add` was told, and asking for the rest."""

from __future__ import annotations

import ipaddress
import re
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crmmail import addresses
from crmmail.accounts import credentials, providers, typed
from crmmail.accounts.credentials import SecretError
from crmmail.accounts.providers import Provider
from crmmail.cli.arguments import quoted
from crmmail.cli.output import ask, note
from crmmail.cli.problems import ArgumentError
from crmmail.errors import CrmmailError
from crmmail.store.accounts import AccountRow

if TYPE_CHECKING:
    from crmmail.accounts.discovery import Found

_SECURITY = {143: "starttls"}
_LONGEST = 253  # characters of a host's name
_PORT = re.compile("[0-9]{1,5}")
_PORTS = {"tls": 993, "starttls": 143, "none": 143}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says of a sign-in; "" where it says nothing."""

    imap: str = ""
    security: str = ""
    username: str = ""
    password_env: str = ""
    password_command: str = ""
    ask: bool = False  # for the password, though it is known where one would be
    pin: str = ""
    oauth: str = ""
    device: bool = False
    insecure: bool = False
    test: bool = True


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that is not in the store yet, with its password for the time being."""

    email: str
    host: str
    port: int
    security: str
    username: str
    secret: str  # the reference; of a typed password, the keyring's
    password: str = field(repr=False)
    typed: bool  # the password is in no keyring yet
    pin: str = ""
    tokens: bool = False  # those of the browser are in no keyring yet

    @property
    def is_typed(self) -> bool:
        """Whether somebody is here who typed the password, and can type another one."""
        return self.typed or self.secret == typed.ASK

    def retyped(self) -> NewAccount:
        """The account with another password, which is asked for."""
        answer = _ask(_question(self.email), "another one", hidden=True)
        if self.secret == typed.ASK:
            typed.hold(self.email, answer)
        return replace(self, password=answer)

    def keep(self) -> None:
        """Put what was typed, or what the browser brought, into the keyring."""
        if self.tokens:
            from crmmail.accounts import oauth

            oauth.keep(self.email)
        elif self.typed:
            credentials.keep(self.email, self.password)


def gather(email: str, wanted: Wanted, known: AccountRow | None = None) -> NewAccount:
    """Check what the command line says and ask for what it does not.

    `known` is the account as it is, to be signed in to again. Raises an error instead of asking
    where nobody is there to answer.
    """
    own = address(email)
    found = _place(own, wanted, known)
    place = found.provider
    is_open = bool(place.host) and place.security == "none" and not _is_loopback(place.host)
    if is_open and not wanted.insecure:
        raise CrmmailError(
            f"Without encryption, everybody between here and {place.host} can read the password.",
            "Use --security tls (mostly port 993) or starttls; or say --insecure if you mean it.",
        )
    new = NewAccount(
        own,
        place.host,
        place.port,
        place.security,
        wanted.username or found.username,
        "",
        "",
        typed=False,
        pin=read_pin(wanted.pin) or (known.pin if known and known.host == place.host else ""),
    )
    return _with_secret(new, wanted, place, known)


def _with_secret(
    new: NewAccount, wanted: Wanted, place: Provider, known: AccountRow | None
) -> NewAccount:
    """The account with the way in that was asked for, or that it has, or that it must have."""
    named = wanted.password_env or wanted.password_command or wanted.ask
    before = known.secret if known and not named else ""
    issuer = wanted.oauth or before.partition(credentials.OAUTH)[2]
    if not issuer and not named and not before and place.oauth_only:
        issuer = place.oauth
    if issuer:
        _signed_in(issuer, new.email, device=wanted.device)
        return replace(new, secret=credentials.OAUTH + issuer, tokens=True)
    if before and before not in (credentials.KEYRING, typed.ASK):
        return replace(new, secret=before)
    secret, password, was_typed = _password(
        wanted.password_env, wanted.password_command, new.email, wanted.test
    )
    return replace(new, secret=secret, password=password, typed=was_typed)


def _signed_in(name: str, email: str, *, device: bool) -> None:
    """Let the user sign in, in the browser or on another device."""
    import webbrowser

    from crmmail.accounts import issuers, oauth

    source = issuers.issuer(name)
    credentials.keyring_backends()  # before the sign-in, so that nobody does it in vain
    if device:
        tokens = oauth.on_device(
            source, lambda url, code: note(f"Open {url} on any device and enter the code {code}")
        )
    else:

        def show(url: str) -> None:
            note(f"Sign in at {source.title} in the browser. If none opens:\n{url}")
            webbrowser.open(url)

        tokens = oauth.in_browser(source, email, show)
    oauth.hold(email, tokens)


def _place(email: str, wanted: Wanted, known: AccountRow | None) -> Found:
    """The server: as given, else as found out, shown, and agreed to where somebody is there."""
    if wanted.imap == "none":
        return _nowhere(email)
    if wanted.imap:
        return _typed(email, wanted.imap, wanted.security)
    if known is not None:
        place = Provider("", known.host, known.port, wanted.security or known.security)
        return _as_said(place, known.username)
    found = _found(email)
    if found is None:
        guess = f"imap.{addresses.domain_of(email)}"
        typed = _ask("IMAP server", "--imap HOST:PORT", default=guess)
        return _typed(email, typed, wanted.security)
    provider = found.provider
    if not provider.host:
        raise CrmmailError(provider.note, "An address that it forwards to can be added.")
    shown = f"{provider.host}:{provider.port}"
    note(f"Found {found.origin}: {shown}, {provider.security}.")
    if not found.sure:
        note(f"{provider.host} is not of {addresses.domain_of(email)}: check that it is right.")
    if provider.note:
        note(provider.note)
    if sys.stdin.isatty():
        typed = _ask("IMAP server", "--imap HOST:PORT", default=shown)
        if typed != shown:
            return _typed(email, typed, wanted.security)
    elif not found.sure:
        raise CrmmailError(
            f"{provider.host} is only a guess for the server of {email}.",
            f"If that is where the mail is: --imap {shown}",
        )
    security = wanted.security or provider.security
    return replace(found, provider=replace(provider, security=security))


def _found(email: str) -> Found | None:
    from crmmail.accounts import discovery

    if providers.known(email) is None:
        note(f"Looking for the mail server of {addresses.domain_of(email)} …")
    found = None
    for found in discovery.find(email):  # noqa: B007 - the last one is the best
        pass
    return found


def _typed(email: str, text: str, security: str) -> Found:
    host, port = server(text, security or "tls")
    place = providers.by_server(host) or Provider("", host)
    security = security or _SECURITY.get(port, "tls")
    return _as_said(replace(place, port=port, security=security), email)


def _as_said(place: Provider, username: str) -> Found:
    from crmmail.accounts.discovery import Found

    return Found(place, username, "as said")


def _nowhere(email: str) -> Found:
    """No mail server at all: an account of calendars only."""
    from crmmail.accounts.discovery import Found

    return Found(Provider("", ""), email, "as typed")


def issuer_name(name: str) -> None:
    """Refuse a name of which neither crmmail nor config.toml knows where to sign in."""
    from crmmail.accounts import issuers

    if name not in (known := issuers.names()):
        raise CrmmailError(
            f"{quoted(name)} is not one of: {', '.join(known)}.",
            "Others are described in config.toml (docs/sign-in.md).",
        )


def read_pin(typed: str) -> str:
    """A certificate's fingerprint as it is compared, "" for none; or an error in words."""
    from crmmail.sync import tls

    return tls.read_pin(typed) if typed else ""


def address(typed: str) -> str:
    """An address in the form in which they are compared, or an error in words."""
    found = addresses.typed_address(typed)
    if not found:
        raise CrmmailError(f"{quoted(typed)} is not an e-mail address.", "Example: ann@example.org")
    return found


def server(text: str, security: str) -> tuple[str, int]:
    """Host and port of HOST, HOST:PORT or [IPV6]:PORT."""
    if "@" in text:
        raise CrmmailError(
            "The name of a server must not contain an @, a user name or a password.",
            "Example: imap.example.org:993. The user name goes with --username.",
        )
    host, colon, port = text.rpartition(":")
    if not colon or (host.count(":") and not host.endswith("]")):
        host, port = text, str(_PORTS[security])
    host = host.strip("[]").strip()
    if not host.isprintable() or not 0 < len(host) <= _LONGEST or set(host) & set("/@ "):
        raise CrmmailError(f"{quoted(text)} is not a server.", "Example: imap.example.org:993")
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65_536:
        raise CrmmailError(f"{quoted(port)} is not a port.", "Example: imap.example.org:993")
    return host, int(port)


def _password(env: str, command: str, email: str, needed: bool) -> tuple[str, str, bool]:
    """The reference, the password itself if it is needed now, and whether it was typed."""
    if env and command:
        raise ArgumentError("Give one of --password-env and --password-command.")
    if env or command:
        secret = (
            credentials.environment_reference(env)
            if env
            else credentials.command_reference(command)
        )
        return secret, credentials.password(_Login(email, secret)) if needed else "", False
    kept = _has_keyring()  # before the question, so that no password is typed in vain
    answer = _ask(
        _question(email), "--password-env NAME or --password-command COMMAND", hidden=True
    )
    if not kept:
        typed.hold(email, answer)
        return typed.ASK, answer, False
    return credentials.KEYRING, answer, True


def _question(email: str) -> str:
    return f"Password of {email}"


def _has_keyring() -> bool:
    """Whether a password that is typed can be kept; an error where nobody can type one again."""
    try:
        credentials.keyring_backends()
    except SecretError as problem:
        if not sys.stdin.isatty():
            raise
        note(f"{problem} The password is kept nowhere: crmmail asks for it in each run.")
        return False
    return True


def _ask(question: str, option: str, default: str | None = None, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        raise SecretError(f"{question}: not given.", f"Give {option}: nobody is here to be asked.")
    return ask(question, default, hidden=hidden)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Login:
    email: str
    secret: str
