"""The ledger: mail, meetings and contacts that are not here, why, and the way in."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from crmmail.screens.base import StoreScreen
from crmmail.screens.letting import ExceptionsPanel, WaysPanel, let_in_all
from crmmail.screens.undo import Do
from crmmail.store import contact_ledger, ledger, letting, meeting_ledger
from crmmail.store.database import Store
from crmmail.store.ledger import Filter, LedgerRow
from crmmail.store.meeting_ledger import SkippedMeeting
from crmmail.widgets import rows
from crmmail.widgets.awaited import worker_name
from crmmail.widgets.filter_line import FilterLine
from crmmail.widgets.lines import Choices
from crmmail.widgets.marked_list import MarkedList
from crmmail.widgets.panel import Panel
from crmmail.widgets.reading import ask
from crmmail.widgets.window_list import WindowList

_MOST = 1_000  # marked rows that are let in in one step
_FIRST_PAGE = 200  # rows that are read before the first paint; the rest follows in a thread
_EMPTY = (
    "Nothing was skipped",
    "Mail and meetings that a rule keeps out are listed here, with the rule.",
)
_NAMES = ledger.NAMES | meeting_ledger.NAMES | contact_ledger.NAMES


@dataclass
class LedgerRead(Message):
    """The ids of the list, its first row, and how many rows each reason has, are read."""

    by: Filter
    ids: array[int]
    first: letting.Skipped | None
    counts: dict[str, int]


def _view(db: sqlite3.Connection, by: Filter, limit: int | None = None) -> array[int]:
    """The ids of what is out: mail, then contacts, then meetings."""
    mail, meetings = ledger.view(db, by, limit), meeting_ledger.view(db, by, limit)
    return mail + contact_ledger.view(db, by) + meetings


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    """How many rows each choice has: all, all meetings, and each reason."""
    mail, meetings = ledger.by_reason(db), meeting_ledger.by_reason(db)
    contacts = contact_ledger.by_reason(db)
    met = sum(meetings.values())
    every = sum(mail.values()) + met + sum(contacts.values())
    together = {"": every} | ({meeting_ledger.PREFIX: met} if met else {})
    return together | mail | contacts | meetings if every else {}


class SkippedScreen(StoreScreen):
    """Every message and meeting that is not in the store, and what to press to let it in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a",
            "let_in",
            "Let in",
            id="skipped.let_in",
            tooltip="Let in this message or meeting, or those that are marked",
        ),
        Binding(
            "A",
            "let_in_sender",
            "Let sender in",
            id="skipped.let_in_sender",
            tooltip="Let in all mail from this sender",
        ),
        Binding("slash", "filter", "Filter", id="skipped.filter", key_display="/"),
        Binding("tab", "turn(1)", "Reason", id="skipped.next", tooltip="Only the next reason"),
        Binding("shift+tab", "turn(-1)", "Previous reason", show=False, id="skipped.previous"),
        Binding(
            "o",
            "only_folder",
            "Folder",
            id="skipped.folder",
            tooltip="Only this folder or calendar",
        ),
        Binding("f", "only_sender", "Sender", id="skipped.sender", tooltip="Only this sender"),
        Binding(
            "X",
            "exceptions",
            "Exceptions",
            show=False,
            id="skipped.exceptions",
            tooltip="What was let in although a rule keeps it out; to end that",
        ),
        Binding("escape,q", "back", "Back", id="skipped.back"),
    ]
    DEFAULT_CSS = """
    SkippedScreen { layers: default panels; }
    """
    listed: getters.query_one[MarkedList[letting.Skipped]] = getters.query_one(
        "#ledger", MarkedList
    )
    filter_line = getters.query_one(FilterLine)
    reasons = getters.query_one(Choices)
    ways = getters.query_one(WaysPanel)
    exceptions = getters.query_one(ExceptionsPanel)

    def __init__(self, store: Store, by: Filter | None = None) -> None:
        super().__init__(store)
        self.by = by or Filter()
        self._shown = self.by
        self._counts: dict[str, int] = {}

    def panes(self) -> Iterable[Widget]:
        yield Choices()
        with Vertical():
            yield FilterLine()
            shown: MarkedList[letting.Skipped] = MarkedList(
                self._rows,
                rows.skipped,
                partial(rows.heading, rows.SKIPPED),
                title="Skipped",
                nouns=("row", "rows"),
                id="ledger",
            )
            yield shown
        yield WaysPanel()
        yield ExceptionsPanel(self.store)

    def on_mount(self) -> None:
        self.listed.focus()
        ask(self, partial(self._read_first, self.by), partial(self._say_first, self.by))
        self.reload()

    def _read_first(self, by: Filter) -> tuple[array[int], letting.Skipped | None]:
        ids = _view(self.store.read(), by, _FIRST_PAGE)
        return ids, self._first(ids)

    def _say_first(self, by: Filter, found: tuple[array[int], letting.Skipped | None]) -> None:
        if by == self.by and not self.listed.ids:  # else all of it was there before
            self._say(*found)

    def _rows(self, ids: Sequence[int]) -> Iterable[letting.Skipped]:
        db = self.store.read()
        met = [row for row in ids if meeting_ledger.is_meeting(row)]
        deleted = [row for row in ids if contact_ledger.is_contact(row)]
        mail = sorted({*ids}.difference(met, deleted))
        return [
            *ledger.window(db, mail),
            *contact_ledger.window(db, deleted),
            *meeting_ledger.window(db, met),
        ]

    def _first(self, ids: Sequence[int]) -> letting.Skipped | None:
        return next(iter(self._rows(ids[:1])), None)

    # Reading

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"ledger", "accounts", "people", "companies"})

    def reload(self) -> None:
        if self.exceptions.is_open:
            self.exceptions.refill()
        self.run_worker(
            partial(self._read, self.by),
            name=worker_name(),
            group="ledger",
            exclusive=True,
            thread=True,
            exit_on_error=False,
        )

    def _read(self, by: Filter) -> None:
        db = self.store.read()
        counts = _counts(db)
        ids = _view(db, by)
        if not get_current_worker().is_cancelled:
            self.post_message(LedgerRead(by, ids, self._first(ids), counts))

    @on(LedgerRead)
    def _take(self, event: LedgerRead) -> None:
        if event.by == self.by:
            self._counts = event.counts
            self._say(event.ids, event.first)

    def _say(self, ids: array[int], first: letting.Skipped | None) -> None:
        by = self.by
        reasons = list(self._counts)
        self.reasons.offer([(_NAMES.get(r, r), n) for r, n in self._counts.items()])
        self.reasons.choose(reasons.index(by.reason) if by.reason in reasons else 0)
        narrowed = by != Filter()
        empty = ("Nothing here matches", "escape shows more again") if narrowed else _EMPTY
        self.listed.say_empty(*empty)
        self.listed.show(ids, keep=by.match in ("", self._shown.match))
        self.listed.label(" · ".join(("Skipped", *self._narrowing(first))))
        self._shown = by

    def _narrowing(self, row: letting.Skipped | None) -> Iterable[str]:
        """What else than a reason and words the list is narrowed to."""
        if self.by.folder_id or self.by.calendar_id:
            if isinstance(row, SkippedMeeting):
                yield row.place
            elif isinstance(row, LedgerRow):
                yield f"folder {row.folder} of {row.email}"
            else:
                yield "one place"
        if self.by.sender:
            yield f"from {self.by.sender}"

    # Narrowing

    def _narrow(self, by: Filter) -> None:
        self.by = by
        self.reload()

    def action_turn(self, by: int) -> None:
        """Show what the next reason keeps out only."""
        offered = list(self._counts) or [""]
        here = offered.index(self.by.reason) if self.by.reason in offered else 0
        self._narrow(replace(self.by, reason=offered[(here + by) % len(offered)]))

    @on(Choices.Chosen)
    def _reason_clicked(self, event: Choices.Chosen) -> None:
        if event.index < len(self._counts):  # the last of a reason may have left meanwhile
            self._narrow(replace(self.by, reason=[*self._counts][event.index]))

    def action_only_folder(self) -> None:
        """Show only the folder or the calendar of what is under the cursor."""
        if isinstance(row := self.row, SkippedMeeting):
            self._narrow(replace(self.by, calendar_id=row.calendar_id))
        elif isinstance(row, LedgerRow):
            self._narrow(replace(self.by, folder_id=row.folder_id))

    def action_only_sender(self) -> None:
        """Show only the sender of the message under the cursor."""
        if isinstance(row := self.row, LedgerRow) and row.sender:
            self._narrow(replace(self.by, sender=row.sender))

    def action_filter(self) -> None:
        """Find words in senders, subjects and titles."""
        self.filter_line.open()

    @on(FilterLine.Filtered)
    def _filter(self, event: FilterLine.Filtered) -> None:
        self._narrow(replace(self.by, match=event.match))

    @on(FilterLine.Left)
    def _leave_filter(self) -> None:
        self.listed.focus()

    def action_back(self) -> None:
        """Take the marks back; widen what the list is narrowed to, step by step; then go back."""
        if self.listed.marks:
            self.listed.mark(set())
        elif self.by.match:
            self.filter_line.clear_and_close()
        elif self.by.sender or self.by.folder_id or self.by.calendar_id:
            self._narrow(replace(self.by, sender="", folder_id=0, calendar_id=0))
        elif self.by.reason:
            self._narrow(replace(self.by, reason=""))
        else:
            super().action_back()

    # Letting in

    @property
    def row(self) -> letting.Skipped | None:
        """What the cursor stands on."""
        return self.listed.row_at(self.listed.cursor) if self.listed.ids else None

    @on(WindowList.Opened, "#ledger")
    def action_open(self) -> None:
        """Say why it is not here, and how it can be."""
        if (row := self.row) is not None:
            self._with_ways(row, partial(self.ways.about, row))

    def _with_ways(
        self, row: letting.Skipped, do: Callable[[Sequence[letting.Way]], object]
    ) -> None:
        """Do something with the ways in which a row can be let in, unless it is left by then."""

        def then(ways: Sequence[letting.Way]) -> None:
            if self.is_current:
                do(ways)

        ask(self, lambda: letting.ways(self.store.read(), row), then)

    @on(Panel.Opened, "#ways")
    def _take_way(self, event: Panel.Opened) -> None:
        event.stop()
        row, way = self.ways.about_row, self.ways.way
        if row is not None and way is not None:
            self.ways.close()
            self._let_in(row, way)

    @on(Panel.Opened, "#exceptions")
    def _end_exception(self, event: Panel.Opened) -> None:
        event.stop()
        self.exceptions.action_end()

    def action_let_in(self) -> None:
        """Let in this message or meeting alone; where a rule has to change, say first which.

        Of the rows that are marked, those that can be let in alone.
        """
        if self.listed.marks:
            self._let_in_marked(self.listed.chosen)
        elif (row := self.row) is not None:
            self._with_ways(row, partial(self._let_in_first, row))

    def _let_in_first(self, row: letting.Skipped, ways: Sequence[letting.Way]) -> None:
        if ways and ways[0].alone:
            self._let_in(row, ways[0])
        elif ways:
            self.ways.about(row, ways)
            self.notify("It cannot be let in alone: enter does what the line says.", timeout=5)
        else:
            self.notify(letting.otherwise(row), timeout=5, markup=False)

    def action_let_in_sender(self) -> None:
        """Let in all mail from this sender."""
        if self.listed.marks:
            self.notify("A is for the sender of one row. escape takes the marks back.", timeout=5)
        elif (row := self.row) is not None:
            self._with_ways(row, partial(self._let_in_by_sender, row))

    def _let_in_by_sender(self, row: letting.Skipped, ways: Sequence[letting.Way]) -> None:
        way = next((way for way in ways if way.key == letting.SENDER), None)
        if way is not None:
            self._let_in(row, way)
        else:
            words = "Here another rule decides than who sent it: enter says which."
            self.notify(words, timeout=5, markup=False)

    def _let_in(self, row: letting.Skipped, way: letting.Way) -> None:
        do = partial(letting.let_in, self.store, row, way.key)
        self.post_message(Do(way.done, do))

    def _let_in_marked(self, ids: Sequence[int]) -> None:
        """Let in those of the marked rows that can be let in alone, in one step."""
        if len(ids) > _MOST:
            self.notify(f"{len(ids):,} rows are marked; {_MOST:,} can be let in at once.")
            return

        def read() -> list[letting.Skipped]:
            return [*letting.alone(self.store.read(), self._rows(ids))]

        def then(found: list[letting.Skipped]) -> None:
            others = len(ids) - len(found)
            more = f"{others:,} cannot be let in alone: enter on one says how" if others else ""
            if found:
                words = "; ".join(filter(None, (f"{len(found):,} let in", more)))
                do = partial(let_in_all, self.store, found)
                self.post_message(Do(words, do, lambda: self.listed.mark(set())))
            else:
                self.notify(f"{more}.", timeout=5)

        ask(self, read, then)

    def action_exceptions(self) -> None:
        """List the exceptions."""
        self.exceptions.show_all()
