"""What commands print: tables for people, tabs for pipes, JSON for scripts.

All that a command says goes through here, and so through `text.printable` or `text.in_json`: a
server or a stranger may have chosen the words, and a terminal obeys what it gets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TextIO

import typer

from crmmail import typing_ahead
from crmmail.cli.problems import UnprintedError, close_pipe
from crmmail.errors import CrmmailError
from crmmail.settings import store_path
from crmmail.store import read_only
from crmmail.store.database import Store, StoreError
from crmmail.text import in_json, one_line, printable

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def examples(*commands: str) -> str:
    """The end of a command's help: how it is used."""
    return "\n\n".join(["Examples:" if len(commands) > 1 else "Example:", *commands])


@contextmanager
def open_store() -> Iterator[Store]:
    """The user's store, for the length of a command; what that makes by hand is backed up."""
    store = Store(store_path(), reading=True)
    refused = False
    try:
        yield store
    except StoreError:  # its words say why nothing was changed
        refused = True
        raise
    finally:
        if store.is_read_only and not refused:
            disk = "mounted read-only" if read_only.is_mounted(store.path) else "full"
            note(f"{store.path} is on a disk that is {disk}: it is read, and not changed.")
        try:
            if store.by_hand:
                UnprintedError.has_changed = True
                from crmmail.store.renewing import renew

                if problem := renew(store):
                    note(f"It is stored, and not in the backup of today: {problem}")
        finally:
            store.close()


def json_text(value: Any) -> str:
    """One JSON document."""
    return in_json(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    write(json_text(value))


def print_json_line(value: Any) -> None:
    """One JSON document in a line."""
    write(in_json(json.dumps(value, ensure_ascii=False)) + "\n")


def print_list(lines: Sequence[str], as_json: bool, otherwise: str) -> None:
    """Short texts, one a line; where there are none, `otherwise` says so to people."""
    if as_json:
        print_json(lines)
    elif lines:
        write("".join(f"{one}\n" for one in lines))
    else:
        note(otherwise)


def write(text: str) -> None:
    """Text on stdout, as UTF-8 whatever the locale: names come from everywhere."""
    _put(printable(text))


def write_file(content: str | bytes) -> None:
    """The content of a file on stdout, byte for byte; on a terminal as text that can be read."""
    if sys.stdout.isatty():
        write(content if isinstance(content, str) else content.decode("utf-8", "replace"))
    elif isinstance(content, str):
        _put(content)
    else:
        with _printing():
            sys.stdout.buffer.write(content)


def _put(text: str) -> None:
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(encoding="utf-8")
    with _printing():
        sys.stdout.write(text)


@contextmanager
def _printing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # `crmmail people list | head`: the reader has seen enough
        close_pipe()
        raise SystemExit(0) from None
    except OSError as problem:
        close_pipe()
        raise UnprintedError(problem) from problem


def note(text: str, stream: TextIO | None = None) -> None:
    """A remark for people, on stderr, where no script reads it."""
    print(printable(text), file=stream or sys.stderr)


def confirm(question: str, otherwise: str = "This cannot be undone.") -> None:
    """Ask on stderr, and end the command unless the answer is yes.

    Raises CrmmailError with `otherwise` where nobody can answer.
    """
    if not sys.stdin.isatty():
        raise CrmmailError(otherwise, "Say so with --yes.")
    typing_ahead.asked(question)
    typer.confirm(printable(question), abort=True, err=True)


def ask(question: str, default: str | None = None, *, hidden: bool = False) -> str:
    """Ask on stderr for a text; `default` is what enter alone means."""
    typing_ahead.asked(question)
    shown = None if default is None else one_line(default)
    answer: str = typer.prompt(printable(question), default=shown, hide_input=hidden, err=True)
    return answer


def count(done: int, total: int) -> None:
    """How far something is, counted on in one place of a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r{done:,} of {total:,}", end="" if done < total else "\n", file=sys.stderr)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table on a terminal; elsewhere one line a row, its fields apart by tabs, without a head.

    `right` names the columns of numbers.
    """
    if not sys.stdout.isatty():
        for row in rows:
            write("\t".join(map(_cell, row)) + "\n")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", highlight=False)
    for column in columns:
        drawn.add_column(
            Text(column),
            justify="right" if column in right else "left",
            overflow="ellipsis",
            no_wrap=True,
        )
    for row in rows:
        drawn.add_row(*(Text(_cell(cell)) for cell in row))  # Text: no subject is markup
    Console().print(drawn)


def _cell(text: str) -> str:
    return printable(text).replace("\n", " ").replace("\t", " ")


def iso(at: int) -> str | None:
    """A time as scripts get it: ISO 8601, UTC; None for never."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def day(at: int) -> str:
    """A time as people get it in a table: the local day."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d") if at else ""
