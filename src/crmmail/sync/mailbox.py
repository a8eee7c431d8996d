"""One IMAP connection, read only: with `connection.py` and `fetching.py` all that knows imapclient.

Folders are opened with EXAMINE and bodies read with PEEK, so that nothing on the server changes.
Strings that a stranger may have chosen are never sent.
"""

from __future__ import annotations

import imaplib
import re
import select
import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any

from imapclient.exceptions import IMAPClientError

from crmmail.sync.answers import (
    GARBAGE,
    FolderInfo,
    counted,
    folder_info,
    is_closed,
)
from crmmail.sync.connection import Login, connect, sign_in
from crmmail.sync.fetching import Fetching, accept
from crmmail.sync.problems import BadAnswer, in_words

__all__ = ["Login", "Mailbox", "check"]

UID_WINDOW = 100_000
_STATUS = "MESSAGES UIDNEXT UIDVALIDITY"
_CLOSED = re.compile(r"\[(?:NOPERM|NONEXISTENT)\]", re.IGNORECASE)
"""What refuses STATUS for good (RFC 5530)."""


class Mailbox(Fetching):
    """A signed-in connection. Every method raises a Problem that a person can read."""

    def __init__(self, login: Login) -> None:
        self._received = 0
        self._others: list[Mailbox] = []
        self._login = login
        self.flags_moved = False
        """Whether the server told of changed flags in the folder that is open."""
        self._connect()

    def _connect(self) -> None:
        """Connect and sign in; also once more, after the connection was cut."""
        with in_words(self._login.host):
            self._client = connect(self._login)
            self._count_bytes()
            sign_in(self._client, self._login)
        self._can = {
            item.decode("ascii", "replace").upper() for item in self._client.capabilities()
        }

    def again(self) -> Mailbox:
        """Another connection, signed in like this one; what it receives counts here too."""
        other = Mailbox(self._login)
        self._others.append(other)
        return other

    @property
    def received(self) -> int:
        """Bytes that came over the wire so far."""
        return self._received + sum(other.received for other in self._others)

    # -- folders ---------------------------------------------------------------------------

    def folders(self) -> list[FolderInfo]:
        """Every folder with its counts: one round trip where the server has LIST-STATUS (S3)."""
        with in_words():
            if self._client._imap.state == "SELECTED":
                _, told = self._client.noop()  # the counts of an open folder are those last told
                self.flags_moved |= b"FETCH" in _kinds(told)
            if "LIST-STATUS" in self._can:
                try:
                    return self._list_status()
                except (IMAPClientError, imaplib.IMAP4.error, *GARBAGE) as problem:
                    if isinstance(problem, imaplib.IMAP4.abort):
                        raise
                    self._can.discard("LIST-STATUS")  # advertised, then refused
            listed = self._client.list_folders()
            return [self._status(*entry) for entry in listed]

    def examine(self, name: str) -> FolderInfo:
        """Open a folder, read only."""
        self.flags_moved = False
        with in_words():
            info = self._client.select_folder(name, readonly=True)
        messages, uidnext = int(info.get(b"EXISTS", 0)), int(info.get(b"UIDNEXT", 0))
        if messages and not uidnext:
            uidnext = self._highest() + 1
        return FolderInfo(
            name,
            "",
            True,
            messages,
            uidnext or 1,
            int(info.get(b"UIDVALIDITY", 0)),
            int(info.get(b"HIGHESTMODSEQ", 0) or 0),
        )

    def count(self, name: str) -> int:
        """How many messages a folder has, as STATUS tells; -1 if it does not."""
        with in_words():
            info = self._status((), b"/", name)
        return info.messages if info.counted else -1

    def _highest(self) -> int:
        """The highest UID of the open folder, for servers that do not tell UIDNEXT."""
        with in_words():
            kind, data = self._client._imap.uid("SEARCH", "UID", "*")
            accept(kind, data)
            return max((int(uid) for line in data for uid in (line or b"").split()), default=0)

    # -- messages of the folder that is open -------------------------------------------------

    def uids(self, low: int, high: int) -> list[int]:
        """The UIDs from `low` up to and excluding `high`, ascending.

        Asked for in windows, as a line may have a million bytes at most.
        """
        found: list[int] = []
        with in_words():
            for start in range(low, high, UID_WINDOW):
                stop = min(start + UID_WINDOW, high) - 1
                self._client._imap.untagged_responses.pop("SEARCH", None)
                kind, data = self._client._imap.uid("SEARCH", "UID", f"{start}:{stop}")
                accept(kind, data)
                for line in data:
                    found += map(int, (line or b"").split())
        return sorted({uid for uid in found if low <= uid < high})

    @property
    def has_modseq(self) -> bool:
        """Whether the server counts changes of flags (CONDSTORE)."""
        return "CONDSTORE" in self._can or "QRESYNC" in self._can

    @property
    def _fingerprint(self) -> str:
        return "HIGHESTMODSEQ" if self.has_modseq else "UNSEEN"

    @property
    def has_idle(self) -> bool:
        """Whether the server pushes (RFC 2177)."""
        return "IDLE" in self._can

    # -- waiting -----------------------------------------------------------------------------

    def wait(self, seconds: float, wake: socket.socket | None = None) -> bool:
        """Wait in the open folder until the server reports something, or `wake` is readable.

        Returns whether the server did. Without IDLE it only waits.
        """
        if not self.has_idle:
            if wake is None:
                time.sleep(seconds)
            else:
                select.select([wake], [], [], seconds)
            return False
        with in_words():
            self._client.idle()
            try:
                told = self._told(seconds, wake)
            finally:
                _, responses = self._client.idle_done()
        kinds = _kinds(responses)
        self.flags_moved |= b"FETCH" in kinds
        return told or bool(kinds & {b"EXISTS", b"EXPUNGE", b"FETCH"})

    def _told(self, seconds: float, wake: socket.socket | None) -> bool:
        connection = self._client.socket()
        watched = [connection] if wake is None else [connection, wake]
        if self._has_more():
            return True
        readable, _, _ = select.select(watched, [], [], seconds)
        return connection in readable

    def _has_more(self) -> bool:
        """Whether the server's next words came along with its last: no select tells of those."""
        connection = self._client.socket()
        timeout = connection.gettimeout()
        connection.settimeout(0)
        try:
            return bool(self._client._imap.file.peek(1))
        except ssl.SSLWantReadError:
            return False
        finally:
            connection.settimeout(timeout)

    def close(self) -> None:
        """Sign out if that is quick; in any case let go of the connection."""
        try:
            self._client.socket().settimeout(2)
            self._client.logout()
        except (OSError, imaplib.IMAP4.error, IMAPClientError, AttributeError):
            self.abort()

    def abort(self) -> None:
        """Cut the connection; from any thread. What waits on it raises."""
        with suppress(OSError, AttributeError):
            self._client.socket().shutdown(socket.SHUT_RDWR)

    # -- inside ------------------------------------------------------------------------------

    def _count_bytes(self) -> None:
        imap = self._client._imap
        read, readline = imap.read, imap.readline

        def counted_read(size: int) -> bytes:
            data: bytes = read(size)
            self._received += len(data)
            return data

        def counted_line() -> bytes:
            data: bytes = readline()
            self._received += len(data)
            return data

        imap.read, imap.readline = counted_read, counted_line

    def _list_status(self) -> list[FolderInfo]:
        imap = self._client._imap
        items = f"{_STATUS} {self._fingerprint}"
        wants = f"STATUS ({items})"
        if "SPECIAL-USE" in self._can:
            wants = f"SPECIAL-USE {wants}"
        imap.untagged_responses.pop("STATUS", None)
        kind, data = imap._simple_command("LIST", '""', '"*"', "RETURN", f"({wants})")
        accept(kind, data)
        _, lines = imap._untagged_response(kind, data, "LIST")
        _, states = imap._untagged_response(kind, data, "STATUS")
        counts = dict(counted(states))
        entries = self._client._proc_folder_list(lines)
        return [
            folder_info(flags, delimiter, name, counts.get(name, {}))
            for flags, delimiter, name in entries
        ]

    def _status(self, flags: Iterable[bytes], delimiter: bytes, name: str) -> FolderInfo:
        counts: dict[bytes, int] = {}
        if not is_closed(flags):
            items = [*_STATUS.split(), self._fingerprint]
            try:
                with in_words():
                    counts = self._client.folder_status(name, items)
            except BadAnswer as problem:  # once, it says nothing of the folder: EXAMINE tells
                if _CLOSED.search(str(problem)):
                    return folder_info((*flags, b"\\Noselect"), delimiter, name, {})
        return folder_info(flags, delimiter, name, counts)


def check(login: Login) -> list[FolderInfo]:
    """Sign in, list the folders, sign out: the test of an account. Raises a Problem."""
    with closing(Mailbox(login)) as mailbox:
        return mailbox.folders()


def _kinds(responses: Iterable[Any]) -> set[bytes]:
    """What the server told of by itself: EXISTS, EXPUNGE, FETCH …"""
    return {line[1] for line in responses if isinstance(line, tuple) and len(line) > 1}
