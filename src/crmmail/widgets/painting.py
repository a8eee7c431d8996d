"""Giving pieces their colours: each role is a colour of the theme, so that themes decide.

They are looked up here and not in CSS: as component classes, the twelve of each widget took most
of the time that it takes to open a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from crmmail.widgets.pieces import Piece, fit_pieces, safe


@dataclass(frozen=True, slots=True)
class _Look:
    """Colours by their names in a theme, each with how much of it is mixed in."""

    colour: str
    share: float = 1.0
    background: str = ""
    background_share: float = 1.0
    bold: bool = False
    strike: bool = False
    reverse: bool = False


LOOKS = {
    "text": _Look("foreground"),
    "muted": _Look("foreground", 0.6),
    "strong": _Look("foreground", bold=True),
    "accent": _Look("secondary"),
    "title": _Look("accent", bold=True),
    "quote": _Look("foreground", 0.5),
    "good": _Look("success"),
    "bad": _Look("error", bold=True),
    "mark": _Look("accent"),
    "gone": _Look("foreground", 0.6, strike=True),
    "hit": _Look("warning", bold=True, reverse=True),
    # What lies under a whole line
    "cursor": _Look("block-cursor-foreground", background="block-cursor-background"),
    "blurred": _Look("foreground", background="accent", background_share=0.18),
}
"""Every role."""


def paint(
    widget: Widget, pieces: Iterable[Piece], width: int, base: Style, plain: bool = False
) -> Strip:
    """A whole line; `plain` draws every role in the base colour, as on the cursor's row."""
    return Strip(segments(widget, pieces, width, base, plain), width)


def segments(
    widget: Widget, pieces: Iterable[Piece], width: int, base: Style, plain: bool = False
) -> list[Segment]:
    """What a whole line is made of, in so many cells."""
    return [
        Segment(safe(text), style(widget, role, base, plain))
        for text, role in fit_pieces(pieces, width)
    ]


def style(widget: Widget, role: str, base: Style, plain: bool = False) -> Style:
    """How a role looks on a line of some look, in the theme of now."""
    look, colours = LOOKS[role], widget.app.theme_variables
    background = colours[look.background] if look.background else ""
    return _style(look, colours[look.colour], background, base, plain)


@lru_cache(maxsize=1_000)
def _style(look: _Look, colour: str, background: str, base: Style, plain: bool) -> Style:
    below = Color.from_rich_color(base.bgcolor)
    if background:
        below = _mixed(background, look.background_share, below)
    return base + Style(
        color=None if plain else _mixed(colour, look.share, below).rich_color,
        bgcolor=below.rich_color if background else None,
        bold=look.bold or None,
        strike=look.strike or None,
        reverse=look.reverse or None,
    )


def _mixed(value: str, share: float, below: Color) -> Color:
    """A theme's colour, such as "#fff", "#fff 60%" or "auto 87%", mixed into what is below it."""
    name, _, percent = value.partition(" ")
    alpha = share * (float(percent.rstrip("%")) / 100 if percent else 1.0)
    if name == "auto":
        return below + below.get_contrast_text(alpha)
    return below + Color.parse(name).multiply_alpha(alpha)
