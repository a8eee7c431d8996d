"""What the messages of a thread carry: to save, to open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from crmmail.errors import CrmmailError
from crmmail.screens import files
from crmmail.screens.fetching import Fetched, Fetching
from crmmail.store import messages
from crmmail.store.messages import MessageRow
from crmmail.widgets.folders import FolderSuggester
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit, safe
from crmmail.widgets.prompt import Prompt
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import compact, size


@dataclass(frozen=True, slots=True)
class Row:
    """An attachment, and the message that it came with."""

    id: int
    message_id: int
    position: int
    name: str
    mime: str
    size: int
    inline: bool
    sender: str
    sent_at: int


def attachments(db: sqlite3.Connection, thread: Sequence[MessageRow]) -> list[Row]:
    """The attachments of messages: those of the newest first, pictures in the text last."""
    found: list[tuple[MessageRow, messages.Attachment]] = [
        (message, part)
        for message in reversed(thread)
        if message.attachments
        for part in messages.attachments(db, message.id)
    ]
    found.sort(key=lambda one: one[1].inline)
    return [
        Row(
            number,
            message.id,
            part.position,
            part.name,
            part.mime,
            part.size,
            part.inline,
            _sender(message),
            message.sent_at,
        )
        for number, (message, part) in enumerate(found)
    ]


def _sender(message: MessageRow) -> str:
    if message.outgoing:
        return "me"
    found = next((who for who in message.participants if who.role == "from"), None)
    return (found.name or found.address) if found else ""


def draw(row: Row, width: int) -> Iterator[Piece]:
    """An attachment on one line."""
    first = max(width - (52 if width >= 90 else 38), 16)
    yield fit(row.name or "(no name)", first), "strong"
    yield "  " + fit(size(row.size), 8, right=True), "text"
    if width >= 90:
        yield "  " + fit("in the text" if row.inline else row.mime, 16), "muted"
    else:
        yield "  " + fit(row.mime.rpartition("/")[2], 8), "muted"
    yield "  " + fit(compact(row.sent_at), 6), "muted"
    yield "  " + row.sender, "muted"


class AttachmentsPanel(Panel[Row]):
    """The attachments of a thread."""

    BINDING_GROUP_TITLE = "Attachments"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,s",
            "open",
            "Save",
            tooltip="Save the attachment in the downloads folder",
            id="attachments.save",
        ),
        Binding(
            "S",
            "save_as",
            "Save as",
            tooltip="Save the attachment under a path that you type",
            id="attachments.save_as",
        ),
        Binding(
            "o",
            "view",
            "Open",
            tooltip="Open the attachment with the system's program for it",
            id="attachments.open",
        ),
    ]

    def __init__(self) -> None:
        super().__init__(
            draw,
            title="Attachments",
            nouns=("attachment", "attachments"),
            empty="No message of this thread has an attachment.",
            id="attachments",
        )
        self._asked: Row | None = None  # what a path is typed for

    @on(WindowList.Opened)
    def _save(self, event: WindowList.Opened) -> None:
        event.stop()
        if self.row is not None:
            path = files.folder() / files.file_name(self.row.name)
            self._fetch(self.row, partial(self._saved, path))

    def action_close(self) -> None:
        """Cancel what is being fetched, else close the panel."""
        if not self.screen.query_one(Fetching).cancel():
            super().action_close()

    def go_to(self, message_id: int, position: int) -> None:
        """Put the cursor on an attachment."""
        for row in self._all:
            if (row.message_id, row.position) == (message_id, position):
                self.cursor = row.id

    def action_save_as(self) -> None:
        """Save the attachment under a path that is typed."""
        if self.row is not None:
            self._asked = self.row
            self._ask_where(str(files.folder() / files.file_name(self.row.name)))

    def _ask_where(self, path: str, title: str = "Save as") -> None:
        hint = "enter saves, → completes, escape cancels"
        self.screen.query_one(Prompt).ask("save", title, hint, path, FolderSuggester())

    def save_to(self, typed: str) -> None:
        """Save what a path was typed for; a folder keeps the name."""
        if (row := self._asked) is None or not typed.strip():
            return
        try:
            path = files.typed_path(typed, row.name)
        except CrmmailError as problem:
            self._ask_where(typed, safe(str(problem)))
            return
        self._fetch(row, partial(self._saved, path, typed=typed))

    def _ask_again(self, typed: str, problem: str) -> None:
        if self.has_focus:
            self._ask_where(typed, problem)

    def action_view(self) -> None:
        """Open the attachment with the system's program for it."""
        if self.row is not None:
            self._fetch(self.row, self._view)

    def _fetch(self, row: Row, then: Callable[[Fetched], object]) -> None:
        fetching = self.screen.query_one(Fetching)
        fetching.fetch(row.message_id, row.position, row.name or "the attachment", then)

    def _saved(self, path: Path, found: Fetched, typed: str = "") -> None:
        words = "Saved {}, " + size(len(found.data)) + "."
        self._in_thread(partial(files.save, path, found.data), words, typed)

    def _view(self, found: Fetched) -> None:
        self._in_thread(partial(files.open_file, found.name, found.data), "Opening {}.")

    def _in_thread(self, do: Callable[[], Path], words: str, typed: str = "") -> None:
        work = partial(self._try, do, words, typed)
        self.run_worker(work, group="files", thread=True, exit_on_error=False)

    def _try(self, do: Callable[[], Path], words: str, typed: str) -> None:
        """Say where something went, or why it did not: disks can be slow, so this is a thread.

        A path that was typed in vain can be corrected, where nothing else has the keys meanwhile.
        """
        try:
            said, severity = words.replace("{}", str(do())), "information"
        except CrmmailError as problem:
            said, severity = f"{problem} {problem.hint}".strip(), "error"
            if typed:
                with suppress(RuntimeError):
                    self.app.call_from_thread(self._ask_again, typed, safe(str(problem)))
        with suppress(RuntimeError):  # the app is closing
            self.app.call_from_thread(
                self.notify, safe(said), severity=severity, timeout=8, markup=False
            )
