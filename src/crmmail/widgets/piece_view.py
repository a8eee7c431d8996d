"""What the list and the reading pane share: a line-API view that gives pieces their colours."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Offset, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from crmmail.widgets.painting import paint
from crmmail.widgets.pieces import Piece, safe


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

    def paint(self, pieces: Iterable[Piece], base: Style, plain: bool = False) -> Strip:
        """A whole line of pieces."""
        margin = Strip([Segment(" ", base)], 1)
        return Strip.join([margin, paint(self, pieces, self.line_width, base, plain), margin])

    def blank(self) -> Strip:
        """An empty line."""
        return Strip.blank(self.scrollable_content_region.width, self.rich_style)

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

    def put_cursor(self, y: int) -> None:
        """Put the terminal's own cursor on a line of the view: readers and magnifiers follow it."""
        if self.has_focus:
            region = self.scrollable_content_region
            y = min(max(y, 0), max(region.height - 1, 0))
            self.app.cursor_position = region.offset + Offset(0, y)
