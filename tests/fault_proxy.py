"""A proxy before an IMAP server that does harm to its answers, the same harm for the same seed.

It knows where an answer begins and ends: the untagged responses to a command, with their literals,
and the tagged line. So it cuts, stalls, empties and garbles between responses as well as within.
What is garbled is protocol, never a message's text or header: nobody could tell that from truth.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, Self

_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")
_NUMBER = re.compile(rb"\d+")
_SIGN_IN = ("CAPABILITY", "LOGIN", "AUTHENTICATE", "ID", "ENABLE")
_REFUSALS = (
    b"NO [UNAVAILABLE] Server error",
    b"NO [SERVERBUG] Internal error occurred",
    b"NO [INUSE] Mailbox is locked",
    b"NO Mailbox does not exist",
    b"NO failed",
    b"BAD Error in IMAP command",
    b"BAD [CLIENTBUG] Unknown command",
)


class Upstream(Protocol):
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Answer:
    """All that the server says to one command; the greeting has no command."""

    command: str
    untagged: list[bytes]
    tagged: bytes

    @property
    def whole(self) -> bytes:
        return b"".join(self.untagged) + self.tagged


@dataclass(frozen=True, slots=True)
class Harm:
    """What comes instead of an answer, and whether the connection breaks or hangs after it."""

    data: bytes
    then: str = ""  # cut | stall


_Commands = dict[bytes, str]  # by tag
Fault = Callable[[random.Random, Answer], Harm]


@dataclass
class FaultProxy:
    """Listens on a free loopback port; a context manager. Without `rate` it does no harm.

    `rate` is how many of a hundred answers are harmed, `most` how many in all; what it did is in
    `done`. `stuck` names a command and the fault that most answers to it get. After `cut_after`
    answers every connection is cut.
    """

    before: Upstream
    seed: int = 0
    rate: int = 0
    stuck: tuple[str, str] = ("", "")
    most: int = 1_000
    cut_after: int = 0
    done: list[str] = field(default_factory=list)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self._answers = 0
        self._choosing = threading.Lock()
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in [self._listener, *self._sockets]:
            _break(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.create_connection((self.before.host, self.before.port))
                # Of its own: which of two connections is answered first is up to chance.
                rnd = random.Random(f"{self.seed}-{len(self._sockets)}")
                self._sockets += [client, upstream]
                commands: _Commands = {}
                for work in (self._forward, self._answer):
                    threading.Thread(target=work, args=[client, upstream, commands, rnd]).start()

    def _forward(
        self, client: socket.socket, upstream: socket.socket, commands: _Commands, _: random.Random
    ) -> None:
        with contextlib.suppress(OSError), client.makefile("rb") as lines:
            for line in lines:
                for part in _parts(line, lines):
                    if part is line:
                        tag, _, command = line.partition(b" ")
                        commands[tag] = command.decode("ascii", "replace").strip()[:60]
                    upstream.sendall(part)
        _break(upstream)

    def _answer(
        self,
        client: socket.socket,
        upstream: socket.socket,
        commands: _Commands,
        rnd: random.Random,
    ) -> None:
        with contextlib.suppress(OSError), upstream.makefile("rb") as lines:
            for answer in _answers(lines, commands):
                harm = self._harmed(answer, rnd)
                client.sendall(harm.data)
                if harm.then == "cut":
                    break
                if harm.then == "stall":
                    client.recv(
                        1
                    )  # what the client says is read by the other thread: until it goes
                    break
        _break(client)
        _break(upstream)

    def _harmed(self, answer: Answer, rnd: random.Random) -> Harm:
        with self._choosing:
            self._answers += 1
            if 0 < self.cut_after < self._answers:
                return Harm(b"", "cut")
            name = self._chosen(answer, rnd)
            if not name or len(self.done) >= self.most:
                return Harm(answer.whole)
            self.done.append(f"{name}: {answer.command or 'greeting'}")
            return FAULTS[name](rnd, answer)

    def _chosen(self, answer: Answer, rnd: random.Random) -> str:
        """The fault that an answer gets, or ""; a sign-in that fails shows nothing else."""
        command, fault = self.stuck
        if command and answer.command.startswith(command) and rnd.randrange(10) < 8:
            return fault
        signing_in = not answer.command or answer.command.startswith(_SIGN_IN)
        if rnd.randrange(400 if signing_in else 100) >= self.rate:
            return ""
        return some_fault(rnd)


def _answers(lines: BinaryIO, commands: _Commands) -> Iterator[Answer]:
    """The answers that a server gives; what it asks to be continued is one of its own."""
    untagged: list[bytes] = []
    greeted = False
    while line := lines.readline():
        response = b"".join(_parts(line, lines))
        tag = response.partition(b" ")[0]
        if tag == b"*" and greeted:
            untagged.append(response)
            continue
        greeted = True
        yield Answer(commands.get(tag, ""), untagged, response)
        untagged = []


def _parts(line: bytes, lines: BinaryIO) -> Iterator[bytes]:
    """A line and, while that ends in a literal, the literal's bytes with the next line."""
    yield line
    while found := _LITERAL.search(line):
        literal, line = lines.read(int(found.group(1))), lines.readline()
        yield literal + line


# -- the faults ----------------------------------------------------------------------------------


def _cut_before(_: random.Random, __: Answer) -> Harm:
    return Harm(b"", "cut")


def _cut_between(rnd: random.Random, answer: Answer) -> Harm:
    return Harm(b"".join(answer.untagged[: rnd.randint(0, len(answer.untagged))]), "cut")


def _cut_within(rnd: random.Random, answer: Answer) -> Harm:
    return Harm(answer.whole[: rnd.randrange(len(answer.whole))], "cut")


def _bye(_: random.Random, __: Answer) -> Harm:
    return Harm(b"* BYE Server is going down\r\n", "cut")


def _stall(rnd: random.Random, answer: Answer) -> Harm:
    return Harm(answer.whole[: rnd.randrange(len(answer.whole))], "stall")


def _empty(_: random.Random, answer: Answer) -> Harm:
    return Harm(answer.tagged)


def _thin(rnd: random.Random, answer: Answer) -> Harm:
    kept = [one for one in answer.untagged if rnd.random() < 0.6]
    return Harm(b"".join(kept) + answer.tagged)


def _double(_: random.Random, answer: Answer) -> Harm:
    return Harm(b"".join(one + one for one in answer.untagged) + answer.tagged)


def _shuffle(rnd: random.Random, answer: Answer) -> Harm:
    mixed = rnd.sample(answer.untagged, len(answer.untagged))
    return Harm(b"".join(mixed) + answer.tagged)


def _refuse(rnd: random.Random, answer: Answer) -> Harm:
    tag = answer.tagged.partition(b" ")[0]
    data = answer.untagged[: rnd.choice([0, len(answer.untagged) // 2])]
    return Harm(b"".join(data) + tag + b" " + rnd.choice(_REFUSALS) + b"\r\n")


def _short_literal(rnd: random.Random, answer: Answer) -> Harm:
    """A literal that ends before the bytes that were announced, and nothing after it."""
    if (found := _literal(rnd, answer)) is None:
        return _cut_within(rnd, answer)
    at, one, start, end = found
    data = one[: rnd.randrange(start, end)]
    return Harm(b"".join(answer.untagged[:at]) + data, rnd.choice(["cut", "stall"]))


def _small_literal(rnd: random.Random, answer: Answer) -> Harm:
    """A literal that is announced to be smaller than it is."""
    if (found := _literal(rnd, answer)) is None:
        return _cut_within(rnd, answer)
    at, one, start, end = found
    return _announced(answer, at, one, rnd.randrange(end - start), start)


def _absurd_literal(rnd: random.Random, answer: Answer) -> Harm:
    """A literal that is announced to be larger than any message."""
    if (found := _literal(rnd, answer)) is None:
        return _cut_within(rnd, answer)
    at, one, start, _ = found
    return _announced(answer, at, one, 99_999_999_999, start)


def _announced(answer: Answer, at: int, one: bytes, size: int, start: int) -> Harm:
    opened = one.rindex(b"{", 0, start)
    bent = one[:opened] + b"{%d}\r\n" % size + one[start:]
    whole = [*answer.untagged[:at], bent, *answer.untagged[at + 1 :], answer.tagged]
    return Harm(b"".join(whole), "cut")


def _literal(rnd: random.Random, answer: Answer) -> tuple[int, bytes, int, int] | None:
    """One of the answer's responses with a literal, and where that begins and ends."""
    found = [
        (at, one, place.end(), place.end() + int(place[1]))
        for at, one in enumerate(answer.untagged)
        if (place := re.search(rb"\{([1-9]\d*)\}\r\n", one))
    ]
    return rnd.choice(found) if found else None


def _noise(rnd: random.Random, answer: Answer) -> Harm:
    """Some bytes of the protocol overwritten with bytes that have no place there.

    Not in what would be taken for the truth: flags, and quoted text of a message.
    """
    at = rnd.randrange(len(answer.untagged) + 1)
    parts = [*answer.untagged, answer.tagged]
    line, end, rest = parts[at].partition(b"\r\n")
    spoiled = bytearray(line)
    places = set(range(len(line)))
    if b" FETCH " in line:
        for kept in re.finditer(rb'FLAGS \([^)]*\)|"[^"]*"', line):
            places -= set(range(*kept.span()))
    for place in rnd.sample(sorted(places), min(3, len(places))):
        spoiled[place] = rnd.choice(b'\x00\x07\x80\xc3\xff(){]"')
    parts[at] = bytes(spoiled) + end + rest
    return Harm(b"".join(parts))


def _nonsense(rnd: random.Random, answer: Answer) -> Harm:
    """A line that means nothing between two responses."""
    lines = (b"* ", b"*", b"", b"* OK", b"* 5", b"* XYZZY (", b"* 1 FETCH", b"* FLAGS NIL")
    at = rnd.randint(0, len(answer.untagged))
    parts = [
        *answer.untagged[:at],
        rnd.choice(lines) + b"\r\n",
        *answer.untagged[at:],
        answer.tagged,
    ]
    return Harm(b"".join(parts))


def _wrong_number(rnd: random.Random, answer: Answer) -> Harm:
    """A count that is not true: of STATUS, SEARCH, or what opens a folder."""
    told = [
        at
        for at, one in enumerate(answer.untagged)
        if re.match(rb"\* (STATUS|E?SEARCH|\d+ EXISTS|OK \[UID)", one)
    ]
    if not told:
        return _nonsense(rnd, answer)
    parts = list(answer.untagged)
    at = rnd.choice(told)
    if numbers := list(_NUMBER.finditer(parts[at])):
        place = rnd.choice(numbers)
        true = int(place[0])
        lie = rnd.choice([0, 1, max(0, true - 1), true + rnd.randint(1, 9)])
        parts[at] = parts[at][: place.start()] + b"%d" % lie + parts[at][place.end() :]
    return Harm(b"".join(parts) + answer.tagged)


FAULTS: dict[str, Fault] = {
    "cut before": _cut_before,
    "cut between": _cut_between,
    "cut within": _cut_within,
    "bye": _bye,
    "stall": _stall,
    "empty": _empty,
    "thin": _thin,
    "double": _double,
    "shuffle": _shuffle,
    "refuse": _refuse,
    "short literal": _short_literal,
    "small literal": _small_literal,
    "absurd literal": _absurd_literal,
    "noise": _noise,
    "nonsense": _nonsense,
    "wrong number": _wrong_number,
}


_LIES = ("empty", "thin", "refuse", "wrong number", "noise", "nonsense")
"""Faults after which the connection goes on: harder to see than one that is cut."""


def some_fault(rnd: random.Random) -> str:
    """The name of a fault: two of three leave the connection as it is."""
    return rnd.choice(_LIES if rnd.randrange(3) else tuple(FAULTS))


def _break(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
