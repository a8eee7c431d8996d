"""Connecting and signing in: nothing is said before it is known who listens (rules.md S5).

With `mailbox.py` the only file that knows imapclient.
"""

from __future__ import annotations

import imaplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError

from crmmail import secrecy, settings
from crmmail.sync import sasl, tls, wire
from crmmail.sync.problems import Unsafe, Untrusted
from crmmail.sync.wire import Client

_LOOK = "look"  # no certificate has this fingerprint


def timeouts() -> SocketTimeout:
    """How many seconds to wait for a connection, and for each answer on it."""
    wanted = settings.timeouts()
    return SocketTimeout(connect=wanted.connect, read=wanted.read)


def narrowing_timeout() -> float:
    """How many seconds to wait for one of a few messages of which one may make a server hang."""
    read = settings.timeouts().read
    return min(read, max(5.0, read / 3))


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom to sign in."""

    host: str
    port: int
    security: str  # tls | starttls | none
    username: str
    password: str = field(repr=False)
    """Or, with `oauth`, the token that stands for it."""
    pin: str = ""  # the certificate to expect, instead of one that an authority vouches for
    oauth: bool = False


def connect(login: Login) -> IMAPClient:
    """A connection that is private, or, with security "none", was asked not to be."""
    secrecy.remember(login.password)
    try:
        return _connect(login, _context(login, login.pin))
    except ssl.SSLCertVerificationError as problem:
        if login.pin or not tls.can_be_pinned(problem):
            raise
        raise _untrusted(login, _shown(login), changed=False) from problem
    except Untrusted as problem:
        raise _untrusted(login, problem, changed=True) from None


def _context(login: Login, pin: str) -> ssl.SSLContext | None:
    # Reading the machine's authorities takes 15 ms: not for a connection in the clear.
    return None if login.security == "none" else tls.context(pin)


def _untrusted(login: Login, shown: Untrusted, *, changed: bool) -> Untrusted:
    """The error for a certificate that was shown, with what is wrong with it besides."""

    def attempt(context: ssl.SSLContext) -> None:
        _connect(login, context)._imap.shutdown()

    flaws = tls.flaws(shown.certificate, attempt)
    return Untrusted(login.host, shown.fingerprint, changed=changed, flaws=flaws)


def _shown(login: Login) -> Untrusted:
    """Look at the certificate of a server that nobody vouches for. Nothing is said to it."""
    try:
        _connect(login, _context(login, _LOOK))
    except Untrusted as found:
        return found
    raise AssertionError("a certificate with an impossible fingerprint")


def _connect(login: Login, context: ssl.SSLContext | None) -> IMAPClient:
    client = Client(
        login.host,
        port=login.port,
        ssl=login.security == "tls",
        ssl_context=context if login.security == "tls" else None,
        timeout=timeouts(),
    )
    client._imap.debug = 0  # imapclient's 5 makes a repr of every literal
    try:
        if client._imap.state != "NONAUTH":
            # Before encryption it would make the client skip it (CVE-2020-14093).
            raise Unsafe(
                f"{login.host} claims that somebody is signed in already.",
                "Somebody may be in between. Try another network, or TLS on port 993.",
            )
        if login.security == "starttls":
            _encrypt(client, login.host, context)
    except BaseException:
        with suppress(OSError):  # a failed handshake has closed it already
            client._imap.shutdown()
        raise
    return client


def _encrypt(client: IMAPClient, host: str, context: ssl.SSLContext | None) -> None:
    hint = "Nothing was sent. Use TLS, mostly on port 993: somebody may be in between."
    try:
        client.starttls(ssl_context=context)
    except CapabilityError as problem:
        raise Unsafe(f"{host} does not offer STARTTLS.", hint) from problem
    except (IMAPClientError, imaplib.IMAP4.error) as problem:
        raise Unsafe(f"{host} offers STARTTLS, but does not do it.", hint) from problem
    client._imap.untagged_responses.clear()  # nothing said in the clear is kept


def sign_in(client: IMAPClient, login: Login) -> set[str]:
    """Say who we are, then switch on what the sync needs; returns what the server can do."""
    can = sasl.sign_in(client, login)
    extras = [(b"ID", b'("name" "crmmail")')] if "ID" in can else []
    if {"CONDSTORE", "ENABLE"} <= can:
        extras.append((b"ENABLE", b"CONDSTORE"))
    for words in extras:
        wire.ask(client, *words)  # refused, it is done without
    return can
