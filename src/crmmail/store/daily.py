"""Small backups of what was made by hand: one a day, kept for a month; and reading them again."""

from __future__ import annotations

import gzip
import json
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from crmmail import own_files
from crmmail.store import files, forgetting, handmade, locks
from crmmail.store.database import Store
from crmmail.store.handmade import Document
from crmmail.store.remembering import Said
from crmmail.store.trouble import StoreError

_DAYS = 31
_LEAST = 7
"""So many of the newest stay, however old they are: crmmail may not have run for long."""
_COMPARED = ("people", "companies", "opportunities", "notes", "links", "forgotten")
_Head = tuple[int, dict[str, int]]
_HEAD = re.compile(rb'"store":(\d+),"counts":(\{[^{}]*\})')
_NEEDED = {*handmade.COUNTED, "blocklist", "allowlist", "forgotten", "changes", "calendars"}
_FIRST = ("format", "version", "made_at")
_HEAD_SIZE = 1_000  # bytes in which that is
_ROWS = 200  # that are packed at once
_LARGEST = 1 << 30  # bytes of a document; a small file must not fill the memory


class DamagedBackupError(StoreError):
    """Nobody can read this backup, now or later."""


class NewerBackupError(StoreError):
    """A later crmmail has written this backup."""


def daily(store: Store, now: float | None = None, *, renew: bool = False) -> Path | None:
    """Make today's backup, unless there is one or nothing to keep; returns the new file.

    One that is there is made anew with `renew`: there is one file a day, and one of another store,
    or with more in it, is kept beside it. Those of more than a month ago are deleted. A damaged
    store might have less to say than the backup that is there.
    """
    now = time.time() if now is None else now
    path = folder(store.path) / time.strftime("daily-%Y-%m-%d.json.gz", time.localtime(now))
    if store.is_damaged or (path.exists() and not renew):
        return None
    with locks.writing(path.parent):
        if not _write_current(store, path, now, of_day=True):
            return None
        _tidy(path.parent, now)
    return path


def save(store: Store) -> Path | None:
    """Make a backup now, before what was made by hand is changed by another one."""
    with locks.writing(folder(store.path)):
        path = free(store.path, "saved")
        return path if _write_current(store, path, time.time()) else None


def _write_current(store: Store, path: Path, now: float, *, of_day: bool = False) -> bool:
    """Write what is made by hand in a store; False where there is nothing.

    Somebody may be forgotten meanwhile, by another thread or process, which has looked through the
    backups before this one was there.
    """
    kept: Path | None = None
    while True:
        document = handmade.collect(store.read(), int(now))
        known = frozenset(document["forgotten"])
        if known:
            is_forgotten = partial(forgetting.is_forgotten, known=known)
            document = handmade.without_forgotten(document, is_forgotten)
        if handmade.is_empty(document):
            return False
        (document["store"],) = store.read().execute("PRAGMA application_id").fetchone()
        if kept is not None:
            _copy(kept, kept, document)
        elif of_day:
            kept = _keep_other(path, document)
        write(document, path)
        if forgetting.digests(store.read()) <= known:
            return True


def _keep_other(path: Path, document: Document) -> Path | None:
    """Keep today's backup under another name, if it is of another store or has more in it.

    Returns where it is kept.
    """
    if not path.exists() or ((saved := saved_as(path)).exists() and saved.samefile(path)):
        return None
    there = _head(path)
    start = path.name.removesuffix(".json.gz") + "-before"
    if there is not None and there[0] == document["store"]:
        now = (there[0], _counts(document))
        before = path.parent.glob(f"{start}*.json.gz")
        # Who is forgotten leaves the store and every copy.
        more_forgotten = now[1]["forgotten"] > there[1]["forgotten"]
        if (
            more_forgotten
            or _has_all(now, there)
            or any(_has_all(_head(one), there) for one in before)
        ):
            return None
    kept = _unused(path.with_name(f"{start}.json.gz"))
    _copy(path, kept, document)
    return kept


def _copy(path: Path, to: Path, document: Document) -> None:
    """Copy a backup, without whoever is forgotten by what a document says, whose digests it gets.

    One that cannot be read is kept as it is.
    """
    said = Said.in_(document)
    if said.forgotten:
        with suppress(DamagedBackupError, NewerBackupError):
            is_forgotten = partial(forgetting.is_forgotten, known=said.forgotten)
            write(said.over(handmade.without_forgotten(read(path), is_forgotten)), to)
            return
    if path != to:
        files.link(path, to)


def _head(path: Path) -> _Head | None:
    """Which store a backup is of, and how much it has; None where it does not say that."""
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
        if found := _HEAD.search(file.read(_HEAD_SIZE)):
            counts = json.loads(found[2])
            return int(found[1]), {part: int(counts.get(part, 0)) for part in _COMPARED}
    return None


def _has_all(one: _Head | None, other: _Head) -> bool:
    """Whether a backup is of the same store as another one, and has as much of each part."""
    if one is None or one[0] != other[0]:
        return False
    return all(one[1][part] >= count for part, count in other[1].items())


def _counts(document: Document) -> dict[str, int]:
    return {part: len(document.get(part, ())) for part in _COMPARED}


def set_aside(store: Path) -> None:
    """Keep the newest daily backup as it is: another store will renew that of today."""
    if (path := newest(store)) is not None and not (kept := saved_as(path)).exists():
        files.link(path, kept)


def saved_as(path: Path) -> Path:
    """Where a daily backup is kept; the same again for one that is kept already."""
    stamp = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(path.stat().st_mtime))
    return path.with_name(f"saved-{stamp}.json.gz")


def newest(store: Path) -> Path | None:
    """The newest daily backup of the store at a path."""
    return next(iter(_newest_first(store)), None)


def newest_of(store: Path) -> Document | None:
    """What the newest daily backup has, of those that can be read."""
    for path in _newest_first(store):
        with suppress(StoreError):
            return read(path)
    return None


def newest_whole(store: Path) -> tuple[Path, Document] | None:
    """The newest daily backup that is not damaged. Raises StoreError where that cannot be read."""
    for path in _newest_first(store):
        with suppress(DamagedBackupError):
            return path, read(path)
    return None


def newest_with_rows(store: Path) -> tuple[Path, int] | None:
    """The newest daily backup with something in it, and the number of the store that it is of."""
    for path in _newest_first(store):
        with suppress(StoreError):
            if not handmade.is_empty(document := read(path)):
                return path, int(document.get("store", 0))
    return None


def _newest_first(store: Path) -> list[Path]:
    files.need_folder(store)
    return sorted((store.resolve().parent / files.DAILY).glob("daily-*.json.gz"), reverse=True)


def write(document: Document, path: Path) -> Path:
    """Write a document: the file is whole or not there, and its owner's only."""
    first = {name: document[name] for name in _FIRST if name in document}
    head = first | {"store": document.get("store", 0), "counts": _counts(document)}
    with (
        own_files.replaced(path) as part,
        own_files.create(part) as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
    ):
        for piece in _pieces(head | document | head):
            packed.write(piece.encode())
    return path


def _pieces(document: Document) -> Iterator[str]:
    """A document as JSON, in pieces: a key that is pressed meanwhile waits for one of them."""
    for number, (part, value) in enumerate(document.items()):
        yield f"{',' if number else '{'}{_json(part)}:"
        if not isinstance(value, list):
            yield _json(value)
            continue
        yield "["
        for at in range(0, len(value), _ROWS):
            yield f"{',' if at else ''}{_json(value[at : at + _ROWS])[1:-1]}"
        yield "]"
    yield "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(path: Path) -> Document:
    """A document that was written. Raises StoreError for another file, or a damaged one."""
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
    version = found.get("version")
    if not isinstance(version, int) or (version <= handmade.VERSION and _NEEDED - found.keys()):
        raise DamagedBackupError(
            f"{path} is damaged: parts of it are missing.",
            "Nothing was changed. Take another: crmmail backup --list",
        )
    if version > handmade.VERSION:
        raise NewerBackupError(
            f"{path} was written by a newer crmmail.", "Upgrade crmmail. Nothing was changed."
        )
    found.pop("counts", None)
    return handmade.upgraded(found)


def is_document(path: Path) -> bool:
    """Whether a file is such a backup, or was one, and not a whole store."""
    if path.name.endswith(".json.gz"):
        return True
    with suppress(OSError), path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
    return False


def folder(store: Path) -> Path:
    """The folder of these backups, made on first use, for its owner only."""
    path = store.resolve().parent / files.DAILY
    path.mkdir(mode=0o700, exist_ok=True)
    files.need_folder(store, written=True)
    return path


def free(store: Path, kind: str) -> Path:
    """A name for a backup that no file has."""
    return _unused(folder(store) / f"{kind}-{files.dated()}.json.gz")


def _unused(path: Path) -> Path:
    """The name itself, or with a number behind it where a file has it."""
    stem, number = path.name.removesuffix(".json.gz"), 1
    while path.exists():
        number += 1
        path = path.with_name(f"{stem}-{number}.json.gz")
    return path


def _tidy(place: Path, now: float) -> None:
    oldest = time.strftime("daily-%Y-%m-%d", time.localtime(now - _DAYS * 86_400))
    found = sorted(place.glob("daily-*.json.gz"))
    days = sorted({path.name[: len(oldest)] for path in found})[-_LEAST:]
    for path in found:
        if path.name < oldest and path.name[: len(oldest)] not in days:
            path.unlink()
