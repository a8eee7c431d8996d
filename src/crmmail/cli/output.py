"""What commands print: tables for people, tabs for pipes, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TextIO

import typer

from crmmail.cli.problems import close_pipe
from crmmail.settings import store_path
from crmmail.store.database import Store

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def examples(*commands: str) -> str:
    """The end of a command's help: how it is used."""
    return "\n\n".join(["Examples:" if len(commands) > 1 else "Example:", *commands])


@contextmanager
def open_store() -> Iterator[Store]:
    """The user's store, for the length of a command."""
    store = Store(store_path())
    try:
        yield store
    finally:
        store.close()


def json_text(value: Any) -> str:
    """One JSON document."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    write(json_text(value))


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
    if hasattr(sys.stdout, "reconfigure") and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.stdout.write(text)
    except BrokenPipeError:  # `crmmail people list | head`: the reader has seen enough
        close_pipe()
        raise SystemExit(0) from None


def note(text: str, stream: TextIO | None = None) -> None:
    """A remark for people, on stderr, where no script reads it."""
    print(text, file=stream or sys.stderr)


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
            write("\t".join(row) + "\n")
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
        drawn.add_row(*map(Text, row))  # Text, so that no subject is read as markup
    Console().print(drawn)


def iso(at: int) -> str | None:
    """A time as scripts get it: ISO 8601, UTC; None for never."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def day(at: int) -> str:
    """A time as people get it in a table: the local day."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d") if at else ""
