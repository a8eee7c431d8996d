"""An error of crmmail's own: a sentence for the user, and a log that has nobody's mail in it.

The log names places in the code, and of an error's text only what Python itself wrote: the text of
others may quote a message, an address or a password.
"""

from __future__ import annotations

import logging
import os
import platform
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import crmmail
from crmmail import own_files, secrecy, settings
from crmmail.errors import CrmmailError
from crmmail.text import one_line

_LONGEST = 200_000  # bytes, of which the newer half is kept
_OWN_WORDS = (AttributeError, TypeError, NameError, ImportError, RecursionError)
_DOM = "textual.css.query"  # its errors name widgets
_REPORT_LINES = 60


class Crash(CrmmailError):
    """crmmail has ended by an error of its own."""


def log_path() -> Path:
    """The file in which errors of crmmail's own are kept."""
    return settings.data_dir() / "crmmail.log"


def crashed(problem: BaseException) -> Crash:
    """Log what ended crmmail; returns what to tell its user."""
    kept = note("crmmail ended", problem)
    where = f"It is described in {kept}, without your mail. " if kept else ""
    return Crash(
        f"crmmail ended by an error of its own ({type(problem).__name__}). "
        "The store is safe: all that was saved is in it.",
        f"{where}To report it, attach what this prints: crmmail doctor --report",
    )


@contextmanager
def watched(told: Callable[[str], object]) -> Iterator[None]:
    """Log what ends a thread, and tell it in words; log the errors that threads go on after."""
    handler = _Handler(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("crmmail", "asyncio")]
    before = threading.excepthook

    def thread_ended(end: threading.ExceptHookArgs) -> None:
        if end.exc_value is None or isinstance(end.exc_value, SystemExit):
            return
        kept = note(f"the thread {end.thread.name if end.thread else ''} ended", end.exc_value)
        told(
            f"A part of crmmail ended by an error of its own ({type(end.exc_value).__name__}). "
            f"Start crmmail again. It is described in {kept}: crmmail doctor --report"
        )

    threading.excepthook = thread_ended
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        threading.excepthook = before
        for logger in loggers:
            logger.removeHandler(handler)


def note(what: str, problem: BaseException | None = None) -> Path | None:
    """Append to the log; returns its path, or None where it cannot be written."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    system = f"crmmail {crmmail.__version__}, Python {platform.python_version()}"
    text = "\n".join([f"{stamp} {what} ({system})", *_lines(problem), "", ""])
    with suppress(OSError):
        path = log_path()
        _shorten(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        return path
    return None


def last() -> list[str]:
    """The last entry of the log, for a report; empty when there is none."""
    try:
        text = log_path().read_text("utf-8", "replace")
    except OSError:
        return []
    entry = text.rstrip("\n").rpartition("\n\n")[2]
    lines = entry.split("\n")
    return lines[:1] + lines[1:][-_REPORT_LINES:] if entry else []


def _shorten(path: Path) -> None:
    if path.exists() and path.stat().st_size > _LONGEST:
        kept = path.read_bytes()[-_LONGEST // 2 :].partition(b"\n\n")[2]
        own_files.put(path, kept)


def _lines(problem: BaseException | None) -> Iterator[str]:
    """An error and those that it came from, the first one first."""
    chain: list[BaseException] = []
    while problem is not None and problem not in chain:
        chain.append(problem)
        hidden = problem.__suppress_context__
        problem = problem.__cause__ or (None if hidden else problem.__context__)
    for one in reversed(chain):
        for frame in traceback.extract_tb(one.__traceback__):
            yield f"  {_place(frame.filename)}:{frame.lineno} {frame.name}"
        yield f"  {_words(one)}"


def _place(filename: str) -> str:
    """A file of code without the folders above its package: they may have the user's name."""
    parts = Path(filename).parts
    for name in ("site-packages", "src"):
        if name in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(name) :])
    return "/".join(parts[-2:])


def _words(problem: BaseException) -> str:
    kind = type(problem)
    if isinstance(problem, _OWN_WORDS) or kind.__module__ == _DOM:
        return f"{kind.__name__}: {secrecy.redacted(one_line(str(problem)))}"
    if isinstance(problem, OSError) and problem.errno:
        return f"{kind.__name__}: {os.strerror(problem.errno)}"
    if isinstance(problem, sqlite3.Error):
        return f"{kind.__name__}: {getattr(problem, 'sqlite_errorname', '')}"
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class _Handler(logging.Handler):
    """Keeps the errors that are logged."""

    def emit(self, record: logging.LogRecord) -> None:
        problem = record.exc_info[1] if record.exc_info else None
        note(f"{record.threadName}, {record.name}: {_template(record)}", problem)


def _template(record: logging.LogRecord) -> str:
    """What is logged, with its numbers but without its words: they may be a server's.

    Of what a library has put together itself only what it always says is kept: asyncio begins with
    that, and shows errors with their text below it.
    """
    said = str(record.msg).split("\n", 1)[0]
    if not record.args:
        return one_line(said.partition(":")[0] if record.name.startswith("asyncio") else said, 200)
    values = record.args if isinstance(record.args, tuple) else ()
    with suppress(TypeError, ValueError):
        return one_line(said % tuple(v if isinstance(v, int) else "…" for v in values), 200)
    return "…"
