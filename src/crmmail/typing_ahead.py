"""What is typed while a command asks: it is not shown, and it is not left to the shell.

Somebody may type an answer before the question stands there, or a second password before the first
one is refused. The shell would show it and run it as a command.
"""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from crmmail.hang_up import undone_by_signals

_ECHO = 3  # the index of the local modes in what tcgetattr returns
_questions: list[str] = []


def asked(question: str) -> None:
    """A question stands on the terminal: what is typed from now on is meant for this command."""
    _questions.append(question)


def has_asked() -> bool:
    """Whether this command has asked something on the terminal."""
    return bool(_questions)


def discard() -> None:
    """At the end of a command that asked: drop what was typed and not read."""
    if _questions:
        _questions.clear()
        with suppress(termios.error, OSError, ValueError):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


@contextmanager
def unseen() -> Iterator[None]:
    """In this block the terminal shows nothing that is typed; it is dropped at the end.

    A signal that ends the program in it leaves the terminal as it was.
    """
    try:
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
    except (termios.error, OSError, ValueError):  # no terminal
        yield
        return
    quiet = list(before)
    quiet[_ECHO] &= ~termios.ECHO

    def show() -> None:
        with suppress(termios.error, OSError):
            termios.tcflush(terminal, termios.TCIFLUSH)
            termios.tcsetattr(terminal, termios.TCSANOW, before)

    with undone_by_signals(show):
        try:
            termios.tcsetattr(terminal, termios.TCSANOW, quiet)
            yield
        finally:
            show()
