"""What is left of a resource where an account keeps of meetings only people and time (V5)."""

from __future__ import annotations

from collections.abc import Iterator

from crmmail.sync import ical
from crmmail.sync.ical import Component

MARK = "X-CRMMAIL-HIDDEN:1"
"""The line by which such a text is known."""

_KEPT = frozenset(
    "ATTENDEE CLASS DTEND DTSTART DURATION EXDATE EXRULE LAST-MODIFIED METHOD ORGANIZER RDATE "
    "RECURRENCE-ID RRULE SEQUENCE STATUS TZID TZNAME TZOFFSETFROM TZOFFSETTO UID X-LIC-LOCATION "
    "X-WR-TIMEZONE".split()
)


def hidden(raw: str) -> str:
    """The text without title, place, description, links and whatever else may tell of them."""
    if MARK in raw:
        return raw
    return "\r\n".join([*_lines(ical.read(raw), MARK), ""])


def _lines(part: Component, *more: str) -> Iterator[str]:
    yield f"BEGIN:{part.name}"
    yield from more
    for line, text in zip(part.lines, part.source, strict=True):
        if line.name in _KEPT:
            yield text
    for one in part.parts:
        yield from _lines(one)
    yield f"END:{part.name}"
