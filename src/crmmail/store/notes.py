"""Notes: what the user wrote about a record."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass

from crmmail import text as texts
from crmmail.store import records
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

_FIELDS = "id, kind, record_id, text, created_at, changed_at"


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note of a record."""

    id: int
    kind: int
    record_id: int
    text: str
    created_at: int
    changed_at: int


def of_record(db: sqlite3.Connection, kind: int, record_id: int) -> list[NoteRow]:
    """The notes of a record, newest first."""
    found = db.execute(
        f"SELECT {_FIELDS} FROM note WHERE kind = ? AND record_id = ? "
        "ORDER BY created_at DESC, id DESC",
        [int(kind), record_id],
    )
    return [NoteRow(*row) for row in found]


def get(db: sqlite3.Connection, note_id: int) -> NoteRow | None:
    """One note, or None."""
    row = db.execute(f"SELECT {_FIELDS} FROM note WHERE id = ?", [note_id]).fetchone()
    return NoteRow(*row) if row else None


def add(store: Store, kind: int, record_id: int, text: str) -> int:
    """Write a note about a record; returns its id."""
    from crmmail.store.models import Note

    clean, now = _clean(text), records.now()
    with store.session("notes") as (session, db, change):
        records.check_alive(db, Kind(kind), record_id)
        note = Note(kind=kind, record_id=record_id, text=clean, created_at=now, changed_at=now)
        session.add(note)
        session.flush()
        change.records.add((kind, record_id))
        return note.id or 0


def edit(store: Store, note_id: int, text: str, instead_of: str = "") -> str:
    """Change the text of a note; returns what it was.

    With `instead_of`, the text that an edit was given, only where that is there still.
    """
    clean = _clean(text)
    with store.write("notes") as (db, change):
        before = _existing(db, note_id, instead_of)
        db.execute(
            "UPDATE note SET text = ?, changed_at = ? WHERE id = ?", [clean, records.now(), note_id]
        )
        change.records.add((before.kind, before.record_id))
    return before.text


def delete(store: Store, note_id: int, instead_of: str = "") -> NoteRow:
    """Delete a note; returns it, for restore(). `instead_of` as in edit()."""
    with store.write("notes") as (db, change):
        before = _existing(db, note_id, instead_of)
        db.execute("DELETE FROM note WHERE id = ?", [note_id])
        change.records.add((before.kind, before.record_id))
    return before


def restore(store: Store, note: NoteRow) -> int:
    """Bring a deleted note back as it was; returns its id, a new one if the old is taken."""
    with store.write("notes") as (db, change):
        note_id = None if get(db, note.id) else note.id
        values = [note_id, *astuple(note)[1:]]
        new = db.execute(f"INSERT INTO note ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?)", values)
        change.records.add((note.kind, note.record_id))
        return new.lastrowid or 0


def _existing(db: sqlite3.Connection, note_id: int, text: str = "") -> NoteRow:
    if (note := get(db, note_id)) is None:
        raise records.RecordError(
            f"There is no note with the number {note_id}.", "It may have been deleted elsewhere."
        )
    if text and note.text not in (text, _clean(text)):
        raise records.ChangedError("note")
    return note


def _clean(text: str) -> str:
    if not (clean := texts.block(text).strip()):
        raise records.RecordError("The note is empty.", "Write something, or leave it out.")
    return clean
