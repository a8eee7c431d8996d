"""iCalendar text -> meetings and their times (rules.md K2 to K7)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crmmail.sync.event import EventError, ParsedObject, Window, parse

NOW = int(datetime(2026, 6, 15, tzinfo=UTC).timestamp())
WINDOW = Window.around(NOW)
BERLIN = ZoneInfo("Europe/Berlin")


def event(*lines: str, uid: str = "one") -> str:
    """A VEVENT."""
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    """A resource."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""])


def read(*parts: str) -> ParsedObject:
    """What a resource says to somebody in Berlin, in June 2026."""
    return parse(calendar(*parts), WINDOW, BERLIN)


def starts(found: ParsedObject, zone: ZoneInfo = BERLIN) -> list[str]:
    """When it starts each time, in a zone."""
    return [f"{datetime.fromtimestamp(one.starts_at, zone):%Y-%m-%d %H:%M}" for one in found.times]


def reason(*parts: str) -> str:
    """Why it is not in the store."""
    with pytest.raises(EventError) as told:
        read(*parts)
    return told.value.reason


def test_a_single_meeting() -> None:
    found = read(
        event(
            "SUMMARY:Kick-off\\, Berlin",
            "DTSTART;TZID=Europe/Berlin:20260701T090000",
            "DTEND;TZID=Europe/Berlin:20260701T103000",
            "LOCATION:Room 1",
            "DESCRIPTION:First line\\nsecond",
        )
    )
    (meeting,) = found.meetings
    (time,) = found.times
    assert (meeting.title, meeting.location) == ("Kick-off, Berlin", "Room 1")
    assert meeting.description == "First line\nsecond"
    assert (meeting.tzid, meeting.all_day, meeting.recurrence) == ("Europe/Berlin", False, "")
    assert starts(found) == ["2026-07-01 09:00"]
    assert time.ends_at - time.starts_at == 5_400
    assert not found.recurs


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
def test_a_series_keeps_its_wall_time_across_both_changes_of_the_clock(zone: str) -> None:
    found = read(event(f"DTSTART;TZID={zone}:20250701T090000", "RRULE:FREQ=WEEKLY;COUNT=60"))
    assert {start[11:] for start in starts(found, ZoneInfo(zone))} == {"09:00"}
    offsets = {(one.starts_at // 3_600) % 24 for one in found.times}
    assert len(offsets) == 2
    assert len(found.times) == 60
