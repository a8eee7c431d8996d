"""When a recurrence rule (RFC 5545, 3.3.10) comes round, in wall time and at a bounded cost.

A period is the year, month, week, day, hour … that FREQ names. The days of each are looked at one
by one and those kept that every BY part allows; a budget counts what was looked at. The field's
libraries walk a rule that never comes round ("every 30 February") for seconds or for ever, and
read BYWEEKNO otherwise than the standard.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import product

from crmmail.sync.parsed import EventError

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_SECONDS = {"HOURLY": 3_600, "MINUTELY": 60, "SECONDLY": 1}
_DAYS = {"WEEKLY": 7, "DAILY": 1}
# Name -> smallest and largest value; the negative ones count from the end.
_RANGES = {
    "BYSECOND": (0, 59), "BYMINUTE": (0, 59), "BYHOUR": (0, 23), "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53), "BYMONTH": (1, 12), "BYSETPOS": (-366, 366),
}  # fmt: skip
_BYDAY = re.compile(r"([+-]?\d{0,2})(MO|TU|WE|TH|FR|SA|SU)")
_LARGEST = 100_000
_MOST = 5_000
"""Times of one rule inside the window."""


class RecurrenceError(EventError):
    """A rule that cannot be followed: endless, or unreadable."""


@dataclass(slots=True)
class Budget:
    """How many days and times may still be looked at."""

    left: int = 40_000

    def spend(self, amount: int) -> None:
        """Use up some of it; raises when nothing is left."""
        self.left -= amount
        if self.left < 0:
            raise RecurrenceError("endless", "It comes round too often, or hardly ever.")


@dataclass(frozen=True, slots=True)
class Rule:
    """An RRULE. `until` is as written: what it means depends on the zone of the event."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: str = ""
    week_start: int = 0
    by: Mapping[str, frozenset[int]] = field(default_factory=dict)
    by_day: tuple[tuple[int, int], ...] = ()  # (n or 0, weekday)

    @classmethod
    def parse(cls, value: str) -> Rule:
        """The rule that a value says; an error for what is none."""
        pairs = (part.partition("=")[::2] for part in value.upper().split(";"))
        parts = {name.strip(): words.strip() for name, words in pairs if words.strip()}
        if (freq := parts.get("FREQ", "")) not in _FREQUENCIES:
            raise RecurrenceError("unreadable", f"RRULE:{value[:100]}")
        if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
            raise RecurrenceError("unreadable", f"It recurs in the calendar {parts['RSCALE']}.")
        try:
            return cls(
                freq,
                max(1, min(int(parts.get("INTERVAL", 1)), _LARGEST)),
                max(1, int(parts["COUNT"])) if "COUNT" in parts else None,
                parts.get("UNTIL", ""),
                WEEKDAYS.index(parts.get("WKST", "MO")),
                {name: _numbers(parts[name], *_RANGES[name]) for name in _RANGES if name in parts},
                _weekdays(parts.get("BYDAY", "")),
            )
        except ValueError as problem:
            raise RecurrenceError("unreadable", f"RRULE:{value[:100]}") from problem


def _numbers(words: str, least: int, most: int) -> frozenset[int]:
    found = frozenset(int(word) for word in words.split(","))
    if not all(least <= one <= most and (one or not least) for one in found):
        raise ValueError(words)
    return found


def _weekdays(words: str) -> tuple[tuple[int, int], ...]:
    found = []
    for word in filter(None, words.replace(" ", "").split(",")):
        if (match := _BYDAY.fullmatch(word)) is None:
            raise ValueError(word)
        found.append((int(match[1] or 0) if match[1] not in "+-" else 0, WEEKDAYS.index(match[2])))
    return tuple(dict.fromkeys(found))


def times(
    rule: Rule, start: datetime, after: datetime, before: datetime, budget: Budget,
    until: datetime | None = None,
) -> list[datetime]:  # fmt: skip
    """The wall times of a rule from `after` up to and excluding `before`, in order.

    `start` is DTSTART's: where the rule misses it COUNT does not count it. `until` is included.
    """
    found: list[datetime] = []
    seen = 0
    for candidates in _Walk(rule, start, budget).periods(after, before):
        for one in candidates:
            if one < start:
                continue
            seen += 1
            if one >= before or (until and one > until) or (rule.count and seen > rule.count):
                return found
            if one >= after:
                found.append(one)
                if len(found) > _MOST:
                    raise RecurrenceError("endless", f"More than {_MOST:,} times.")
    return found


class _Walk:
    """A rule on its way from period to period."""

    def __init__(self, rule: Rule, start: datetime, budget: Budget) -> None:
        self._rule, self._start, self._budget = rule, start, budget
        self._by, self._by_day = _with_defaults(rule, start)
        self._months = self._by.get("BYMONTH")
        self._in_year = rule.freq == "YEARLY" and not self._months
        self._clock = None if rule.freq in _SECONDS else self._times(start)

    def periods(self, after: datetime, before: datetime) -> Iterator[list[datetime]]:
        """The times in each period that begins before `before`; long before `after`, in none.

        Where COUNT counts, all are needed.
        """
        step = 0 if self._rule.count else self._skipped(after)
        try:
            while True:
                self._budget.spend(1)
                year, days, clock = self._period(step * self._rule.interval)
                if days[0] > before.date():
                    return
                step += 1
                kept = [day for day in days if self._allows(day, year)] if clock else []
                self._budget.spend(len(days) + len(kept) * len(clock))
                found = [datetime.combine(day, moment) for day in kept for moment in clock]
                if positions := self._by.get("BYSETPOS"):
                    found = _picked(found, positions)
                yield found
        except OverflowError:
            return  # beyond the last year there is

    def _skipped(self, after: datetime) -> int:
        """How many steps lie before `after` as a whole."""
        rule, start = self._rule, self._start
        if rule.freq == "YEARLY":
            gone = after.year - start.year - 1
        elif rule.freq == "MONTHLY":
            gone = (after.year - start.year) * 12 + after.month - start.month - 1
        else:
            unit = _SECONDS.get(rule.freq) or _DAYS[rule.freq] * 86_400
            gone = int((after - start).total_seconds()) // unit - 1
        return max(0, gone // rule.interval)

    def _period(self, offset: int) -> tuple[int, Sequence[date], list[time]]:
        """The year, the days and the times of day of the period `offset` after the first."""
        freq, start = self._rule.freq, self._start
        if freq == "YEARLY":
            year = start.year + offset
            return year, self._days_of_year(year), self._clock or []
        if freq == "MONTHLY":
            years, month = divmod(start.month - 1 + offset, 12)
            return start.year + years, _month(start.year + years, month + 1), self._clock or []
        if freq in _SECONDS:
            first = start + timedelta(seconds=_SECONDS[freq] * offset)
            return first.year, [first.date()], self._times(first)
        first_day = start.date()
        if freq == "WEEKLY":
            first_day -= timedelta(days=(first_day.weekday() - self._rule.week_start) % 7)
        first_day += timedelta(days=_DAYS[freq] * offset)
        days = [first_day + timedelta(days=more) for more in range(_DAYS[freq])]
        return first_day.year, days, self._clock or []

    def _days_of_year(self, year: int) -> Sequence[date]:
        if not 1 <= year <= MAXYEAR - 1:
            raise OverflowError
        if "BYWEEKNO" in self._by:  # the first and the last week reach into other years
            first = _first_week(year, self._rule.week_start)
            weeks = _first_week(year + 1, self._rule.week_start) - first
            return [first + timedelta(days=more) for more in range(weeks.days)]
        months = sorted(self._months or range(1, 13))
        return [day for month in months for day in _month(year, month)]

    def _allows(self, day: date, year: int) -> bool:
        by = self._by
        if self._months and day.month not in self._months:
            return False
        if (allowed := by.get("BYMONTHDAY")) and not (
            day.day in allowed or day.day - monthrange(day.year, day.month)[1] - 1 in allowed
        ):
            return False
        if self._by_day and not self._is_weekday(day):
            return False
        if allowed := by.get("BYYEARDAY"):
            number = day.timetuple().tm_yday
            if number not in allowed and number - _year_length(day.year) - 1 not in allowed:
                return False
        if allowed := by.get("BYWEEKNO"):
            first = _first_week(year, self._rule.week_start)
            last = (_first_week(year + 1, self._rule.week_start) - first).days // 7
            number = (day - first).days // 7 + 1
            return number in allowed or number - last - 1 in allowed
        return True

    def _is_weekday(self, day: date) -> bool:
        """Whether BYDAY allows a day: any, or the nth such weekday of its month or year."""
        for number, weekday in self._by_day:
            if day.weekday() != weekday:
                continue
            if not number or self._rule.freq not in ("YEARLY", "MONTHLY"):
                return True
            if self._in_year:
                place, length = day.timetuple().tm_yday, _year_length(day.year)
            else:
                place, length = day.day, monthrange(day.year, day.month)[1]
            if number == ((place - 1) // 7 + 1 if number > 0 else -((length - place) // 7 + 1)):
                return True
        return False

    def _times(self, at: datetime) -> list[time]:
        """The times of day in a period; none where BYHOUR, BYMINUTE or BYSECOND forbid it."""
        chosen = []
        level = _FREQUENCIES.index(self._rule.freq)
        for part, own, deep in (
            ("BYHOUR", at.hour, 4), ("BYMINUTE", at.minute, 5), ("BYSECOND", at.second, 6),
        ):  # fmt: skip
            allowed = self._by.get(part, {own})
            chosen.append(sorted(allowed & {own} if level >= deep else allowed))
        return [time(hour, minute, second) for hour, minute, second in product(*chosen)]


def _with_defaults(
    rule: Rule, start: datetime
) -> tuple[Mapping[str, frozenset[int]], tuple[tuple[int, int], ...]]:
    """The BY parts, with what DTSTART adds where the rule leaves the day open."""
    by, by_day = dict(rule.by), rule.by_day
    if by_day or by.keys() & {"BYMONTHDAY", "BYYEARDAY"}:
        return by, by_day
    if rule.freq == "WEEKLY" or "BYWEEKNO" in by:
        return by, ((0, start.weekday()),)
    if rule.freq in ("YEARLY", "MONTHLY"):
        by["BYMONTHDAY"] = frozenset({start.day})
    if rule.freq == "YEARLY":
        by.setdefault("BYMONTH", frozenset({start.month}))
    return by, by_day


def _picked(found: list[datetime], positions: frozenset[int]) -> list[datetime]:
    """What BYSETPOS leaves of the times of a period."""
    places = {one - 1 if one > 0 else len(found) + one for one in positions}
    return [one for place, one in enumerate(found) if place in places]


def _month(year: int, month: int) -> list[date]:
    if not 1 <= year <= MAXYEAR - 1:
        raise OverflowError
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _first_week(year: int, week_start: int) -> date:
    """The first day of week 1: the first week with four days in the year."""
    fourth = date(year, 1, 4)
    return fourth - timedelta(days=(fourth.weekday() - week_start) % 7)


def _year_length(year: int) -> int:
    return 366 if isleap(year) else 365
