"""When and where a meeting is, in words: for lists, the meeting's own screen, the command line."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crmmail.store.meetings import DAY, OccurrenceRow, wall
from crmmail.widgets.pieces import Piece
from crmmail.widgets.words import DAYS, MONTHS, plural

_STATES = {"declined": ("declined", "quote"), "tentative": ("maybe", "accent")}
_DISTANCES = ((730, 365, "year"), (60, 30, "month"), (14, 7, "week"), (0, 1, "day"))


def clock(row: OccurrenceRow) -> tuple[int, int]:
    """Start and end as a local clock shows them (see Times)."""
    if row.all_day:
        return row.starts_at, row.ends_at
    return wall(row.starts_at), wall(row.ends_at)


def day_of(row: OccurrenceRow) -> int:
    """When a meeting begins, as lists tell times: a whole day begins at local midnight."""
    if not row.all_day:
        return row.starts_at
    when = time.gmtime(row.starts_at)
    return int(time.mktime((*when[:3], 0, 0, 0, 0, 0, -1)))


def place(row: OccurrenceRow) -> str:
    """Where a meeting is, as short as it can be told."""
    return ", ".join(filter(None, ("online" if row.link else "", row.location)))


def state_of(row: OccurrenceRow, over: bool) -> Piece | None:
    """What is to be known of a meeting beside its time, in a word."""
    if row.cancelled:
        return "cancelled", "bad"
    if row.response == "needs-action" and not over:
        return "unanswered", "accent"
    return _STATES.get(row.response)


def when(row: OccurrenceRow) -> str:
    """When a meeting is, on a local clock."""
    return span(*clock(row), all_day=row.all_day)


def span(start: int, end: int, *, all_day: bool) -> str:
    """A span of a clock, with its day or days."""
    if all_day:
        last = max(end - DAY, start)
        return f"{_day(start)}, all day" if last == start else f"{_day(start)} – {_day(last)}"
    if start // DAY == end // DAY:
        until = f"–{clock_time(end)}" if end > start else ""
        return f"{_day(start)}, {clock_time(start)}{until}"
    return f"{_day(start)}, {clock_time(start)} – {_day(end)}, {clock_time(end)}"


def organiser_time(row: OccurrenceRow, tzid: str) -> str:
    """When it is where the organiser is, if clocks there differ; "" where they do not."""
    if row.all_day or not tzid:
        return ""
    try:
        offset = datetime.fromtimestamp(row.starts_at, ZoneInfo(tzid)).utcoffset()
    except (KeyError, ValueError, OSError, OverflowError):
        return ""
    seconds = int(offset.total_seconds()) if offset is not None else 0
    start, end = row.starts_at + seconds, row.ends_at + seconds
    if start == wall(row.starts_at):
        return ""
    return f"{span(start, end, all_day=False)} in {tzid}, the organiser's zone"


def relative(row: OccurrenceRow) -> str:
    """How far away a meeting is, roughly."""
    now, (start, end) = wall(time.time()), clock(row)
    if start <= now < end:
        return "today" if row.all_day else "now"
    days = start // DAY - now // DAY
    if days == 0:
        minutes = abs(start - now) // 60
        text = plural(minutes // 60, "hour") if minutes >= 60 else plural(minutes, "minute")
        return f"in {text}" if start > now else f"{text} ago"
    if abs(days) == 1:
        return "tomorrow" if days > 0 else "yesterday"
    _, unit, word = next(one for one in _DISTANCES if abs(days) >= one[0])
    count = plural(abs(days) // unit, word)
    return f"in {count}" if days > 0 else f"{count} ago"


def _day(at: int) -> str:
    day = datetime.fromtimestamp(at, UTC)
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def clock_time(at: int) -> str:
    """Hours and minutes of a clock."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")
