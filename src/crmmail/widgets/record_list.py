"""A list of records: sorted by any column, with marks for those that are meant together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from crmmail.widgets import rows
from crmmail.widgets.marked_list import MarkedList
from crmmail.widgets.pieces import Piece


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by; without `descending`, as the store sorts by it at first."""

    sort: str = "last"
    descending: bool = True


FALLING = frozenset({"last", "threads", "people", "amount"})
"""The orders that start with the greatest."""


class RecordList(MarkedList[Any]):
    """A windowed list with titled columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", id="list.sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "Reverse", show=False, id="list.reverse", tooltip="Reverse order"),
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
        super().__init__(rows, draw, self._head, title=title, nouns=nouns, id=id)
        self._columns = columns
        self.order = Order()

    def _head(self, width: int) -> Iterable[Piece]:
        yield from rows.heading(self._columns, width, self.order.sort, self.order.descending)

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
        width = self.line_width - self.gutter_width
        column = rows.column_at(self._columns, width, offset.x - 1 - self.gutter_width)
        if column is None:
            return
        if column.sort == self.order.sort:
            self.action_reverse()
        else:
            self._sort_by(column.sort)
