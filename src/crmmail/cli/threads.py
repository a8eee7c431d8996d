"""thread list, thread show."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator
from typing import Annotated

import typer

from crmmail.cli import find, shapes
from crmmail.cli.arguments import Id, Limit, text
from crmmail.cli.output import AsJson, day, examples, note, open_store, print_json, table, write
from crmmail.cli.problems import ArgumentError, NotFoundError
from crmmail.store import threads
from crmmail.store.kinds import Kind
from crmmail.widgets import words

group = typer.Typer(
    no_args_is_help=True,
    help="The threads in the store.",
    epilog=examples("crmmail thread list --limit 20", "crmmail thread show 7 --json"),
)


@group.command(
    "list",
    epilog=examples("crmmail thread list --limit 20", "crmmail thread list --company acme.example"),
)
def list_(
    person: Annotated[str, text("Only this person's: id, name or address.")] = "",
    company: Annotated[str, text("Only this company's: id, name or domain.")] = "",
    opportunity: Annotated[str, text("Only this opportunity's: id or name.")] = "",
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """List threads, newest first: all, or one record's."""
    chosen = [
        (kind, name)
        for kind, name in zip(Kind, (person, company, opportunity), strict=True)
        if name
    ]
    if len(chosen) > 1:
        raise ArgumentError("Give one of --person, --company, --opportunity.")
    with open_store() as store:
        db = store.read()
        rows = _rows(db, _ids(db, chosen, limit))
        if as_json:
            print_json([shapes.thread(row) for row in rows])
            return
        cells = [
            (str(row.id), day(row.last_at), ", ".join(row.names), row.subject, str(row.messages))
            for row in rows
        ]
        if cells:
            table(("id", "last", "who", "subject", "messages"), cells, ("id", "messages"))
        elif limit != 0:
            note("No threads yet. They come with your mail: crmmail account add, crmmail sync")


@group.command(
    epilog=examples("crmmail thread show 7", "crmmail thread show 7 --json"),
)
def show(
    which: Id,
    as_json: AsJson = False,
) -> None:
    """Show every message of one thread, oldest first."""
    with open_store() as store:
        db = store.read()
        found = threads.get(db, which)
        if found is None:
            raise NotFoundError(f"There is no thread {which}.", "List them: crmmail thread list")
        shape = shapes.thread_detail(db, found)
    if as_json:
        print_json(shape)
    else:
        _print(shape)


def _ids(db: sqlite3.Connection, chosen: list[tuple[Kind, str]], limit: int | None) -> array[int]:
    if not chosen:
        return threads.newest(db, limit)
    [(kind, name)] = chosen
    return threads.of_record(db, kind, find.record(db, kind, name))[:limit]


def _rows(db: sqlite3.Connection, ids: array[int]) -> Iterator[threads.ThreadRow]:
    for part in shapes.windows(ids):
        yield from threads.rows(db, part)


def _print(shape: shapes.Shape) -> None:
    hidden = any(message["visibility"] == "metadata" for message in shape["messages"])
    write(f"{words.titled(shape['subject'], hidden, 'subject')}\n")
    for link in shape["links"]:
        write(f"  {link['record']} {link['name']} ({', '.join(link['why'])})\n")
    for number, message in enumerate(shape["messages"], 1):
        write(f"\n{'─' * 72}\n")
        for role in ("from", "to", "cc"):
            names = [_name(one) for one in message["participants"] if one["role"] == role]
            if names:
                write(f"{role.capitalize():<6}{', '.join(names)}\n")
        name = f"{shape['id']}.{number}"
        write(f"Date  {message['sent_at']}\nId    {name}\n\n{message['text'].rstrip()}\n")
        for position, part in enumerate(message["attachments"]):
            write(f"\nAttachment: {part['name']} ({part['type']}, {words.size(part['size'])})\n")
            write(f"To save it: crmmail attachment {name} {position}\n")


def _name(one: shapes.Shape) -> str:
    name, address = one["name"], one["address"]
    return f"{name} <{address}>" if name and name != address else str(address)
