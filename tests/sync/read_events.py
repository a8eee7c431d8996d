"""Reads iCalendar text as somebody in Berlin does in June 2026, for the tests of events."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.sync.resources import calendar, event

from crmmail.sync.event import EventError, ParsedMeeting, ParsedObject, Window, parse

NOW = int(datetime(2026, 6, 15, tzinfo=UTC).timestamp())
WINDOW = Window.around(NOW)
BERLIN = ZoneInfo("Europe/Berlin")
AT_NINE = "DTSTART;TZID=Europe/Berlin:20260701T090000"


def read(*parts: str) -> ParsedObject:
    """What a resource says to somebody in Berlin, in June 2026."""
    return parse(calendar(*parts), WINDOW, BERLIN)


def one(*lines: str) -> ParsedMeeting:
    """The meeting of a resource with one event at nine."""
    return read(event(AT_NINE, *lines)).meetings[0]


def starts(found: ParsedObject, zone: ZoneInfo = BERLIN) -> list[str]:
    """When it starts each time, in a zone."""
    return [f"{datetime.fromtimestamp(at.starts_at, zone):%m-%d %H:%M}" for at in found.times]


def hours(found: ParsedObject) -> list[float]:
    """How long it is each time."""
    return [(at.ends_at - at.starts_at) / 3_600 for at in found.times]


def refused(text: str) -> tuple[str, str]:
    """Why a text is no meeting in the store."""
    with pytest.raises(EventError) as told:
        parse(text, WINDOW, BERLIN)
    return told.value.reason, told.value.detail


def reason(*lines: str) -> str:
    """Why an event is no meeting in the store."""
    return refused(calendar(event(*lines)))[0]
