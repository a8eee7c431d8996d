"""The times of a meeting (rules.md K2): its rules, further dates, exceptions and changed times."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crmmail.sync.moments import Moment
from crmmail.sync.parsed import ParsedMeeting, Time, Window
from crmmail.sync.recurrence import Budget, RecurrenceError, Rule, times

_MOST_CHANGED = 5_000


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT: a meeting and when it is. It lasts `days` on the clock and `seconds` more."""

    meeting: ParsedMeeting
    start: Moment
    days: int = 0
    seconds: int = 0
    rules: Sequence[Rule] = ()
    not_rules: Sequence[Rule] = ()
    dates: Sequence[tuple[Moment, int | None]] = ()  # RDATE, and how long if it says so
    not_dates: Sequence[Moment] = ()
    original: Moment | None = None  # RECURRENCE-ID
    and_future: bool = False

    @property
    def recurs(self) -> bool:
        """Whether it is a series."""
        return bool(self.rules or self.dates)

    def ends(self, start: Moment, at: int) -> int:
        """When it is over if it starts then, which is `at`."""
        if self.days:
            at = start.moved(start.wall + timedelta(days=self.days)).at
        return at + self.seconds


_Starts = dict[int, tuple[Moment, int | None]]
"""Original time -> the start there, and how long it lasts where an RDATE says so."""


def expand(
    master: Event | None, changed: Sequence[Event], window: Window
) -> tuple[list[Time], dict[str, Event]]:
    """All times in the window, and the changed events by their recurrence id."""
    if len(changed) > _MOST_CHANGED:
        raise RecurrenceError("endless", f"More than {_MOST_CHANGED:,} changed times.")
    series = _series(master, changed, window) if master else {}
    originals = {_original(event, master, series): event for event in changed}
    single = {at: event for at, event in originals.items() if not event.and_future}
    future = sorted((at for at, event in originals.items() if event.and_future), reverse=True)
    found = []
    for at, (start, lasts) in series.items():
        since = next((one for one in future if one <= at), None)
        if at in single or master is None:
            continue
        if since is None:
            ends_at = master.ends(start, at) if lasts is None else at + lasts
            found.append(Time(at, at, ends_at, "", master.meeting.cancelled))
        else:
            found.append(_later(at, start, since, originals[since], master))
    found += [
        _time(at, event.start, event, key(at, event))
        for at, event in originals.items()
        if not event.and_future or at not in series
    ]
    kept = [one for one in found if window.holds(one.starts_at, one.ends_at, one.cancelled)]
    kept.sort(key=lambda one: (one.starts_at, one.original_at))
    return kept, {key(at, event): event for at, event in originals.items()}


def key(original_at: int, event: Event) -> str:
    """The recurrence id of a changed event, the same in whatever zone it was written."""
    day = event.original is not None and event.original.all_day
    return datetime.fromtimestamp(original_at, UTC).strftime("%Y%m%d" if day else "%Y%m%dT%H%M%SZ")


def _later(at: int, start: Moment, since: int, event: Event, master: Event) -> Time:
    """A time after one that was changed together with all that follow it."""
    zone = master.start
    shift = zone.of(event.start.at) - zone.of(since)
    moved = start.moved(start.wall + shift)
    return _time(at, moved, event, key(since, event))


def _time(at: int, start: Moment, event: Event, recurrence_id: str) -> Time:
    starts_at = start.at
    ends_at = event.ends(start, starts_at)
    return Time(at, starts_at, ends_at, recurrence_id, event.meeting.cancelled)


def _series(master: Event, changed: Sequence[Event], window: Window) -> _Starts:
    """The times that a series has by itself, near the window."""
    if not master.recurs:
        return {master.start.at: (master.start, None)}
    start = master.start
    reach = timedelta(days=master.days + 1, seconds=master.seconds) + max(
        (abs(event.start.wall - event.original.wall) for event in changed
         if event.and_future and event.original), default=timedelta(),
    )  # fmt: skip
    after, before = start.of(window.start) - reach, start.of(window.end) + reach
    budget = Budget()
    walls = {start.wall}.union(*(_walls(one, start, after, before, budget) for one in master.rules))
    walls.difference_update(
        *(_walls(one, start, after, before, budget) for one in master.not_rules)
    )
    found: _Starts = {(one := start.moved(wall)).at: (one, None) for wall in walls}
    budget.spend(len(master.dates) + len(master.not_dates))
    found |= {one.at: (one, lasts) for one, lasts in master.dates}
    for one in master.not_dates:
        found.pop(one.at, None)
    if days := {one.wall.date() for one in master.not_dates if one.all_day or start.all_day}:
        found = {at: one for at, one in found.items() if one[0].wall.date() not in days}
    return found


def _walls(
    rule: Rule, start: Moment, after: datetime, before: datetime, budget: Budget
) -> list[datetime]:
    return times(rule, start.wall, after, before, budget, _until(rule.until, start))


def _until(written: str, start: Moment) -> datetime | None:
    """The last wall time that UNTIL allows; a day allows all of it."""
    if not written:
        return None
    digits = "".join(one for one in written if one.isdigit())
    try:
        day = datetime.strptime(digits[:8], "%Y%m%d")
        if len(digits) < 14 or start.all_day:
            return day.replace(hour=23, minute=59, second=59)
        until = datetime.strptime(digits[:14], "%Y%m%d%H%M%S")
    except ValueError as problem:
        raise RecurrenceError("unreadable", f"UNTIL={written[:50]}") from problem
    return start.of(timegm(until.timetuple())) if written.endswith("Z") else until


def _original(event: Event, master: Event | None, series: _Starts) -> int:
    """Where the series has what an event changes."""
    original = event.original or event.start
    if master is None or original.all_day == master.start.all_day:
        return original.at
    day = original.wall.date()  # a date for a time, or a time for a date
    return next((at for at, (start, _) in series.items() if start.wall.date() == day), original.at)
