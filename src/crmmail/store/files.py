"""The files beside a store: copies of it, how they are named, made and put in its place."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from crmmail import own_files
from crmmail.store import read_only
from crmmail.store.trouble import BACKUPS, StoreError

_PART = re.compile(r"\.(?:(\d+)@(\d+)-\d+\.)?part(?:$|[.-])")
_DAY = 86_400  # seconds; nothing takes that long to write
DAILY = BACKUPS
KEPT, DAMAGED, OLDER, RESCUED = "kept", "damaged", "before", "rescued"
UNSAVED = "unsaved"
"""How a file begins, behind the store's name, that has what stood in a form when the app ended."""
# What an ending of a file's name says about it. "before-restore" is how a kept store was called.
_KINDS = {
    "before-restore": KEPT,
    "kept-": KEPT,
    "damaged-": DAMAGED,
    "before-": OLDER,
    "rescued-": RESCUED,
}
_WORDS = {
    "daily": "made by hand, daily",
    "saved": "made by hand, saved before a change",
    KEPT: "store, kept by a restore",
    DAMAGED: "store, damaged",
    OLDER: "store, kept by an upgrade",
    RESCUED: "store, saved when its file was gone",
}


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that crmmail has made by itself."""

    path: Path
    kind: str  # daily | saved | kept | damaged | before | rescued
    made_at: int
    size: int

    @property
    def name(self) -> str:
        """What it is called in commands."""
        return self.path.name

    @property
    def words(self) -> str:
        """What it is, for people."""
        return _WORDS[self.kind]

    @property
    def is_store(self) -> bool:
        """Whether it is a whole store, with the texts of mail."""
        return self.kind not in ("daily", "saved")


def folder_fault(store: Path, *, written: bool = False) -> StoreError | None:
    """Why the folder of a store's backups cannot be read, or be `written`; None where it can.

    What is in one that cannot be read looks as if it were not there.
    """
    folder = store.resolve().parent / DAILY
    if not folder.is_dir() or os.access(folder, os.R_OK | os.X_OK | (os.W_OK if written else 0)):
        return None
    what = "read" if not written or not os.access(folder, os.R_OK | os.X_OK) else "written"
    return StoreError(f"The backups folder {folder} cannot be {what}.", f"Run: chmod 700 {folder}")


def need_folder(store: Path, *, written: bool = False) -> None:
    """Raise StoreError where the folder of a store's backups cannot be read, or be `written`."""
    if (fault := folder_fault(store, written=written)) is not None:
        raise fault


def copies_of(store: Path) -> list[Copy]:
    """Every copy that crmmail has made by itself of a store, newest first.

    Raises StoreError where their folder cannot be read.
    """
    found = []
    store = store.resolve()
    need_folder(store)
    for path in store.parent.glob(f"{store.name}.*"):
        ending = path.name.removeprefix(f"{store.name}.")
        kind = next((kind for start, kind in _KINDS.items() if ending.startswith(start)), "")
        if kind and not path.name.endswith(("-wal", "-shm", "-journal")):
            found.append(_copy(path, kind))
    found.extend(
        _copy(path, "daily" if path.name.startswith("daily-") else "saved")
        for path in (store.parent / DAILY).glob("*.json.gz")
    )
    return sorted(found, key=lambda one: (-one.made_at, one.name))


def is_whole(copy: Path) -> bool:
    """Whether a copy of a store, by its name, is one that could be used when it was made."""
    return f".{DAMAGED}-" not in copy.name


def dated(ending: str = "") -> str:
    """The time as names of files have it: 2026-03-14-090000."""
    return time.strftime("%Y-%m-%d-%H%M%S") + ending


def free_name(store: Path, ending: str) -> Path:
    """A name beside a store that no file has: with a number behind it where it is taken."""
    store = store.resolve()
    path, number = store.with_name(f"{store.name}.{ending}"), 1
    while path.exists():
        number += 1
        path = store.with_name(f"{store.name}.{ending}-{number}")
    return path


def part_of(path: Path) -> Path:
    """Where a file is written before it is whole, by a process that has the store alone."""
    return path.with_name(f".{path.name}.part")


def clear_parts(store: Path) -> None:
    """Delete what killed processes left half made; for one that has the store open.

    What names its process is left where that still runs: it may be writing it. Of a process in a
    container nobody can tell here whether it runs: what it writes is left for a day.
    """
    store = store.resolve()
    for place, start in ((store.parent, f".{store.name}."), (store.parent / DAILY, ".")):
        for path in place.glob(f"{start}*"):
            found = _PART.search(path.name)
            if found and not (found[1] and _may_be_written(path, int(found[1]), int(found[2]))):
                path.unlink(missing_ok=True)


def unsaved(store: Path) -> list[Path]:
    """The files of text from forms (F8), the newest first."""
    store = store.resolve()
    return sorted(store.parent.glob(f"{store.name}.{UNSAVED}-*"), reverse=True)


def remove_unsaved(store: Path, words: Iterable[str]) -> None:
    """Delete the files of text from forms (F8) that name somebody, by one of these words.

    A name that is one word, as Jo or Will, has to be written as it is: others have it in them.
    """
    wanted = [
        re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", 0 if word.isalpha() else re.IGNORECASE)
        for word in words
        if word
    ]
    for path in unsaved(store):
        text = path.read_text("utf-8", "replace")
        if any(word.search(text) for word in wanted):
            path.unlink()


def _may_be_written(path: Path, process: int, namespace: int) -> bool:
    """Whether the process that a part names may still be at it."""
    if namespace == own_files.namespace():
        return _is_running(process)
    try:
        return time.time() - path.stat().st_mtime < _DAY
    except FileNotFoundError:  # it was, and has just ended
        return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        pass
    return True


def copy_whole(source: Path, to: Path) -> None:
    """Copy a store: the new file is whole or not there, and its owner's only.

    What is written to the store meanwhile is no part of it; nothing that was deleted is in it.
    """
    with own_files.replaced(to) as part:
        vacuum(source, part)


def make(path: Path) -> Path:
    """An empty file in the place of what may be there, its owner's only; returns its path."""
    remove(path)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return path


def vacuum(source: Path, to: Path) -> None:
    """Write a store's rows to a new file, which is its owner's only."""
    make(to)
    with closing(read_only.connect(source)) as db:
        db.execute("VACUUM INTO ?", [str(to)])


def keep(store: Path, ending: str) -> Path:
    """Give a store that nobody uses a second name, which no file has; returns that.

    What is in the store's log is brought into its file first; of a damaged one, the log is kept
    beside it.
    """
    store = store.resolve()
    if not ending.startswith(DAMAGED):
        _empty_log(store)
    kept = free_name(store, ending)
    link(store, kept)
    for log, its in zip(logs(store), logs(kept), strict=True):
        if log.exists():  # only of a damaged store
            if log.stat().st_size:
                link(log, its)
            log.unlink()
    own_files.sync(kept.parent)
    return kept


def _empty_log(store: Path) -> None:
    with suppress(sqlite3.Error), closing(read_only.existing(store, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def replace(part: Path, store: Path) -> None:
    """Put a whole file in a store's place, in one step.

    A log that a lost store has left would be taken for that of the new one.
    """
    own_files.sync(part)
    if not store.exists():
        for log in logs(store.resolve()):
            log.unlink(missing_ok=True)
    part.replace(store.resolve())
    own_files.sync(store.resolve().parent)


def remove(store: Path) -> None:
    """Delete a store's file, or a copy's, with its logs."""
    for path in (*logs(store), store):
        path.unlink(missing_ok=True)


def logs(store: Path) -> list[Path]:
    """The files in which SQLite keeps what is not yet in a store's own."""
    return [store.with_name(f"{store.name}-{end}") for end in ("wal", "shm", "journal")]


def link(path: Path, to: Path) -> None:
    """Give a file a second name, where the disk knows that; else a copy. Never over another."""
    try:
        os.link(path, to)
    except FileExistsError:
        raise
    except OSError:
        part = make(part_of(to))
        with path.open("rb") as source, part.open("wb") as target:
            while piece := source.read(1 << 20):
                target.write(piece)
        own_files.sync(part)
        part.replace(to)


def _copy(path: Path, kind: str) -> Copy:
    found = path.stat()
    return Copy(path, kind, int(found.st_mtime), found.st_size)
