"""A calendar resource's text -> its meetings and their times (rules.md K2 to K7).

Raises EventError, and nothing else, for whatever text it is given.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from hashlib import blake2b

from crmmail.sync import conference, ical, recurrence_words
from crmmail.sync.attendees import attendees
from crmmail.sync.ical import Component
from crmmail.sync.moments import Clock
from crmmail.sync.occurrences import Event, expand
from crmmail.sync.parsed import Attendee as Attendee
from crmmail.sync.parsed import EventError as EventError
from crmmail.sync.parsed import ParsedMeeting as ParsedMeeting
from crmmail.sync.parsed import ParsedObject as ParsedObject
from crmmail.sync.parsed import Time as Time
from crmmail.sync.parsed import Window as Window
from crmmail.sync.recurrence import Rule
from crmmail.sync.zones import name_of
from crmmail.text import block, one_line

_LARGEST = 8_000_000  # characters of a resource
_LONGEST = 100_000  # of a description
_HTML = re.compile(
    r"<(?:!doctype|html|body|p|br|div|span|a|b|i|ul|ol|li|table|h[1-6])\b[^<>]*>", re.I
)
_TROUBLES = (ValueError, ArithmeticError, LookupError, TypeError, OSError)


def parse(raw: str, window: Window, zone: tzinfo | None = None) -> ParsedObject:
    """What a resource says about its meeting; its times are those in the window.

    `zone` is the user's, for times that name none; None is the system's.
    """
    if len(raw) > _LARGEST:
        raise EventError("unreadable", f"It has {len(raw):,} characters.")
    try:
        calendar = ical.read(raw)
        events = [part for part in calendar.parts if part.name == "VEVENT"]
        uids = list(dict.fromkeys(map(uid_of, events)))
        if not events:
            raise EventError("empty", "There is no event in it.")
        if len(uids) > 1:
            raise EventError("unreadable", f"One resource with {len(uids)} meetings.")
        return _object(uids[0], calendar, events, window, zone)
    except _TROUBLES as problem:
        raise _unreadable(problem) from problem


def uid_of(event: Component) -> str:
    """The UID of an event; made up from when and what it is where it has none."""
    if uid := one_line(event.text("UID"), 500):
        return uid
    parts = [event.text(name) for name in ("DTSTART", "DTEND", "SUMMARY", "ORGANIZER")]
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _object(
    uid: str, calendar: Component, parts: Sequence[Component], window: Window, zone: tzinfo | None
) -> ParsedObject:
    starts_at = 0
    try:
        clock = Clock(calendar, zone)
        cancelled = calendar.text("METHOD").strip().upper() == "CANCEL"
        events = [_event(part, uid, clock, cancelled) for part in parts]
        starts_at = min(event.start.at for event in events)
        master, changed = _sorted(events)
        times, keyed = expand(master, changed, window)
        if not times:
            raise _why_not(events, window)
    except (EventError, *_TROUBLES) as problem:
        told = problem if isinstance(problem, EventError) else _unreadable(problem)
        told.uid, told.title, told.starts_at = uid, _title(parts[0]), starts_at
        raise told from problem
    used = {one.recurrence_id for one in times}
    meetings = [replace(one.meeting, recurrence_id=rid) for rid, one in keyed.items()]
    if master is not None:
        meetings.insert(0, master.meeting)
    return ParsedObject(
        uid,
        tuple(one for one in meetings if one.recurrence_id in used),
        tuple(times),
        master is not None and master.recurs,
    )


def _event(part: Component, uid: str, clock: Clock, cancelled: bool) -> Event:
    if (line := part.first("DTSTART")) is None:
        raise EventError("unreadable", "It does not say when it starts.")
    start = clock.moment(line)
    lasting = clock.lasting(part, start)
    rules = [Rule.parse(line.value) for line in part.all("RRULE")]
    dates = list(clock.moments(part, "RDATE"))
    original = part.first("RECURRENCE-ID")
    meeting = replace(
        _meeting(part, uid),
        tzid=name_of(start.zone),
        all_day=start.all_day,
        recurrence=recurrence_words.words(rules, len(dates)),
        cancelled=cancelled or part.text("STATUS").strip().upper() == "CANCELLED",
    )
    return Event(
        meeting,
        start,
        lasting.days,
        lasting.seconds,
        rules,
        [Rule.parse(line.value) for line in part.all("EXRULE")],
        dates,
        [moment for moment, _ in clock.moments(part, "EXDATE")],
        clock.moment(original) if original else None,
        original is not None and original.params.get("RANGE", "").upper() == "THISANDFUTURE",
    )


def _meeting(part: Component, uid: str) -> ParsedMeeting:
    location = one_line(part.text("LOCATION"))
    description = _description(part)
    people = attendees(part)
    return ParsedMeeting(
        uid,
        title=_title(part),
        location=location,
        description=description,
        link=conference.link(part, location, description),
        organizer=next((one.address for one in people if one.organizer), ""),
        attendees=people,
        private=part.text("CLASS").strip().upper() in ("PRIVATE", "CONFIDENTIAL"),
        sequence=_number(part.text("SEQUENCE")),
        modified_at=_stamp(part.text("LAST-MODIFIED")),
    )


def _title(part: Component) -> str:
    return one_line(part.text("SUMMARY"), 500)


def _description(part: Component) -> str:
    """The description as plain text: many calendars put HTML there."""
    text = part.text("DESCRIPTION").strip()
    if not text:
        text = next(
            (line.text for line in part.all("X-ALT-DESC")
             if "html" in line.params.get("FMTTYPE", "").lower()), "",
        )  # fmt: skip
    if _HTML.search(text[:_LONGEST]):
        from crmmail.sync.html import to_text

        text = to_text(text)
    return block(text, _LONGEST).strip()


def _sorted(events: Sequence[Event]) -> tuple[Event | None, list[Event]]:
    """The series or single meeting, and the changed occurrences; of two versions the newer.

    A lone event that recurs is a series, even where it says that it changes one.
    """
    if len(events) == 1 and events[0].recurs:
        return events[0], []
    newest: dict[tuple[int, bool] | None, Event] = {}
    for event in events:
        known = (event.original.at, event.original.all_day) if event.original else None
        if known not in newest or _version(event) > _version(newest[known]):
            newest[known] = event
    master = newest.pop(None, None)
    return master, list(newest.values())


def _version(event: Event) -> tuple[int, int]:
    return event.meeting.sequence, event.meeting.modified_at


def _why_not(events: Sequence[Event], window: Window) -> EventError:
    """Why nothing of these events lies in the window."""
    if all(event.start.at >= window.end for event in events):
        return EventError("later", "It is more than a year ahead.")
    if any(event.meeting.cancelled for event in events):
        return EventError("old", "It was cancelled, and is over.")
    if any(event.recurs and event.start.at >= window.start for event in events):
        return EventError("empty", "None of its times is left.")
    return EventError("old", "It was over before the time that is kept.")


def _unreadable(problem: BaseException) -> EventError:
    return EventError("unreadable", one_line(f"{type(problem).__name__}: {problem}", 200))


def _number(text: str) -> int:
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


def _stamp(text: str) -> int:
    try:
        wall = datetime.strptime(text.strip().rstrip("Zz"), "%Y%m%dT%H%M%S")
    except ValueError:
        return 0
    return timegm(wall.timetuple())
