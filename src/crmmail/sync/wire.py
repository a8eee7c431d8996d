"""The lines of a connection: what servers write carelessly is put right, and all is counted.

imaplib ends the connection at an answer that no parser of our own ever sees: a bare `A1 OK`, a
keyword in lower case, a line feed without a carriage return, an empty line between two answers, the
end of a command that was never sent, a line longer than a million bytes, a CAPABILITY that is
refused or comes in two lines.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterable
from typing import Any

from imapclient import IMAPClient
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

_LONGEST = 64_000_000
"""Bytes of one line: the UIDs of five million messages."""
imaplib._MAXLINE = _LONGEST  # type: ignore[attr-defined]
# imaplib's own goes on to the last bracket of the line, and so into the server's words.
imaplib.Response_code = re.compile(rb"\[(?P<type>[A-Z-]+)(?: (?P<data>[^\]]*))?\]")  # type: ignore[attr-defined]
_LARGEST = 1 << 30
"""Bytes of a literal that no message has: a server that announces more has lost count."""
_KINDS = ("OK", "NO", "BAD")
_LITERAL_MINUS = 4096
# A tagged answer without a text, or an answer whose keyword is not in capitals.
_CARELESS = re.compile(rb"[A-Za-z]+\d+ (?:[A-Za-z]+\r\n|[A-Z]*[a-z])|\* (?:\d+ )?[A-Z-]*[a-z]")
_PLUS = re.compile(rb"(?<=\d)\+\}\r\n\Z")
_EMPTY = (b"\r\n", b"\n")
_STARTS = (b"*", b"+", b"")  # how a line begins that does not end a command; b"": there is no line
_TAGGED = re.compile(rb"([^\s+*(){%\"\\]+) (?:OK|NO|BAD)\b", re.IGNORECASE)
_VERSIONS = {"IMAP4REV1", "IMAP4"}
_KEYWORD = re.compile(rb"(\*(?: \d+)?|[A-Za-z]+\d+) ([A-Za-z-]+)")


class Literal(bytes):
    """An argument that is sent as a literal: no quotes can hold it."""


def string(value: bytes) -> bytes:
    """A value as a command has it: in quotes where they may hold it (RFC 9051, 9)."""
    if any(byte > 126 or byte in b"\0\r\n" for byte in value):
        return Literal(value)
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


class _Heard(imaplib.IMAP4):
    """A connection that counts what it receives, and takes careless lines."""

    received = 0
    _between = False  # whether what comes next is the first line of an answer

    def _get_response(self, *more: Any) -> Any:
        self._between = True
        return super()._get_response(*more)  # type: ignore[misc]  # typeshed does not have it

    def read(self, size: int) -> bytes:
        if size > _LARGEST:
            raise imaplib.IMAP4.abort(f"a literal of {size} bytes was announced")
        data = super().read(size)
        self.received += len(data)
        return data

    def readline(self) -> bytes:
        line = super().readline()
        self.received += len(line)
        while self._between and (line in _EMPTY or line[:1] not in _STARTS):
            if line not in _EMPTY and (line := self._of_a_command(line)):
                break
            line = super().readline()
            self.received += len(line)
        self._between = False
        if line.endswith(b"+}\r\n"):  # only a client may write a literal so (RFC 7888)
            line = _PLUS.sub(b"}\r\n", line)
        if line[-2:] == b"\r\n" and not _CARELESS.match(line):
            return line
        return _tidy(line)

    def _of_a_command(self, line: bytes) -> bytes:
        """The line; nothing for the end of a command that was not sent, or has ended before."""
        if not (found := _TAGGED.match(line)):
            return line
        for tag, answer in self.tagged_commands.items():
            if answer is None and tag.upper() == found[1].upper():
                return tag + line[found.end(1) :]
        return b""

    def _get_capabilities(self) -> None:
        """Note what the server can do, as its greeting or CAPABILITY tells.

        Where it tells nothing it can do no more than each server.
        """
        told = self.untagged_responses.pop("CAPABILITY", [])
        if not told or self._tls_established:  # what was said in the clear is not believed
            tag = self._new_tag()
            send(self, tag + b" CAPABILITY\r\n")
            self._get_tagged_response(tag)
            told = self.untagged_responses.pop("CAPABILITY", [])
        words = capabilities_in(told)
        self.capabilities = tuple(words if words & _VERSIONS else {*words, "IMAP4REV1"})


def _tidy(line: bytes) -> bytes:
    if line.endswith(b"\n") and not line.endswith(b"\r\n"):
        line = line[:-1] + b"\r\n"
    if found := _KEYWORD.match(line):
        line = found[1] + b" " + found[2].upper() + line[found.end() :]
        if not line.startswith(b"*") and line[found.end() :] == b"\r\n":
            line = line[:-2] + b" \r\n"
    return line


class _Clear(_Heard, IMAP4WithTimeout):  # type: ignore[misc]  # imapclient.imap4 has no types
    pass


class _Encrypted(_Heard, IMAP4_TLS):  # type: ignore[misc]  # imapclient.tls has no types
    pass


class Client(IMAPClient):  # type: ignore[misc]  # a base of type Any: imapclient has no types
    """imapclient's client on such a connection."""

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - imapclient's name
        patience = getattr(self._timeout, "connect", None)
        if self.ssl:
            made: imaplib.IMAP4 = _Encrypted(self.host, self.port, self.ssl_context, patience)  # type: ignore[call-arg]
            return made
        return _Clear(self.host, self.port, patience)

    def capabilities(self) -> tuple[bytes, ...]:
        """What the server has said last of what it can do."""
        return self._cached_capabilities or tuple(c.encode() for c in self._imap.capabilities)

    @property
    def received(self) -> int:
        """Bytes that came so far."""
        return int(self._imap.received)


def ask(client: IMAPClient, *words: bytes) -> tuple[str, Any]:
    """Send a command, wherever its literals stand; returns what imaplib returns of an answer."""
    imap = client._imap
    for kind in _KINDS:
        imap.untagged_responses.pop(kind, None)
    tag: bytes = imap._new_tag()
    _send(client, tag, words)
    return completed(client, tag)


def _send(client: IMAPClient, tag: bytes, words: Iterable[bytes]) -> None:
    """Send the words, or as many of them as the server lets come."""
    imap, line = client._imap, tag
    for word in words:
        if not isinstance(word, Literal):
            line += b" " + word
        elif client.has_capability("LITERAL+") or (
            client.has_capability("LITERAL-") and len(word) <= _LITERAL_MINUS
        ):
            line += b" {%d+}\r\n" % len(word) + word
        else:
            send(imap, line + b" {%d}\r\n" % len(word))
            while imap._get_response() is not None:  # None is the `+` that is waited for
                if imap.tagged_commands[tag]:
                    return
                imap._check_bye()
            line = bytes(word)
    send(imap, line + b"\r\n")


def send(imap: Any, data: bytes) -> None:
    """Send bytes as they are."""
    try:
        imap.send(data)
    except OSError as problem:
        raise imaplib.IMAP4.abort(f"socket error: {problem}") from problem


def completed(client: IMAPClient, tag: bytes) -> tuple[str, Any]:
    """The answer to the command of this tag: OK, NO or BAD, and its text."""
    imap = client._imap
    kind, data = imap._get_tagged_response(tag)
    imap._check_bye()
    return kind, data


def capabilities(client: IMAPClient) -> set[str]:
    """What the server can do from now on, as it said by itself or answers; empty if neither."""
    told = taken(client, "CAPABILITY")
    if not told:
        ask(client, b"CAPABILITY")
        told = taken(client, "CAPABILITY")
    words = capabilities_in(told)
    client._cached_capabilities = tuple(word.encode() for word in words)
    return words


def capabilities_in(told: Iterable[Any]) -> set[str]:
    """The words of CAPABILITY answers, in capitals."""
    lines = (line for line in told if isinstance(line, bytes))
    return set(b" ".join(lines).decode("ascii", "replace").upper().split())


def accept(kind: str, data: Any) -> None:
    """Raise what imaplib raises, unless the answer is OK."""
    if kind != "OK":
        text = data[0] if data else b""
        raise imaplib.IMAP4.error(text.decode("utf-8", "replace") if text else kind)


def taken(client: IMAPClient, kind: str) -> list[Any]:
    """The untagged answers of one kind since they were last taken, in imaplib's pieces."""
    return [one for one in client._imap.untagged_responses.pop(kind, []) if one is not None]
