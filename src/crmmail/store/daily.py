"""Small backups of what was made by hand: one a day, kept for a month; and reading them again."""

from __future__ import annotations

import gzip
import json
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path

from crmmail.store import files, handmade
from crmmail.store.database import Store
from crmmail.store.handmade import Document
from crmmail.store.trouble import StoreError

_DAYS = 31
_LEAST = 7
"""So many of the newest stay, however old they are: crmmail may not have run for long."""
_LARGEST = 1 << 30  # bytes of a document; a small file must not fill the memory


class DamagedBackupError(StoreError):
    """Nobody can read this backup, now or later."""


def daily(store: Store, now: float | None = None) -> Path | None:
    """Make today's backup, unless there is one or nothing to keep; returns the new file.

    Those of more than a month ago are deleted.
    """
    now = time.time() if now is None else now
    path = folder(store.path) / time.strftime("daily-%Y-%m-%d.json.gz", time.localtime(now))
    if path.exists():
        return None
    document = handmade.collect(store.read(), int(now))
    if handmade.is_empty(document):
        return None
    write(document, path)
    _tidy(path.parent, now)
    return path


def save(store: Store) -> Path | None:
    """Make a backup now, before what was made by hand is changed by another one."""
    document = handmade.collect(store.read(), int(time.time()))
    if handmade.is_empty(document):
        return None
    return write(document, free(store.path, "saved"))


def newest(store: Path) -> Path | None:
    """The newest daily backup of the store at a path."""
    found = sorted((store.resolve().parent / files.DAILY).glob("daily-*.json.gz"))
    return found[-1] if found else None


def write(document: Document, path: Path) -> Path:
    """Write a document: the file is whole or not there, and its owner's only."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    part = files.part_of(path)
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(gzip.compress(text, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    files.sync(path.parent)
    return path


def read(path: Path) -> Document:
    """A document that was written. Raises StoreError for a file that is none, or is damaged."""
    try:
        with gzip.open(path) as file:
            found = json.loads(file.read(_LARGEST))
    except FileNotFoundError:
        raise StoreError(f"There is no file {path}.", "See crmmail backup --list") from None
    except (gzip.BadGzipFile, EOFError, ValueError, zlib.error) as problem:
        raise DamagedBackupError(
            f"{path} is damaged.", "Nothing was changed. Take another: crmmail backup --list"
        ) from problem
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}.") from problem
    if not isinstance(found, dict) or found.get("format") != handmade.FORMAT:
        raise StoreError(f"{path} is not a backup of crmmail.", "Nothing was changed.")
    if found["version"] > handmade.VERSION:
        raise StoreError(
            f"{path} was written by a newer crmmail.", "Upgrade crmmail. Nothing was changed."
        )
    return handmade.upgraded(found)


def is_document(path: Path) -> bool:
    """Whether a file is such a backup, and not a whole store."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
    return False


def folder(store: Path) -> Path:
    """The folder of these backups, made on first use, for its owner only."""
    path = store.resolve().parent / files.DAILY
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def free(store: Path, kind: str) -> Path:
    """A name for a backup that no file has."""
    stem, number = f"{kind}-{files.dated()}", 1
    path = folder(store) / f"{stem}.json.gz"
    while path.exists():
        number += 1
        path = path.with_name(f"{stem}-{number}.json.gz")
    return path


def _tidy(place: Path, now: float) -> None:
    oldest = time.strftime("daily-%Y-%m-%d", time.localtime(now - _DAYS * 86_400))
    for path in sorted(place.glob("daily-*.json.gz"))[:-_LEAST]:
        if path.name < oldest:
            path.unlink()
