"""A calendar file with many meetings, taken apart: each as a server would hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crmmail.sync import charset, ical
from crmmail.sync.event import uid_of

_ENDS = re.compile(r"\r\n|\n|\r")
_HEADER = re.compile(r"(?:X-WR-TIMEZONE|METHOD)\s*[:;]", re.IGNORECASE)
_TZID = re.compile(r"TZID[ \t]{0,9}:(.*)", re.IGNORECASE)


def decoded(data: bytes) -> str:
    """The text of a file, in whatever encoding it comes."""
    for mark, codec in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return data.decode(codec)
            except UnicodeDecodeError:
                break
    return charset.decode(data)


def split(raw: str) -> list[tuple[str, str]]:
    """(UID, text) of every meeting in a file, with the time zones that it names."""
    headers: list[str] = []
    zones: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for name, text in _blocks(raw):
        if not name:
            headers.append(text)
        elif name == "VTIMEZONE":
            tzid = _TZID.search(text)
            zones[tzid[1].strip().replace("\\", "") if tzid else ""] = text
        elif name == "VEVENT":
            groups.setdefault(uid_of(ical.read(text).parts[0]), []).append(text)
    return [(uid, _calendar(headers, zones, events)) for uid, events in groups.items()]


def _calendar(headers: list[str], zones: dict[str, str], events: list[str]) -> str:
    body = "\r\n".join(events)
    unfolded = ical.unfolded(body)
    named = [text for tzid, text in zones.items() if tzid in unfolded]
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0", *headers, *named, body, "END:VCALENDAR", ""]
    return "\r\n".join(parts)


def _blocks(raw: str) -> Iterator[tuple[str, str]]:
    """The components inside the calendars, as they are written; headers without a name."""
    name, lines, deep = "", list[str](), 0
    for line in _ENDS.split(raw):
        head = line[:6].upper()
        opened = line[6:].strip().upper() if head == "BEGIN:" else ""
        if opened and not (opened == "VCALENDAR" and not deep):
            name = name if deep else opened
            deep += 1
        if deep:
            lines.append(line)
        elif _HEADER.match(line):
            yield "", line.rstrip()
        if head[:4] == "END:" and deep:
            deep -= 1
            if not deep:
                yield name, "\r\n".join(lines)
                lines = []
