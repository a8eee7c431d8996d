"""Text in pieces: what lines are made of before a widget gives them colours.

A piece is a text and the role it plays. Widths are terminal cells, never characters. Nothing here
is ever read as markup, and nothing that a terminal would obey gets through, whatever the store
holds.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from rich.cells import cell_len, get_character_cell_size, set_cell_size

Piece = tuple[str, str]
"""A text and its role, one of `painting.LOOKS`."""

_VARIATION = "\ufe0f"


def safe(text: str) -> str:
    """Text without anything that is not drawn: a last guard, the first is `crmmail.text`.

    Joined emoji come apart, because terminals disagree on how wide they are.
    """
    if text.isprintable() and _VARIATION not in text:
        return text
    return "".join(map(_drawable, text))


def _drawable(character: str) -> str:
    if character == _VARIATION:
        return ""
    if character.isprintable() or character == "\u200c":
        return character
    category = unicodedata.category(character)
    if category == "Zs" or character in "\t\n":
        return " "
    return "\ufffd" if category == "Cn" else ""


def fit(text: str, width: int, right: bool = False) -> str:
    """Text in exactly `width` cells: cut with an ellipsis or padded, to the right if asked."""
    text = safe(text)
    size = cell_len(text)
    if size > width:
        if width <= 0:
            return ""
        cut = text[: width - 1] if text.isascii() else set_cell_size(text, width - 1)
        return cut + "…"
    return " " * (width - size) + text if right else text + " " * (width - size)


def fit_pieces(pieces: Iterable[Piece], width: int) -> Iterator[Piece]:
    """Pieces in exactly `width` cells, the last one cut or padded."""
    for text, role in pieces:
        text = safe(text)
        size = cell_len(text)
        if size > width:
            if width > 0:
                yield fit(text, width), role
            return
        yield text, role
        width -= size
    if width > 0:
        yield " " * width, "text"


def slice_pieces(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    """The pieces of the characters from `start` to `end`."""
    position = 0
    for text, role in pieces:
        if position >= end:
            return
        part = text[max(start - position, 0) : end - position]
        if part:
            yield part, role
        position += len(text)


def wrap(text: str, width: int, hang: int = 0) -> list[tuple[int, int]]:
    """Where a line breaks: character spans of at most `width` cells, at spaces where it has them.

    Every span but the first leaves `hang` cells for what continuation lines begin with.
    """
    if len(text) <= width and (text.isascii() or cell_len(text) <= width):
        return [(0, len(text))]
    width = max(width, 2)
    rest = max(width - hang, 2)
    ends = None if text.isascii() else _cell_ends(text)
    spans: list[tuple[int, int]] = []
    start, room = 0, width
    while start < len(text):
        stop = start + room if ends is None else _reach(ends, start, room)
        if stop >= len(text):
            spans.append((start, len(text)))
            break
        end = _break_at(text, start, stop)
        spans.append((start, end))
        start = end
        while text.startswith(" ", start):
            start += 1
        room = rest
    return spans


def _break_at(text: str, start: int, stop: int) -> int:
    """The last space that leaves a word before it, else where the room ends."""
    space = text.rfind(" ", start, stop + 1)
    return stop if space <= start or text[start:space].isspace() else space


def _cell_ends(text: str) -> list[int]:
    """For every character, the cell behind it."""
    return list(accumulate(map(get_character_cell_size, text)))


def _reach(ends: Sequence[int], start: int, room: int) -> int:
    """The first character that does not fit any more, at least one after `start`."""
    limit = room + (ends[start - 1] if start else 0)
    return max(start + 1, bisect_right(ends, limit, start))
