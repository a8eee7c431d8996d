"""attachment, source: what stays on the server until it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crmmail import own_files
from crmmail.cli.arguments import MOST, file
from crmmail.cli.output import examples, note, open_store, write_file
from crmmail.errors import CrmmailError
from crmmail.screens.files import file_name

ATTACHMENT_EXAMPLES = examples(
    "crmmail attachment 1848291012345 0", "crmmail attachment 1848291012345 0 --to offer.pdf"
)
SOURCE_EXAMPLES = examples("crmmail source 1848291012345 > message.eml")
MessageId = Annotated[
    int, typer.Argument(metavar="MESSAGE", min=0, max=MOST, help="As `thread show --json` has it.")
]


def attachment(
    message: MessageId,
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
        found = opening.attachment(store, message, number)
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


def source(message: MessageId) -> None:
    """Print a message as it was sent, fetched from the server."""
    from crmmail.sync import opening

    with open_store() as store:
        raw = opening.source(store, message)
    write_file(raw)
