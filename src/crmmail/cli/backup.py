"""backup, restore, rebuild: copies of the store, and a store in trouble."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from crmmail.cli.arguments import checked, is_file, some
from crmmail.cli.output import AsJson, confirm, examples, iso, note, print_json, table, write
from crmmail.cli.problems import ArgumentError
from crmmail.errors import CrmmailError
from crmmail.settings import store_path
from crmmail.store.copies import Made
from crmmail.store.trouble import StoreError
from crmmail.widgets.words import plural, size

BACKUP_EXAMPLES = examples(
    "crmmail backup", "crmmail backup /media/disk/crmmail.db", "crmmail backup --list"
)
RESTORE_EXAMPLES = examples(
    "crmmail restore crmmail-2026-03-14.db", "crmmail restore daily-2026-03-14.json.gz"
)
REBUILD_EXAMPLES = examples("crmmail rebuild")
_NAMED = 10  # people who were forgotten that are named
_PARTS = {
    "people": "person",
    "companies": "company",
    "opportunities": "opportunity",
    "notes": "note",
    "links": "link or hide",
    "accounts": "account",
}


def backup(
    to: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The file to make; without: crmmail-DATE.db here."),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show the copies that crmmail has made by itself.")
    ] = False,
    remove: Annotated[
        str,
        typer.Option("--remove", metavar="NAME", callback=some, help="Delete one of those copies."),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the store to one file, also while the app runs.

    It holds all mail texts, people, notes and settings, but no passwords. Keep it as private as
    your mail. Prints the file's name.
    """
    from crmmail.store import backup as backups
    from crmmail.store import copies, opening

    if (to is not None) + listed + bool(remove) > 1:
        raise ArgumentError("Give one of FILE, --list and --remove.")
    source = store_path()
    if listed:
        _list(source, as_json)
        return
    if remove:
        _remove(source, remove, yes)
        return
    opening.check_lost(source)
    if not source.exists():
        raise CrmmailError("There is no store yet.", "crmmail account add makes one.")
    path = to or Path(time.strftime("crmmail-%Y-%m-%d.db"))
    if path.is_dir():
        path = path / time.strftime("crmmail-%Y-%m-%d.db")
    note(f"{size(backups.save(source, path))} saved. Put it back with: crmmail restore {path}")
    try:
        copies.note_made(source, path)
    except OSError as problem:
        note(f"forget will not name it, for that cannot be kept: {problem.strerror}.")
    except StoreError as problem:
        note(f"forget will not name it. {problem}")
    if as_json:
        print_json({"path": str(path)})
    else:
        write(f"{path}\n")


def restore(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            callback=checked(is_file),
            help="A backup: a file, or a name of backup --list.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put a backup back: a whole store, or what was made by hand.

    A whole store takes the place of the one that is there, which is kept beside it; what is newer
    comes from the servers with the next sync. A daily backup is put into the store that is there:
    what is missing comes back, and what was changed since stays. Whoever was forgotten since the
    backup was made stays so, and is named.
    """
    from crmmail.repairing import newer_words
    from crmmail.store import backup as backups
    from crmmail.store import copies, daily, files, newer

    store = store_path()
    file = copies.find(store, str(file))
    if daily.is_document(file):
        _tell_left_out(gone := backups.left_out(file, store))
        _put_back(file, store, yes)
        _tell_left_out(gone, done=True)
        return
    backups.check(file)
    _tell_left_out(gone := backups.left_out(file, store))
    if (later := newer.than(file, store)) is not None:
        note(f"{later.path.name} of {_when(later.made_at)} is newer than this backup.")
    if store.exists() and not yes:
        confirm(f"Put {file} in the place of {store}?", "A restore takes the store's place.")
    with _alone(store, "restore"):
        kept = backups.restore(file, store)
    note(f"Restored {store} from {file}.")
    if kept is not None:
        back = f" To go back: crmmail restore {kept}"
        note(f"What was there: {kept}.{back if files.is_whole(kept) else ''}")
    _tell_left_out(gone, done=True)
    if later is not None and any((more := later.lacking(store)).values()):
        note(newer_words(later, counted(more)))


def rebuild(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make a new store with what was made by hand in a damaged one; the next sync fills it.

    What can be read of people, companies, opportunities, notes, links, rules and accounts is taken
    from the store; the newest daily backup has the rest. The damaged store is kept beside it.
    """
    from crmmail.repairing import lost
    from crmmail.repairing import rebuild as build

    store = store_path()
    if not yes:
        confirm(f"Rebuild {store}?", "A new store takes the place of the one that is there.")
    with _alone(store, "rebuild"):
        done = build(store)
    note(f"{store} is new. In it: {counted(done.counts, 'nothing')}.")
    if not done.whole:
        more = {part: max(done.counts[part] - done.read[part], 0) for part in done.counts}
        if done.kept is not None and not done.was_empty:
            note(f"Read from the damaged store: {counted(done.read, 'nothing')}.")
        if done.backup is not None:
            note(f"From {done.backup.name}: {counted(more, 'nothing more')}.")
        note(lost(done))
    if done.kept is not None:
        note(f"The store that was there: {done.kept}")
    note("Fetch the mail again: crmmail sync")


def counted(counts: dict[str, int], otherwise: str = "nothing that was missing") -> str:
    """How many of each part came back, for people."""
    parts = [
        plural(count, _PARTS[part], "people" if part == "people" else _many(part))
        for part, count in counts.items()
        if count
    ]
    return ", ".join(parts) or otherwise


def tell_made(made: Sequence[Made]) -> None:
    """Say of which backups the user has to see to that nothing of what left is in them."""
    for one in made:
        when = time.strftime("%Y-%m-%d", time.localtime(one.made_at))
        if one.is_there:
            note(f"Your backup {one.path} of {when} still has it: delete it, or make a new one.")
        else:
            note(
                f"You made a backup {one.path} on {when}, which is not there any more. "
                "If you moved it, it still has it."
            )


def _tell_left_out(people: Sequence[str], *, done: bool = False) -> None:
    """Say who is in a backup and was forgotten since, before and after it is put back."""
    if not people:
        return
    more = [f"{len(people) - _NAMED:,} more"] if len(people) > _NAMED else []
    names = ", ".join([*people[:_NAMED], *more])
    if done:
        note(f"Left out, because forgotten: {names}.")
        return
    was = "was" if len(people) == 1 else "were"
    note(f"{names} {was} forgotten after this backup was made, and will be left out of it.")
    note("To have somebody back: crmmail remember ADDRESS, and then restore.")


def _put_back(file: Path, store: Path, yes: bool) -> None:
    from crmmail.repairing import put_back

    if store.exists() and not yes:
        confirm(f"Put what {file.name} has back into {store}?", "A restore changes the store.")
    counts, saved = put_back(file, store)
    note(f"Back from {file}: {counted(counts)}.")
    if saved is not None:
        note(f"What was made by hand before: {saved.name}")
    note("Fetch the mail: crmmail sync")


def _list(store: Path, as_json: bool) -> None:
    from crmmail.store import copies, files

    found = files.copies_of(store)
    if as_json:
        print_json(
            [
                {"path": str(one.path), "kind": one.kind, "made_at": iso(one.made_at)}
                | {"size": one.size}
                for one in found
            ]
        )
        return
    table(
        ("made", "size", "what", "name"),
        [(_when(one.made_at), size(one.size), one.words, one.name) for one in found],
        right=("size",),
    )
    if not found:
        note("There are none yet: the sync makes one a day of what was made by hand.")
    for one in copies.made(store):
        note(f"You made {one.path}{'' if one.is_there else ', which is not there any more'}.")


def _remove(store: Path, name: str, yes: bool) -> None:
    from crmmail.store import copies

    if not yes:
        confirm(f"Delete {name}?", "This cannot be undone.")
    note(f"Deleted {copies.remove(store, name).path}.")


@contextmanager
def _alone(store: Path, what: str) -> Iterator[None]:
    from crmmail.sync.loop import Busy, exclusive

    try:
        with exclusive(store):
            yield
    except Busy as problem:
        raise CrmmailError("crmmail is running.", f"Close it, then {what}.") from problem


def _many(part: str) -> str:
    return "links and hides" if part == "links" else part


def _when(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
