"""The scrollbar of a view."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip


class Bar(ScrollBar):
    """Textual's vertical scrollbar; its few sorts of lines are made once, not at every scroll."""

    def _size_updated(
        self,
        size: Size,
        virtual_size: Size,
        container_size: Size,
        layout: bool = True,  # noqa: ARG002 - Textual calls it so
    ) -> bool:
        """It has a size: nothing is laid out anew for that, and painted in a second picture."""
        return super()._size_updated(size, virtual_size, container_size, layout=False)

    def render_lines(self, crop: Region) -> list[Strip]:
        look = self.render()
        if not isinstance(look, ScrollBarRender):
            return super().render_lines(crop)
        style = self.app.console.get_style(look.style)
        bar = look.render_bar(
            self.size.height,
            look.virtual_size,
            look.window_size,
            look.position,
            look.thickness,
            back_color=style.bgcolor or Color.default(),
            bar_color=style.color or Color.default(),
        )
        below, background = self.visual_style.rich_style, self.background_colors[1]
        strips = [_strip(segment, below) for segment in list(bar.segments)[crop.y : crop.bottom]]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return strips


@lru_cache(maxsize=256)
def _strip(segment: Segment, below: Style) -> Strip:
    return Strip(Segment.apply_style([segment], below))
