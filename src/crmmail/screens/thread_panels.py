"""The panels over a thread: people, attachments, links, records, the source of a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import events, getters, on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens import attachments as attached
from crmmail.screens import links as linked
from crmmail.screens import participants as people
from crmmail.screens.attachments import AttachmentsPanel
from crmmail.screens.fetching import Arrived, Fetched, Fetching
from crmmail.screens.finding import FindingScreen
from crmmail.screens.linking import RecordPicker, RecordsPanel, Row
from crmmail.screens.links import LinksPanel, WholeLink
from crmmail.screens.participants import ParticipantsPanel
from crmmail.store import messages
from crmmail.store.database import Store
from crmmail.store.messages import MessageRow
from crmmail.store.threads import Link
from crmmail.widgets.panel import Panel
from crmmail.widgets.prompt import Prompt


class ThreadPanelsScreen(FindingScreen):
    """A thread's messages, as far as its panels need to know them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "at",
            "participants",
            "People",
            tooltip="Everybody in the thread: open the record, make a contact",
            id="thread.participants",
            key_display="@",
        ),
        Binding(
            "A",
            "attachments",
            "Attachments",
            tooltip="The attachments of the thread: save, open",
            id="thread.attachments",
        ),
        Binding(
            "U",
            "links",
            "Links",
            tooltip="The links of the open messages: where they go, open, copy",
            id="thread.links",
        ),
        Binding(
            "l",
            "link",
            "Link",
            tooltip="Put the thread on a person, a company or an opportunity",
            id="thread.link",
        ),
        Binding(
            "x",
            "records",
            "Records",
            tooltip="The records that the thread is on: hide it from one, unlink, open",
            show=False,
            id="thread.records",
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
    fetching = getters.query_one(Fetching)
    participants = getters.query_one(ParticipantsPanel)
    attachments = getters.query_one(AttachmentsPanel)
    links = getters.query_one(LinksPanel)
    whole_link = getters.query_one(WholeLink)
    picker = getters.query_one(RecordPicker)
    records = getters.query_one(RecordsPanel)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.thread_id = 0
        self.messages: list[MessageRow] = []
        self.links_of: list[Link] = []

    def panes(self) -> Iterable[Widget]:
        yield ParticipantsPanel(self.store)
        yield AttachmentsPanel()
        yield LinksPanel()
        yield RecordsPanel(self.store)
        yield RecordPicker(self.store)
        yield WholeLink()
        yield Prompt()

    @property
    def opened(self) -> set[int]:
        """The messages that are unfolded."""
        return set()

    @property
    def message(self) -> MessageRow | None:
        """The current message."""
        key = self.pane.section.key if self.pane.section else None
        return next((message for message in self.messages if message.id == key), None)

    def close_panels(self) -> None:
        """Hide what is over the text."""
        for panel in self.query(Panel):
            panel.close(refocus=False)
        self.whole_link.close(refocus=False)
        self.prompt.close(refocus=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The keys are with the text again, by a click: panels go."""
        if event.widget is self.pane:
            self.close_panels()

    def fill_panels(self) -> None:
        """The store has changed: show it in the panel that is open."""
        db = self.store.read()
        if self.participants.is_open:
            self.participants.fill(people.participants(db, self.messages))
        if self.attachments.is_open:
            self.attachments.fill(attached.attachments(db, self.messages))
        if self.records.is_open:
            self.records.fill(self._record_rows())

    def _record_rows(self) -> list[Row]:
        return [Row(position, link) for position, link in enumerate(self.links_of)]

    def action_participants(self) -> None:
        """Show everybody in the thread."""
        self._open(self.participants, people.participants(self.store.read(), self.messages))

    def action_attachments(self) -> None:
        """Show the attachments of the thread."""
        self._open(self.attachments, attached.attachments(self.store.read(), self.messages))

    def show_attachment(self, message_id: int, position: int) -> None:
        """Show the attachments with one of them under the cursor."""
        self.action_attachments()
        self.attachments.go_to(message_id, position)

    def action_links(self) -> None:
        """Show the links of the open messages."""
        db = self.store.read()
        opened = [message.id for message in self.messages if message.id in self.opened]
        self._open(self.links, linked.links(messages.text(db, i).text for i in opened))

    def action_records(self) -> None:
        """Show the records that the thread is on."""
        self.records.thread_id = self.thread_id
        self._open(self.records, self._record_rows())

    def _open(self, panel: Panel[Any], rows: Sequence[Any]) -> None:
        self.pane.focus()
        self.close_panels()
        panel.open(rows)

    def action_link(self) -> None:
        """Put the thread on a record."""
        self.pane.focus()
        self.close_panels()
        self.picker.show_choices(self.thread_id)
        self.prompt.ask("link", "Name of a person, company or opportunity", "enter links")

    @on(Prompt.Typed)
    def _type_record(self, event: Prompt.Typed) -> None:
        if event.purpose == "link":
            self.picker.look(event.value.strip())

    @on(Prompt.Moved)
    def _move_in_picker(self, event: Prompt.Moved) -> None:
        if event.purpose == "link":
            self.picker.action_move(event.by)

    @on(Prompt.Left)
    def _leave_picker(self, event: Prompt.Left) -> None:
        if event.purpose == "link":
            self.picker.close(refocus=False)

    @on(Prompt.Answered)
    def _answer(self, event: Prompt.Answered) -> None:
        if event.purpose == "link":
            self.picker.link()
        elif event.purpose == "save":
            self.attachments.save_to(event.value)

    @on(Panel.Opened, "#picker")
    def _pick(self) -> None:
        self.prompt.close(refocus=False)
        self.picker.link()
        self.pane.focus()

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
