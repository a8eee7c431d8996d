"""Dates and times as an event writes them, in their time zones."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from crmmail.sync.ical import Component, Line
from crmmail.sync.zones import Zones

_WRITTEN = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d):?(\d\d)?(?:\.\d+)?(Z?)T?)?", re.I)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,7})H)?(?:(\d{1,9})M)?(?:(\d{1,10})S)?)?", re.I,
)  # fmt: skip


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
        """The date or time of a property; raises ValueError for what is none."""
        value = (line.value if value is None else value).strip()
        if (found := _WRITTEN.fullmatch(value)) is None:
            raise ValueError(f"{line.name}:{value[:50]}")
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        if found[4] is None or line.params.get("VALUE", "").upper() == "DATE":
            return Moment(datetime(year, month, day), all_day=True)
        wall = datetime(year, month, day, hour, minute, min(second, 59))
        if found[7]:
            return Moment(wall, UTC)
        tzid = line.params.get("TZID")
        return Moment(wall, self._zones.get(tzid) if tzid else self._local)

    def moments(self, event: Component, name: str) -> Iterator[tuple[Moment, int | None]]:
        """All values of a property that is a list of times, with the length that periods have."""
        for line in event.all(name):
            for value in filter(str.strip, line.value.split(",")):
                first, _, last = value.strip().partition("/")
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
    if (found := _DURATION.fullmatch(value.strip())) is None:
        raise ValueError(f"DURATION:{value[:50]}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    if found[1] == "-":
        return Lasting()
    return Lasting(weeks * 7 + days, hours * 3_600 + minutes * 60 + seconds)
