"""A store that is damaged or was lost: what was made by hand goes into a new one."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from crmmail.errors import CrmmailError
from crmmail.store import backup, daily, files, handmade, locks, opening, salvage
from crmmail.store import newer as newest
from crmmail.store import put_back as putting
from crmmail.store.database import Store
from crmmail.store.handmade import Document
from crmmail.store.remembering import Said
from crmmail.store.trouble import REBUILD, InUseError, StoreError, explained, is_unwritable
from crmmail.sync.lock import Busy, exclusive

log = logging.getLogger(__name__)

_PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a new store was made of."""

    kept: Path | None  # the store that was there
    backup: Path | None  # the daily backup that had what the store did not say
    whole: bool  # whether all that was made by hand could be read from the store
    counts: dict[str, int]
    read: dict[str, int]  # how many of them the damaged store itself had
    made_at: int  # when the daily backup was made, which is made anew after the rebuild
    was_empty: bool = False  # whether there was a store with nothing in it


def rebuild(store: Path) -> Rebuilt:
    """Make a new store with what was made by hand in the one that is there; the sync fills it.

    At each moment there is one store in the place. Raises StoreError where another process uses it,
    or the disk takes no new one; then the store is as it was.
    """
    part = files.part_of(store)
    with explained(store), locks.alone(store):
        found, whole = _salvaged(store)
        if was_empty := opening.is_empty(store):  # it may be in the place of one that is lost
            found, whole = None, False
        saved, older = (None if whole else daily.newest_whole(store)) or (None, None)
        try:
            backup.clear(part)
            new = Store(part, anew=True)
            try:
                if older is not None:
                    _put(new, older if found is None else Said.in_(found).over(older))
                if found is not None:
                    whole_records = found if older is None else handmade.completed(found, older)
                    _put(new, handmade.with_unknown(whole_records))
                counts = _counts(new)
            finally:
                new.close()
            kept = backup.put(part, store, f"{files.DAMAGED}-{files.dated()}")
        finally:
            backup.clear(part)
    _renew(store)
    made_at = 0 if older is None else older["made_at"]
    return Rebuilt(kept, saved, whole, counts, _parts(found), made_at, was_empty)


def repair(store: Path, way: str) -> str:
    """Repair a damaged store: REBUILD, or the path of a backup; returns what was done, in words.

    What was an app's own sync a moment ago may still hold the store.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with exclusive(store):
                if way == REBUILD:
                    return _rebuilt(rebuild(store))
                newer = newest.than(Path(way), store)
                kept = backup.restore(Path(way), store)
                gone = ", ".join(backup.left_out(Path(way), store))  # the new one knows them too
                forgotten = f" Left out, because forgotten: {gone}." if gone else ""
                was = f" What was there is kept: {kept}." if kept is not None else ""
                return (
                    "The backup is in the store's place. Mail that came since is being fetched."
                    f"{was}{forgotten}{_newer_words(newer, store)}"
                )
        except (Busy, InUseError):
            if time.monotonic() >= until:
                raise
            time.sleep(0.1)


def _newer_words(newer: newest.Newer | None, store: Path) -> str:
    if newer is None or not any((more := newer.lacking(store)).values()):
        return ""
    return f" {newer_words(newer, ', '.join(f'{part} {n:,}' for part, n in more.items() if n))}"


def newer_words(newer: newest.Newer, more: str) -> str:
    """What a daily backup has that the store has not that was put in the place; and the way."""
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(newer.made_at))
    name = newer.kept().name
    return (
        f"The daily backup of {at} is newer, and has what this one has not, or not so: {more}. "
        f"To bring that in: crmmail restore {name}"
    )


def _rebuilt(done: Rebuilt) -> str:
    """What the app says after a rebuild: what is there, what comes, what may be missing."""
    counts = ", ".join(f"{part} {count:,}" for part, count in done.counts.items() if count)
    words = [
        f"The store is new. Made by hand, and in it: {counts or 'nothing'}.",
        "Mail and meetings are being fetched; the status line says how far that is.",
        lost(done),
    ]
    if done.kept is not None:
        words.append(f"The damaged store is kept: {done.kept}. Delete it when nothing is missing.")
    return " ".join(filter(None, words))


def lost(done: Rebuilt) -> str:
    """What a rebuild could not read from the damaged store, for people; "" where it read all."""
    if done.whole:
        return ""
    was_there = done.kept is not None and not done.was_empty
    said = "Some of what was made by hand could not be read" if was_there else "There was no store"
    if done.was_empty:
        said = "There was nothing in the store"
    if done.backup is None:
        return f"{said}, and there was no daily backup that could be read."
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(done.made_at))
    had = "the rest" if was_there else "what was made by hand"
    return f"{said}. {done.backup.name} had {had}; what was made after {at} may be missing."


def put_back(file: Path, path: Path) -> tuple[dict[str, int], Path | None]:
    """Put a daily backup into the store at a path, made where there is none.

    Returns how much came back, and the backup of what was made by hand before.
    """
    document = daily.read(file)
    if not opening.has_rows(path) and (last := daily.newest_of(path)) is not None:
        document = Said.in_(last).over(document)
    store = Store(path, anew=True)
    try:
        saved = daily.save(store)
        counts = _put(store, document)
        daily.daily(store, renew=True)
        return counts, saved
    finally:
        store.close()


def _put(store: Store, document: Document) -> dict[str, int]:
    from crmmail.sync.importing import import_file

    counts = putting.put_back(store, document)
    for calendar in document["calendars"]:
        if calendar["raw"]:
            try:
                import_file(store, calendar["name"], "\r\n".join(calendar["raw"]).encode())
            except StoreError:
                raise
            except CrmmailError:  # nothing of it can be read: it must not keep the rest away
                log.warning("a calendar that came from a file could not be put back")
    return counts


def _renew(store: Path) -> None:
    """Let the backup of today have the numbers that records have in the new store."""
    with suppress(sqlite3.Error, OSError, StoreError), closing(Store(store)) as new:
        daily.daily(new, renew=True)


def _salvaged(store: Path) -> tuple[Document | None, bool]:
    if not store.exists():
        return None, False
    try:
        return salvage.salvage(store, int(time.time()))
    except (sqlite3.Error, StoreError) as problem:
        if is_unwritable(problem):
            raise
        return None, False


def _counts(store: Store) -> dict[str, int]:
    return _parts(handmade.collect(store.read(), 0))


def _parts(document: Document | None) -> dict[str, int]:
    return {part: len(document[part]) if document else 0 for part in handmade.COUNTED}
