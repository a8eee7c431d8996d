"""Time zones as calendars name them: IANA names, Windows names, zones of their own."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from io import StringIO
from zoneinfo import ZoneInfo

from crmmail.sync.ical import Component
from crmmail.sync.recurrence import Budget, RecurrenceError, Rule, times

_NAME = re.compile(r"[A-Za-z][\w+-]*(?:/[\w+-]+){0,3}")
_LONGEST = 20_000  # characters of a VTIMEZONE
_OFFSET = re.compile(r"[+-]\d{4}(?:\d\d)?")


@lru_cache(maxsize=500)
def by_name(tzid: str) -> ZoneInfo | None:
    """The zone of an IANA or Windows name, also behind a vendor's prefix; None for others."""
    name = tzid.strip().strip("\"'")
    parts = [part for part in name.split("/") if part]
    candidates = ["/".join(parts[start:]) for start in range(min(len(parts), 6))]
    return next((zone for one in candidates if (zone := _zone(one) or _windows(one))), None)


def _zone(name: str) -> ZoneInfo | None:
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def _windows(name: str) -> ZoneInfo | None:
    if "Standard Time" not in name and name != "UTC":
        return None
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    return _zone(WINDOWS_TO_OLSON.get(name, ""))


class Zones:
    """The zones of one calendar text: its own definitions, and what to take for unknown names."""

    def __init__(self, calendar: Component, local: tzinfo | None) -> None:
        self._defined = {
            part.text("TZID"): part for part in calendar.parts if part.name == "VTIMEZONE"
        }
        self._unknown = by_name(calendar.text("X-WR-TIMEZONE")) or local

    def get(self, tzid: str) -> tzinfo | None:
        """The zone of a TZID; of one that nobody knows the calendar's, else the user's."""
        if (zone := by_name(tzid)) is not None:
            return zone
        part = self._defined.get(tzid)
        if part is None:
            return self._unknown
        if (place := by_name(part.text("X-LIC-LOCATION"))) is not None:
            return place
        return _build(_source(part)) or self._unknown


def name_of(zone: tzinfo | None) -> str:
    """The IANA name of a zone, "" for UTC and for one without a name."""
    name = zone.key if isinstance(zone, ZoneInfo) else ""
    return "" if name in ("UTC", "Etc/UTC") else name


def _source(part: Component) -> str:
    """A VTIMEZONE as dateutil reads it, without what it stumbles over; "" for none."""
    lines = ["BEGIN:VTIMEZONE", "TZID:own"]
    for rules in part.parts:
        kept = [f"BEGIN:{rules.name}"]
        for line in rules.lines:
            if line.name in ("TZOFFSETFROM", "TZOFFSETTO"):
                if not _OFFSET.fullmatch(line.value.strip()):
                    return ""
                kept.append(f"{line.name}:{line.value.strip()}")
            elif line.name in ("DTSTART", "RDATE", "RRULE"):
                kept.append(f"{line.name}:{line.value.strip()}")
        lines += [*kept, f"END:{rules.name}"]
    text = "\n".join([*lines, "END:VTIMEZONE"])
    return text if part.parts and len(text) < _LONGEST and _is_bounded(part) else ""


def _is_bounded(part: Component) -> bool:
    """Whether every rule of a zone is a yearly one that comes to something."""
    for rules in part.parts:
        for line in rules.all("RRULE"):
            try:
                rule = Rule.parse(line.value)
                first = datetime(2000, 1, 1)
                last = first + timedelta(days=3_660)
                if rule.freq != "YEARLY" or not times(rule, first, first, last, Budget(10_000)):
                    return False
            except RecurrenceError:
                return False
    return True


@lru_cache(maxsize=100)
def _build(source: str) -> tzinfo | None:
    if not source:
        return None
    from dateutil.tz import tzical

    try:
        zone: tzinfo = tzical(StringIO(source)).get()
        zone.utcoffset(datetime(2026, 1, 1))
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return None
    return zone
