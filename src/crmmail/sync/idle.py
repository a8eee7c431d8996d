"""IDLE (RFC 2177): wait in the open folder until the server tells of something."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable

from imapclient import IMAPClient

from crmmail.sync import wire

NEWS = ("EXISTS", "EXPUNGE", "FETCH", "VANISHED")
"""What a server tells by itself of the open folder."""


class IdleRefused(Exception):
    """The server offers IDLE, and does not do it."""


def wait(
    client: IMAPClient,
    seconds: float,
    wake: socket.socket | None,
    woken: Callable[[], object] | None = None,
) -> set[str]:
    """Wait so long, or until the server or `wake` has something; returns which of NEWS came.

    `woken` is called as soon as `wake` has something: the server may take long to end the wait.
    "OK" is among them when the server said something else. Raises IdleRefused.
    """
    imap = client._imap
    for kind in NEWS:
        wire.taken(client, kind)
    tag: bytes = imap._new_tag()
    wire.send(imap, tag + b" IDLE\r\n")
    while imap._get_response() is not None:  # None is the `+`: other lines may come before
        if imap.tagged_commands[tag]:
            del imap.tagged_commands[tag]
            raise IdleRefused
        imap._check_bye()
    told = bool(_came(client))
    try:
        heard = {client.socket()} if told else _hears(client, seconds, wake)
        told = client.socket() in heard
        if woken is not None and wake in heard:
            woken()
    finally:
        wire.send(imap, b"DONE\r\n")
        wire.completed(client, tag)
    return _came(client) | ({"OK"} if told else set())


def _came(client: IMAPClient) -> set[str]:
    return {kind for kind in NEWS if kind in client._imap.untagged_responses}


def _hears(client: IMAPClient, seconds: float, wake: socket.socket | None) -> set[socket.socket]:
    """Which has something to read: the connection, `wake`, both, or none in time."""
    connection = client.socket()
    if _has_more(client):
        return {connection}
    watched = [connection] if wake is None else [connection, wake]
    readable, _, _ = select.select(watched, [], [], seconds)
    return set(readable)


def _has_more(client: IMAPClient) -> bool:
    """Whether the server's next words came along with its last: no select tells of those."""
    connection = client.socket()
    timeout = connection.gettimeout()
    connection.settimeout(0)
    try:
        return bool(client._imap.file.peek(1))
    except ssl.SSLWantReadError:
        return False
    finally:
        connection.settimeout(timeout)
