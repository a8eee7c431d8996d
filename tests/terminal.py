"""A program on a terminal of its own: what it shows, the modes that it leaves, the keys it gets."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE, until

_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])|\x1b\[([<>])\d*u")
_OFF_AT_FIRST = frozenset((1000, 1003, 1015, 1006, 1016, 2048, 2004, 1004, 1049, 2026))
_ON_AT_FIRST = frozenset((7, 25))  # lines wrap, and the cursor is seen


class Terminal:
    """Runs one program, as a session of its own."""

    def __init__(self, *words: str) -> None:
        self.seen = b""
        self._words = words
        self.past = b""  # what was seen and waited for
        self._ended = False

    def __enter__(self) -> Self:
        self.pid, self._side = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.environ.pop("CRMMAIL_TRACEBACK", None)
            os.execvp(self._words[0], self._words)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._side)
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._side, keys)

    def shows(self, words: bytes) -> None:
        """Wait until some words come; then forget what came so far."""
        while words not in self.seen:
            assert self._read(PATIENCE), self.seen
        self._forget(self.seen.index(words) + len(words))

    def asks_unseen(self) -> None:
        """Wait until what is typed is not echoed, as where a password is asked for."""
        until(lambda: not termios.tcgetattr(self._side)[3] & termios.ECHO, lambda: self.seen)

    def ends(self) -> int:
        """Wait until the program has ended and all that it wrote is read; returns its exit code."""
        while self._read(PATIENCE):
            pass
        self._ended = True
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def left_on(self) -> set[int | str]:
        """The modes that are not as they were at first, by what was written so far."""
        return self._modes(self.past + self.seen)

    def _forget(self, end: int) -> None:
        self.past += self.seen[:end]
        self.seen = self.seen[end:]

    def _read(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self._side], [], [], 0.1)[0]:
                continue
            try:
                found = os.read(self._side, 65_536)
            except OSError:  # nobody has it open any more
                return False
            self.seen += found
            return bool(found)
        raise AssertionError(self.seen)

    @staticmethod
    def _modes(text: bytes) -> set[int | str]:
        left: set[int | str] = set()
        depth = 0
        for numbers, way, kitty in _MODE.findall(text):
            depth += {b">": 1, b"<": -1}.get(kitty, 0)
            for number in map(int, filter(None, numbers.split(b";"))):
                if number in _OFF_AT_FIRST | _ON_AT_FIRST:
                    moved = (way == b"h") == (number in _OFF_AT_FIRST)
                    (left.add if moved else left.discard)(number)
        return left | ({f"kitty {depth}"} if depth else set())


def python(program: str) -> Sequence[str]:
    """A program of Python's as words of a command."""
    return [sys.executable, "-c", program]
