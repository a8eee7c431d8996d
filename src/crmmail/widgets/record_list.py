"""A list of records: sorted by any column, with marks for those that are meant together."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from crmmail.widgets import rows
from crmmail.widgets.pieces import Piece
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import plural

_GUTTER = 2  # cells for the mark, there while something is marked


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; without `descending`, as the store sorts by it at first."""

    sort: str = "last"
    descending: bool = True


FALLING = frozenset({"last", "threads", "people", "amount"})
"""The orders that start with the greatest."""


class RecordList(WindowList[Any]):
    """A windowed list with titled columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", id="list.sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "Reverse", show=False, id="list.reverse", tooltip="Reverse order"),
        Binding(
            "space",
            "mark",
            "Mark",
            show=False,
            id="list.mark",
            tooltip="Mark the row, or take it back",
        ),
        Binding(
            "asterisk,v",
            "mark_all",
            "Mark all",
            show=False,
            id="list.mark_all",
            tooltip="Mark all rows, or none",
        ),
    ]

    @dataclass
    class Sorted(Message):
        """The list is to be read in another order."""

        source: RecordList
        order: Order

        @property
        def control(self) -> RecordList:
            return self.source

    def __init__(
        self,
        rows: Callable[[Sequence[int]], Iterable[Any]],
        draw: Callable[[Any, int], Iterable[Piece]],
        columns: tuple[rows.Column, ...],
        *,
        title: str,
        nouns: tuple[str, str],
        id: str,  # noqa: A002 - the name of it in every widget
    ) -> None:
        super().__init__(rows, self._marked, self._titles, title=title, nouns=nouns, id=id)
        self._columns = columns
        self._plainly = draw
        self.order = Order()
        self.marks: set[int] = set()
        self._more = False

    # Drawing

    @property
    def _gutter(self) -> int:
        return _GUTTER if self.marks else 0

    def _titles(self, width: int) -> Iterable[Piece]:
        yield " " * self._gutter, "text"
        width -= self._gutter
        yield from rows.heading(self._columns, width, self.order.sort, self.order.descending)

    def _marked(self, row: Any, width: int) -> Iterable[Piece]:
        if self.marks:
            yield "✓ " if row.id in self.marks else "  ", "mark"
        yield from self._plainly(row, width - self._gutter)

    # Order

    def action_sort(self) -> None:
        """Sort by the next column that is shown."""
        shown = zip(self._columns, rows.widths(self._columns, self.line_width), strict=True)
        sorts = [column.sort for column, cells in shown if cells]
        here = sorts.index(self.order.sort) if self.order.sort in sorts else -1
        self._sort_by(sorts[(here + 1) % len(sorts)])

    def action_reverse(self) -> None:
        """Sort the other way around."""
        self._put(Order(self.order.sort, not self.order.descending))

    def _sort_by(self, sort: str) -> None:
        self._put(Order(sort, sort in FALLING))

    def _put(self, order: Order) -> None:
        self.order = order
        self.refresh()
        self.post_message(self.Sorted(self, order))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y != 0 or not self.ids:
            return
        width = self.line_width - self._gutter
        column = rows.column_at(self._columns, width, offset.x - 1 - self._gutter)
        if column is None:
            return
        if column.sort == self.order.sort:
            self.action_reverse()
        else:
            self._sort_by(column.sort)

    # Marks

    @property
    def chosen(self) -> tuple[int, ...]:
        """The rows that an action is for: those marked, else the one under the cursor."""
        if self.marks:
            return tuple(row for row in self.ids if row in self.marks)
        return () if self.current is None else (self.current,)

    def show(self, ids: array[int], *, keep: bool = True, more: bool = False) -> None:
        """Show these rows; what is marked stays so while it is among them.

        With `more`, there are others behind them that nobody has counted.
        """
        self._more = more
        if self.marks:
            self.marks.intersection_update(ids)
        super().show(ids, keep=keep)
        self._count()

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark back, and go on to the next."""
        if self.current is not None:
            self.mark(self.marks ^ {self.current})
            self.cursor += 1

    def action_mark_all(self) -> None:
        """Mark every row, or none when all are."""
        self.mark(set() if len(self.marks) == len(self.ids) else set(self.ids))

    def mark(self, marks: set[int]) -> None:
        """Mark these rows and no other."""
        self.marks = marks
        self.forget()
        self._count()
        self.screen.refresh_bindings()

    def _count(self) -> None:
        total = plural(len(self.ids), *self._nouns) if self.ids else ""
        if self._more:
            total = f"{len(self.ids):,}+ {self._nouns[1]}"
        marked = f"{len(self.marks):,} marked of " if self.marks else ""
        self.label(subtitle=marked + total)
