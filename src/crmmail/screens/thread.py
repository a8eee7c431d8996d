"""One conversation: every message, folded or open; panels over it for all that it holds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from textual import getters, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens.base import KeptScreen
from crmmail.screens.fetching import Fetching
from crmmail.screens.thread_panels import ThreadPanelsScreen
from crmmail.store import messages, threads, why
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.messages import Attachment, Text
from crmmail.store.threads import ThreadDetail
from crmmail.widgets.conversation import MORE, Folding, Reader, having, sections
from crmmail.widgets.lines import Lines
from crmmail.widgets.pieces import Piece
from crmmail.widgets.reading_pane import ReadingPane
from crmmail.widgets.words import plural


class ThreadScreen(ThreadPanelsScreen, KeptScreen):
    """A thread's messages; the threads of the list it came from are one key away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,o", "fold", "Fold", tooltip="Open or close the message", id="thread.fold"),
        Binding("O", "fold_all", "Open or close all messages", show=False, id="thread.fold_all"),
        Binding(
            "z", "quotes", "Quotes", tooltip="Show or hide its quoted text", id="thread.quotes"
        ),
        Binding(
            "Z", "all_quotes", "Show or hide all quoted text", show=False, id="thread.all_quotes"
        ),
        Binding(
            "n",
            "onward(1)",
            "Next message",
            tooltip="Next message; after a search the next hit",
            show=False,
            id="thread.next_message",
        ),
        Binding(
            "N",
            "onward(-1)",
            "Previous message",
            tooltip="Previous message; after a search the hit before",
            show=False,
            id="thread.last_hit",
        ),
        Binding("p", "message(-1)", "Previous message", show=False, id="thread.last_message"),
        Binding("J,right_square_bracket", "thread(1)", "Next thread", id="thread.next"),
        Binding(
            "K,left_square_bracket", "thread(-1)", "Previous thread", show=False, id="thread.last"
        ),
    ]
    header = getters.query_one("#header", Lines)
    pane = getters.query_one("#thread", ReadingPane)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._siblings: array[int] = array("q")
        self._trail = ""
        self._folding = Folding()

    @classmethod
    def open(
        cls, app: App[Any], store: Store, thread_id: int, siblings: array[int], trail: str
    ) -> Self:
        """Show a thread of a list; `trail` says what list that is."""
        screen = cls.show_one(app, store)
        screen.thread_id, screen._siblings, screen._trail = thread_id, siblings, trail
        screen.restart()
        return screen

    def panes(self) -> Iterable[Widget]:
        yield Lines(id="header")
        yield Fetching()
        yield ReadingPane(id="thread")
        yield from super().panes()

    # Reading

    def start(self) -> None:
        """Show the thread as it is first seen: its last message open and current."""
        self.put_away()
        self._folding = Folding()
        self.messages = []
        self.reload()
        self.pane.focus()
        if self.messages and self.pane.size:
            self.pane.go_to(self.messages[-1].id)
        elif self.messages:  # the pane is yet to learn how much room it has
            self.call_after_refresh(self.pane.go_to, self.messages[-1].id)

    def put_away(self) -> None:
        self.close_panels()
        self.fetching.cancel()
        self.clear_hits()

    @property
    def opened(self) -> set[int]:
        return self._folding.opened

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"threads", "people", "companies", "opportunities"})

    def reload(self) -> None:
        db = self.store.read()
        detail = threads.get(db, self.thread_id)
        if detail is None:
            self._follow_messages()
            return
        known = {message.id for message in self.messages}
        self.messages = messages.of_thread(db, self.thread_id)
        if self.messages and self.messages[-1].id not in known:
            self._folding.opened.add(self.messages[-1].id)
        self.links_of = detail.links
        self.header.show(*self._header(detail))
        self._draw(keep=bool(known))
        self.fill_panels()

    def _follow_messages(self) -> None:
        """The thread is gone: show the one that its messages have joined, or leave."""
        db = self.store.read()
        joined = (messages.thread_of(db, message.id) for message in self.messages)
        found = next((thread for thread in joined if thread is not None), None)
        if found is not None:
            self.thread_id = found
            self.reload()
        else:
            self.notify("This conversation is gone.", markup=False)
            self.app.pop_screen()

    def _draw(self, keep: bool = True) -> None:
        reader = Reader(self._text, self._attachments)
        self.pane.show(sections(self.messages, self._folding, reader), keep)
        self.pane.label(subtitle=plural(len(self.messages), "message"))

    def _text(self, message_id: int) -> Text:
        return messages.text(self.store.read(), message_id)

    def _attachments(self, message_id: int) -> list[Attachment]:
        return messages.attachments(self.store.read(), message_id)

    def _header(self, detail: ThreadDetail) -> Iterable[tuple[Piece, ...]]:
        trail = f"{self._trail} › " if self._trail else ""
        yield ((trail, "muted"), (detail.subject or "(no subject)", "title"))
        links = [link for link in detail.links if link.hand >= 0]
        people = [link.name for link in links if link.kind == Kind.PERSON]
        pieces: list[Piece] = [(", ".join(people), "text"), ("   " if people else "", "text")]
        hidden = len(detail.links) - len(links)
        if hidden:
            pieces.append((f"hidden from {plural(hidden, 'record')}   ", "muted"))
        for link in sorted(links, key=lambda link: -link.hand):
            if link.kind != Kind.PERSON:
                words = why.link(link.why, link.hand).partition(";")[0].removeprefix("C7: ")
                pieces += [(link.name, "text"), (f" {words}   ", "muted")]
        yield tuple(pieces)

    # Folding

    @on(ReadingPane.Toggled)
    def _toggle(self, event: ReadingPane.Toggled) -> None:
        what, _, number = event.target.partition(":")
        if what == "people":
            self.action_participants()
            return
        if what == "attachment":
            message_id, _, position = number.partition(":")
            self.show_attachment(int(message_id), int(position))
            return
        self._folding.toggle(event.target)
        following = self.messages[2].id if event.target == "more" else None
        self._draw()
        if following is not None:
            self.pane.go_to(following)

    def action_fold(self) -> None:
        """Open or close the current message."""
        self.pane.action_fold()

    def action_fold_all(self) -> None:
        """Open all messages, or close all but the last."""
        every = {message.id for message in self.messages}
        opened = self._folding.opened
        self._folding.opened = {self.messages[-1].id} if opened >= every else every
        self._folding.middle = True
        self._draw()
        self.pane.reveal()

    def action_quotes(self) -> None:
        """Show or hide the quoted text of the current message."""
        section = self.pane.section
        if section is not None and section.key != MORE:
            self._folding.opened.add(section.key)
            self._folding.toggle(f"quotes:{section.key}")
            self._draw()

    def action_all_quotes(self) -> None:
        """Show or hide the quoted text of all messages."""
        every = {message.id for message in self.messages}
        self._folding.quotes = set() if self._folding.quotes >= every else every
        self._draw()

    def unfold(self, words: str) -> None:
        """Open the messages that have these words, and their quoted text where it has them."""
        for message in self.messages:
            in_text, in_quotes = having(words, self._text(message.id))
            if in_text or in_quotes:
                self._folding.opened.add(message.id)
                self._folding.middle = self._folding.middle or self._is_folded_away(message.id)
            if in_quotes:
                self._folding.quotes.add(message.id)
        self._draw()

    def _is_folded_away(self, message_id: int) -> bool:
        """Whether a message is among the "n more"."""
        return message_id in {message.id for message in self.messages[2:-1]}

    # Moving

    def action_onward(self, by: int) -> None:
        """Go to the next hit of a search, else to the next message."""
        if not self.next_hit(by):
            self.action_message(by)

    def action_message(self, by: int) -> None:
        """Go to the next or the previous message."""
        self.pane.action_section(by)

    def action_thread(self, by: int) -> None:
        """Go to the next or the previous thread of the list."""
        try:
            position = self._siblings.index(self.thread_id) + by
        except ValueError:
            position = -1
        if 0 <= position < len(self._siblings):
            self.thread_id = self._siblings[position]
            self.start()
        else:
            self.notify("No more threads in this list.", timeout=2, markup=False)
