"""The records that a thread or a meeting is on: by the rules or by hand, hidden by hand (C7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import get_current_worker

from crmmail.screens.undo import Do
from crmmail.store import links, meetings, opportunities, search, threads, why
from crmmail.store.database import Store
from crmmail.store.hands import Link
from crmmail.store.kinds import Kind
from crmmail.store.manual import Said
from crmmail.store.search import FoundRecord
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit, safe
from crmmail.widgets.reading import ask
from crmmail.widgets.window_list import WindowList

_CHOICES = 8  # records of each kind that are offered
_NOUNS = {Kind.PERSON: "person", Kind.COMPANY: "company", Kind.OPPORTUNITY: "opportunity"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A record that something can be put on."""

    id: int
    found: FoundRecord


@dataclass(frozen=True, slots=True)
class Row:
    """A record that something is on, or is hidden from."""

    id: int
    link: Link


@dataclass
class ChoicesReady(Message):
    """The records that match what was typed."""

    match: str
    found: list[FoundRecord]


@dataclass(frozen=True, slots=True)
class Linked:
    """What can be put on records and hidden from them."""

    noun: str
    hand: Callable[[sqlite3.Connection, int, int, int], int]
    set_hand: Callable[[Store, int, int, int, int], Said]


THREADS = Linked("thread", threads.hand, threads.set_hand)
MEETINGS = Linked("meeting", meetings.hand, meetings.set_hand)


def set_link(
    store: Store, what: Linked, link: tuple[int, int, int], value: int
) -> Callable[[], object]:
    """Link by hand (1), hide (-1) or leave it to the rules (0); returns what takes it back."""
    return partial(links.take_back, store, what.set_hand(store, *link, value))


def draw_choice(choice: Choice, width: int) -> Iterator[Piece]:
    """A record on one line."""
    yield fit(_NOUNS[Kind(choice.found.kind)], 11) + "  ", "muted"
    yield fit(choice.found.name, max((width - 15) // 2, 16)) + "  ", "strong"
    yield choice.found.detail, "muted"


def draw_link(row: Row, width: int) -> Iterator[Piece]:
    """A record that something is on, and why."""
    yield fit(_NOUNS[Kind(row.link.kind)], 11) + "  ", "muted"
    name = fit(row.link.name, max((width - 15) // 2, 16)) + "  "
    yield name, "quote" if row.link.hand < 0 else "strong"
    yield why.link(row.link.why, row.link.hand), "bad" if row.link.hand < 0 else "muted"


class RecordPicker(Panel[Choice]):
    """The records that match what is being typed."""

    BINDING_GROUP_TITLE = "Records to link"
    DEFAULT_CSS = """
    RecordPicker { margin: 0 0 5 0; }
    """

    def __init__(self, store: Store, what: Linked) -> None:
        super().__init__(
            draw_choice,
            title=f"Link this {what.noun} to",
            nouns=("record", "records"),
            empty="No record has such a name.",
            id="picker",
        )
        self._store = store
        self._what = what
        self._match = ""
        self._offered: str | None = None  # what the choices are for
        self.target = 0

    def look(self, match: str) -> None:
        """Offer the records that match; the newest opportunities while nothing is typed."""
        self._match = match
        self.run_worker(
            partial(self._read_choices, match),
            group="picker",
            exclusive=True,
            thread=True,
            exit_on_error=False,
        )

    def _read_choices(self, match: str) -> None:
        found = _choices(self._store, match)
        if not get_current_worker().is_cancelled:
            self.post_message(ChoicesReady(match, found))

    @on(ChoicesReady)
    def _show_choices(self, event: ChoicesReady) -> None:
        if event.match == self._match and self.is_open:
            self._offered = event.match
            self.fill([Choice(i, found) for i, found in enumerate(event.found)], keep=False)

    def link(self, match: str) -> None:
        """Put it on the record under the cursor, or on the first one that matches, once it is read.

        What is put there is what is shown now (U6), whatever is shown when the choices are read.
        """
        self.close(refocus=False)
        if match == self._offered:
            self.link_row()
            return
        target = self.target

        def link_first(found: Sequence[FoundRecord]) -> None:
            if found:
                self._link(target, found[0])
            else:
                self.notify(f"No record matches “{safe(match)}”.", timeout=4, markup=False)

        ask(self, partial(_choices, self._store, match), link_first)

    def link_row(self) -> None:
        """Put it on the record under the cursor."""
        self.close(refocus=False)
        if self.row is not None:
            self._link(self.target, self.row.found)

    def _link(self, target: int, found: FoundRecord) -> None:
        link = (found.kind, found.record_id, target)
        do = partial(set_link, self._store, self._what, link, 1)
        self.screen.post_message(Do(f"Linked to {safe(found.name)}", do))

    def show_choices(self, target: int) -> None:
        """Show the panel beside a line to type into, which keeps the keys."""
        self.target, self._offered = target, None
        self.fill([], keep=False)
        self.add_class("-open")
        self.look("")


def _choices(store: Store, match: str) -> list[FoundRecord]:
    """The records that match; the newest opportunities where nothing is typed."""
    db = store.read()
    if match:
        return search.find_records(db, match, _CHOICES)
    newest = opportunities.rows(db, opportunities.view(db, limit=_CHOICES))
    return [
        FoundRecord(Kind.OPPORTUNITY, row.id, row.name, row.company or row.contact)
        for row in newest
    ]


class RecordsPanel(Panel[Row]):
    """The records of a thread or a meeting, to hide it from or to open."""

    BINDING_GROUP_TITLE = "Its records"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", tooltip="Open the record", id="links_of.open"),
        Binding(
            "x",
            "hide",
            "Hide or show",
            tooltip="Hide it from the record, or show it there again",
            id="links_of.hide",
        ),
        Binding(
            "d",
            "unlink",
            "Unlink",
            tooltip="Take back what was linked or hidden by hand: the rules decide again",
            id="links_of.unlink",
        ),
    ]

    def __init__(self, store: Store, what: Linked) -> None:
        super().__init__(
            draw_link,
            title="On these records",
            nouns=("record", "records"),
            empty=f"This {what.noun} is on no record. l links it to one.",
            id="records",
        )
        self._store = store
        self._what = what
        self.target = 0

    @on(WindowList.Opened)
    def _opened(self, event: WindowList.Opened) -> None:
        event.stop()
        if self.row is None:
            return
        from crmmail.screens.record import RecordScreen

        link = self.row.link
        self.close()
        RecordScreen.open(self.app, self._store, link.kind, link.record_id)

    def action_hide(self) -> None:
        """Hide it from the record, or show it there again."""
        if self.row is None:
            return
        self._with_hand(self.row.link, partial(self._hide_from, self.target))

    def _hide_from(self, target: int, link: Link, hand: int) -> None:
        if hand < 0:
            self._set(target, link, 0, f"Shown on {link.name} again")
        elif hand > 0 and not link.why:
            self._set(target, link, 0, f"Unlinked from {link.name}")
        else:
            self._set(target, link, -1, f"Hidden from {link.name}")

    def action_unlink(self) -> None:
        """Leave it to the rules whether it is on the record."""
        if self.row is not None:
            self._with_hand(self.row.link, partial(self._leave_to_rules, self.target))

    def _leave_to_rules(self, target: int, link: Link, hand: int) -> None:
        if hand:
            self._set(target, link, 0, f"Left to the rules: {link.name}")
        else:
            words = safe(f"The rules put it on {link.name}: x hides it there.")
            self.notify(words, timeout=4, markup=False)

    def _with_hand(self, link: Link, do: Callable[[Link, int], object]) -> None:
        """Do something with what the hand says now: the row may be a moment behind the store."""
        target = self.target

        def read() -> int:
            return self._what.hand(self._store.read(), link.kind, link.record_id, target)

        ask(self, read, partial(do, link))

    def _set(self, target: int, link: Link, value: int, words: str) -> None:
        """Change a link of the thread or meeting that the key was pressed on (U6)."""
        wanted = (link.kind, link.record_id, target)
        do = partial(set_link, self._store, self._what, wanted, value)
        self.screen.post_message(Do(safe(words), do))
