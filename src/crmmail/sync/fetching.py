"""The FETCH commands of a connection, and what they answer, message by message."""

from __future__ import annotations

import imaplib
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from imapclient import IMAPClient

from crmmail.sync import uid_sets
from crmmail.sync.answers import (
    GARBAGE,
    Answers,
    Headless,
    Listed,
    described,
    epoch,
    flags_of,
    listed,
    literal,
    matching,
    parsed,
)
from crmmail.sync.message import HEADER_FIELDS
from crmmail.sync.narrowing import Memory, Narrowing, Place, Reply
from crmmail.sync.problems import BadAnswer, Cut, Fault, Problem, in_words, said
from crmmail.sync.uids import counted
from crmmail.sync.uids import found as searched
from crmmail.sync.wire import accept

SMALL = 64_000
"""Messages up to this many bytes are fetched whole."""
TEXT_LIMIT = 262_144
"""How much of one text part of a larger message is fetched, in bytes."""
_ADDRESSES = "(UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO CC BCC)])"

T = TypeVar("T")
_Read = Callable[[int, dict[bytes, Any]], T]


@dataclass(frozen=True, slots=True)
class Changed:
    """Flags by UID of messages that have changed, and the highest MODSEQ among them."""

    flags: dict[int, int]
    highest: int


class Fetching:
    """What a signed-in connection can fetch of the folder that is open.

    With a `memory`, a message at which the connection ends is found over new ones.
    """

    memory: Memory | None = None
    sent_something = False
    """Whether the server has sent any message on this connection."""
    cuts_nothing = False
    """Whether the server was found not to send the beginning of a part alone."""
    _client: IMAPClient
    _can: set[str]
    _counts_changes = True  # until it is found not to

    def reopen(self) -> None:
        """Connect anew, and open the folder that was open. Raises a Problem."""
        raise NotImplementedError

    def visiting(self, place: Place) -> AbstractContextManager[bool]:
        """Open another folder meanwhile; gives whether it could be opened."""
        raise NotImplementedError

    def _wait_longer(self) -> None:
        """Wait for answers as long as before the connection was cut."""
        raise NotImplementedError

    def received_at(self, uid: int) -> float:
        """When a message came to the server, in seconds since 1970; "now" if it does not tell."""
        found = self._fetch([uid], "(UID INTERNALDATE)", lambda _, a: epoch(a[b"INTERNALDATE"]))
        date = found.get(uid)
        return time.time() if date is None or isinstance(date, Problem) else date

    def headers(
        self, uids: Sequence[int], fields: Sequence[str] = HEADER_FIELDS
    ) -> dict[int, Listed | Problem]:
        """List these messages. One that the server cannot list is given with its problem (M8)."""
        names = " ".join(name.upper() for name in fields)
        found = self._listed(uids, f"BODY.PEEK[HEADER.FIELDS ({names})]", listed)
        # Not below `subject`: there the whole header is none of our business (V2).
        headless = [uid for uid, one in found.items() if _is_headless(one)]
        if headless and "Subject" in fields:
            again = self._listed(headless, "BODY.PEEK[HEADER]", _with_whole_header)
            found.update({uid: one for uid, one in again.items() if isinstance(one, Listed)})
        return found

    def _listed(
        self, uids: Sequence[int], header: str, read: _Read[Listed]
    ) -> dict[int, Listed | Problem]:
        items = f"UID FLAGS INTERNALDATE RFC822.SIZE {header}"
        for capability, item in (("X-GM-EXT-1", "X-GM-THRID"), ("OBJECTID", "THREADID")):
            if capability in self._can:
                found = self._fetch(uids, f"({item} {items})", read)
                if not any(isinstance(one, Fault) for one in found.values()):
                    return found
                self._can.discard(capability)  # advertised, then perhaps refused
        return self._fetch(uids, f"({items})", read)

    def addresses(
        self, uids: Sequence[int], wanted: re.Pattern[bytes]
    ) -> Iterator[tuple[int, bytes]]:
        """Flags, and the header lines of who wrote to whom, of those in which `wanted` is found.

        Nothing else: each further item makes the server open more of its files.
        """
        for chunk in uid_sets.chunks(sorted(uids)):
            answers, problem = self._command(chunk, _ADDRESSES, wanted)
            if isinstance(problem, Cut):
                raise problem
            for uid, answer in answers.read.items():
                if header := next((v for k, v in answer.items() if k.startswith(b"BODY[")), None):
                    one = described(uid, answer, header)
                    yield one.flags, one.header

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes | Problem]:
        """These messages whole, as sent."""
        return self._fetch(uids, "(UID BODY.PEEK[])", _whole)

    def structures(self, uids: Sequence[int]) -> dict[int, Any | Problem]:
        """The BODYSTRUCTURE of these messages, as imapclient parses it."""

        def read(_: int, answer: dict[bytes, Any]) -> Any:
            if isinstance(structure := answer[b"BODYSTRUCTURE"], tuple):
                return structure
            raise BadAnswer("The server does not describe the parts of the message.")

        return self._fetch(uids, "(UID BODYSTRUCTURE)", read)

    def parts(
        self, uids: Sequence[int], section: str, *, whole: bool = False
    ) -> dict[int, bytes | Problem]:
        """The beginning of one part of each of these messages, as encoded.

        `whole` does not ask the server to cut it, for those that do not do that.
        """
        name = f"BODY[{section}]".encode()
        origin = "" if whole else f"<0.{TEXT_LIMIT}>"

        def read(_: int, answer: dict[bytes, Any]) -> bytes:
            return literal(answer, name + b"<0>", name)[:TEXT_LIMIT]

        return self._fetch(uids, f"(UID BODY.PEEK[{section}]{origin})", read)

    def part(self, uid: int, section: str) -> bytes | Problem:
        """One part of a message, whole, as encoded."""
        name = f"BODY[{section}]".encode()
        found = self._fetch(
            [uid], f"(UID BODY.PEEK[{section}])", lambda _, answer: literal(answer, name)
        )
        return found.get(uid) or BadAnswer("The server does not have this message any more.")

    def flags(self, low: int, high: int) -> dict[int, int]:
        """The flags of UIDs from `low` up to and excluding `high`: Flag by UID."""
        if high <= low:
            return {}
        answers, problem = self._command([], "(UID FLAGS)", places=f"{low}:{high - 1}")
        if isinstance(problem, Cut) and self.memory:
            self.reopen()
            with in_words():
                uids = searched(self._client, f"{low}:{high - 1}")
            told = self.flags_of(uids)
            return {uid: one for uid, one in told.items() if not isinstance(one, Problem)}
        if problem and not (answers.unreadable and isinstance(problem, BadAnswer)):
            raise problem
        return _flags(answers, low, high)

    def flags_of(self, uids: Sequence[int]) -> dict[int, int | Problem]:
        """The flags of these messages, or why the server does not send them.

        Raises a Fault where it sends none.
        """
        told = self._fetch(uids, "(UID FLAGS)", lambda _, answer: flags_of(answer[b"FLAGS"]))
        if fault := next((one for one in told.values() if isinstance(one, Fault)), None):
            raise fault
        return told

    def changed(self, low: int, high: int, since: int) -> Changed | None:
        """The flags of those of these UIDs that changed after a MODSEQ (RFC 7162).

        None where the server refuses to tell, or some of what it tells cannot be read.
        """
        items = f"(UID FLAGS) (CHANGEDSINCE {since})"
        answers, problem = self._command([], items, places=f"{low}:{high - 1}")
        if isinstance(problem, Cut):
            if not self.memory:
                raise problem
            self.reopen()
        if problem or answers.unreadable:
            return None
        told = [answer.get(b"MODSEQ") for answer in answers.read.values()]
        numbers = (one[0] if isinstance(one, tuple) and one else one for one in told)
        highest = max((one for one in numbers if isinstance(one, int)), default=0)
        return Changed(_flags(answers, low, high), highest)

    def count_changed(self, low: int, high: int, since: int) -> int | None:
        """How many of these UIDs changed after a MODSEQ; None if the server does not tell."""
        if not self._counts_changes:
            return None
        with in_words():
            count = counted(self._client, self._can, f"{low}:{high - 1} MODSEQ {since + 1}")
        self._counts_changes = count is not None
        return count

    # -- inside ------------------------------------------------------------------------------

    def _fetch(self, uids: Sequence[int], items: str, read: _Read[T]) -> dict[int, T | Problem]:
        """FETCH by UID; what fails is narrowed to the one bad message (S5)."""
        found: dict[int, T | Problem] = {}
        for chunk in uid_sets.chunks(sorted(uids)):
            found |= Narrowing(_Kind(self, items, read), self.memory).run(chunk)
        self.sent_something |= any(not isinstance(one, Problem) for one in found.values())
        self._wait_longer()
        return found

    def _command(
        self,
        uids: list[int],
        items: str,
        wanted: re.Pattern[bytes] | None = None,
        places: str = "",
    ) -> tuple[Answers, Problem | None]:
        """One UID FETCH, its answers as far as they came, and why not all did.

        Raises a Problem that has nothing to do with the messages: throttling.
        """
        imap = self._client._imap
        imap.untagged_responses.pop("FETCH", None)
        problem: Problem | None = None
        try:
            with in_words():
                _exchange(imap, places or uid_sets.packed(uids), items)
        except (BadAnswer, Cut) as failure:
            problem = failure
        data = imap.untagged_responses.pop("FETCH", [])
        if data and isinstance(data[-1], tuple):  # cut within its literal
            del data[-1]
        answers = parsed(data if wanted is None else matching(data, wanted))
        return answers, problem or answers.unreadable.get(0)

    def _listed_still(self, uid: int) -> list[int]:
        """This UID, if a search finds it."""
        with suppress(BadAnswer), in_words():
            return [one for one in searched(self._client, str(uid)) if one == uid]
        return []

    def _there(self, uids: Sequence[int]) -> set[int]:
        """Which of these messages a search finds; all, where it finds no answer."""
        try:
            with in_words():
                return set(searched(self._client, uid_sets.packed(list(uids))))
        except BadAnswer:
            return set(uids)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[T]):
    """A FETCH of certain items: the Line of a Narrowing."""

    fetching: Fetching
    items: str
    read: _Read[T]

    def ask(self, uids: Sequence[int]) -> Reply[T]:
        answers, problem = self.fetching._command(list(uids), self.items)
        found: dict[int, T] = {}
        unusable = {uid: why for uid, why in answers.unreadable.items() if uid}
        for uid in answers.read.keys() & set(uids):
            try:
                found[uid] = self.read(uid, answers.read[uid])
            except BadAnswer as why:
                unusable[uid] = why
            except GARBAGE as why:
                unusable[uid] = BadAnswer(f"The server's answer cannot be read: {said(why)}")
        if isinstance(problem, Cut):
            return Reply(found, unusable, cut=problem)
        return Reply(found, unusable, problem if isinstance(problem, BadAnswer) else None)

    def ask_elsewhere(self, place: Place) -> Reply[T]:
        with self.fetching.visiting(place) as is_there:
            return self.ask([place.uid]) if is_there else Reply({})

    def ask_little(self, uid: int) -> Reply[int]:
        flags = _Kind(self.fetching, "(UID FLAGS)", lambda _, answer: flags_of(answer[b"FLAGS"]))
        reply = flags.ask([uid])
        if reply.found or reply.cut:
            return reply
        return Reply(dict.fromkeys(self.fetching._listed_still(uid), 0))

    def there(self, uids: Sequence[int]) -> set[int]:
        return self.fetching._there(uids)

    def reopen(self) -> None:
        self.fetching.reopen()


def _flags(answers: Answers, low: int, high: int) -> dict[int, int]:
    return {
        uid: flags_of(answer[b"FLAGS"])
        for uid, answer in answers.read.items()
        if low <= uid < high and isinstance(answer.get(b"FLAGS"), tuple)
    }


def _exchange(imap: imaplib.IMAP4, places: str, items: str) -> None:
    """Send a UID FETCH and read all that comes. Raises an abort when it is lost where it ends."""
    try:
        kind, data = imap._simple_command("UID", "FETCH", places, items)
    except (*GARBAGE, ssl.SSLError) as problem:
        raise imaplib.IMAP4.abort(str(problem) or type(problem).__name__) from problem
    except imaplib.IMAP4.error as problem:
        if isinstance(problem, imaplib.IMAP4.abort) or "command error: BAD" in str(problem):
            raise
        raise imaplib.IMAP4.abort(str(problem)) from problem
    accept(kind, data)


def _is_headless(one: Listed | Problem) -> bool:
    return isinstance(one.how if isinstance(one, Fault) else one, Headless)


def _whole(_: int, answer: dict[bytes, Any]) -> bytes:
    if text := literal(answer, b"BODY[]"):
        return text
    raise BadAnswer("The server sent an empty text for the message.")


def _with_whole_header(uid: int, answer: dict[bytes, Any]) -> Listed:
    if (header := literal(answer, b"BODY[HEADER]")).strip():
        return described(uid, answer, header)
    raise Headless("The server sent an empty header for the message.")
