"""The lines of iCalendar text (RFC 5545), as far as crmmail reads them.

A reader of our own: the field's library takes 2 ms for an event, reads every property of it, and
takes a time zone of the same name from another file for this one's (docs/decisions.md).
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_READ = frozenset(
    "ATTENDEE CLASS CONFERENCE DESCRIPTION DTEND DTSTART DURATION EXDATE EXRULE "
    "LAST-MODIFIED LOCATION ORGANIZER RDATE RECURRENCE-ID RRULE SEQUENCE STATUS SUMMARY UID URL "
    "X-ALT-DESC X-GOOGLE-CONFERENCE X-MICROSOFT-ONLINEMEETINGEXTERNALLINK "
    "X-MICROSOFT-SKYPETEAMSMEETINGURL X-WR-TIMEZONE X-LIC-LOCATION METHOD TZID".split()
)
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_ENDS = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[ \t]*([A-Za-z0-9-]+)[ \t]*(?=[:;])")
_VALUE = r'(?:"[^"]*"|[^":;,]*)'
_PARAMETER = re.compile(rf";[ \t]*([A-Za-z0-9-]+)[ \t]*=[ \t]*({_VALUE}(?:,{_VALUE})*)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CARET = re.compile(r"\^([n^'])")
_CARETS = {"n": "\n", "^": "^", "'": '"'}


@dataclass(frozen=True, slots=True)
class Line:
    """A property: its parameters and its value, still escaped."""

    name: str
    params: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as text."""
        if "\\" not in self.value:
            return self.value
        return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], self.value)


@dataclass(slots=True)
class Component:
    """A component: the properties that are read, what it holds, and its own text."""

    name: str
    lines: list[Line] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)
    source: list[str] = field(default_factory=list)
    _named: dict[str, list[Line]] = field(default_factory=dict)

    def add(self, line: Line, text: str) -> None:
        """Put in a property, which was written like this."""
        self.lines.append(line)
        self.source.append(text)
        self._named.setdefault(line.name, []).append(line)

    def first(self, name: str) -> Line | None:
        """The first property of that name."""
        lines = self._named.get(name)
        return lines[0] if lines else None

    def text(self, name: str) -> str:
        """The text of the first property of that name, or ""."""
        lines = self._named.get(name)
        return lines[0].text if lines else ""

    def all(self, name: str) -> Sequence[Line]:
        """All properties of that name."""
        return self._named.get(name, ())


def read(raw: str) -> Component:
    """The calendar in a text: one component that holds its events and time zones.

    Several calendars in one text are read as one; lines that are none are passed over.
    """
    calendar = Component("VCALENDAR")
    open_parts = [calendar]
    deep = 0  # inside what is not read: alarms, tasks
    for text in _ENDS.split(unfolded(raw)):
        head = text[:6].upper()
        if head == "BEGIN:":
            name = text[6:].strip().upper()
            if name == "VCALENDAR" and not deep:
                continue
            if deep or not _is_read(name, open_parts[-1].name):
                deep += 1
            else:
                part = Component(name)
                open_parts[-1].parts.append(part)
                open_parts.append(part)
        elif head[:4] == "END:":
            if deep:
                deep -= 1
            elif len(open_parts) > 1:
                open_parts.pop()
        elif not deep and (line := _line(text)):
            open_parts[-1].add(line, text)
    return calendar


def unfolded(raw: str) -> str:
    """Text with every property on one line."""
    return _FOLD.sub("", raw)


def _is_read(name: str, inside: str) -> bool:
    if inside == "VCALENDAR":
        return name in ("VEVENT", "VTIMEZONE")
    return inside == "VTIMEZONE" and name in ("STANDARD", "DAYLIGHT")


def _line(text: str) -> Line | None:
    found = _NAME.match(text)
    if found is None or ((name := found[1].upper()) not in _READ and not name.startswith("TZ")):
        return None
    params: dict[str, str] = {}
    place = found.end()
    while (one := _PARAMETER.match(text, place)) is not None:
        params.setdefault(one[1].upper(), _parameter(one[2]))
        place = one.end()
    if text[place : place + 1] != ":":  # a stray ";" or an unquoted colon
        place = text.find(":", place)
        if place < 0:
            return None
    value = text[place + 1 :]
    if params.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":  # vCalendar 1.0
        value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
    return Line(name, params, value)


def _parameter(value: str) -> str:
    value = value.replace('"', "").strip()
    return _CARET.sub(lambda m: _CARETS[m[1]], value) if "^" in value else value
