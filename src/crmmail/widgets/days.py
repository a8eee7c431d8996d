"""Laying meetings out by days: months as headings, a mark at now, a line a day for long ones."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from crmmail.store.meetings import DAY, Times

NOW = 0
"""The id of the mark at now; months have ids below it, meetings above."""
_BITS = 6
_MOST = (1 << _BITS) - 1  # days of a meeting that have a line each
RANGES = ("all", "today", "week", "month")
"""What can be shown: everything, or the calendar day, week (from Monday) or month of now."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of a list of meetings: ids of occurrences with the day of theirs, and headings."""

    ids: array[int]
    firsts: frozenset[int]  # the lines that are the first of their day
    parts: dict[int, int]  # how many days long meetings have
    next: int | None  # the line of the next meeting

    @property
    def meetings(self) -> int:
        """How many meetings that are."""
        return sum(1 for i in self.ids if i > NOW and not i & _MOST)


NOTHING = Plan(array("q"), frozenset(), {}, None)


def line_of(occurrence: int, day: int = 0) -> int:
    """The id of the line of an occurrence's first or later day."""
    return occurrence << _BITS | day


def occurrence_of(line: int) -> int:
    """The occurrence of a line."""
    return line >> _BITS


def day_of(line: int) -> int:
    """Which day of its meeting a line is, from 0."""
    return line & _MOST


def month_of(line: int) -> date:
    """The month of a heading."""
    return date(-line // 16, -line % 16, 1)


def lay_out(times: Times, now: int, shown: str = "all") -> Plan:
    """The lines of some meetings; `now` is what a local clock shows (see Times)."""
    since, until = span(now, shown)
    entries = [entry for entry in _entries(times) if since <= entry[0] < until]
    if not entries:
        return NOTHING
    entries.append((now - now % DAY, now, NOW))
    ids, firsts = array("q"), set[int]()
    month, following, before = (0, 0), since, None
    for day, _, line in sorted(entries):
        if day >= following and (begun := _month(day)) != month:
            ids.append(-(begun[0] * 16 + begun[1]))
            month = begun
        following = day + DAY
        if line != NOW and day != before:
            firsts.add(line)
            before = day
        ids.append(line)
    return Plan(ids, frozenset(firsts), dict(_long(times)), _next(times, now, ids))


def span(now: int, shown: str) -> tuple[int, int]:
    """The first second of a range, and the first after it, on a local clock."""
    today = now - now % DAY
    if shown == "today":
        return today, today + DAY
    if shown == "week":
        monday = today - (today // DAY + 3) % 7 * DAY
        return monday, monday + 7 * DAY
    if shown == "month":
        first = datetime.fromtimestamp(today, UTC).replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return int(first.timestamp()), int(following.timestamp())
    return -(1 << 62), 1 << 62


def _entries(times: Times) -> Iterator[tuple[int, int, int]]:
    """The day, the moment in it and the line of each day of each meeting."""
    for i, start, end in zip(times.ids, times.starts, times.ends, strict=True):
        day, many = start - start % DAY, _days(start, end)
        yield day, start, line_of(i)
        for number in range(1, many):
            later = day + number * DAY
            yield later, later, line_of(i, number)


def _days(start: int, end: int) -> int:
    """The days of a meeting; one for those that only run past midnight, or for months."""
    if end - start < DAY:
        return 1
    many = (end - 1) // DAY - start // DAY + 1
    return many if many <= _MOST else 1


def _long(times: Times) -> Iterator[tuple[int, int]]:
    for i, start, end in zip(times.ids, times.starts, times.ends, strict=True):
        if end - start > DAY and (many := _days(start, end)) > 1:
            yield i, many


def _month(day: int) -> tuple[int, int]:
    when = datetime.fromtimestamp(day, UTC)
    return when.year, when.month


def _next(times: Times, now: int, ids: array[int]) -> int | None:
    """The line of the next meeting: of today's part of it, where it began before."""
    coming = times.next(now)
    if coming is None:
        return None
    days = max(now // DAY - times.starts[coming] // DAY, 0)
    lines = (line_of(times.ids[coming], day) for day in (days, 0))
    return next((line for line in lines if line in ids), None)
