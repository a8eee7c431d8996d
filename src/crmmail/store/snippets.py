"""Where in a text the words are that were looked for, as spans of characters."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from crmmail.store.query import Term
from crmmail.store.windows import packed, plain

Span = tuple[int, int]
Snippet = tuple[str, tuple[Span, ...]]
"""A piece of text and the spans in it that were found, end excluded."""

_READ = 60_000  # characters of a text that are looked through
_LENGTH = 200
_BEFORE = 16  # characters before the first word that was found: narrow lists show it too
_MATCHES = 8  # of each term that are looked at
_SPACES = re.compile(r"\s+")
_TOKENS = re.compile(r"[^\W_]+")


def of_messages(db: sqlite3.Connection, ids: Iterable[int], terms: Sequence[Term]) -> list[Snippet]:
    """The part of each message's text in which most of the terms are; else how it begins."""
    order = list(ids)
    rows = packed(
        db,
        """SELECT json_group_array(json_array(m.id, m.preview, substr(t.text, 1, ?)))
            FROM json_each(?) wanted JOIN message m ON m.id = wanted.value
            LEFT JOIN message_text t ON t.message_id = m.id""",
        [_READ if terms else 0, json.dumps(order)],
    )
    texts = {i: (preview, text or "") for i, preview, text in rows}
    return [_snippet(*texts[i], terms) for i in order]


def spans(text: str, terms: Sequence[Term]) -> tuple[Span, ...]:
    """Where words are in a name or a subject: parts of words too."""
    folded = plain(text)
    words = [re.escape(plain(term.value)) for term in terms]
    # The longest first, of those that begin alike.
    pattern = "|".join(sorted(words, key=len, reverse=True))
    return tuple(found.span() for found in re.finditer(pattern, folded)) if words else ()


def _snippet(preview: str, text: str, terms: Sequence[Term]) -> Snippet:
    folded = plain(text)
    found = sorted(_matches(folded, terms))
    if not found:
        return preview, spans(preview, terms)
    first = max(found, key=lambda one: _weight(found, one[0]))[0]
    start = max(first - _BEFORE, 0)
    if start and (space := _SPACES.search(text, start, first)):
        start = space.end()
    return _cut(text, start, [(one, end) for one, end, _ in found if one >= start])


def _cut(text: str, start: int, found: Sequence[Span]) -> Snippet:
    """A piece of text on one line, and where the spans are in it."""
    piece, marked = "…" if start else "", list[Span]()
    at, stop = start, min(start + _LENGTH, len(text))
    for first, end in found:
        if at <= first and end <= stop:
            piece += _SPACES.sub(" ", text[at:first])
            before = len(piece)
            piece += _SPACES.sub(" ", text[first:end])
            marked.append((before, len(piece)))
            at = end
    piece += _SPACES.sub(" ", text[at:stop])
    return piece + ("…" if stop < len(text) else ""), tuple(marked)


def _matches(folded: str, terms: Sequence[Term]) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of each term that is found, as the index of words finds it."""
    for number, term in enumerate(terms):
        tokens = _TOKENS.findall(plain(term.value))
        pattern = r"(?<![^\W_])" + r"[\W_]+".join(map(re.escape, tokens))
        pattern += "" if term.prefix else r"(?![^\W_])"
        for one in islice(re.finditer(pattern, folded), _MATCHES):
            yield one.start(), one.end(), number


def _weight(found: Sequence[tuple[int, int, int]], start: int) -> tuple[int, int]:
    """How many terms are near behind a place, and how early that is."""
    end = start + _LENGTH - _BEFORE
    return len({number for at, _, number in found if start <= at < end}), -start
