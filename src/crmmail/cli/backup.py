"""backup, restore: a copy of the store, made at any time, and back again."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from crmmail.cli.output import examples, note, write
from crmmail.errors import CrmmailError
from crmmail.settings import store_path
from crmmail.widgets.words import size

BACKUP_EXAMPLES = examples("crmmail backup", "crmmail backup /media/disk/crmmail.db")
RESTORE_EXAMPLES = examples("crmmail restore crmmail-2026-03-14.db")


def backup(
    to: Annotated[
        Path | None, typer.Argument(help="The file to make; without: crmmail-DATE.db here.")
    ] = None,
) -> None:
    """Copy the store to one file, also while the app runs.

    It holds all mail texts, people, notes and settings, but no passwords. Keep it as private as
    your mail. Prints the file's name.
    """
    from crmmail.store import backup as backups

    source = store_path()
    if not source.exists():
        raise CrmmailError("There is no store yet.", "crmmail account add makes one.")
    path = to or Path(time.strftime("crmmail-%Y-%m-%d.db"))
    if path.is_dir():
        path = path / time.strftime("crmmail-%Y-%m-%d.db")
    note(f"{size(backups.save(source, path))} saved. Put it back with: crmmail restore {path}")
    write(f"{path}\n")


def restore(
    file: Annotated[Path, typer.Argument(help="What `crmmail backup` made.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the store's place. The store that is there is kept beside it.

    What is newer than the backup comes from the servers with the next sync; notes and edits of
    the time between are in the kept store only.
    """
    from crmmail.store import backup as backups
    from crmmail.sync.loop import Busy, exclusive

    backups.check(file)
    store = store_path()
    if store.exists() and not yes:
        if not sys.stdin.isatty():
            raise CrmmailError("A restore takes the store's place.", "Say so with --yes.")
        typer.confirm(f"Put {file} in the place of {store}?", abort=True, err=True)
    try:
        with exclusive(store):
            kept = backups.restore(file, store)
    except Busy as problem:
        raise CrmmailError("crmmail is running.", "Close it, then restore.") from problem
    note(f"Restored {store} from {file}.")
    if kept is not None:
        note(f"The store that was there: {kept}. To go back: crmmail restore {kept}")
