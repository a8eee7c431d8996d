"""A text in sections, before it is wrapped and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from crmmail.widgets.pieces import Piece


class Line(NamedTuple):
    """A line before it is wrapped; a tuple, because a letter may have 20,000 of them."""

    pieces: tuple[Piece, ...] = ()
    tail: Piece = ("", "text")  # stands at the right edge; what comes before is cut, not wrapped
    hang: str | None = ""  # what its continuation lines begin with; None: what it begins with
    target: str = ""  # what a click on it folds or unfolds


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together, such as a message; `key` tells them from other sections."""

    key: int
    lines: tuple[Line, ...]
    target: str = ""  # what enter folds or unfolds
