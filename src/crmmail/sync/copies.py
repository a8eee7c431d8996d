"""One meeting out of its copies in several calendars (rules.md K3), whatever order they came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from crmmail.sync.parsed import ParsedMeeting, ParsedObject, Time


@dataclass(frozen=True, slots=True)
class Copy:
    """What one calendar says about a UID."""

    object_id: int
    account_id: int | None
    mine: frozenset[str]  # the own addresses of its account
    place: tuple[str, ...]  # account, calendar, href: the same in every store
    found: ParsedObject
    hidden: bool = False  # V5

    @property
    def rank(self) -> tuple[object, ...]:
        """The best copy has the highest: of the whole series, of somebody who is asked, new."""
        main = self.found.meetings[0]
        asked = any(
            one.address in self.mine for meeting in self.found.meetings for one in meeting.attendees
        )
        return (not main.recurrence_id, asked, main.sequence, main.modified_at, self.place)


@dataclass(slots=True)
class Whole:
    """A UID's meetings by recurrence id, each with the copy that says so, and times by original."""

    meetings: dict[str, tuple[Copy, ParsedMeeting]] = field(default_factory=dict)
    times: dict[int, Time] = field(default_factory=dict)


def unite(copies: Sequence[Copy]) -> Whole:
    """The best copy, and what only others know: single occurrences that somebody is asked to."""
    whole = Whole()
    for copy in sorted(copies, key=lambda one: one.rank, reverse=True):
        by_id = {one.recurrence_id: one for one in copy.found.meetings}
        first = not whole.meetings
        for time in copy.found.times:
            if time.original_at in whole.times or not (first or time.recurrence_id):
                continue
            whole.times[time.original_at] = time
            whole.meetings.setdefault(time.recurrence_id, (copy, by_id[time.recurrence_id]))
    for rid, (copy, meeting) in whole.meetings.items():
        if copy.hidden:
            whole.meetings[rid] = copy, _told(meeting, copies)
    return whole


def _told(meeting: ParsedMeeting, copies: Sequence[Copy]) -> ParsedMeeting:
    """A meeting with what another account may tell of it (V4)."""
    for copy in sorted(copies, key=lambda one: one.rank, reverse=True):
        for one in copy.found.meetings:
            if not copy.hidden and one.recurrence_id == meeting.recurrence_id:
                return replace(
                    meeting,
                    title=one.title,
                    location=one.location,
                    description=one.description,
                    link=one.link,
                )
    return meeting
