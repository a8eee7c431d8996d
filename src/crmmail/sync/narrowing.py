"""From a FETCH that fails to the one message that makes it fail (rules.md M8, S10).

A set of messages that the server refuses, leaves out, garbles or cuts the line at is halved until
one message stands alone. It is believed to be that message's fault only if the server sends another
message right after it: of the same folder or, if that is very small, of another. In an account that
has hardly any other, it is enough that the server tells something else about the message.

Knows nothing of IMAP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from crmmail.sync.problems import BadAnswer, Cut, Fault, Problem

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CONNECTIONS = 12
"""New connections in a row that do not set a message apart, after which a pass gives up."""
_ROW = 3
"""Messages in a row that fail, after which it is looked whether the server sends any other."""


class LeftOut(BadAnswer):
    """The server lists a message, and its answers leave it out without a word."""

    def __init__(self) -> None:
        super().__init__("The server lists the message, but does not send it.")


@dataclass(frozen=True, slots=True)
class Reply(Generic[T_co]):
    """What came of one FETCH."""

    found: dict[int, T_co]
    unusable: dict[int, BadAnswer] = field(default_factory=dict)  # answered, but not so
    problem: BadAnswer | None = None  # why the others are not there, if the server says so
    cut: Cut | None = None  # why there was no more to come on this connection


class Place(NamedTuple):
    """A message of another folder."""

    folder: str
    wire: bytes  # the folder's name as the server spells it
    uid: int


class Line(Protocol[T_co]):
    """One kind of FETCH on a connection, in the folder that is open."""

    def ask(self, uids: Sequence[int]) -> Reply[T_co]:
        """Ask for these messages, once."""

    def ask_elsewhere(self, place: Place) -> Reply[T_co]:
        """Ask for a message of another folder, once, and open this one again."""

    def ask_little(self, uid: int) -> Reply[int]:
        """Ask for the flags of a message, once, or whether it is there."""

    def there(self, uids: Sequence[int]) -> set[int]:
        """Which of these messages the server still lists."""

    def reopen(self) -> None:
        """Connect anew, and open the same folder."""


class Memory(Protocol):
    """What is known of a folder's messages from before. It outlives a kill."""

    def controls(self) -> list[int]:
        """Messages that the server has sent before."""

    def elsewhere(self) -> list[Place]:
        """Messages of other folders that the server has sent before, for a folder that is too
        small to have others that work.
        """

    def has_few(self) -> bool:
        """Whether the whole account has so few messages that none of them need work."""

    def suspects(self) -> set[int]:
        """Messages of which one or more made a FETCH fail before."""

    def suspect(self, uids: Collection[int]) -> None:
        """Note that one or more of these messages make the connection end."""


class Narrowing(Generic[T]):
    """One set of messages, fetched over as many commands and connections as it takes."""

    def __init__(self, line: Line[T], memory: Memory | None) -> None:
        """Without a memory the first cut is raised."""
        self._line = line
        self._memory = memory
        self._wanted: Sequence[int] = ()
        self._good: dict[int, T] = {}
        self._bad: dict[int, BadAnswer | Cut] = {}
        self._failed = set[int]()  # was in a set that failed
        self._in_a_row = 0  # set apart since the server last sent something
        self._connections = 0

    def run(self, uids: Sequence[int]) -> dict[int, T | Problem]:
        """Fetch; each message that the server still lists has its answer or its problem.

        The problem is a Fault where the server sends no other message either. Raises Cut when new
        connections do not help.
        """
        self._wanted = uids
        known = self._memory.suspects() if self._memory else set()
        suspects = [uid for uid in uids if uid in known]
        self._failed.update(suspects)
        stack = [*_halves(suspects), [uid for uid in uids if uid not in known]]
        problems: dict[int, Problem] = {}
        try:
            while stack:
                if part := stack.pop():
                    stack += reversed(list(self._step(part)))
            if self._in_a_row:
                self._prove()
        except Fault as fault:
            problems = dict.fromkeys((uid for uid in uids if uid not in self._good), fault)
        if self._connections and self._memory:
            self._memory.suspect(())
        return {**self._bad, **problems, **self._good}

    def _step(self, part: list[int]) -> Iterator[list[int]]:
        """Ask for a part; yields what is to be asked next."""
        reply = self._line.ask(part)
        if reply.found:
            self._good.update(reply.found)
            self._in_a_row = 0
        left = self._still_there([uid for uid in part if uid not in reply.found], reply)
        if not left:
            return
        if reply.cut:
            self._again(reply.cut, left)
        failed_before = self._failed.issuperset(left)
        self._failed.update(left)
        if len(left) < len(part):  # an answer has its place: the first that is missing is suspect
            yield from [left[:1], left[1:]] if reply.cut else [left]
        elif len(left) > 1:
            yield from _halves(left)
        elif failed_before:
            why = reply.unusable.get(left[0]) or reply.problem or reply.cut or LeftOut()
            self._set_apart(left[0], why)
        else:
            yield left

    def _still_there(self, left: list[int], reply: Reply[T]) -> list[int]:
        """Without those that somebody deleted meanwhile: of these the server just says nothing."""
        silent = [uid for uid in left if uid not in reply.unusable]
        if not silent or reply.problem or reply.cut:
            return left
        there = self._line.there(silent)
        return [uid for uid in left if uid in there or uid in reply.unusable]

    def _again(self, cut: Cut, left: Collection[int]) -> None:
        """Go on over a new connection."""
        if self._memory is None or self._connections >= CONNECTIONS:
            raise cut
        self._connections += 1
        self._memory.suspect({*left, *self._bad})
        self._line.reopen()

    def _set_apart(self, uid: int, why: BadAnswer | Cut) -> None:
        self._bad[uid] = why
        self._in_a_row += 1
        if self._in_a_row >= (_ROW if self._good else 1):
            self._prove()
        self._connections = min(self._connections, 1)

    def _prove(self) -> None:
        """Raise a Fault unless the server sends another message now."""
        for uid in self._others():
            if self._sends(self._line.ask([uid])):
                return
        for place in self._memory.elsewhere() if self._memory else ():
            if self._sends(self._line.ask_elsewhere(place)):
                return
        last = list(self._bad)[-1]
        if self._memory and self._memory.has_few() and self._sends(self._line.ask_little(last)):
            return
        raise Fault(list(self._bad.values())[-1])

    def _sends(self, reply: Reply[T] | Reply[int]) -> bool:
        if reply.cut:
            self._again(reply.cut, ())
        if reply.found:
            self._in_a_row = 0
        return bool(reply.found)

    def _others(self) -> Iterator[int]:
        """Some messages that the server should be able to send."""
        yield from list(self._good)[:1]
        if self._memory:
            yield from (uid for uid in self._memory.controls() if uid not in self._bad)
        if not self._good:
            untried = [uid for uid in self._wanted if uid not in self._bad]
            yield from dict.fromkeys([*untried[-1:], *untried[len(untried) // 2 :][:1]])


def _halves(uids: list[int]) -> list[list[int]]:
    middle = len(uids) // 2
    return [uids[:middle], uids[middle:]]
