"""Signing in: a mechanism of SASL where the server has one, else LOGIN where it is allowed (A1).

A password is UTF-8. No error of this file holds a letter of it, nor may a library's: what goes to
the server is put together of bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import NoReturn, Protocol

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from crmmail.sync import wire
from crmmail.sync.problems import WRONG_CREDENTIALS, Refused, Unsafe

_UNKNOWN = ("[CANNOT]", "UNSUPPORTED", "NOT SUPPORTED", "UNKNOWN", "UNRECOGNI")


class Who(Protocol):
    """As whom to sign in, and how private the connection is."""

    @property
    def host(self) -> str: ...
    @property
    def security(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def oauth(self) -> bool: ...


def sign_in(client: IMAPClient, who: Who) -> set[str]:
    """Sign in; returns what the server can do from now on. Raises LoginError or a Problem."""
    if any(c in who.password for c in "\0\r\n"):
        raise Refused("The password holds a line break.", "Set the password again.")
    if any(c in who.username for c in "\0\r\n"):
        raise Refused("The user name holds a line break.", "Set the user name again.")
    can = wire.capabilities_in(client.capabilities())
    wire.taken(client, "CAPABILITY")  # what was told before a sign-in is not what holds after it
    if who.oauth:
        _show_token(client, can, who)
    else:
        _show_password(client, can, who)
    client._imap.state = "AUTH"
    return wire.capabilities(client) or can


def _show_password(client: IMAPClient, can: set[str], who: Who) -> None:
    user, password = _bytes(who.username), _bytes(who.password)
    may_log_in = "LOGINDISABLED" not in can
    tried = ""
    if "AUTH=PLAIN" in can:
        kind, said, _ = _authenticate(client, can, "PLAIN", [b"\0" + user + b"\0" + password])
        if kind == "OK":
            return
        if not (may_log_in and _does_not_know(kind, said)):
            raise LoginError(said or kind)
        tried = said
    elif not may_log_in and "AUTH=LOGIN" in can:
        kind, said, _ = _authenticate(client, can, "LOGIN", [user, password], at_once=False)
        if kind == "OK":
            return
        raise LoginError(said or kind)
    if not may_log_in:
        _no_password(can, who)
    kind, data = wire.ask(client, b"LOGIN", wire.string(user), wire.string(password))
    if kind != "OK":
        raise LoginError(_text(data) or tried or kind)


def _no_password(can: set[str], who: Who) -> NoReturn:
    if who.security == "none":
        raise Unsafe(
            f"{who.host} takes no password over a connection without encryption (LOGINDISABLED).",
            "Nothing was sent. Use TLS, mostly on port 993, or STARTTLS on port 143.",
        )
    if can & {"AUTH=XOAUTH2", "AUTH=OAUTHBEARER"}:
        raise Refused(
            f"{who.host} takes no password, only tokens (LOGINDISABLED).",
            "Sign in with tokens (OAuth): docs/sign-in.md says how.",
        )
    raise Refused(
        f"{who.host} takes no password here (LOGINDISABLED).",
        "It was not sent. Ask the provider how mail programs are to sign in.",
    )


def _show_token(client: IMAPClient, can: set[str], who: Who) -> None:
    """XOAUTH2, or OAUTHBEARER (RFC 7628). A refusal comes as a challenge that wants an answer."""
    user, token = _bytes(who.username), _bytes(who.password)
    if "AUTH=XOAUTH2" in can:
        kind, first, last = "XOAUTH2", b"user=%b\1auth=Bearer %b\1\1" % (user, token), b""
    elif "AUTH=OAUTHBEARER" in can:
        name = user.replace(b"=", b"=3D").replace(b",", b"=2C")
        kind, first, last = "OAUTHBEARER", b"n,a=%b,\1auth=Bearer %b\1\1" % (name, token), b"\1"
    else:
        raise Refused(f"{who.host} takes no sign-in with tokens.", "Sign in with a password.")
    verdict, said, challenges = _authenticate(client, can, kind, [first, last])
    if verdict != "OK":
        why = [_unpacked(one) for one in challenges]
        raise LoginError(" ".join(filter(None, (said or verdict, *why))))


def _authenticate(
    client: IMAPClient,
    can: set[str],
    mechanism: str,
    answers: Sequence[bytes],
    *,
    at_once: bool = True,
) -> tuple[str, str, list[bytes]]:
    """AUTHENTICATE with these answers to the server's challenges.

    Returns its verdict, its words, and the challenges that came with something in them. With
    SASL-IR (RFC 4959) the first answer goes along with the command.
    """
    imap, left = client._imap, list(answers)
    tag: bytes = imap._new_tag()
    line = tag + b" AUTHENTICATE " + mechanism.encode()
    if at_once and "SASL-IR" in can:
        line += b" " + (base64.b64encode(left.pop(0)) or b"=")
    wire.send(imap, line + b"\r\n")
    challenges: list[bytes] = []
    while imap.tagged_commands[tag] is None:
        imap._check_bye()
        if imap._get_response() is None:  # a `+`
            challenges.append(imap.continuation_response or b"")
            answer = base64.b64encode(left.pop(0)) if left else b"*"  # * gives up
            wire.send(imap, answer + b"\r\n")
    kind, data = wire.completed(client, tag)
    return kind, _text(data), [one for one in challenges if one]


def _does_not_know(kind: str, said: str) -> bool:
    """Whether the mechanism was refused, and not who used it: then another way may be tried."""
    if WRONG_CREDENTIALS.search(said):  # "Unknown user", say
        return False
    return kind == "BAD" or any(word in said.upper() for word in _UNKNOWN)


def _bytes(text: str) -> bytes:
    """UTF-8; what came from the environment in another encoding goes as it came."""
    return text.encode("utf-8", "surrogateescape")


def _text(data: Sequence[bytes | None]) -> str:
    return (data[0] or b"").decode("utf-8", "replace") if data else ""


def _unpacked(challenge: bytes) -> str:
    try:
        return base64.b64decode(challenge).decode("utf-8", "replace")
    except ValueError:
        return ""
