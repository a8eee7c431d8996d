"""Copies of the store, while it is in use, and putting one back in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from crmmail.store import (
    daily,
    files,
    forgetting,
    handmade,
    locks,
    mentioned,
    opening,
    read_only,
    remembering,
)
from crmmail.store.database import Store
from crmmail.store.forgetting import Traces
from crmmail.store.remembering import Said
from crmmail.store.trouble import DamagedError, InUseError, StoreError, explain, explained, is_full


def save(source: Path, to: Path) -> int:
    """Copy a store to a new file, whatever is written to it meanwhile; returns the copy's size.

    The copy is whole or not there at all, is its owner's only, and has no free pages: nothing
    that was deleted is in it. Raises StoreError when the file exists or cannot be written.
    """
    if to.exists():
        raise StoreError(f"{to} exists.", "Choose another name: a copy is never written over.")
    opening.check_readable(source)
    lock = None if read_only.is_read_only(source) else locks.Lock(source)
    try:
        if lock is not None and not lock.share(10.0):
            raise InUseError(f"Another crmmail is replacing {source}.", "Wait until it is done.")
        files.copy_whole(source, to)
        _check_copy(source, to)
    except sqlite3.DatabaseError as problem:
        if not isinstance(problem, sqlite3.OperationalError):  # it is the store that is damaged
            with explained(source):
                raise
        raise _unwritten(source, to, problem) from problem
    except OSError as problem:
        raise _unwritten(source, to, problem) from problem
    finally:
        if lock is not None:
            lock.close()
    return to.stat().st_size


_BACKUP = "A backup is what `crmmail backup` made."


def _check_copy(source: Path, copy: Path) -> None:
    """Delete a copy that could not be put back. Raises DamagedError: its store is damaged."""
    try:
        check(copy)
    except StoreError as problem:
        copy.unlink()
        raise DamagedError(f"{source} is damaged: there is no backup of it now.") from problem


def check(path: Path) -> None:
    """Raise StoreError unless the file is an undamaged store that this crmmail can read."""
    if path.exists() and not path.is_file():
        raise StoreError(f"{path} is not a file that can be read as a backup.", _BACKUP)
    if not path.is_file():
        raise StoreError(f"There is no file {path}.", _BACKUP)
    try:
        with closing(_reading(path)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            lacking = _tables(version) - {
                name for (name,) in db.execute("SELECT name FROM sqlite_master")
            }
            sound = db.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        lacking, sound = {"account"}, False
    if {"account", "thread_link"} & lacking:
        raise StoreError(f"{path} is not a crmmail store.", "Nothing was changed.")
    if lacking or not sound:
        raise StoreError(f"{path} is damaged.", "Nothing was changed. Take another backup.")


def restore(source: Path, store: Path) -> Path | None:
    """Put a backup in the store's place; returns where the store that was there is kept.

    An older backup gets this version's tables; who was forgotten since it was made is left out.
    At each moment there is one store in the place:
    the one before or the new one. The one before is kept under a name that no file had. Raises
    StoreError, with the store as it was, when the backup cannot be used, or another process uses
    the store.
    """
    check(source)
    part = files.part_of(store)
    with explained(store), locks.alone(store):
        try:
            files.vacuum(source, part)
            with closing(
                Store(part, anew=True)
            ) as new:  # refuses a newer version, upgrades an older one
                said = _said(store)
                with new.write() as (db, _):
                    remembering.hold(db, said)
                if said.forgotten:
                    forgetting.forget_again(new, said.forgotten)
            ending = files.KEPT if opening.is_sound(store) else files.DAMAGED
            return put(part, store, f"{ending}-{files.dated()}")
        finally:
            clear(part)


def has(copy: Path, gone: Traces) -> bool:
    """Whether there may be something in a backup of who was forgotten.

    One that is not there any more, or cannot be read, has it if the store had.
    """
    known = frozenset({forgetting.digest(one, ["00:"]) for one in gone.addresses})
    if copy.exists():
        with suppress(sqlite3.Error, StoreError), closing(_reading(copy)) as db:
            return bool(forgetting.among(db, known))
        return True
    return bool(gone.name or gone.messages or gone.meetings or gone.skipped or gone.notes)


def left_out(source: Path, store: Path) -> list[str]:
    """Who was forgotten since a backup was made, and does not come back with it: names, addresses.

    The backup is a whole store or a document of what was made by hand.
    """
    if not (known := _said(store).forgotten):
        return []
    if daily.is_document(source):
        return _left_out_of(daily.read(source), known)
    with explained(source), closing(_reading(source)) as db:
        owner = (
            "SELECT p.id, p.name FROM person p JOIN address ON person_id = p.id WHERE address = ?"
        )
        people: dict[object, tuple[str, list[str]]] = {}
        for address, called in forgetting.among(db, known).items():
            number, name = db.execute(owner, [address]).fetchone() or (address, called)
            people.setdefault(number, (name, []))[1].append(address)
    return [f"{name} ({', '.join(own)})" if name else own[0] for name, own in people.values()]


def _left_out_of(document: handmade.Document, known: frozenset[str]) -> list[str]:
    def is_gone(address: str) -> bool:
        return forgetting.is_forgotten(address, known)

    people = [
        (row["name"], [one["address"] for one in row["addresses"]]) for row in document["people"]
    ]
    people = [(name, own) for name, own in people if any(map(is_gone, own))]
    others = mentioned.in_document(document).difference(*(own for _, own in people))
    return [
        *(f"{name} ({', '.join(own)})" for name, own in people),
        *sorted(filter(is_gone, others)),
    ]


def _said(store: Path) -> Said:
    """Who is forgotten in a store; of one that is lost or damaged, its newest backup tells."""
    if opening.has_rows(store):
        with suppress(sqlite3.Error, StoreError), closing(_reading(store)) as db:
            return Said.by(db)
    document = daily.newest_of(store)
    return Said() if document is None else Said.in_(document)


def _reading(path: Path) -> sqlite3.Connection:
    if read_only.is_read_only(path):
        return read_only.connect(path)
    found: sqlite3.Connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    return found


def put(part: Path, store: Path, ending: str) -> Path | None:
    """Let a new store take the place of one that nobody uses; returns where that is kept."""
    daily.set_aside(store)
    _pass_orders_on(store, part)
    kept = files.keep(store, ending) if store.exists() else None
    files.replace(part, store)
    return kept


def _pass_orders_on(store: Path, part: Path) -> None:
    """Let a new store know what is still to be overwritten, in the one before and other copies."""
    orders: list[tuple[str]] = []
    with suppress(sqlite3.Error, StoreError), closing(_reading(store)) as db:
        orders = db.execute("SELECT name FROM chore").fetchall()
    if orders:
        with closing(read_only.existing(part, isolation_level=None)) as db:
            db.executemany("INSERT OR IGNORE INTO chore VALUES (?)", orders)


def clear(part: Path) -> None:
    """Delete what is left of a store that was being made."""
    files.remove(part)
    locks.lock_of(part).unlink(missing_ok=True)
    for copy in part.parent.glob(f"{part.name}.*"):
        copy.unlink()


def _tables(version: int) -> set[str]:
    """The tables of a store of a version, at least those that no later one has dropped."""
    known = opening.tables()
    return known if version == max(opening.migrations()) else {"account", "thread_link"} & known


def _unwritten(source: Path, to: Path, problem: Exception) -> StoreError:
    """Why a copy cannot be written: of the place that was named for it, or of the store's disk.

    SQLite needs some room beside the store to read it.
    """
    safe = "The store is as it was."
    if not to.parent.exists():
        return StoreError(f"There is no folder {to.parent}.", f"Make it, or choose another. {safe}")
    if not to.parent.is_dir():
        return StoreError(f"{to.parent} is not a folder.", f"Choose another place. {safe}")
    said = explain(problem, source if is_full(source) and not is_full(to) else to)
    return StoreError(f"There is no backup. {said}", f"{said.hint} {safe}".strip())
