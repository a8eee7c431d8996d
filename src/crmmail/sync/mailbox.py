"""One IMAP connection, read only. What it says and hears is in `connection.py`, `wire.py`,
`listing.py`, `uids.py`, `fetching.py` and `idle.py`: no other file knows imapclient.

Folders are opened with EXAMINE and bodies read with PEEK, so that nothing on the server changes.
Strings that a stranger may have chosen are never sent.
"""

from __future__ import annotations

import imaplib
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from imapclient.exceptions import IMAPClientError

from crmmail.sync import idle, uids, wire
from crmmail.sync.answers import FolderInfo, fingerprint
from crmmail.sync.connection import Login, connect, narrowing_timeout, sign_in, timeouts
from crmmail.sync.fetching import Fetching
from crmmail.sync.folder_list import FolderList
from crmmail.sync.narrowing import Place
from crmmail.sync.problems import BadAnswer, Problem, Refused, in_words

__all__ = ["Login", "Mailbox", "check"]


class Mailbox(Fetching):
    """A signed-in connection. Every method raises a Problem that a person can read."""

    def __init__(self, login: Login) -> None:
        self._received = 0  # over the connections before this one
        self._folder_list = FolderList()
        self._opened = ("", b"", 0)  # the folder that is open: name, spelling, UIDVALIDITY
        self._aborted = self._hurried = False
        self._others: list[Mailbox] = []
        self._without = set[str]()  # capabilities that are not used
        self._expunged = Counter[str]()  # by folder
        self._login = login
        self.flags_moved = False
        """Whether the server told of changed flags in the folder that is open."""
        self._client = None
        self._connect()

    def _connect(self) -> None:
        """Connect and sign in; also once more, after the connection was cut."""
        self._received, self._client = self._received_here(), None
        with in_words(self._login.host, self._login.port, self._login.username):
            self._client = connect(self._login)
            self._can = sign_in(self._client, self._login) - self._without
        self._folder_list.use(self._client, self._can)

    def reopen(self) -> None:
        """Connect anew, and open the folder that was open. Raises a Problem.

        A message that made the server hang will do so again: it gets less time.
        """
        name, spelled, uidvalidity = self._opened
        moved = self.flags_moved
        with suppress(OSError, AttributeError):
            self._client._imap.shutdown()
        if not self._aborted:
            try:
                self._connect()
            except Refused as problem:  # a token grows old: the next pass has a new one
                raise Problem(str(problem), problem.hint) from problem
        if self._aborted:
            self.abort()
            raise Problem("The connection was cut.")
        self._client.socket().settimeout(narrowing_timeout())
        self._hurried = True
        if name and self.examine(name, spelled).uidvalidity != uidvalidity:
            raise Problem(f"{name} was rebuilt on the server.")
        self.flags_moved = moved

    @contextmanager
    def visiting(self, place: Place) -> Iterator[bool]:
        """Open another folder meanwhile; gives whether it could be opened.

        What was open is opened again, by `reopen` if the connection ends.
        """
        opened, memory, moved = self._opened, self.memory, self.flags_moved
        try:
            with suppress(BadAnswer):
                self.examine(place.folder, place.wire)
            yield self._opened[0] == place.folder
            self.examine(*opened[:2])
        finally:
            self._opened, self.memory, self.flags_moved = opened, memory, moved

    def _wait_longer(self) -> None:
        if self._hurried:
            self._client.socket().settimeout(timeouts().read)
            self._hurried = False

    def again(self) -> Mailbox:
        """Another connection, signed in like this one; what it receives counts here too."""
        other = Mailbox(self._login)
        other._folder_list.spelled_like(self._folder_list)
        self._others.append(other)
        return other

    @property
    def received(self) -> int:
        """Bytes that came over the wire so far."""
        return self._received_here() + sum(other.received for other in self._others)

    def _received_here(self) -> int:
        return self._received + int(getattr(self._client, "received", 0))

    # -- folders ---------------------------------------------------------------------------

    def folders(self) -> list[FolderInfo]:
        """Every folder with its counts: one round trip where the server has LIST-STATUS (S3)."""
        with in_words():
            if self._client._imap.state == "SELECTED":
                wire.taken(self._client, "FETCH")
                wire.ask(self._client, b"NOOP")  # the counts of an open folder are those last told
                self.flags_moved |= bool(wire.taken(self._client, "FETCH"))
            return self._folder_list.folders(counts_changes=self.has_modseq)

    @property
    def unlisted(self) -> int:
        """How many lines of the last list of folders could not be read: it is not complete."""
        return len(self._folder_list.unread)

    def examine(self, name: str, spelled: bytes = b"") -> FolderInfo:
        """Open a folder, read only; `spelled` is its name on the wire, if that is known."""
        self.flags_moved = False
        if name != self._opened[0]:
            self.memory = None  # it is of another folder
        self._note_expunged()
        with in_words():
            info = self._folder_list.examine(name, spelled)
        uids.expunged(self._client)  # what is told meanwhile may be of the folder before
        messages, uidnext = info.get(b"EXISTS", 0), info.get(b"UIDNEXT", 0)
        self._opened = (name, spelled, info.get(b"UIDVALIDITY", 0))
        if messages and not uidnext:
            uidnext = self._highest(messages) + 1
        return FolderInfo(
            name,
            "",
            True,
            messages,
            uidnext or 1,
            int(info.get(b"UIDVALIDITY", 0)),
            fingerprint(info.get(b"HIGHESTMODSEQ")),
        )

    def take_expunged(self, name: str) -> int:
        """How many messages have left a folder, as the server told since this was last asked."""
        self._note_expunged()
        return self._expunged.pop(name, 0)

    def expunged(self) -> Counter[str]:
        """How many messages have left each folder, as the server told and nobody has taken."""
        self._note_expunged()
        return self._expunged.copy()

    def drop_expunged(self, told: Counter[str]) -> None:
        """Forget so many of what the server told: what is here agrees with its counts since."""
        self._expunged -= told

    def _note_expunged(self) -> None:
        self._expunged[self._opened[0]] += uids.expunged(self._client)

    def count(self, name: str) -> int:
        """How many messages a folder has, as STATUS tells; -1 if it does not."""
        with in_words():
            return self._folder_list.count(name)

    def _highest(self, messages: int) -> int:
        """The highest UID of the open folder with so many, for servers that tell no UIDNEXT."""
        with in_words():
            highest = max(uids.found(self._client, "*"), default=0)
            highest = highest or uids.of_number(self._client, messages)
        if not 0 < highest <= uids.HIGHEST:
            raise BadAnswer("The server tells neither UIDNEXT nor the UID of the last message.")
        return highest

    # -- messages of the folder that is open -------------------------------------------------

    def uids(self, low: int, high: int) -> list[int]:
        """The UIDs from `low` up to and excluding `high`, ascending: one command, however many.

        A server that refuses to search may still fetch.
        """
        if high <= low:
            return []
        try:
            with in_words():
                return uids.between(self._client, self._can, low, high)
        except BadAnswer:
            with suppress(BadAnswer):
                if fetched := self.flags(low, high):
                    return sorted(fetched)
            raise

    @property
    def has_modseq(self) -> bool:
        """Whether the server counts changes of flags (CONDSTORE)."""
        return "CONDSTORE" in self._can or "QRESYNC" in self._can

    @property
    def has_idle(self) -> bool:
        """Whether the server pushes (RFC 2177)."""
        return "IDLE" in self._can

    def do_not_idle(self) -> None:
        """Do without IDLE on this connection."""
        self._can.discard("IDLE")

    def do_not_count_changes(self) -> None:
        """Do without CONDSTORE, also after `reopen`."""
        self._without |= {"CONDSTORE", "QRESYNC"}
        self._can -= self._without

    # -- waiting -----------------------------------------------------------------------------

    def wait(
        self,
        seconds: float,
        wake: socket.socket | None = None,
        woken: Callable[[], object] | None = None,
    ) -> bool:
        """Wait in the open folder until the server reports something, or `wake` is readable.

        `woken` is called in the second case, before the server has ended the wait.
        Returns whether the server did. Without IDLE it only waits.
        """
        if not self.has_idle:
            if wake is None:
                time.sleep(seconds)
            else:
                select.select([wake], [], [], seconds)
            return False
        self._note_expunged()
        try:
            with in_words():
                kinds = idle.wait(self._client, seconds, wake, woken)
        except idle.IdleRefused:
            self.do_not_idle()  # advertised, then refused
            return self.wait(seconds, wake, woken)
        self.flags_moved |= "FETCH" in kinds
        return bool(kinds)

    def close(self) -> None:
        """Sign out if that is quick; in any case let go of the connection."""
        try:
            self._client.socket().settimeout(2)
            self._client.logout()
        except (OSError, imaplib.IMAP4.error, IMAPClientError, AttributeError):
            self.abort()

    def abort(self) -> None:
        """Cut the connection; from any thread. What waits on it raises."""
        self._aborted = True
        with suppress(OSError, AttributeError):
            self._client.socket().shutdown(socket.SHUT_RDWR)


def check(login: Login) -> list[FolderInfo]:
    """Sign in, list the folders, sign out: the test of an account. Raises a Problem."""
    with closing(Mailbox(login)) as mailbox:
        return mailbox.folders()
