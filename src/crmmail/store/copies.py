"""The copies that crmmail made of a store: what must leave the store leaves them too."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crmmail import own_files
from crmmail.store import (
    daily,
    files,
    forgetting,
    handmade,
    locks,
    mail_rules,
    numbers,
    read_only,
    salvage,
)
from crmmail.store.database import Store
from crmmail.store.remembering import Said
from crmmail.store.trouble import StoreError, explain, is_unwritable

log = logging.getLogger(__name__)

_MADE = "made.json"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that the user made with `crmmail backup`."""

    path: Path
    made_at: int

    @property
    def is_there(self) -> bool:
        """Whether it is still where it was made."""
        return self.path.exists()


@dataclass(frozen=True, slots=True)
class _Still:
    """What the store still knows of messages and meetings: the rest may be of the forgotten."""

    said: Said
    keys: set[tuple[int, int]]
    exceptions: frozenset[str]

    @staticmethod
    def of(store: Store) -> _Still:
        db = store.read()
        if not (said := Said.by(db)).forgotten:
            return _Still(said, set(), frozenset())
        return _Still(said, numbers.known_keys(db), frozenset(mail_rules.allowed(db)))


def clear(store: Store) -> StoreError | None:
    """Leave nothing in any copy of what left the store for good (V3, `forget`).

    A whole store that was kept becomes a backup of what was made by hand in it; the copies of
    upgrades go. Called again, it goes on where it was cut short. Returns which copies this crmmail
    can do nothing about. Raises StoreError when some could be neither made anew nor deleted now.
    """
    files.clear_parts(store.path)
    still = _Still.of(store)
    failed: list[tuple[files.Copy, StoreError]] = []
    newer: list[tuple[files.Copy, StoreError]] = []
    # Those that make room first.
    for copy in sorted(files.copies_of(store.path), key=lambda one: one.is_store):
        try:
            if copy.kind == files.OLDER:
                files.remove(copy.path)
            elif copy.is_store:
                reduce(store, copy.path)
            elif still.said.forgotten:
                _forget(copy.path, still)
        except daily.NewerBackupError as problem:
            newer.append((copy, problem))
        except (sqlite3.Error, OSError, StoreError) as problem:
            failed.append((copy, explain(problem, copy.path)))
    if failed:
        raise _still_has(failed + newer, "The next sync tries again.")
    return _still_has(newer, "") if newer else None


def _still_has(copies: list[tuple[files.Copy, StoreError]], then: str) -> StoreError:
    names = ", ".join(copy.name for copy, _ in copies)
    still = f"still {'contains' if len(copies) == 1 else 'contain'} what was deleted from the store"
    remove = f"To delete a copy: crmmail backup --remove {copies[0][0].name}"
    return StoreError(f"{names} {still}: {copies[0][1]}", f"{then} {remove}".strip())


def _forget(path: Path, still: _Still) -> None:
    """Take the forgotten out of a backup; it has their digests, so that they stay out."""
    with locks.writing(path.parent):
        try:
            document = daily.read(path)
        except daily.DamagedBackupError:  # nobody can take anything out of it, nor put it back
            path.unlink()
            return
        rest = _without_forgotten(document, still)
        if rest == document:
            return
        try:
            daily.write(rest, path)
        except OSError as problem:  # on a full disk there is the room of the one that has to go
            if not is_unwritable(problem):
                raise
            path.unlink()
            with suppress(OSError):
                daily.write(rest, path)
            if not path.exists():
                log.warning("the backup %s is deleted: %s", path.name, problem.strerror)


def reduce(store: Store, path: Path) -> None:
    """Keep of a whole store only what was made by hand, in a small backup."""
    if not path.samefile(store.path):
        try:
            document, _ = salvage.salvage(path, int(path.stat().st_mtime))
        except (sqlite3.Error, StoreError) as problem:
            if is_unwritable(problem):
                raise
            document = None  # nothing of it can be read
        if document is not None and not handmade.is_empty(document):
            document = _without_forgotten(document, _Still.of(store))
            with locks.writing(daily.folder(store.path)):
                daily.write(document, daily.free(store.path, "kept"))
    files.remove(path)


def remove(store: Path, name: str) -> files.Copy:
    """Delete a copy by its name or path. Raises StoreError for what is none."""
    for copy in files.copies_of(store):
        if name in (copy.name, str(copy.path)) or Path(name).absolute() == copy.path:
            files.remove(copy.path)
            return copy
    raise StoreError(f"There is no copy {name}.", "crmmail backup --list names them.")


def find(store: Path, name: str) -> Path:
    """The file that somebody names: a path, or a copy by its name."""
    path = Path(name)
    if path.exists():
        return path
    return next((copy.path for copy in files.copies_of(store) if copy.name == name), path)


def note_made(store: Path, path: Path) -> None:
    """Remember where the user made a backup: what leaves the store later is told to be in it.

    Beside a store on a read-only disk nothing can be remembered. Raises OSError on a full one.
    """
    if read_only.is_mounted(store):
        return
    file = daily.folder(store) / _MADE
    with locks.writing(file.parent):
        every = {one.path: one.made_at for one in made(store)}
        every[path.absolute()] = int(time.time())
        rows = [{"path": str(one), "made_at": at} for one, at in every.items()]
        own_files.put(file, json.dumps(rows, ensure_ascii=False).encode())


def made(store: Path) -> list[Made]:
    """The backups that the user made with `crmmail backup`, where they were made."""
    try:
        found = json.loads((store.resolve().parent / files.DAILY / _MADE).read_bytes())
        return [Made(Path(row["path"]), int(row["made_at"])) for row in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _without_forgotten(document: handmade.Document, still: _Still) -> handmade.Document:
    """The document without the forgotten, whose digests it has, and without ids of lost mail."""
    known = still.said.forgotten
    rest = handmade.without_forgotten(
        document, lambda address: forgetting.is_forgotten(address, known)
    )
    rest = still.said.over(rest)
    if known:
        rest["links"] = [one for one in rest["links"] if (one["target"], one["key"]) in still.keys]
        rest["numbers"] = [one for one in rest["numbers"] if (one[0], one[2]) in still.keys]
        rest["allowlist"] = [
            one for one in rest["allowlist"] if one[:1] != "<" or one in still.exceptions
        ]
    return rest
