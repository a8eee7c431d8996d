"""Notes of records."""

from __future__ import annotations

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import notes
from crmmail.store.kinds import Kind

from .conftest import Filler, World


def test_notes_are_listed_newest_first_per_record(fill: Filler, world: World) -> None:
    one = notes.add(fill.store, Kind.PERSON, world.anna, "one\n\x1btwo ")
    two = notes.add(fill.store, Kind.PERSON, world.anna, "three")
    notes.add(fill.store, Kind.COMPANY, world.anna, "a company with the same number")
    found = notes.of_record(fill.db, Kind.PERSON, world.anna)
    assert [(note.id, note.text) for note in found] == [(two, "three"), (one, "one\ntwo")]


def test_edit_and_delete_can_be_undone(fill: Filler, world: World) -> None:
    note = notes.add(fill.store, Kind.PERSON, world.anna, "before")
    assert notes.edit(fill.store, note, "after") == "before"
    gone = notes.delete(fill.store, note)
    assert notes.of_record(fill.db, Kind.PERSON, world.anna) == []
    assert notes.restore(fill.store, gone) == note
    assert notes.get(fill.db, note) == gone


def test_a_restored_note_does_not_take_another_s_place(fill: Filler, world: World) -> None:
    gone = notes.delete(fill.store, notes.add(fill.store, Kind.PERSON, world.anna, "old"))
    new = notes.add(fill.store, Kind.PERSON, world.anna, "new")
    notes.restore(fill.store, gone)
    texts = {note.id: note.text for note in notes.of_record(fill.db, Kind.PERSON, world.anna)}
    assert texts.pop(new) == "new"
    assert list(texts.values()) == ["old"]


def test_what_is_refused(fill: Filler, world: World) -> None:
    with pytest.raises(CrmmailError, match="empty"):
        notes.add(fill.store, Kind.PERSON, world.anna, " \n")
    with pytest.raises(CrmmailError, match="no person with the number 999"):
        notes.add(fill.store, Kind.PERSON, 999, "x")
    with pytest.raises(CrmmailError, match="no note with the number 7"):
        notes.edit(fill.store, 7, "x")
    with pytest.raises(CrmmailError, match="no note with the number 7"):
        notes.delete(fill.store, 7)
