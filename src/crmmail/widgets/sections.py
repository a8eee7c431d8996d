"""A text in sections, before it is wrapped and drawn."""

from __future__ import annotations

from dataclasses import dataclass

from crmmail.widgets.pieces import Piece


@dataclass(frozen=True, slots=True)
class Line:
    """A line before it is wrapped."""

    pieces: tuple[Piece, ...] = ()
    tail: Piece = ("", "text")  # stands at the right edge; what comes before is cut, not wrapped
    hang: str = ""  # what its continuation lines begin with
    target: str = ""  # what a click on it folds or unfolds


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together, such as a message; `key` tells them from other sections."""

    key: int
    lines: tuple[Line, ...]
    target: str = ""  # what enter folds or unfolds
