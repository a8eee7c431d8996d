"""The notes of a record: a list, and where one is written."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.errors import CrmmailError
from crmmail.screens.edit import field
from crmmail.screens.form import Field, Form, FormScreen, Values
from crmmail.screens.tab_pane import TabPane
from crmmail.screens.undo import Do, Undo
from crmmail.store import notes
from crmmail.store.database import Store
from crmmail.store.notes import NoteRow
from crmmail.store.records import ChangedError
from crmmail.widgets.pieces import Piece, fit
from crmmail.widgets.reading import ask
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import compact

_DATE = 10


class NotesPane(TabPane):
    """The notes of a record, newest first."""

    TITLE = "Notes"
    BINDING_GROUP_TITLE = "Notes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "delete", "Delete", id="notes.delete", tooltip="Delete the note"),
        Binding("e", "edit", "Edit", id="notes.edit", tooltip="Change the note"),
        Binding(
            "E", "editor", "Editor", show=False, id="notes.editor", tooltip="Change it in $EDITOR"
        ),
    ]

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._wanted = 0  # the note that the cursor is to go to when it is read

    def compose(self) -> ComposeResult:
        found: WindowList[NoteRow] = WindowList(
            self._rows, _draw, title="Notes", nouns=("note", "notes"), id="note-list"
        )
        found.add_class("-entries")
        found.say_empty("No note yet", "n writes one, N writes it in your editor")
        yield found

    def _rows(self, ids: Sequence[int]) -> list[NoteRow]:
        db = self.store.read()
        return [note for i in ids if (note := notes.get(db, i)) is not None]

    def reload(self) -> None:
        record = self.record

        def show(found: list[NoteRow]) -> None:
            if record == self.record:
                self.entries.show(array("q", [note.id for note in found]))
                self._go()

        ask(self, lambda: notes.of_record(self.store.read(), *record), show)

    @on(WindowList.Opened)
    def _open(self, event: WindowList.Opened) -> None:
        event.stop()
        self.action_edit()

    def _chosen(self) -> int | None:
        """The note to do something with; without one it is said how there comes to be one."""
        if (note_id := self.entries.current) is None:
            self.notify("There is no note here. n writes one.", timeout=3, markup=False)
        return note_id

    def _with_note(self, do: Callable[[NoteRow], object]) -> None:
        """Do something with the text of the note under the cursor."""
        if (note_id := self._chosen()) is None:
            return

        def found(note: NoteRow | None) -> None:
            if note is not None and self.screen.is_current:
                do(note)

        ask(self, lambda: notes.get(self.store.read(), note_id), found)

    def go_to(self, note_id: int) -> None:
        """Put the cursor on a note, as soon as it is there."""
        self._wanted = note_id
        self._go()

    def _go(self) -> None:
        if self._wanted in self.entries.ids:
            self.entries.action_go(self.entries.ids.index(self._wanted))
            self._wanted = 0

    def turn_to(self, kind: int, record_id: int) -> None:
        super().turn_to(kind, record_id)
        self._wanted = 0

    def write(self) -> None:
        """Ask for a new note."""
        self.app.push_screen(FormScreen(_form("New note", "", self._adding())))

    def action_edit(self) -> None:
        """Change the note under the cursor."""
        self._with_note(self._edit_form)

    def _edit_form(self, note: NoteRow) -> None:
        form = _form("Edit note", note.text, _editing(self.store, note))
        self.app.push_screen(FormScreen(form))

    def _adding(self) -> Callable[[str], Undo]:
        """What stores a note on this record: by then the tab may be for another."""
        return partial(_add, self.store, *self.record)

    def action_editor(self) -> None:
        """Change the note under the cursor in the user's editor."""
        self._with_note(self._edit_there)

    def _edit_there(self, note: NoteRow) -> None:
        text = edited(self, note.text)
        if text is not None and text.strip() != note.text:
            self._store_typed("Edit note", text, _editing(self.store, note))

    def write_in_editor(self) -> None:
        """Write a new note in the user's editor."""
        add = self._adding()
        text = edited(self, "")
        if text is not None and text.strip():
            self._store_typed("New note", text, add)

    def _store_typed(self, title: str, text: str, store_it: Callable[[str], Undo]) -> None:
        """Store what the editor has left; where that fails, it stands in a form."""

        words = "Note written" if title == "New note" else "Note changed"

        def failed(problem: CrmmailError) -> bool:
            form = _form(title, "", store_it)
            asked = (replace(form.fields[0], typed=text),)
            screen = FormScreen(replace(form, fields=asked, words=lambda _: words))
            self.app.push_screen(screen)
            screen.call_after_refresh(screen.failed, problem)
            return True

        self.post_message(Do(words, partial(store_it, text), failed=failed))

    def action_delete(self) -> None:
        """Delete the note under the cursor."""
        if (note_id := self._chosen()) is not None:
            work = partial(_delete, self.store, note_id)
            self.post_message(Do("Note deleted", work, destroys=True))


def _form(title: str, text: str, store_it: Callable[[str], Undo]) -> Form:
    def save(values: Values) -> Undo:
        with field("text"):
            return store_it(str(values["text"]))

    asked = (Field("text", "Note", text, height=12),)
    return Form(title, asked, save, lambda _: "Note changed" if text else "Note written")


def _add(store: Store, kind: int, record_id: int, text: str) -> Undo:
    return partial(notes.delete, store, notes.add(store, kind, record_id, text), text)


def _editing(store: Store, note: NoteRow) -> Callable[[str], Undo]:
    """What stores a new text of a note; what another process has made of it is told first."""
    opened = note.text

    def store_it(text: str) -> Undo:
        nonlocal opened
        try:
            return _edit(store, note.id, text, opened)
        except ChangedError as problem:
            if (now := notes.get(store.read(), note.id)) is None:
                raise
            opened = now.text
            raise CrmmailError(
                f"The note was changed meanwhile. It is now: {now.text}",
                "Save again to put yours in its place. To keep that, leave the form.",
            ) from problem

    return store_it


def _edit(store: Store, note_id: int, text: str, opened: str = "") -> Undo:
    return partial(notes.edit, store, note_id, notes.edit(store, note_id, text, opened), text)


def _delete(store: Store, note_id: int) -> Undo:
    return partial(notes.restore, store, notes.delete(store, note_id))


def edited(widget: Widget, text: str) -> str | None:
    """What the user's editor makes of a text, in a file that only they can read; None: nothing."""
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    handle, name = tempfile.mkstemp(prefix="crmmail-note-", suffix=".txt")  # mode 0600
    path = Path(name)
    try:
        os.write(handle, f"{text}\n".encode() if text else b"")
        os.close(handle)
        with widget.app.suspend():
            done = subprocess.run([*command, name], check=False)  # noqa: S603 - the user's own
        if done.returncode:
            widget.notify(f"The editor ended with {done.returncode}; nothing was stored.")
            return None
        return path.read_text("utf-8", "replace")
    except (OSError, SuspendNotSupported) as problem:
        words = f"{command[0]} could not be started: {problem}. Set $EDITOR to your editor."
        widget.notify(words, severity="error", markup=False)
        return None
    finally:
        path.unlink(missing_ok=True)


def _draw(note: NoteRow, width: int) -> Iterator[Piece]:
    text = " ".join(note.text.split())
    yield fit(text, max(width - _DATE - 2, 1)), "text"
    yield "  " + fit(compact(note.created_at), _DATE, right=True), "muted"
