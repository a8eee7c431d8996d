"""iCalendar text -> meetings and their times (rules.md K2 to K7)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.sync.read_events import AT_NINE, WINDOW, hours, one, read, reason, refused, starts
from tests.sync.resources import calendar, event

from crmmail.sync.event import EventError, Window, parse


def test_the_window_is_five_years_back_and_a_year_ahead_by_whole_months() -> None:
    assert datetime.fromtimestamp(WINDOW.start, UTC) == datetime(2021, 6, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(WINDOW.end, UTC) == datetime(2027, 7, 1, tzinfo=UTC)
    december = Window.around(int(datetime(2027, 12, 31, tzinfo=UTC).timestamp()))
    assert datetime.fromtimestamp(december.end, UTC) == datetime(2029, 1, 1, tzinfo=UTC)


class TestWhen:
    """Dates, times, zones and lengths."""

    def test_a_single_meeting(self) -> None:
        found = read(
            event(
                "SUMMARY:Kick-off\\, Berlin",
                AT_NINE,
                "DTEND;TZID=Europe/Berlin:20260701T103000",
                "LOCATION:Room 1",
                "DESCRIPTION:First line\\nsecond",
            )
        )
        (meeting,) = found.meetings
        assert (meeting.title, meeting.location) == ("Kick-off, Berlin", "Room 1")
        assert meeting.description == "First line\nsecond"
        assert (meeting.tzid, meeting.all_day, meeting.recurrence) == ("Europe/Berlin", False, "")
        assert starts(found) == ["07-01 09:00"]
        assert hours(found) == [1.5]
        assert not found.recurs

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
    def test_a_series_keeps_its_wall_time_across_both_changes_of_the_clock(self, zone: str) -> None:
        found = read(event(f"DTSTART;TZID={zone}:20250701T090000", "RRULE:FREQ=WEEKLY;COUNT=60"))
        assert {start[6:] for start in starts(found, ZoneInfo(zone))} == {"09:00"}
        assert len({at.starts_at % 86_400 for at in found.times}) == 2
        assert len(found.times) == 60

    def test_an_hour_that_does_not_exist_and_one_that_comes_twice(self) -> None:
        found = read(
            event("DTSTART;TZID=Europe/Berlin:20260328T023000", "RRULE:FREQ=DAILY;COUNT=3")
        )
        assert starts(found) == ["03-28 02:30", "03-29 03:30", "03-30 02:30"]
        twice = read(event("DTSTART;TZID=Europe/Berlin:20261025T023000"))
        assert starts(twice, ZoneInfo("UTC")) == ["10-25 00:30"]

    def test_an_all_day_event_is_its_days_in_utc(self) -> None:
        found = read(event("DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260703"))
        (at,) = found.times
        assert at.starts_at == int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
        assert hours(found) == [48]
        assert (found.meetings[0].all_day, found.meetings[0].tzid) == (True, "")
        assert hours(read(event("DTSTART:20260701"))) == [24]
        assert hours(read(event("DTSTART;VALUE=DATE:20260701", "DURATION:P3D"))) == [72]

    @pytest.mark.parametrize(
        ("length", "expected"),
        [
            ("DURATION:PT1H30M", 1.5),
            ("DURATION:P1W", 168),
            ("DURATION:PT1W", 168),
            ("DURATION:-PT5M", 0),
            ("DTEND:20260701T060000Z", 0),
            ("X-NOTHING:1", 0),
        ],
    )
    def test_lengths(self, length: str, expected: float) -> None:
        assert hours(read(event(AT_NINE, length))) == [expected]

    def test_a_day_is_a_day_when_the_clock_changes(self) -> None:
        found = read(event("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"))
        assert hours(found) == [23]

    def test_a_floating_time_is_the_users(self) -> None:
        found = read(event("DTSTART:20260701T090000"))
        assert (starts(found), found.meetings[0].tzid) == (["07-01 09:00"], "Europe/Berlin")

    def test_utc(self) -> None:
        found = read(event("DTSTART:20260701T070000Z"))
        assert (starts(found), found.meetings[0].tzid) == (["07-01 09:00"], "")

    @pytest.mark.parametrize(
        ("tzid", "name"),
        [
            ("America/New_York", "America/New_York"),
            ("Eastern Standard Time", "America/New_York"),
            ("/mozilla.org/20050126_1/America/New_York", "America/New_York"),
            ("/freeassociation.sourceforge.net/America/New_York", "America/New_York"),
            ('"Europe/Paris"', "Europe/Paris"),
            ("Foo/Bar", "Europe/Berlin"),
            ("(UTC+01:00) Amsterdam, Berlin", "Europe/Berlin"),
        ],
    )
    def test_names_of_zones(self, tzid: str, name: str) -> None:
        quoted = f'"{tzid}"' if "," in tzid else tzid
        found = read(event(f"DTSTART;TZID={quoted}:20260701T090000"))
        assert starts(found, ZoneInfo(name)) == ["07-01 09:00"]
        assert found.meetings[0].tzid == name

    def test_an_unknown_zone_is_that_of_its_calendar(self) -> None:
        found = read("X-WR-TIMEZONE:Asia/Tokyo", event("DTSTART;TZID=Mine:20260701T090000"))
        assert found.meetings[0].tzid == "Asia/Tokyo"

    @pytest.mark.parametrize("offset", ["+0300", "+0500"])
    def test_a_zone_of_its_own_is_that_of_this_calendar_only(self, offset: str) -> None:
        zone = [
            "BEGIN:VTIMEZONE", "TZID:Customized Time Zone", "BEGIN:STANDARD",
            "DTSTART:16010101T030000", f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}",
            "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD", "END:VTIMEZONE",
        ]  # fmt: skip
        found = read(*zone, event("DTSTART;TZID=Customized Time Zone:20260701T090000"))
        assert starts(found, ZoneInfo("UTC")) == [f"07-01 {9 - int(offset[2]):02}:00"]

    def test_a_zone_with_an_endless_rule_is_an_unknown_one(self) -> None:
        zone = [
            "BEGIN:VTIMEZONE", "TZID:Odd", "BEGIN:STANDARD", "DTSTART:16010101T030000",
            "TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "RRULE:FREQ=SECONDLY", "END:STANDARD",
            "END:VTIMEZONE",
        ]  # fmt: skip
        assert starts(read(*zone, event("DTSTART;TZID=Odd:20260701T090000"))) == ["07-01 09:00"]


class TestSeries:
    """RRULE, RDATE, EXDATE, RECURRENCE-ID."""

    def test_further_dates_and_exceptions(self) -> None:
        found = read(
            event(
                AT_NINE,
                "DURATION:PT1H",
                "RRULE:FREQ=WEEKLY;COUNT=4",
                "EXDATE;TZID=Europe/Berlin:20260708T090000",
                "EXDATE:20260715T070000Z",
                "RDATE;TZID=Europe/Berlin:20260703T100000,broken",
                "RDATE;VALUE=PERIOD:20260704T080000Z/PT3H",
            )
        )
        assert starts(found) == ["07-01 09:00", "07-03 10:00", "07-04 10:00", "07-22 09:00"]
        assert hours(found) == [1, 1, 3, 1]
        assert found.recurs

    def test_an_exception_that_is_a_day_takes_out_its_time(self) -> None:
        found = read(event(AT_NINE, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260702"))
        assert starts(found) == ["07-01 09:00", "07-03 09:00"]

    def test_a_changed_occurrence_is_a_meeting_of_its_own_in_whatever_zone_it_is_written(
        self,
    ) -> None:
        found = read(
            event(AT_NINE, "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:Series"),
            event(
                "RECURRENCE-ID;TZID=America/New_York:20260708T030000",
                "DTSTART;TZID=America/New_York:20260709T100000",
                "SUMMARY:Moved",
            ),
        )
        assert starts(found) == ["07-01 09:00", "07-09 16:00", "07-15 09:00"]
        series, moved = found.meetings
        assert (series.title, series.recurrence_id) == ("Series", "")
        assert (moved.title, moved.recurrence_id) == ("Moved", "20260708T070000Z")
        assert found.times[1].recurrence_id == moved.recurrence_id
        assert found.times[1].original_at == found.times[0].original_at + 7 * 86_400

    def test_this_and_all_that_follow(self) -> None:
        found = read(
            event(AT_NINE, "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4"),
            event(
                "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260715T090000",
                "DTSTART;TZID=Europe/Berlin:20260716T110000",
                "DURATION:PT2H",
                "SUMMARY:Later",
            ),
        )
        assert starts(found) == ["07-01 09:00", "07-08 09:00", "07-16 11:00", "07-23 11:00"]
        assert hours(found) == [1, 1, 2, 2]
        assert len(found.meetings) == 2
        assert len({at.original_at for at in found.times}) == 4

    def test_a_changed_occurrence_without_its_series(self) -> None:
        found = read(event("RECURRENCE-ID:20260708T070000Z", "DTSTART:20260709T070000Z"))
        assert starts(found) == ["07-09 09:00"]
        assert [meeting.recurrence_id for meeting in found.meetings] == ["20260708T070000Z"]

    def test_of_two_versions_of_one_event_the_newer_counts(self) -> None:
        found = read(
            event(AT_NINE, "SEQUENCE:2", "SUMMARY:New"), event(AT_NINE, "SEQUENCE:1", "SUMMARY:Old")
        )
        assert [meeting.title for meeting in found.meetings] == ["New"]

    def test_cancelled_ones_are_kept_until_thirty_days_past(self) -> None:
        off = ("STATUS:CANCELLED",)
        assert [at.cancelled for at in read(event(AT_NINE, *off)).times] == [True]
        assert read(event("DTSTART:20260520T090000Z", *off)).times
        assert reason("DTSTART:20260510T090000Z", *off) == "old"
        by_method = parse(calendar("METHOD:CANCEL", event(AT_NINE)), WINDOW)
        assert by_method.meetings[0].cancelled

    @pytest.mark.parametrize("last", ["20260703", "20260703T070000Z", "20260703T090000"])
    def test_until_includes_its_last_time(self, last: str) -> None:
        found = read(event(AT_NINE, f"RRULE:FREQ=DAILY;UNTIL={last}"))
        assert starts(found) == ["07-01 09:00", "07-02 09:00", "07-03 09:00"]

    def test_a_series_of_long_ago_goes_on_in_the_window(self) -> None:
        found = read(event("DTSTART;VALUE=DATE:16010101", "RRULE:FREQ=YEARLY"))
        assert starts(found, ZoneInfo("UTC")) == [f"01-01 00:00"] * 6  # noqa: F541


class TestReasons:
    """What is no meeting in the store says why."""

    def test_outside_the_window(self) -> None:
        assert reason("DTSTART:20200101T090000Z") == "old"
        assert reason("DTSTART:20300101T090000Z") == "later"
        assert reason("DTSTART:19990101T090000Z", "RRULE:FREQ=DAILY;COUNT=9") == "old"

    def test_what_is_known_goes_along(self) -> None:
        with pytest.raises(EventError) as told:
            read(event("DTSTART:20300101T090000Z", "SUMMARY:Far \x1b[31maway"))
        assert (told.value.uid, told.value.title) == ("one", "Far [31maway")
        assert told.value.starts_at == int(datetime(2030, 1, 1, 9, tzinfo=UTC).timestamp())

    def test_nothing_left(self) -> None:
        assert reason(AT_NINE, "RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260701T070000Z") == "empty"
        assert refused(calendar("BEGIN:VTODO\r\nUID:1\r\nEND:VTODO"))[0] == "empty"
        assert refused("")[0] == "empty"

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            (["SUMMARY:x"], "It does not say when it starts."),
            (["DTSTART:tomorrow"], "DTSTART cannot be read: tomorrow"),
            (["DTSTART:20260231T090000Z"], "DTSTART cannot be read: 20260231T090000Z"),
            ([AT_NINE, "DURATION:soon"], "DURATION cannot be read: soon"),
            ([AT_NINE, "RRULE:FREQ=OFTEN"], "RRULE:FREQ=OFTEN"),
            ([AT_NINE, "RRULE:FREQ=DAILY;BYHOUR=25"], "RRULE:FREQ=DAILY;BYHOUR=25"),
            ([AT_NINE, "RRULE:RSCALE=HEBREW;FREQ=YEARLY"], "It recurs in the calendar HEBREW."),
        ],
    )
    def test_unreadable(self, lines: list[str], told: str) -> None:
        assert refused(calendar(event(*lines))) == ("unreadable", told)

    def test_two_meetings_in_one_resource(self) -> None:
        text = calendar(event(AT_NINE, uid="1"), event(AT_NINE, uid="2"))
        assert refused(text) == ("unreadable", "One resource with 2 meetings.")

    def test_one_bad_line_does_not_cost_the_meeting(self) -> None:
        meeting = one("NO COLON HERE", "ATTENDEE;X", "DTSTAMP:never", "SEQUENCE:many", "SUMMARY:Hi")
        assert (meeting.title, meeting.sequence) == ("Hi", 0)
