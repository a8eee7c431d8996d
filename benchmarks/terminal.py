"""A program in a real pseudo-terminal, and what it takes from a key to the last byte painted."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from benchmarks.measure import environment
from benchmarks.picture import Picture

COLUMNS, LINES = 120, 40
_KIND = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
# What Textual asks, and what a terminal answers that knows synchronised updates (mode 2026) but
# not in-band resizes (mode 2048).
_REPLIES = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[?2048$p": b"\x1b[?2048;0$y"}
_UNWANTED = ("NO_COLOR", "TERM_PROGRAM")
_FRAME_END = b"\x1b[?2026l"
_PATIENCE = 30.0
_READ = 65_536
Seen = Callable[[Picture], bool]


class NoAnswerError(Exception):
    """The program ended, or did not paint what was expected."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one key took."""

    ms: float  # from the key's bytes written to the last byte of the answer read
    size: int  # bytes painted


class Terminal:
    """A context: inside it the program runs; `start` is when it was started."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.picture = Picture(COLUMNS, LINES)
        self._tail = b""
        told = environment(_KIND | dict(env or {}))
        self.start = time.perf_counter()
        self._process = subprocess.Popen(
            argv,
            stdin=side,
            stdout=side,
            stderr=side,
            env={k: v for k, v in told.items() if k not in _UNWANTED},
            start_new_session=True,
        )
        os.close(side)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._main)

    def wait_for(self, text: str) -> float:
        """Read until some text is painted; returns the seconds since the start."""
        wanted, found, end = text.encode(), b"", self.start + _PATIENCE
        while wanted not in found:
            data = self._read(end)
            found = found[-_READ:] + data
            self.picture.feed(data)
        return time.perf_counter() - self.start

    def settle(self, quiet: float = 0.5) -> None:
        """Read until nothing is painted any more."""
        while self._ready(quiet):
            self.picture.feed(self._read(time.perf_counter() + 1))

    def settle_for(self, seconds: float) -> None:
        """Read whatever is painted for so long."""
        end = time.perf_counter() + seconds
        while self._ready(max(end - time.perf_counter(), 0)):
            self.picture.feed(self._read(end + 1))

    def press(self, key: bytes, quiet: float = 0.03, seen: Seen | None = None) -> Answer:
        """Write a key and read until it is quiet for so long; the last byte's time counts.

        With `seen`, it goes on until the answer is in the picture.
        """
        size, start = 0, self._write(key)
        last, end = start, start + _PATIENCE
        while True:
            chunks = list[bytes]()
            while self._ready(quiet):
                chunks.append(self._read(end))
                last = time.perf_counter()
            self.picture.feed(b"".join(chunks))
            size += sum(map(len, chunks))
            if size and (seen is None or seen(self.picture)):
                return Answer((last - start) * 1e3, size)
            if time.perf_counter() > end:
                raise NoAnswerError(f"after {key!r} there was only:\n{self.picture}")

    def press_until(self, key: bytes, seen: Seen, patience: float = _PATIENCE) -> Answer:
        """Write a key and read until a whole update has painted the answer, other updates beside.

        For times when the program paints without being asked.
        """
        start, size, frame = self._write(key), 0, b""
        while True:
            if not self._ready(max(start + patience - time.perf_counter(), 0)):
                raise NoAnswerError(f"after {key!r} there was only:\n{self.picture}")
            data = self._read(start + patience)
            now = time.perf_counter()
            frame += data
            size += len(data)
            cut = frame.rfind(_FRAME_END) + len(_FRAME_END)
            if cut >= len(_FRAME_END):
                self.picture.feed(frame[:cut])
                frame = frame[cut:]
                if seen(self.picture):
                    self.picture.feed(frame)
                    return Answer((now - start) * 1e3, size)

    def memory(self) -> int:
        """The program's resident bytes."""
        told = subprocess.check_output(["ps", "-o", "rss=", "-p", str(self._process.pid)])
        return int(told) * 1024

    def _write(self, key: bytes) -> float:
        while self._ready(0):  # nothing painted before counts
            self.picture.feed(self._read(time.perf_counter() + 1))
        start = time.perf_counter()
        os.write(self._main, key)
        return start

    def _ready(self, seconds: float) -> bool:
        return bool(select.select([self._main], [], [], seconds)[0])

    def _read(self, end: float) -> bytes:
        if not self._ready(max(end - time.perf_counter(), 0)):
            raise NoAnswerError(f"it was quiet too long:\n{self.picture}")
        try:
            data = os.read(self._main, _READ)
        except OSError:  # Linux: the other side is closed
            data = b""
        if not data:
            raise NoAnswerError(f"the program has ended:\n{self.picture}")
        seen = self._tail + data
        for question, reply in _REPLIES.items():
            if question in seen:
                os.write(self._main, reply)
                seen = seen.replace(question, b"")
        self._tail = seen[-8:]
        return data
