"""Files with many events, and text that nobody would write."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sync.read_events import AT_NINE, BERLIN, WINDOW
from tests.sync.resources import calendar, event

from crmmail.sync.event import EventError, parse
from crmmail.sync.ics_file import decoded, split


class TestFiles:
    """A file with many meetings."""

    def test_is_taken_apart(self) -> None:
        zone = "BEGIN:VTIMEZONE\r\nTZID:Mine\r\nEND:VTIMEZONE"
        text = calendar(
            "METHOD:PUBLISH",
            "X-WR-TIMEZONE:Asia/Tokyo",
            zone,
            event("DTSTART;TZID=Mine:20260701T090000", uid="a"),
            event("DTSTART:20260701T090000Z", uid="b"),
            event("RECURRENCE-ID:20260708T000000Z", "DTSTART:20260709T000000Z", uid="a"),
            "BEGIN:VTODO\r\nUID:t\r\nEND:VTODO",
            event("DTSTART:20260702T090000Z", "SUMMARY:No UID").replace("UID:one\r\n", ""),
        )
        found = dict(split(text))
        assert list(found)[:2] == ["a", "b"]
        assert [part.count("BEGIN:VEVENT") for part in found.values()] == [2, 1, 1]
        assert ["VTIMEZONE" in part for part in found.values()] == [True, False, False]
        for uid, part in found.items():
            assert parse(part, WINDOW, BERLIN).uid == uid
        assert parse(found["a"], WINDOW, BERLIN).meetings[0].tzid == "Asia/Tokyo"

    @pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_in_whatever_encoding(self, codec: str) -> None:
        text = decoded(calendar(event(AT_NINE, "SUMMARY:Größe")).encode(codec))
        assert parse(text, WINDOW).meetings[0].title == "Größe"


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    text = decoded(data)
    for part in (text, calendar(event(text)), *(part for _, part in split(text))):
        with suppress(EventError):
            assert parse(part, WINDOW, BERLIN).times


_WORDS = st.sampled_from(
    "DTSTART DTEND DURATION RRULE RDATE EXDATE RECURRENCE-ID ATTENDEE ORGANIZER UID SEQUENCE CLASS "
    "BEGIN:VTIMEZONE END:VTIMEZONE BEGIN:STANDARD END:STANDARD TZID TZOFFSETFROM TZOFFSETTO "
    "BEGIN:VEVENT END:VEVENT URL DESCRIPTION : ; = , \r\n FREQ=DAILY INTERVAL=0 COUNT=-1 BYDAY=MO "
    "UNTIL=9 BYMONTHDAY=31 20260701T090000 20260701 99991231T235959Z 00010101 P1D PT Z VALUE=DATE "
    "TZID=Europe/Berlin TZID=X RANGE=THISANDFUTURE mailto:a@b.com +0100".split(" ")
)


@settings(max_examples=400)
@given(st.lists(_WORDS, max_size=40))
def test_any_words_of_the_language_are_read_or_refused(words: list[str]) -> None:
    for text in ("".join(words), calendar(event("DTSTART:20260701T090000Z", "".join(words)))):
        with suppress(EventError):
            assert parse(text, WINDOW, BERLIN).times
