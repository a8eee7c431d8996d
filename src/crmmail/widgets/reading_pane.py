"""The reading pane: lines of pieces in sections, wrapped here, drawn as they are seen."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import clamp
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from crmmail.widgets.hits import Span, folded, marked, spans
from crmmail.widgets.piece_view import PieceView
from crmmail.widgets.pieces import Piece, fit_pieces, safe, slice_pieces, wrap
from crmmail.widgets.sections import Line as Line
from crmmail.widgets.sections import Section as Section

GUTTER = 2  # the bar of the current section, and a space
WIDEST = 100  # longer lines are hard to read
_KEPT_STRIPS = 500


_MARKS = re.compile(r"[> |]*>[ ]?|\s+")  # of a quoted line, or its indentation
_MOST_MARKS = 22  # characters of them that a continuation repeats
_Row = tuple[Line, int, int]
"""A line of the screen: a line, and the span of its characters."""


class ReadingPane(PieceView):
    """A text of any length; one of its sections is the current one."""

    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_by(1)", "Down", show=False, id="text.down"),
        Binding("up,k", "scroll_by(-1)", "Up", show=False, id="text.up"),
        Binding("pagedown,space,ctrl+f", "page(1)", "Page down", show=False, id="text.page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="text.page_up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="text.half_down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="text.half_up"),
        Binding("g,home", "top", "Top", show=False, id="text.top"),
        Binding("G,end", "bottom", "Bottom", show=False, id="text.bottom"),
    ]

    current: reactive[int] = reactive(0, repaint=False)
    """The position of the current section."""

    @dataclass
    class Toggled(Message):
        """Something was asked to be folded or unfolded."""

        source: ReadingPane
        target: str

        @property
        def control(self) -> ReadingPane:
            return self.source

    def __init__(self, *, id: str | None = None, mark: bool = True) -> None:  # noqa: A002
        super().__init__(id=id)
        self._mark = mark
        self._sections: Sequence[Section] = ()
        self._rows: list[_Row] = []
        self._starts: list[int] = []  # the first row of each section
        self._strips: dict[tuple[int, str, int], Strip] = {}  # rows that are drawn
        self._wrapped_at = 0
        self.words = ""  # what is searched for
        self.hit = 0  # the position of the hit that was gone to last
        self._hits: list[int] = []  # the row of each hit
        self._folded: list[str] = []  # what is looked through: each line at its first row

    # What it shows

    def show(self, sections: Iterable[Section], keep: bool = True) -> None:
        """Show these sections; the top line and the current section stay where they are if kept."""
        anchor = self._anchor() if keep else None
        key = self.section.key if keep and self.section else None
        self._sections = tuple(sections)
        found = next((i for i, s in enumerate(self._sections) if s.key == key), None)
        self.set_reactive(ReadingPane.current, found if found is not None else 0)
        self._wrap()
        self._restore(anchor)
        self.refresh()

    @property
    def section(self) -> Section | None:
        """The current section."""
        return self._sections[self.current] if self.current < len(self._sections) else None

    def go_to(self, key: int) -> None:
        """Make a section the current one and bring it into view."""
        found = next((i for i, s in enumerate(self._sections) if s.key == key), None)
        if found is not None:
            self.current = found
            self.reveal()

    def reveal(self) -> None:
        """Bring the current section into view: from its first line, as much as there is room."""
        if not self._starts:
            return
        first, end = self._span(self.current)
        top, height = self.scroll_offset.y, self.page_height
        if first < top or (end > top + height and first != top):
            self.jump(first if first < top or end - first > height else end - height)
        self.follow()

    def _span(self, section: int) -> tuple[int, int]:
        end = self._starts[section + 1] if section + 1 < len(self._starts) else len(self._rows)
        return self._starts[section], end

    def _anchor(self) -> tuple[int, int] | None:
        """The section at the top, and how far it is scrolled out."""
        top = self.scroll_offset.y
        if not self._starts or not top:
            return None
        index = max(bisect_right(self._starts, top) - 1, 0)
        return self._sections[index].key, top - self._starts[index]

    def _restore(self, anchor: tuple[int, int] | None) -> None:
        if anchor is None:
            return
        for section, start in zip(self._sections, self._starts, strict=True):
            if section.key == anchor[0]:
                self.jump(start + anchor[1])

    # Wrapping

    @property
    def _text_width(self) -> int:
        return clamp(self.line_width - GUTTER, 10, WIDEST)

    def _wrap(self) -> None:
        width = self._wrapped_at = self._text_width
        self._rows, self._starts, self._folded = [], [], []
        for section in self._sections:
            self._starts.append(len(self._rows))
            self._rows += _wrapped(section.lines, width)
        self.resize_content(len(self._rows))
        if self._text_width != width:  # the scrollbar came or went
            self._wrap()
        else:
            self._find_hits()

    def on_resize(self) -> None:
        if self._text_width != self._wrapped_at:
            anchor = self._anchor()
            self._wrap()
            self._restore(anchor)
            self.refresh()

    # Finding

    @property
    def hits(self) -> int:
        """How often the words are found."""
        return len(self._hits)

    def find(self, words: str) -> None:
        """Mark where these words stand, and go to the first place from here; "" marks nothing."""
        self.words = words
        self._find_hits()
        top = self.scroll_offset.y
        self.hit = next((i for i, row in enumerate(self._hits) if row >= top), 0)
        self._reveal_hit()
        self.refresh()

    def go_to_hit(self, by: int) -> None:
        """Go to a later or an earlier hit, from the last to the first."""
        if self._hits:
            self.hit = (self.hit + by) % len(self._hits)
            self._reveal_hit()

    def _find_hits(self) -> None:
        self._hits = []
        self._strips.clear()
        if not self.words:
            return
        if not self._folded:
            self._folded = [
                folded(_text(line)) if not start else "" for line, start, _ in self._rows
            ]
        words, last = folded(self.words), len(self._rows) - 1
        for index, text in enumerate(self._folded):
            if words not in text:
                continue
            if index == last or not self._rows[index + 1][1]:  # the line has no other row
                self._hits += [index] * text.count(words)
            else:
                self._hits += self._rows_of(index, spans(text, words))
        self.hit = min(self.hit, max(len(self._hits) - 1, 0))

    def _rows_of(self, index: int, found: Iterable[Span]) -> Iterator[int]:
        """The rows of what was found in a line, of which this is the first row."""
        for start, _ in found:
            while index + 1 < len(self._rows) and 0 < self._rows[index + 1][1] <= start:
                index += 1
            yield index

    def _reveal_hit(self) -> None:
        if not self._hits:
            return
        row = self._hits[self.hit]
        top, height = self.scroll_offset.y, self.page_height
        if not top <= row < top + height:
            self.jump(row - height // 3)
        self.current = bisect_right(self._starts, row) - 1
        self.put_cursor(row - self.scroll_offset.y)

    # Drawing

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        if index >= len(self._rows):
            return self.blank()
        row = self._rows[index]
        first, end = self._span(self.current)
        gap = index == end - 1 and not row[0].pieces
        bar = "▌ " if self._mark and first <= index < end and not gap else "  "
        key = (index, bar, self.line_width)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _KEPT_STRIPS:
                self._strips.clear()
            pieces = ((bar, "mark"), *_row_pieces(row, self._text_width, self.words))
            strip = self._strips[key] = self.paint(pieces, self.base)
        return strip

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def validate_current(self, current: int) -> int:
        return clamp(current, 0, max(len(self._sections) - 1, 0))

    def watch_current(self, old: int, new: int) -> None:
        for section in (old, new):
            if section < len(self._starts):
                first, end = self._span(section)
                self.refresh_lines(first, end - first)
        self.follow()

    def follow(self) -> None:
        if self._starts:
            self.put_cursor(self._starts[self.current] - self.scroll_offset.y)

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self.follow()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The current section is one that is seen."""
        super().watch_scroll_y(old_value, new_value)
        if not self._starts:
            return
        top, height = round(new_value), self.page_height
        first, end = self._span(self.current)
        if end <= top or first >= top + height:
            line = top if end <= top else top + height - 1
            self.current = bisect_right(self._starts, line) - 1

    # Keys and mouse

    def action_scroll_by(self, lines: int) -> None:
        """Scroll by lines."""
        self.jump(self.scroll_offset.y + lines)

    def action_page(self, pages: float) -> None:
        """Scroll by pages, one line of the old one kept."""
        self.jump(self.scroll_offset.y + int(pages * max(self.page_height - 1, 1)))

    def action_top(self) -> None:
        """Go to the first line."""
        self.jump(0)
        self.current = 0

    def action_bottom(self) -> None:
        """Go to the last line."""
        self.jump(len(self._rows))
        self.current = len(self._sections) - 1

    def action_section(self, by: int) -> None:
        """Make the next or the previous section the current one."""
        self.current += by
        self.reveal()

    def action_fold(self) -> None:
        """Fold or unfold the current section."""
        if self.section and self.section.target:
            self.post_message(self.Toggled(self, self.section.target))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = self.scroll_offset.y + offset.y if offset is not None else len(self._rows)
        if index < len(self._rows):
            self.current = bisect_right(self._starts, index) - 1
            if target := self._rows[index][0].target:
                self.post_message(self.Toggled(self, target))


def _wrapped(lines: Iterable[Line], width: int) -> list[_Row]:
    """The rows of some lines; most lines of a letter are one piece that has room."""
    rows: list[_Row] = []
    for line in lines:
        if len(line.pieces) == 1 and not line.tail[0]:
            text = line.pieces[0][0]
            if len(text) <= width and text.isascii() and text.isprintable():
                rows.append((line, 0, len(text)))
                continue
        rows += _wrapped_line(line, width)
    return rows


def _wrapped_line(line: Line, width: int) -> Iterator[_Row]:
    """The rows of a line; a line with a tail is one row."""
    if any(safe(text) is not text for text, _ in line.pieces):
        line = line._replace(pieces=tuple((safe(text), role) for text, role in line.pieces))
    text = _text(line)
    if line.tail[0]:
        yield line, 0, len(text)
        return
    if line.hang is None:
        marks = _MARKS.match(text)
        line = Line(line.pieces, line.tail, marks[0][:_MOST_MARKS] if marks else "", line.target)
    for start, end in wrap(text, width, cell_len(line.hang or "")):
        yield line, start, end


def _text(line: Line) -> str:
    if len(line.pieces) == 1:
        return line.pieces[0][0]
    return "".join(text for text, _ in line.pieces)


def _row_pieces(row: _Row, width: int, words: str) -> Iterator[Piece]:
    line, start, end = row
    found = tuple(spans(_text(line), words)) if words else ()
    if line.tail[0]:
        tail = safe(line.tail[0])
        pieces = marked(line.pieces, found, (0, end)) if found else line.pieces
        yield from fit_pieces(pieces, max(width - cell_len(tail) - 1, 0))
        yield " " + tail, line.tail[1]
        return
    if start and line.hang:
        yield line.hang, line.pieces[0][1]
    if found:
        yield from marked(line.pieces, found, (start, end))
    else:
        yield from slice_pieces(line.pieces, start, end)
