"""What can be wrong with the store's file: each in its own words, with what to do about it."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crmmail.errors import CrmmailError

_BEGINNING = 1 << 20  # bytes in which the text of the tables of a store is found
_OURS = b"thread_link"
_NO_TEXT = "Could not decode to UTF-8"  # of a text in the file: Python has no code for it
_SMALL = ".json.gz"
BACKUPS = "backups"
"""The folder of the daily backups, beside the store."""
_FROM_BACKUPS = (
    "Make a new store from the newest daily backup and your servers: crmmail rebuild. "
    "Or put a backup back: crmmail restore FILE, of those that crmmail backup --list names."
)
_LITTLE = 1_000_000  # free bytes below which an unnamed error is that of a full disk


class StoreError(CrmmailError):
    """The store's file cannot be used as it is."""


class DamagedError(StoreError):
    """The file is a store of crmmail, and pages of it cannot be read."""

    hint = (
        "Build it anew from your servers, keeping what you made by hand: crmmail rebuild. "
        "Or put a backup back: crmmail restore FILE."
    )


class LostError(DamagedError):
    """There is no store, or an empty file, where crmmail has made copies of one."""

    def __init__(self, path: Path, what: str, copies: Iterable[Path]) -> None:
        names = [copy.name for copy in copies]
        places = {path.parent / BACKUPS if one.endswith(_SMALL) else f"{path}.*" for one in names}
        super().__init__(f"{path} {what}, though there was a store: see {names[0]}.")
        self.anew = (
            "To start with an empty store, move these to another folder: "
            f"{', '.join(sorted(map(str, places)))}."
        )
        self.hint = f"{_FROM_BACKUPS} {self.anew}"


class ForeignError(StoreError):
    """The file is there, and no crmmail has written it."""


class MovedError(StoreError):
    """The file is not where it was: what is written to it would be lost."""

    def __init__(self, path: Path, saved: Path | None = None) -> None:
        """With `saved`, what was in it is in that copy."""
        words, hint = _moved(path)
        if saved is not None:
            hint = (
                "Close crmmail. What was in the file is saved; "
                f"to have it back: crmmail restore {saved.name}"
            )
        super().__init__(words, hint)


class InUseError(StoreError):
    """Another process uses the store in a way that this one cannot share."""


REBUILD = "rebuild"
"""The way to repair a damaged store that makes a new one; another is a backup's path."""
Words = Callable[[Path], tuple[str, str]]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNWRITABLE = tuple(f"SQLITE_{end}" for end in ("FULL", "IOERR_WRITE", "IOERR_FSYNC"))


def is_trouble(problem: BaseException | None) -> bool:
    """Whether it is the store's file that cannot be used, and not an error of the program."""
    if isinstance(problem, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.DataError):
        return False
    return isinstance(problem, sqlite3.Error | StoreError)


def is_unwritable(problem: BaseException) -> bool:
    """Whether a file could not be written, as on a full disk: what was read may be sound."""
    if isinstance(problem, OSError):
        return problem.errno in _FULL
    name: str = getattr(problem, "sqlite_errorname", None) or ""
    return name.startswith(_UNWRITABLE)


def explain(problem: BaseException, path: Path) -> StoreError:
    """The error for a person: what is wrong with the file at a path, and what to do."""
    if isinstance(problem, StoreError):
        return problem
    if isinstance(problem, OSError):
        return _of_system(problem, path)
    name: str = getattr(problem, "sqlite_errorname", None) or ""
    if name.startswith("SQLITE_CORRUPT") or str(problem).startswith(_NO_TEXT):
        return DamagedError(f"{path} is damaged: a part of it cannot be read.")
    if name == "SQLITE_NOTADB":
        if is_ours(path):
            return DamagedError(f"{path} is damaged: its first page cannot be read.")
        return foreign(path)
    for beginning, words in _WORDS.items():
        if name.startswith(beginning):
            return StoreError(*words(path))
    return StoreError(f"{path} cannot be used: {problem}.", "See what is wrong: crmmail doctor")


def unopened(path: Path) -> StoreError:
    """The error for a file that cannot be opened, or not be written."""
    if _free(path) < _LITTLE and not os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        return StoreError(*_full(path))
    return StoreError(*_unopened(path))


def foreign(path: Path) -> ForeignError:
    """The error for a file that no crmmail has written."""
    said = f"{path} is not a crmmail store."
    if any((path.resolve().parent / BACKUPS).glob(f"*{_SMALL}")):
        return ForeignError(said, f"{_FROM_BACKUPS} Both keep the file that is there.")
    return ForeignError(
        said, "Move the file away and start again: crmmail makes a new store there."
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise a StoreError with words for whatever is wrong with the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise explain(problem, path) from problem


def is_ours(path: Path) -> bool:
    """Whether a file that cannot be opened was a store: its beginning still names our tables."""
    try:
        with path.open("rb") as file:
            return _OURS in file.read(_BEGINNING)
    except OSError:
        return False


def _of_system(problem: OSError, path: Path) -> StoreError:
    if problem.errno in _FULL:
        return StoreError(*_full(path))
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR):
        return StoreError(*_unopened(path))
    if problem.errno == errno.EISDIR:
        return StoreError(*_directory(path))
    where = problem.filename or path
    return StoreError(f"{where}: {problem.strerror}.", "See what is wrong: crmmail doctor")


def _directory(path: Path) -> tuple[str, str]:
    return (
        f"{path} is a directory.",
        "The store is a file of that name. Move the directory away, "
        "or set CRMMAIL_DATA_DIR to another folder.",
    )


def _unopened(path: Path) -> tuple[str, str]:
    """Why a file cannot be opened, or written."""
    folder = path.parent
    if path.is_dir():
        return _directory(path)
    if not folder.is_dir():
        return (
            f"There is no folder {folder}.",
            "Make it, or mount its disk. CRMMAIL_DATA_DIR says where the store is.",
        )
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return (
            f"{path} is on a disk that is mounted read-only.",
            "Mount it for writing, or set CRMMAIL_DATA_DIR to another folder. Commands that change "
            "nothing read it as it is: search, people list, dump, backup FILE.",
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return (
            f"You may not write in {folder}.",
            f"Make it yours: ls -ld {folder} says whose it is. The store needs files beside it.",
        )
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return f"You may not read and write {path}.", f"Make it yours: chmod 600 {path}"
    return (
        f"{path} cannot be written.",
        "It, or a file beside it, is read-only: see ls -l and lsattr.",
    )


def _locked(path: Path) -> tuple[str, str]:
    return (
        f"Another program is writing to {path} and does not let go of it.",
        f"Wait until it is done, or close it. Which one it is: fuser {path}",
    )


def _full(path: Path) -> tuple[str, str]:
    return (
        f"The disk of {path} is full.",
        "Make room there, also for your quota; a crmmail that runs then goes on by itself. "
        "Mail that was not written comes from the servers again. "
        "Commands that change nothing read the store as it is, also backup FILE to another disk.",
    )


def _moved(path: Path) -> tuple[str, str]:
    return (
        f"{path} was moved, deleted or replaced while crmmail used it.",
        "Close crmmail and start it again.",
    )


def _unless_full(said: str, hint: str) -> Words:
    """Words for an error without a code of its own: a full disk has several in SQLite."""

    def words(path: Path) -> tuple[str, str]:
        if is_full(path):
            return _full(path)
        return said.format(path=path), hint.format(folder=path.parent)

    return words


def is_full(path: Path) -> bool:
    """Whether the disk of a file has so little room that an error without a cause is due to it."""
    return _free(path) < _LITTLE


def _free(path: Path) -> int:
    try:
        return free_on(path.parent)
    except OSError:
        return _LITTLE


def free_on(path: Path) -> int:
    """The free bytes of the disk that has a file; a disk that does not tell has room."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize if found.f_blocks else sys.maxsize


_unwritten = _unless_full(
    "{path} could not be written.",
    "A quota or a limit on the size of files (ulimit -f) may be reached, or the disk is failing: "
    "see dmesg.",
)
_unread = _unless_full(
    "The disk of {path} could not be read.",
    "It may be failing: see dmesg. Copy {folder} to another disk.",
)
# By the beginning of SQLite's name for the error; the first that fits.
_WORDS: dict[str, Words] = {
    "SQLITE_BUSY": _locked,
    "SQLITE_LOCKED": _locked,
    "SQLITE_FULL": _full,
    "SQLITE_READONLY_DBMOVED": _moved,
    "SQLITE_READONLY": _unopened,
    "SQLITE_PERM": _unopened,
    "SQLITE_AUTH": _unopened,
    "SQLITE_CANTOPEN": _unopened,
    "SQLITE_IOERR_WRITE": _unwritten,
    "SQLITE_IOERR_FSYNC": _unwritten,
    "SQLITE_IOERR_TRUNCATE": _unwritten,
    "SQLITE_IOERR_SHM": _unwritten,
    "SQLITE_IOERR": _unread,
}
