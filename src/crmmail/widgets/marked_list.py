"""A list with marks for the rows that are meant together."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from crmmail.widgets.pieces import Piece
from crmmail.widgets.window_list import Row, WindowList
from crmmail.widgets.words import plural

_GUTTER = 2  # cells for the mark, there while something is marked


class MarkedList(WindowList[Row]):
    """A windowed list with titled columns, whose rows can be marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
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

    def __init__(
        self,
        rows: Callable[[Sequence[int]], Iterable[Row]],
        draw: Callable[[Row, int], Iterable[Piece]],
        head: Callable[[int], Iterable[Piece]],
        *,
        title: str,
        nouns: tuple[str, str],
        id: str,  # noqa: A002 - the name of it in every widget
    ) -> None:
        super().__init__(rows, self._marked, self._titles, title=title, nouns=nouns, id=id)
        self._plainly = draw
        self._head_plainly = head
        self.marks: set[int] = set()
        self._more = False

    # Drawing

    @property
    def gutter_width(self) -> int:
        """The cells before a row that its mark takes."""
        return _GUTTER if self.marks else 0

    def _titles(self, width: int) -> Iterable[Piece]:
        yield " " * self.gutter_width, "text"
        yield from self._head_plainly(width - self.gutter_width)

    def _marked(self, row: Row, width: int) -> Iterable[Piece]:
        if self.marks:
            yield "✓ " if row.id in self.marks else "  ", "mark"
        yield from self._plainly(row, width - self.gutter_width)

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
