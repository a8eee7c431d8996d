"""Where words stand in lines of pieces, and pieces with those places marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crmmail.widgets.pieces import Piece, slice_pieces

Span = tuple[int, int]


def folded(text: str) -> str:
    """Text without upper case, each character still where it was."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one if len(one := c.lower()) == 1 else c for c in text)


def spans(text: str, words: str) -> Iterator[Span]:
    """Where the words stand in a text, whatever their case."""
    text, words = folded(text), folded(words)
    start = text.find(words) if words else -1
    while start >= 0:
        yield start, start + len(words)
        start = text.find(words, start + len(words))


def marked(pieces: Sequence[Piece], found: Sequence[Span], shown: Span) -> Iterator[Piece]:
    """The pieces of a span of a line, what was found in the role "hit"."""
    position, end = shown
    for first, last in found:
        first, last = max(first, position), min(last, end)
        if first >= last:
            continue
        yield from slice_pieces(pieces, position, first)
        yield "".join(text for text, _ in slice_pieces(pieces, first, last)), "hit"
        position = last
    yield from slice_pieces(pieces, position, end)
