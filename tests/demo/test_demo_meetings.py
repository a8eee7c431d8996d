"""The demo's calendar: sixty meetings that belong to the sample's people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmmail.demo.calendar_server import CALENDAR
from crmmail.demo.run import EMAIL, Demo
from crmmail.demo.sample import Sample
from crmmail.store import calendars
from crmmail.store.database import Store
from crmmail.sync.event import parse
from crmmail.sync.loop import sync_once
from crmmail.sync.parsed import ParsedObject, Window

NOW = datetime(2026, 3, 11, 15, 20, tzinfo=UTC)
AT = int(NOW.timestamp())


@pytest.fixture(scope="module")
def meetings() -> dict[str, ParsedObject]:
    """The sample's resources as they are read, by title."""
    window = Window.around(AT)
    found = [parse(raw, window) for raw in Sample(NOW).meetings().values()]
    return {one.meetings[0].title: one for one in found}


def test_there_are_sixty_and_they_are_the_same_every_time(
    meetings: dict[str, ParsedObject],
) -> None:
    assert len(meetings) == 60
    assert Sample(NOW).meetings() == Sample(NOW).meetings()


@pytest.mark.parametrize(
    "now", [datetime(2025, 1, 1, 0, 3, tzinfo=UTC), datetime(2027, 8, 29, 7, 0, tzinfo=UTC)]
)
def test_they_can_all_be_read_whenever_the_demo_is_opened(now: datetime) -> None:
    window = Window.around(int(now.timestamp()))
    assert all(parse(raw, window).times for raw in Sample(now).meetings().values())


def test_they_reach_from_eighteen_months_back_into_the_coming_weeks(
    meetings: dict[str, ParsedObject],
) -> None:
    starts = sorted(time.starts_at for one in meetings.values() for time in one.times)
    assert 500 < (AT - starts[0]) / 86_400 < 550
    assert 14 < (starts[-1] - AT) / 86_400 < 60
    coming = [one for one in meetings.values() if any(t.starts_at > AT for t in one.times)]
    assert len(coming) >= 12


def test_every_kind_of_meeting_is_among_them(meetings: dict[str, ParsedObject]) -> None:
    every = [meeting for one in meetings.values() for meeting in one.meetings]
    assert sum(one.recurs or len(one.times) > 1 for one in meetings.values()) >= 5
    assert sum(meeting.cancelled for meeting in every) >= 2
    assert sum(meeting.all_day for meeting in every) >= 2
    assert sum(bool(meeting.link) for meeting in every) >= 15
    assert sum(meeting.private for meeting in every) == 1
    answers = {guest.response for meeting in every for guest in meeting.attendees}
    assert answers >= {"accepted", "declined", "tentative", "needs-action"}
    assert {guest.kind for meeting in every for guest in meeting.attendees} == {
        "individual",
        "room",
    }
    assert len({meeting.tzid for meeting in every}) >= 6
    assert len(meetings["Studio C, weekly"].meetings) == 2  # one was moved


def test_two_clocks_clash(meetings: dict[str, ParsedObject]) -> None:
    [planning] = meetings["Planning with Elbklang"].times
    clashing = [
        time
        for time in meetings["Studio C, weekly"].times
        if time.starts_at < planning.ends_at and time.ends_at > planning.starts_at
    ]
    assert len(clashing) == 1
    assert meetings["Planning with Elbklang"].meetings[0].tzid == "Europe/Berlin"
    assert meetings["Studio C, weekly"].meetings[0].tzid == "Asia/Tokyo"


def test_a_sync_brings_them_with_the_mail(tmp_path: Path) -> None:
    with Demo(tmp_path, NOW) as demo:
        store = Store(demo.store_path)
        [report] = sync_once(store)
        assert (report.email, report.errors) == (EMAIL, [])
        [calendar] = report.calendars
        assert calendar.name == CALENDAR
        assert calendar.meetings + sum(calendar.skipped.values()) == 60
        assert calendar.meetings > 40
        [row] = calendars.rows(store.read())
        assert row.color == "#5fafaf"
        store.close()
