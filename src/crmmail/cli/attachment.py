"""attachment, source: what stays on the server until it is asked for."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from crmmail import own_files
from crmmail.cli.arguments import MOST, checked, file, quoted
from crmmail.cli.output import examples, note, open_store, write_file
from crmmail.cli.problems import NotFoundError
from crmmail.errors import CrmmailError
from crmmail.screens.files import file_name
from crmmail.store import messages

_SHOWN = "Its messages and their numbers: crmmail thread show"

ATTACHMENT_EXAMPLES = examples(
    "crmmail attachment 7.2 0", "crmmail attachment 7.2 0 --to offer.pdf"
)
SOURCE_EXAMPLES = examples("crmmail source 7.2 > message.eml")
_MESSAGE = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)


def _read(typed: str) -> tuple[int, int]:
    """A thread and the number of a message in it; 0 and an id for one that is named by its id."""
    found = _MESSAGE.fullmatch(typed.strip())
    if found is None or int(found[1]) > MOST:
        raise CrmmailError(
            f"{quoted(typed)} is not a message.",
            "Give its thread and its number there, as 7.2, or its id of `thread show --json`.",
        )
    return (int(found[1]), int(found[2])) if found[2] else (0, int(found[1]))


Message = Annotated[
    str,
    typer.Argument(
        metavar="MESSAGE", callback=checked(_read), help="As `thread show` has it, or its id."
    ),
]


def _id(db: sqlite3.Connection, typed: str) -> int:
    """The id of a message; an error in words where its thread has no such message."""
    thread, number = _read(typed)
    if not thread:
        return number
    found = messages.of_thread(db, thread)
    if not 0 < number <= len(found):
        raise NotFoundError(f"There is no message {thread}.{number}.", f"{_SHOWN} {thread}")
    return found[number - 1].id


def attachment(
    message: Message,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=0, max=MOST, help="Which one; the first is 0.")
    ],
    to: Annotated[
        Path | None, typer.Option(callback=file, help="The file to write; “-” for standard output.")
    ] = None,
) -> None:
    """Fetch an attachment from the server and save it, in this folder if not told otherwise.

    A file that is there is never written over.
    """
    from crmmail.sync import opening

    with open_store() as store:
        found = opening.attachment(store, _id(store.read(), message), number)
    if to == Path("-"):
        write_file(found.data)
        return
    path = to or Path(file_name(found.name))
    try:
        with own_files.new_file(path) as file:
            file.write(found.data)
    except FileExistsError as problem:
        raise CrmmailError(f"{path} exists.", "Choose another name with --to.") from problem
    note(f"Saved {path}, {len(found.data):,} bytes.")


def source(message: Message) -> None:
    """Print a message as it was sent, fetched from the server."""
    from crmmail.sync import opening

    with open_store() as store:
        raw = opening.source(store, _id(store.read(), message))
    write_file(raw)
