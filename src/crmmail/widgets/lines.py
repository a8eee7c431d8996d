"""Lines of pieces that do not scroll: the top line of a screen, the header of a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from crmmail.widgets.painting import paint
from crmmail.widgets.pieces import Piece, safe, slice_pieces, wrap


class Lines(Widget):
    """A few lines, as high as there are lines."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Lines { height: auto; padding: 0 2; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: Sequence[Sequence[Piece]] = ((),)

    def show(self, *lines: Sequence[Piece]) -> None:
        """Show these lines; empty ones are left out."""
        shown = tuple(tuple(line) for line in lines if any(text for text, _ in line)) or ((),)
        if shown != self._lines:
            resized = len(shown) != len(self._lines)
            self._lines = shown
            self.refresh(layout=resized)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:  # noqa: ARG002
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        return paint(self, line, self.content_region.width, self.rich_style)


class Wrapped(Lines):
    """Lines that go on in the next row where they have no room."""

    def show(self, *lines: Sequence[Piece]) -> None:
        super().show(*lines)
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:  # noqa: ARG002
        return len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        width = self.content_region.width
        rows = self._rows(width)
        return paint(self, rows[y] if y < len(rows) else (), width, self.rich_style)

    def _rows(self, width: int) -> list[list[Piece]]:
        rows = []
        for line in self._lines:
            pieces = [(safe(text), role) for text, role in line]
            whole = "".join(text for text, _ in pieces)
            spans = wrap(whole, max(width, 1)) or [(0, 0)]
            rows += [list(slice_pieces(pieces, start, end)) for start, end in spans]
        return rows


class Tabs(Lines):
    """One line of numbered names, one of them the current."""

    @dataclass
    class Chosen(Message):
        """A name was clicked."""

        source: Tabs
        index: int

        @property
        def control(self) -> Tabs:
            return self.source

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._names = names
        self.choose(0)

    def choose(self, index: int) -> None:
        """Mark a name as the current one."""
        pieces: list[Piece] = []
        for position, name in enumerate(self._names):
            pieces.append((f"{position + 1} ", "muted"))
            pieces.append((name, "title" if position == index else "text"))
            pieces.append(("   ", "text"))
        self.show(pieces)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        end = 0
        for index, name in enumerate(self._names):
            end += cell_len(f"{index + 1} {safe(name)}   ")
            if offset.x < end:
                self.post_message(self.Chosen(self, index))
                return


class Choices(Lines):
    """One line of names with counts, one of them the current; it begins where that is seen."""

    @dataclass
    class Chosen(Message):
        """A name was clicked."""

        source: Choices
        index: int

        @property
        def control(self) -> Choices:
            return self.source

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._entries: Sequence[tuple[str, int | None]] = ()
        self._chosen = self._first = 0

    def offer(self, entries: Sequence[tuple[str, int | None]]) -> None:
        """Offer these names; those without a count have None."""
        self._entries = entries
        self.choose(min(self._chosen, max(len(entries) - 1, 0)))

    def choose(self, index: int) -> None:
        """Mark a name as the current one."""
        self._chosen = index
        self._first = self._begin()
        pieces: list[Piece] = []
        for position, (name, count) in enumerate(self._entries):
            if position >= self._first:
                pieces.append((name, "title" if position == index else "text"))
                pieces.append((f" {count:,}" if count is not None else "", "muted"))
                pieces.append(("   ", "text"))
        self.show(pieces)

    def on_resize(self) -> None:
        self.choose(self._chosen)

    def _widths(self) -> list[int]:
        return [
            cell_len(f"{safe(name)}{f' {count:,}' if count is not None else ''}   ")
            for name, count in self._entries
        ]

    def _begin(self) -> int:
        """The first name that is drawn, so that the current one has room."""
        widths, width = self._widths(), self.content_region.width or 80
        first = 0
        while first < self._chosen and sum(widths[first : self._chosen + 1]) > width:
            first += 1
        return first

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        end = 0
        for index, width in enumerate(self._widths()):
            end += width if index >= self._first else 0
            if index >= self._first and offset.x < end:
                self.post_message(self.Chosen(self, index))
                return
