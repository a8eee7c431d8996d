"""A list of any length: the ids of a view, rows read by windows, lines drawn once."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from crmmail.widgets.painting import style
from crmmail.widgets.piece_view import PieceView
from crmmail.widgets.pieces import Piece
from crmmail.widgets.reading import ask
from crmmail.widgets.words import plural

WINDOW = 64
_KEPT_WINDOWS = 32
_KEPT_STRIPS = 500


class HasId(Protocol):
    """What a row must have."""

    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=HasId)


class WindowList(PieceView, Generic[Row]):
    """A list that costs the same at ten rows and at a million.

    The cursor is on an id, so rows that come and go around it do not move it.
    """

    BINDING_GROUP_TITLE = "List"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("enter", "open", "Open", id="list.open"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="list.half_down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="list.half_up"),
        Binding("g,home", "go(0)", "First", show=False, id="list.first"),
        Binding("G,end", "go(-1)", "Last", show=False, id="list.last"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """Where the cursor is, counted from 0."""

    @dataclass
    class Opened(Message):
        """A row was opened with enter or a double click."""

        source: WindowList[Any]
        row: int

        @property
        def control(self) -> WindowList[Any]:
            return self.source

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another row, or on none."""

        source: WindowList[Any]
        row: int | None

        @property
        def control(self) -> WindowList[Any]:
            return self.source

    def __init__(
        self,
        rows: Callable[[Sequence[int]], Iterable[Row]],
        draw: Callable[[Row, int], Iterable[Piece]],
        heading: Callable[[int], Iterable[Piece]] | None = None,
        *,
        title: str = "",
        nouns: tuple[str, str] = ("row", "rows"),
        cursor_stays: bool = True,
        at_hand: bool = False,
        id: str | None = None,  # noqa: A002 - the name of it in every widget
    ) -> None:
        """`rows` is called in a thread, as a disk may be slow, unless all rows are `at_hand`."""
        super().__init__(id=id)
        self._read = rows
        self._at_hand = at_hand
        self._draw = draw
        self._heading = heading
        self._top = 1 if heading else 0  # lines above the first row
        self._nouns = nouns
        self._blurred = "blurred" if cursor_stays else ""  # the look of the cursor without focus
        self._ids: array[int] = array("q")
        self._windows: OrderedDict[int, dict[int, Row]] = OrderedDict()
        self._awaited: set[int] = set()  # windows that are being read
        self._generation = 0  # of what is read: what was asked for before is out of date
        self._strips: dict[tuple[int, str], Strip] = {}
        self._headed: tuple[tuple[Piece, ...], Strip] | None = None  # the heading, as drawn last
        self._drawn_width = 0
        self._empty: Sequence[str] = ()
        self.label(title)

    # What it shows

    @property
    def ids(self) -> array[int]:
        """The ids of the rows, in order."""
        return self._ids

    @property
    def current(self) -> int | None:
        """The id that the cursor stands on."""
        return self._ids[self.cursor] if self._ids else None

    def show(self, ids: array[int], *, keep: bool = True) -> None:
        """Show these rows; the cursor stays on its id where that is still there."""
        before, old, top = self.current, self.cursor, self.scroll_offset.y
        self._ids = ids
        self.forget()
        new = self._find(before, old) if keep and before is not None else 0
        new = self._beside_headings(new, 1)
        self.set_reactive(WindowList.cursor, new)
        self.resize_content(len(ids) + self._top if ids else 0)
        self.label(subtitle=plural(len(ids), *self._nouns) if ids else "")
        self.jump(top + new - old if top else 0)
        self._reveal()
        if self.current != before:
            self.post_message(self.Highlighted(self, self.current))

    def extend(self, ids: array[int]) -> None:
        """Show these rows: those that are shown, as they are, and more behind them."""
        known = self._ids
        if len(known) % WINDOW or ids[: len(known)] != known:
            self.show(ids)
            return
        self._ids = ids
        self.resize_content(len(ids) + self._top)
        self.label(subtitle=plural(len(ids), *self._nouns))

    def is_heading(self, row: int) -> bool:  # noqa: ARG002 - most lists have none
        """Whether an id is that of a heading, which the cursor passes over."""
        return False

    def forget(self) -> None:
        """Read and draw the rows anew."""
        self._generation += 1
        self._awaited.clear()
        self._windows.clear()
        self._strips.clear()
        self.refresh()

    def say_empty(self, *lines: str) -> None:
        """What to show when there are no rows: a first line and what to do about it."""
        if lines != self._empty:
            self._empty = lines
            self.forget()

    def row_at(self, index: int) -> Row | None:
        """The row at a position; None when the store has it no more, or not yet given it."""
        page = index // WINDOW
        if page in self._windows:
            self._windows.move_to_end(page)
        elif page not in self._awaited:
            self._read_window(page, self._ids[page * WINDOW : (page + 1) * WINDOW])
        return self._windows.get(page, {}).get(self._ids[index])

    def _read_window(self, page: int, wanted: Sequence[int]) -> None:
        keep = partial(self._keep, page, self._generation)
        if self._at_hand:
            keep([*self._read(wanted)])
        elif not ask(self, lambda: [*self._read(wanted)], keep):
            self._awaited.add(page)

    def _keep(self, page: int, generation: int, rows: Sequence[Row]) -> None:
        """A window is read."""
        if generation != self._generation:
            return
        self._windows[page] = {row.id: row for row in rows}
        if len(self._windows) > _KEPT_WINDOWS:
            self._windows.popitem(last=False)
        if page in self._awaited:
            self._awaited.discard(page)
            self._strips.clear()
            self.refresh()

    def _find(self, row: int, near: int) -> int:
        if near < len(self._ids) and self._ids[near] == row:
            return near
        try:
            return self._ids.index(row)
        except ValueError:
            return max(min(near, len(self._ids) - 1), 0)

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.line_width != self._drawn_width:
            self._drawn_width = self.line_width
            self._strips.clear()
            self._headed = None
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        if not self._ids:
            return self._empty_line(y)
        if y < self._top and self._heading is not None:
            return self._heading_line(tuple(self._heading(self._drawn_width)))
        index = self.scroll_offset.y + y - self._top
        if index >= len(self._ids):
            return self.blank()
        return self._row_line(index)

    def _row_line(self, index: int) -> Strip:
        look = ""
        if index == self.cursor:
            look = "cursor" if self.has_focus else self._blurred
        key = (index, look)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _KEPT_STRIPS:
                self._strips.clear()
            base = style(self, look, self.base) if look else self.base
            row = self.row_at(index)
            pieces = self._draw(row, self._drawn_width) if row is not None else ()
            strip = self._strips[key] = self.paint(pieces, base, plain=look == "cursor")
        return strip

    def _heading_line(self, titles: tuple[Piece, ...]) -> Strip:
        if self._headed is None or self._headed[0] != titles:
            self._headed = titles, self.paint(titles, self.base)
        return self._headed[1]

    def _empty_line(self, y: int) -> Strip:
        first = max((self.page_height - len(self._empty)) // 3, 0)
        if not first <= y < first + len(self._empty):
            return self.blank()
        text = self._empty[y - first]
        pad = " " * max((self.line_width - max(map(len, self._empty))) // 2, 0)
        role = "strong" if y == first else "muted"
        return self.paint(((pad, "text"), (text, role)), self.base)

    def notify_style_update(self) -> None:
        self._strips.clear()
        self._headed = None
        super().notify_style_update()

    # The cursor

    def validate_cursor(self, cursor: int) -> int:
        """Stay inside of the list, and pass over headings in the direction of the move."""
        clamped = max(min(cursor, len(self._ids) - 1), 0)
        return self._beside_headings(clamped, -1 if clamped < self.cursor else 1)

    def _beside_headings(self, index: int, step: int) -> int:
        """The nearest row that is no heading, in the direction of the step if there is one."""
        for by in (step, -step):
            found = index
            while 0 <= found < len(self._ids) and self.is_heading(self._ids[found]):
                found += by
            if 0 <= found < len(self._ids):
                return found
        return index

    def watch_cursor(self, old: int, new: int) -> None:
        if old == new:
            return
        self._reveal()
        self.refresh_line(old + self._top)
        self.refresh_line(new + self._top)
        self.post_message(self.Highlighted(self, self.current))

    def _reveal(self) -> None:
        """Scroll as little as it takes to see the cursor, and the headings right above it."""
        height = self.page_height - self._top
        top, first = self.scroll_offset.y, self.cursor
        while first > 0 and self.is_heading(self._ids[first - 1]):
            first -= 1
        if first < top:
            self.jump(first)
        elif self.cursor >= top + height > top:
            self.jump(self.cursor - height + 1)
        self.follow()

    def follow(self) -> None:
        self.put_cursor(self.cursor - self.scroll_offset.y + self._top)

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self.refresh_line(self.cursor + self._top)
        self.follow()

    def on_resize(self) -> None:
        self._reveal()

    # Keys and mouse

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.cursor += by

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        self.cursor += int(pages * max(self.page_height - self._top, 2))

    def action_go(self, index: int) -> None:
        """Move the cursor to the first row, or with -1 to the last."""
        self.cursor = len(self._ids) - 1 if index < 0 else index

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self, self.current))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._top:
            return
        index = self.scroll_offset.y + offset.y - self._top
        if index < len(self._ids):
            self.cursor = index
            if event.chain == 2:
                self.action_open()
