"""Meetings by days, as one list of any length: a person's, a company's, everybody's."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from crmmail.store.meetings import DAY, OccurrenceRow, Times, wall
from crmmail.widgets import days
from crmmail.widgets.days import NOW, Plan
from crmmail.widgets.occasion import clock, clock_time, place, state_of
from crmmail.widgets.pieces import Piece, fit, fit_pieces
from crmmail.widgets.reading import ask
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import DAYS, MONTHS, plural, titled

_DAY = 8  # "Wed 14"
_TIME = 13
_ROOMY = 110  # cells from which there is room for more people
_NAMED = {"today": "today", "week": "this week", "month": "this month"}
_NONE = {shown: f"No meeting {named}" for shown, named in _NAMED.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: a heading, or a meeting on one of its days; `first` is the first line of a day."""

    id: int
    row: OccurrenceRow | None = None
    part: int = 0
    parts: int = 1
    first: bool = False


class AgendaList(WindowList[Entry]):
    """Occurrences under the months that they are in, with a mark at now."""

    BINDING_GROUP_TITLE = "Meetings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "full_stop",
            "next_meeting",
            "Next",
            id="meetings.next",
            key_display=".",
            tooltip="Go to the next meeting",
        ),
        Binding(
            "r",
            "range",
            "Range",
            id="meetings.range",
            tooltip="Show all meetings, today's, this week's or this month's",
        ),
    ]

    def __init__(
        self,
        times: Callable[[str], Times],
        rows: Callable[[Sequence[int]], Iterable[OccurrenceRow]],
        *,
        title: str,
        empty: tuple[str, ...],
        id: str,  # noqa: A002
    ) -> None:
        """`times` reads those of the meetings that have all the words that it is given."""
        super().__init__(self._entries, draw, title=title, id=id)
        self._times = times
        self._occurrences = rows
        self._title = title
        self._nothing = empty
        self._minute = 0
        self._turn = 0  # what a thread has read may be of another record by then
        self._drawn = ("", "")  # the range and the words that are on the screen
        self.shown = days.RANGES[0]
        self.match = ""
        self.plan = days.NOTHING

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        """A minute has passed: the mark moves, and what is over is told from what comes."""
        if self._minute and self._minute != time.time() // 60 and self.is_on_screen:
            self.reload()

    # Reading

    def restart(self) -> None:
        """Be a list that nobody has seen: reload() fills it, and goes to the next meeting."""
        self._turn += 1
        self._drawn = ("", "")
        self.shown = days.RANGES[0]
        self.match = ""

    def reload(self) -> None:
        """Read the meetings again."""
        self._minute = int(time.time() // 60)
        asked = self._asked
        show = partial(self._show_plan, asked)
        ask(self, partial(self._read_plan, asked), show, beside=bool(self.match))

    @property
    def _asked(self) -> tuple[int, str, str]:
        """What is to be shown: what is read for something else is out of date."""
        return self._turn, self.shown, self.match

    def _read_plan(self, asked: tuple[int, str, str]) -> Plan | None:
        """Read the times and lay them out, in a thread; None: nobody wants them any more."""
        if asked != self._asked:
            return None
        _, shown, match = asked
        return days.lay_out(self._times(match), wall(time.time()), shown)

    def _show_plan(self, asked: tuple[int, str, str], plan: Plan | None) -> None:
        if plan is not None and asked == self._asked:
            shown, match = self._drawn
            same = self.shown == shown and self.match in ("", match)
            self._drawn = self.shown, self.match
            self.fill(plan, keep=same and bool(self.ids))

    def fill(self, plan: Plan, *, keep: bool) -> None:
        """Show these lines; with `keep` the cursor stays where it is, else at the next meeting."""
        self.plan = plan
        everything = self.shown == days.RANGES[0]
        self.say_empty(*self._no_meeting(everything))
        self.label(self._title if everything else f"{self._title}: {_NAMED[self.shown]}")
        self.show(plan.ids, keep=keep)
        if not keep:
            self.action_next_meeting()
        self.label(subtitle=plural(plan.meetings, "meeting") if plan.ids else "")

    def _no_meeting(self, everything: bool) -> tuple[str, ...]:
        """Why there is none, and what to do about it."""
        if self.match:
            none = "No meeting" if everything else _NONE[self.shown]
            more = "escape shows all again" if everything else "escape and r show more"
            return f"{none} matches “{self.match}”", more
        return self._nothing if everything else (_NONE[self.shown], "r shows more")

    def narrow(self, match: str) -> None:
        """Show the meetings that have all these words, all again without any."""
        if match != self.match:
            self.match = match
            self.reload()

    def action_range(self) -> None:
        """Show the meetings of the next range."""
        position = days.RANGES.index(self.shown) + 1
        self.shown = days.RANGES[position % len(days.RANGES)]
        self.reload()

    @property
    def occurrence(self) -> int | None:
        """The occurrence under the cursor."""
        line = self.current
        return None if line is None or line <= NOW else days.occurrence_of(line)

    def is_heading(self, row: int) -> bool:
        return row <= NOW

    def action_next_meeting(self) -> None:
        """Go to the next meeting, a third down the page; without one to the last."""
        if not self.ids:
            return
        line = self.plan.next
        self.cursor = self.ids.index(line) if line is not None else len(self.ids) - 1
        self.jump(self.cursor - self.page_height // 3)
        self.call_after_refresh(self._settle)  # the first time it has no height yet

    def _settle(self) -> None:
        """Go where the cursor is to stand, if that was not possible before."""
        self.jump(self.cursor - self.page_height // 3)

    def _entries(self, ids: Sequence[int]) -> Iterator[Entry]:
        wanted = {days.occurrence_of(line) for line in ids if line > NOW}
        found = {row.id: row for row in self._occurrences(sorted(wanted))}
        for line in ids:
            row = found.get(days.occurrence_of(line))
            if line <= NOW:
                yield Entry(line)
            elif row is not None:
                parts = self.plan.parts.get(row.id, 1)
                yield Entry(line, row, days.day_of(line), parts, line in self.plan.firsts)


def draw(entry: Entry, width: int) -> Iterator[Piece]:
    """A line of the list."""
    if entry.row is not None:
        yield from _meeting(entry, entry.row, width)
    elif entry.id == NOW:
        text = f"now, {time.strftime('%H:%M')} "
        yield " " * _DAY + text + "─" * max(width - _DAY - len(text), 0), "mark"
    else:
        month = days.month_of(entry.id)
        yield f"{MONTHS[month.month - 1]} {month.year}", "title"


def _meeting(entry: Entry, row: OccurrenceRow, width: int) -> Iterator[Piece]:
    now = wall(time.time())
    start, end = clock(row)
    day = start - start % DAY + entry.part * DAY
    today = day == now - now % DAY
    yield fit(_day(day) if entry.first else "", _DAY), "mark" if today else "muted"
    over = end <= now
    faded = _faded(row)
    yield fit(times(entry, row), _TIME), faded or ("muted" if over else "text")
    who, where = (width // 4, width // 6) if width >= _ROOMY else (width // 5, 8)
    room = width - _DAY - _TIME - who - where - 4
    title = (titled(row.title, row.hidden), faded or ("text" if over else "strong"))
    marks = [("  ↻", "muted")] if row.recurs else []
    if state := state_of(row, over):
        marks.append((f"  {state[0]}", state[1]))
    yield from fit_pieces((title, *marks), max(room, 0))
    yield "  " + fit(", ".join(row.names), who), faded or "text"
    yield "  " + fit(place(row), where), "muted"


def _faded(row: OccurrenceRow) -> str:
    """The role of what does not take place, or takes place without oneself."""
    if row.cancelled:
        return "gone"
    return "quote" if row.response == "declined" else ""


def times(entry: Entry, row: OccurrenceRow) -> str:
    """When a meeting is, on one of its days."""
    start, end = clock(row)
    if entry.parts > 1 and (row.all_day or 0 < entry.part < entry.parts - 1):
        return f"day {entry.part + 1} of {entry.parts}"
    if entry.parts > 1:
        return f"→ {clock_time(end)}" if entry.part else f"{clock_time(start)} →"
    if end - start > DAY:
        return "→ " + datetime.fromtimestamp(end - 1, UTC).strftime("%Y-%m-%d")
    if row.all_day:
        return "all day"
    return clock_time(start) if end <= start else f"{clock_time(start)}–{clock_time(end)}"


def _day(day: int) -> str:
    when = datetime.fromtimestamp(day, UTC)
    return f"{DAYS[when.weekday()]} {when.day:>2}"


def occurrences(lines: Iterable[int]) -> array[int]:
    """The occurrences of a list, each once, in its order."""
    found = dict.fromkeys(days.occurrence_of(line) for line in lines if line > NOW)
    return array("q", found)
