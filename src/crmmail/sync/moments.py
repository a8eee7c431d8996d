"""Dates and times as an event writes them, in their time zones."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from crmmail.sync.ical import Component, Line
from crmmail.sync.parsed import EventError
from crmmail.sync.zones import Zones
from crmmail.text import one_line

_WRITTEN = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d)?(?:\.\d+)?(Z?)T?)?", re.I)
_DURATION = re.compile(r"[+-]?P(?:T?\d{1,9}[WDHMS])+T?", re.IGNORECASE)
_AMOUNT = re.compile(r"(\d{1,9})([WDHMS])")
_DAYS = {"W": 7, "D": 1}
_SECONDS = {"H": 3_600, "M": 60, "S": 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or a time of an event; without a zone it is the user's own time."""

    wall: datetime
    zone: tzinfo | None = None
    all_day: bool = False

    @property
    def at(self) -> int:
        """Seconds since 1970; a day is its midnight in UTC."""
        if self.all_day:
            return timegm(self.wall.timetuple())
        return int(self.wall.replace(tzinfo=self.zone).timestamp())

    def moved(self, wall: datetime) -> Moment:
        """Another time of the same kind."""
        return Moment(wall, self.zone, self.all_day)

    def of(self, at: int) -> datetime:
        """What clocks show here at a time."""
        zone = UTC if self.all_day else self.zone
        return datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long an event is: days on the clock, and seconds more."""

    days: int = 0
    seconds: int = 0


class Clock:
    """Reads the times of one calendar text."""

    def __init__(self, calendar: Component, local: tzinfo | None) -> None:
        self._zones = Zones(calendar, local)
        self._local = local

    def moment(self, line: Line, value: str | None = None) -> Moment:
        """The date or time of a property; an EventError for what is none."""
        value = (line.value if value is None else value).strip()
        try:
            if (found := _WRITTEN.fullmatch(value)) is None:
                raise ValueError(value)
            year, month, day, hour, minute, second = (int(one or 0) for one in found.groups()[:6])
            if found[4] is None or line.params.get("VALUE", "").upper() == "DATE":
                return Moment(datetime(year, month, day), all_day=True)
            wall = datetime(year, month, day, hour, minute, min(second, 59))
        except ValueError as problem:
            what = one_line(f"{line.name} cannot be read: {value[:50]}")
            raise EventError("unreadable", what) from problem
        if found[7]:
            return Moment(wall, UTC)
        tzid = line.params.get("TZID")
        return Moment(wall, self._zones.get(tzid) if tzid else self._local)

    def moments(self, event: Component, name: str) -> Iterator[tuple[Moment, int | None]]:
        """All values of a property that is a list of times, with the length that periods have.

        What is none is passed over: the others are still right.
        """
        for line in event.all(name):
            for value in filter(str.strip, line.value.split(",")):
                first, _, last = value.strip().partition("/")
                with suppress(EventError):
                    start = self.moment(line, first)
                    yield start, self._seconds(line, start, last) if last else None

    def lasting(self, event: Component, start: Moment) -> Lasting:
        """How long an event is; what ends before it begins, and what says nothing, is no length."""
        if (line := event.first("DTEND")) is not None:
            end = self.moment(line)
            if start.all_day:
                return Lasting(max(1, (end.wall.date() - start.wall.date()).days))
            return Lasting(0, max(0, end.at - start.at))
        if (line := event.first("DURATION")) is not None:
            lasting = _duration(line.value)
            return Lasting(max(1, lasting.days)) if start.all_day else lasting
        return Lasting(1) if start.all_day else Lasting()

    def _seconds(self, line: Line, start: Moment, last: str) -> int:
        if last[:1].upper() == "P":
            lasting = _duration(last)
            return lasting.days * 86_400 + lasting.seconds
        return max(0, self.moment(line, last).at - start.at)


def _duration(value: str) -> Lasting:
    value = value.strip()
    if not _DURATION.fullmatch(value):
        raise EventError("unreadable", f"DURATION cannot be read: {value[:50]}")
    if value.startswith("-"):
        return Lasting()
    amounts = [(int(number), unit) for number, unit in _AMOUNT.findall(value.upper())]
    return Lasting(
        sum(number * _DAYS.get(unit, 0) for number, unit in amounts),
        sum(number * _SECONDS.get(unit, 0) for number, unit in amounts),
    )
