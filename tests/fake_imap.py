"""A scripted IMAP server, for what a real one will not do: garbage, stalls, throttling, a bad line.

    FakeImap({"UID FETCH": "NO [LIMIT] Request is throttled."})

answers one command so and the others plausibly for an empty mailbox;

    FakeImap({}, before=dovecot, tamper=lambda answer: answer.replace(b"ENVELOPE (", b"ENVELOPE "))

passes everything on to a real server and bends what comes back.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, Self

from tests.patience import PATIENCE

CLOSE = "close"  # the connection breaks
STALL = "stall"  # no answer ever comes
_CAPABILITY = "* CAPABILITY IMAP4rev1 UIDPLUS IDLE LITERAL+"
_EXAMINED = "* 0 EXISTS|* OK [UIDVALIDITY 1] ok|* OK [UIDNEXT 1] ok|OK [READ-ONLY] examined"
_DEFAULTS = {
    "CAPABILITY": f"{_CAPABILITY}|OK done",
    "LIST": '* LIST (\\HasNoChildren) "/" INBOX|OK done',
    "STATUS": "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)|OK done",
    "SELECT": _EXAMINED,
    "EXAMINE": _EXAMINED,
    "UID SEARCH": "* SEARCH|OK done",
    "IDLE": "IDLING",
    "LOGOUT": "* BYE gone|OK done",
}
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a client: `name` is upper case ("UID FETCH"), `count` how often it came."""

    tag: str
    name: str
    arguments: str
    count: int


# An answer is its lines, joined by "|"; the last one gets the command's tag. Or CLOSE, or STALL,
# or None to do what would be done without a script.
Answer = str | Callable[[Call], str | None]


class Upstream(Protocol):
    host: str
    port: int


@dataclass
class FakeImap:
    """A server on a free loopback port, one thread a connection; a context manager."""

    script: Mapping[str, Answer] = field(default_factory=dict)
    greeting: bytes = b"* OK ready\r\n"
    before: Upstream | None = None
    tamper: Callable[[bytes], bytes] = bytes  # one response, with its literals
    delay: float = 0.0  # seconds before each command: a distant server
    calls: list[Call] = field(default_factory=list)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._talks: list[threading.Thread] = []
        self._counting = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _break(self._listener)
        self.hang_up()

    def hang_up(self) -> None:
        """Break every open connection."""
        for one in self._sockets:
            _break(one)

    def ended(self) -> None:
        """Wait until all that the clients have said is read: they must have gone."""
        for talk in self._talks:
            talk.join(PATIENCE)
            assert not talk.is_alive(), "a client has not gone"

    def names(self) -> list[str]:
        """The commands that came, in order."""
        return [call.name for call in self.calls]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._talks.append(threading.current_thread())
        with contextlib.suppress(OSError, EOFError), client, client.makefile("rb") as lines:
            upstream = None
            if self.before is None:
                client.sendall(self.greeting)
            else:
                upstream = socket.create_connection((self.before.host, self.before.port))
                self._sockets.append(upstream)
                threading.Thread(target=self._relay, args=[upstream, client], daemon=True).start()
            idle = ""
            while line := lines.readline():
                call = self._read(line)
                time.sleep(self.delay)
                answer = self._answer(call, forward=upstream is not None)
                for part in _parts(line, lines):
                    if answer is None and upstream is not None:
                        upstream.sendall(part)
                    elif part.endswith(b"}\r\n") and not part.endswith(b"+}\r\n"):
                        client.sendall(b"+ go on\r\n")
                if answer == CLOSE:
                    break
                if answer is not None and answer.startswith("IDLING"):
                    idle = call.tag or idle
                    told = answer.split("|")[1:]  # in the same packet
                    client.sendall("".join(f"{one}\r\n" for one in ["+ idling", *told]).encode())
                elif answer not in (None, STALL):
                    _say(client, call.tag or idle, answer)
        _break(client)

    def _read(self, line: bytes) -> Call:
        words = [*line.decode("utf-8", "replace").split(maxsplit=2), "", "", ""]
        tag, name, rest = words[0], words[1].upper(), words[2]
        if not name:
            tag, name = "", tag.upper()  # DONE
        if name == "UID":
            name, _, rest = f"UID {rest}".partition(" ")[2].partition(" ")
            name = f"UID {name.upper()}"
        with self._counting:  # connections come side by side
            count = sum(call.name == name for call in self.calls) + 1
            call = Call(tag, name, rest.strip(), count)
            self.calls.append(call)
        return call

    def _answer(self, call: Call, *, forward: bool) -> str | None:
        answer = self.script.get(call.name)
        said = answer(call) if callable(answer) else answer
        if said is not None or forward:
            return said
        return _DEFAULTS.get(call.name, "OK done")

    def _relay(self, upstream: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), upstream, upstream.makefile("rb") as lines:
            while line := lines.readline():
                client.sendall(self.tamper(b"".join(_parts(line, lines))))
        _break(client)


def _say(client: socket.socket, tag: str, answer: str) -> None:
    *untagged, last = answer.split("|")
    client.sendall("".join(f"{line}\r\n" for line in [*untagged, f"{tag} {last}"]).encode())


def _parts(line: bytes, lines: BinaryIO) -> Iterator[bytes]:
    """A line and, while that ends in a literal, the literal's bytes with the next line."""
    yield line
    while found := _LITERAL.search(line):
        literal, line = lines.read(int(found.group(1))), lines.readline()
        yield literal + line


def _break(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
