"""The panels over a thread: attachments and the source of a message, and what panels.py has."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens import attachments as attached
from crmmail.screens import participants as people
from crmmail.screens.attachments import AttachmentsPanel
from crmmail.screens.fetching import Arrived, Fetched, Fetching
from crmmail.screens.linking import THREADS
from crmmail.screens.panels import PanelsScreen
from crmmail.store import messages
from crmmail.store.database import Store
from crmmail.store.messages import MessageRow
from crmmail.widgets.prompt import Prompt
from crmmail.widgets.reading import ask


class ThreadPanelsScreen(PanelsScreen):
    """A thread's messages, as far as its panels need to know them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "A",
            "attachments",
            "Attachments",
            tooltip="The attachments of the thread: save, open",
            id="thread.attachments",
        ),
        Binding(
            "R",
            "source",
            "Source",
            tooltip="The message as it was sent, fetched from the server",
            show=False,
            id="thread.source",
        ),
    ]
    WHAT = THREADS
    fetching = getters.query_one(Fetching)
    attachments = getters.query_one(AttachmentsPanel)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.thread_id = 0
        self.messages: list[MessageRow] = []

    def panes(self) -> Iterable[Widget]:
        yield from super().panes()
        yield AttachmentsPanel()

    @property
    def target(self) -> int:
        return self.thread_id

    @property
    def opened(self) -> set[int]:
        """The messages that are unfolded."""
        return set()

    @property
    def message(self) -> MessageRow | None:
        """The current message."""
        key = self.pane.section.key if self.pane.section else None
        return next((message for message in self.messages if message.id == key), None)

    def participant_rows(self) -> list[people.Row]:
        return people.participants(self.store.read(), self.messages)

    def texts(self) -> Iterable[str]:
        db = self.store.read()
        opened = [message.id for message in self.messages if message.id in self.opened]
        return [messages.text(db, i).text for i in opened]

    def fill_panels(self) -> None:
        super().fill_panels()
        if self.attachments.is_open:
            ask(self, self._attachment_rows, self.attachments.fill)

    def _attachment_rows(self) -> list[attached.Row]:
        return attached.attachments(self.store.read(), self.messages)

    def action_attachments(self) -> None:
        """Show the attachments of the thread."""
        self.read_panel(self.attachments, self._attachment_rows)

    def show_attachment(self, message_id: int, position: int) -> None:
        """Show the attachments with one of them under the cursor."""
        go = partial(self.attachments.go_to, message_id, position)
        self.read_panel(self.attachments, self._attachment_rows, go)

    @on(Prompt.Answered)
    def _save(self, event: Prompt.Answered) -> None:
        if event.purpose == "save":
            self.attachments.save_to(event.value)

    # What is on the server

    @on(Arrived)
    def _take(self, event: Arrived) -> None:
        self.fetching.take(event)

    def action_source(self) -> None:
        """Show the current message as it was sent."""
        message = self.message
        if message is not None:
            self.fetching.fetch(message.id, None, "The source", partial(self._show_source, message))

    def _show_source(self, message: MessageRow, found: Fetched) -> None:
        from crmmail.screens.source import SourceScreen

        self.app.push_screen(SourceScreen(self.store, message.subject, found.data))

    def action_back(self) -> None:
        """Cancel what is being fetched, else leave the search, else the thread."""
        if not self.fetching.cancel():
            super().action_back()
