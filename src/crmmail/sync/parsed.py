"""What a calendar's resource says, as plain values: meetings, who is asked, when they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crmmail.errors import CrmmailError
from crmmail.text import one_line

_BACK = 5  # years (K2)
_AHEAD = 1
_CANCELLED = 30 * 86_400  # K4


class EventError(CrmmailError):
    """A resource that is no meeting in the store; `reason` is its place in the ledger.

    unreadable | endless | old | later | empty. What could be read goes along, for the ledger.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = one_line(detail)
        self.uid = ""
        self.title = ""
        self.starts_at = 0


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which meetings are kept (K2), `end` excluded; cancelled ones less long (K4).

    It moves by whole months, so that stores of the same month hold the same.
    """

    start: int
    end: int
    cancelled_from: int

    @classmethod
    def around(cls, now: int) -> Window:
        """The window at a time: 5 years back, at least 1 year ahead."""
        month = datetime.fromtimestamp(now, UTC).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        ahead = (month + timedelta(days=31)).replace(day=1)
        return cls(
            int(month.replace(year=month.year - _BACK).timestamp()),
            int(ahead.replace(year=ahead.year + _AHEAD).timestamp()),
            now - now % 86_400 - _CANCELLED,
        )

    def holds(self, starts_at: int, ends_at: int, cancelled: bool = False) -> bool:
        """Whether a time is kept."""
        first = max(self.start, self.cancelled_from) if cancelled else self.start
        return starts_at < self.end and ends_at >= first


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who is asked to a meeting (K5)."""

    address: str
    name: str = ""
    role: str = "required"  # chair | required | optional | informed
    response: str = ""  # accepted | declined | tentative | delegated | needs-action; "" unasked
    kind: str = "individual"  # individual | group | room | resource
    organizer: bool = False


@dataclass(frozen=True, slots=True)
class Time:
    """One time at which a meeting takes place; where its series has it is what it is known by."""

    original_at: int
    starts_at: int
    ends_at: int
    recurrence_id: str = ""  # of the ParsedMeeting that it belongs to
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMeeting:
    """A meeting: a series or a single one, or (with a recurrence id) a changed occurrence."""

    uid: str
    recurrence_id: str = ""  # as in the store: 20260314T080000Z, or 20260314 for a day
    title: str = ""
    location: str = ""
    description: str = ""
    link: str = ""  # K6
    organizer: str = ""  # address
    attendees: tuple[Attendee, ...] = ()  # the organizer among them
    tzid: str = ""  # IANA name, "" for UTC, all-day and floating times
    all_day: bool = False
    recurrence: str = ""  # in words
    private: bool = False
    cancelled: bool = False
    sequence: int = 0
    modified_at: int = 0


@dataclass(frozen=True, slots=True)
class ParsedObject:
    """All that a resource says about one UID; every time belongs to one of its meetings."""

    uid: str
    meetings: tuple[ParsedMeeting, ...]
    times: tuple[Time, ...]
    recurs: bool = False  # then later windows bring more times
