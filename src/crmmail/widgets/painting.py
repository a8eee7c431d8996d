"""Giving pieces their colours: roles are component classes, so that themes decide."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from crmmail.widgets.pieces import ROLES, Piece, fit_pieces, safe

PIECE_CLASSES = {f"piece--{role}" for role in ROLES}
PIECE_CSS = """
.piece--text { color: $foreground; }
.piece--muted { color: $foreground 60%; }
.piece--strong { color: $foreground; text-style: bold; }
.piece--accent { color: $secondary; }
.piece--title { color: $accent; text-style: bold; }
.piece--quote { color: $foreground 50%; }
.piece--good { color: $success; }
.piece--bad { color: $error; text-style: bold; }
.piece--mark { color: $accent; }
.piece--hit { color: $warning; text-style: bold reverse; }
.piece--cursor { color: $block-cursor-foreground; background: $block-cursor-background; }
.piece--blurred { color: $foreground; background: $accent 18%; }
"""


def paint(
    widget: Widget, pieces: Iterable[Piece], width: int, base: Style, plain: bool = False
) -> Strip:
    """A whole line; `plain` draws every role in the base colour, as on the cursor's row."""
    segments = [
        Segment(safe(text), _style(widget, role, base, plain))
        for text, role in fit_pieces(pieces, width)
    ]
    return Strip(segments, width)


def _style(widget: Widget, role: str, base: Style, plain: bool) -> Style:
    style = widget.get_component_rich_style(f"piece--{role}")
    return base + Style(
        color=None if plain else style.color, bold=style.bold, reverse=style.reverse or None
    )
