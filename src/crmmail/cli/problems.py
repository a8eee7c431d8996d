"""What goes wrong, in words on stderr and as an exit code that scripts can use."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import IntEnum

from crmmail.errors import CrmmailError, MissingError
from crmmail.settings import store_path
from crmmail.store import trouble
from crmmail.text import one_line, printable

_MODERN = ("xterm", "screen", "tmux", "rxvt", "linux", "alacritty", "foot", "st-", "vt1", "vt2")


class Exit(IntEnum):
    """The exit codes; docs/cli.md promises them."""

    OK = 0
    PROBLEM = 1
    USAGE = 2
    NOTHING = 3
    SYNC_ERRORS = 4
    REFUSED = 5
    INTERRUPTED = 130


class NotFoundError(MissingError):
    """Nothing in the store is what was asked for."""


class RefusedError(CrmmailError):
    """The server refused the sign-in."""


class ArgumentError(CrmmailError):
    """The command line is wrong: one sentence, that names the option or the argument."""


def need_terminal() -> None:
    """Refuse to open the app where nobody would see it, or where it could not be drawn."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CrmmailError(
            "The app needs a terminal.",
            "For scripts there are commands with --json: crmmail --help",
        )
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        raise CrmmailError(
            "The app draws on stderr, and that goes elsewhere here.",
            "Start it without 2>.",
        )
    if (fault := terminal_fault(os.environ.get("TERM", ""))) is not None:
        raise CrmmailError(
            fault,
            "Set TERM to what the terminal is, such as xterm-256color. "
            "Commands work in any terminal: crmmail --help",
        )


def terminal_fault(term: str) -> str | None:
    """Why the app cannot be drawn on a terminal of this type; None where it can.

    A type that the system does not know is taken to be a modern one: it often is, over ssh.
    """
    if term in ("", "unknown"):
        return f"The type of this terminal is not known: TERM is {term or 'not set'}."
    if term == "dumb" or not _has_cursor(term):
        return f"A terminal of the type {one_line(term)} cannot place its cursor, and the app must."
    return None


def _has_cursor(term: str) -> bool:
    if term.startswith(_MODERN):
        return True
    try:
        import _curses

        _curses.setupterm(term, sys.stdout.fileno())
        return _curses.tigetstr("cup") is not None
    except Exception:  # no curses here, or no entry of that name
        return True


def close_pipe() -> None:
    """Let what is still to be printed go nowhere, after the reader of a pipe has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class UnprintedError(CrmmailError):
    """What a command prints cannot be written, as on a full disk."""

    has_changed = False
    """Whether the command has changed something by hand: done again, that would be there twice."""

    def __init__(self, problem: OSError) -> None:
        super().__init__(f"The output cannot be written: {problem.strerror}.")

    def __str__(self) -> str:
        said = super().__str__()
        return (
            f"The change is stored, and need not be made again. {said}"
            if self.has_changed
            else said
        )


def flush() -> UnprintedError | None:
    """Write what is still to be printed; returns why that cannot be, and lets it go nowhere then.

    Raises BrokenPipeError where the reader has left.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        close_pipe()
        return UnprintedError(problem)
    return None


def tell(problem: Exception, typed: Sequence[str] = ()) -> int | None:
    """Say what happened and what to do; returns the exit code, or None for a bug of ours.

    What was `typed` on the command line may hold a password: no error repeats that (P6).
    """
    if trouble.is_trouble(problem):
        problem = trouble.explain(problem, store_path())
    try:
        unprinted = flush()
    except BrokenPipeError:  # the reader of the output has left, and may read what is said here
        close_pipe()
        unprinted = None
    if unprinted is not None and isinstance(problem, OSError) and not problem.filename:
        problem = unprinted
    words = _words(problem)
    if words is None:
        return None
    from crmmail.secrecy import without_typed

    print(printable(f"crmmail: {without_typed(words, typed)}"), file=sys.stderr)
    if isinstance(problem, CrmmailError) and problem.hint:
        print(printable(without_typed(problem.hint, typed)), file=sys.stderr)
    codes = {MissingError: Exit.NOTHING, RefusedError: Exit.REFUSED, ArgumentError: Exit.USAGE}
    if isinstance(problem, OverflowError):
        return Exit.USAGE
    return next((code for kind, code in codes.items() if isinstance(problem, kind)), Exit.PROBLEM)


def _words(problem: Exception) -> str | None:
    if isinstance(problem, CrmmailError):
        return str(problem)
    if isinstance(problem, OSError) and problem.filename:
        return f"{problem.filename}: {problem.strerror}"
    if isinstance(problem, OSError) and trouble.is_unwritable(problem):
        return f"{problem.strerror}."
    if isinstance(problem, OverflowError):
        return "A number on the command line is too large."
    return None
