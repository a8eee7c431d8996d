"""One conversation: every message, folded or open; panels over it for all that it holds."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
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
from crmmail.store.kinds import Kind, Level
from crmmail.store.messages import Attachment, MessageRow, Text
from crmmail.store.threads import ThreadDetail
from crmmail.widgets.conversation import MORE, Folding, Reader, having, sections
from crmmail.widgets.lines import Lines
from crmmail.widgets.pieces import Piece
from crmmail.widgets.reading import ask
from crmmail.widgets.reading_pane import ReadingPane
from crmmail.widgets.words import plural, titled

_Part = tuple[Text, list[Attachment]]
"""What of a message is read when it is unfolded."""


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
        self._parts: dict[int, _Part] = {}
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
        self.header.show()
        self.pane.show((), keep=False)
        self.reload()
        self.pane.focus()

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
        read = partial(_read, self.store, self.thread_id, [one.id for one in self.messages])
        ask(self, read, partial(self._show, self.thread_id))

    def _show(self, wanted: int, found: tuple[ThreadDetail, list[MessageRow]] | None) -> None:
        if wanted != self.thread_id or not self.is_current:
            self._stale = True  # it came late, and is read again when the screen is seen again
            return
        if found is None:
            self.gone("This conversation is not there any more.")
            return
        detail, now = found
        known = {message.id for message in self.messages}
        self.thread_id, self.messages, self.links_of = detail.id, now, detail.links
        self._parts.clear()
        if now and now[-1].id not in known:
            self._folding.opened.add(now[-1].id)
        self.header.show(*self._header(detail))
        self._draw(keep=bool(known), then=None if known else self._go_to_newest)
        self.fill_panels()

    def _go_to_newest(self) -> None:
        if self.messages and self.pane.size:
            self.pane.go_to(self.messages[-1].id)
        elif self.messages:  # the pane is yet to learn how much room it has
            self.call_after_refresh(self.pane.go_to, self.messages[-1].id)

    def _draw(self, keep: bool = True, then: Callable[[], object] | None = None) -> None:
        """Draw it when all that is unfolded is read; `then` is done after that."""
        folding = self._folding
        opened = {one.id for one in self.messages} & folding.opened

        def show(parts: dict[int, _Part]) -> None:
            if folding is not self._folding:
                return  # another thread is shown by now
            self._parts |= parts
            self._draw_now(keep)
            if then is not None:
                then()

        missing = sorted(opened - self._parts.keys())
        if missing:
            ask(self, partial(_read_parts, self.store, missing), show)
        else:
            show({})

    def _draw_now(self, keep: bool) -> None:
        read = self._folding.opened & self._parts.keys()  # what was unfolded meanwhile comes later
        folding = replace(self._folding, opened=read)
        reader = Reader(lambda i: self._parts[i][0], lambda i: self._parts[i][1])
        self.pane.show(sections(self.messages, folding, reader), keep)
        self.pane.label(subtitle=plural(len(self.messages), "message"))

    def _header(self, detail: ThreadDetail) -> Iterable[tuple[Piece, ...]]:
        trail = f"{self._trail} › " if self._trail else ""
        hidden = any(message.level == Level.METADATA for message in self.messages)
        yield ((trail, "muted"), (titled(detail.subject, hidden, "subject"), "title"))
        links = [link for link in detail.links if link.hand >= 0]
        people = [link.name for link in links if link.kind == Kind.PERSON]
        pieces: list[Piece] = [(", ".join(people), "text"), ("   " if people else "", "text")]
        if away := len(detail.links) - len(links):
            pieces.append((f"hidden from {plural(away, 'record')}   ", "muted"))
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
        following = [one.id for one in self.messages[2:3] if event.target == "more"]
        self._draw(then=partial(self.pane.go_to, following[0]) if following else None)

    def action_fold(self) -> None:
        """Open or close the current message."""
        self.pane.action_fold()

    def action_fold_all(self) -> None:
        """Open all messages, or close all but the last."""
        every = {message.id for message in self.messages}
        if not every:
            return  # they are still being read
        opened = self._folding.opened
        self._folding.opened = {self.messages[-1].id} if opened >= every else every
        self._folding.middle = True
        self._draw(then=self.pane.reveal)

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

    def unfold(self, words: str, then: Callable[[], object]) -> None:
        """Open the messages that have these words, and their quoted text where it has them."""
        folding = self._folding

        def show(found: list[tuple[int, bool]]) -> None:
            if folding is not self._folding:
                return  # another thread is shown by now
            before = copy.deepcopy(folding)
            for message, in_quotes in found:
                folding.opened.add(message)
                folding.middle = folding.middle or self._is_folded_away(message)
                if in_quotes:
                    folding.quotes.add(message)
            if folding != before:
                self._draw(then=then)
            else:
                then()

        every = [message.id for message in self.messages]
        ask(self, partial(_having, self.store, every, words), show)

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


def _read(
    store: Store, thread_id: int, known: Sequence[int]
) -> tuple[ThreadDetail, list[MessageRow]] | None:
    """A thread and its messages; when it is gone, the one that its messages have joined."""
    db = store.read()
    detail = threads.get(db, thread_id)
    if detail is None:
        joined = (messages.thread_of(db, message) for message in known)
        found = next((thread for thread in joined if thread is not None), None)
        detail = threads.get(db, found) if found is not None else None
    return (detail, messages.of_thread(db, detail.id)) if detail is not None else None


def _read_parts(store: Store, ids: Sequence[int]) -> dict[int, _Part]:
    db = store.read()
    return {i: (messages.text(db, i), messages.attachments(db, i)) for i in ids}


def _having(store: Store, ids: Sequence[int], words: str) -> list[tuple[int, bool]]:
    """The messages that have these words, and whether their quoted text has them."""
    db = store.read()
    found = ((i, *having(words, messages.text(db, i))) for i in ids)
    return [(i, in_quotes) for i, in_text, in_quotes in found if in_text or in_quotes]
