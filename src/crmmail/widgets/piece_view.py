"""What the list and the reading pane share: a line-API view that gives pieces their colours."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from crmmail.widgets.painting import segments
from crmmail.widgets.pieces import Piece, safe
from crmmail.widgets.scroll_bar import Bar

_KEPT = 500  # lines


class PieceView(ScrollView, can_focus=True, inherit_bindings=False):
    """A bordered view that draws itself line by line, from pieces."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    PieceView {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        scrollbar-color: $accent 40%;
        border: round $accent 40%;
        border-title-align: right;
        border-title-color: $foreground 60%;
        border-title-background: $background;
        border-subtitle-color: $foreground 60%;
        border-subtitle-background: $background;
        &:focus {
            border: round $accent;
            border-title-color: $accent;
            border-title-style: bold;
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - its name in every widget
        super().__init__(id=id)
        self.base = Style.null()  # how a plain line looks; worked out once a picture
        self._frame: tuple[tuple[Segment, ...], Style, int] = ((), Style.null(), 0)
        self._framed: dict[int, tuple[Strip, Strip]] = {}  # by the id of the line without sides

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scrollbar, which Textual wants made when it is first needed."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = Bar(name="vertical")
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    def label(self, title: str | None = None, subtitle: str | None = None) -> None:
        """Write on the border: what is shown, and how much of it; None leaves it as it is."""
        if title is not None:
            self.border_title = Content(safe(title)) if title else None
        if subtitle is not None:
            self.border_subtitle = Content(safe(subtitle)) if subtitle else None

    @property
    def line_width(self) -> int:
        """The cells of a line: the width without border, scrollbar and a space on either side."""
        return max(self.scrollable_content_region.width - 2, 0)

    @property
    def page_height(self) -> int:
        """The lines that are seen at once."""
        return max(self.scrollable_content_region.height, 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines with the border around them.

        Each is put together once, wherever it is scrolled to: Textual would make it anew for every
        place, and with it all that it keeps of a line, down to what is sent to the terminal.
        """
        gutter, filters = self.styles.gutter, self.get_line_filters()
        first, end = gutter.top, self.outer_size.height - gutter.bottom
        self.base = self.rich_style
        background = self._choose_sides()
        strips: list[Strip] = []
        for y in crop.line_range:
            if first <= y < end:
                strip = self._whole(self.render_line(y - first))
                for line_filter in filters:
                    strip = strip.apply_filter(line_filter, background)
                strips.append(strip.crop(*crop.column_span))
            else:
                strips += super().render_lines(Region(crop.x, y, crop.width, 1))
        return strips

    def _choose_sides(self) -> Color:
        """What stands at either side of a line, nothing in the compact density; on what colour."""
        base, background = self.background_colors
        edge, colour = self.styles.border_left
        below = (base + background).rich_color
        look = Style.from_color((base + colour).rich_color, below)
        frame = (Segment("│", look),) if edge else (), Style(bgcolor=below), self.outer_size.width
        if frame != self._frame or len(self._framed) > _KEPT:
            self._frame = frame
            self._framed.clear()
        return background

    def _whole(self, line: Strip) -> Strip:
        """A line with its sides."""
        kept = self._framed.get(id(line))
        if kept is None:
            sides, below, width = self._frame
            inside = line.adjust_cell_length(width - 2 * len(sides), below)
            whole = Strip([*sides, *inside, *sides], width)
            kept = self._framed[id(line)] = line, whole  # the line stays, so that its id does
        return kept[1]

    def paint(self, pieces: Iterable[Piece], base: Style, plain: bool = False) -> Strip:
        """A whole line of pieces."""
        margin, width = Segment(" ", base), self.line_width
        return Strip([margin, *segments(self, pieces, width, base, plain), margin], width + 2)

    def blank(self) -> Strip:
        """An empty line."""
        return _blank(self.scrollable_content_region.width, self.base)

    def resize_content(self, lines: int) -> None:
        """Say how many lines there are to scroll through.

        The scrollbar is told too: Textual tells it after the next picture, and makes another.
        """
        size, height = Size(0, lines), self.container_size.height
        shown = lines > height > 0
        if shown:
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size = lines, height
            if not bar.is_mounted:  # it is painted before it is, and heard of no change since
                self.call_after_refresh(bar.refresh)
        if shown != self.show_vertical_scrollbar:
            self.show_vertical_scrollbar = self.vertical_scrollbar.display = shown
            self.virtual_size = size
        elif height and not self.styles.auto_dimensions:  # nothing else on the screen moves
            self.set_reactive(PieceView.virtual_size, size)
        else:
            self.virtual_size = size
        if self.scroll_offset.y > self.max_scroll_y:  # without its bar nothing scrolls any more
            self.scroll_y = self.scroll_target_y = self.max_scroll_y

    def _size_updated(
        self, size: Size, _virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        """What a layout found out: to compare its virtual size, which is not that of a scroll view,
        would paint the scrollbar once more after each layout, in a picture of its own.
        """
        return super()._size_updated(size, self.virtual_size, container_size, layout)

    def jump(self, y: int) -> None:
        """Scroll to a line, at once."""
        self.scroll_to(y=max(y, 0), animate=False)

    def follow(self) -> None:
        """Put the terminal's cursor on the current line, wherever another view has put it."""

    def put_cursor(self, y: int) -> None:
        """Put the terminal's own cursor on a line of the view: readers and magnifiers follow it."""
        if self.has_focus:
            region = self.scrollable_content_region
            y = min(max(y, 0), max(region.height - 1, 0))
            self.app.cursor_position = region.offset + Offset(0, y)


@lru_cache(maxsize=64)
def _blank(width: int, style: Style) -> Strip:
    return Strip.blank(width, style)
