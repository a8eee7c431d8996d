"""When a rule comes round: as dateutil has it where that is right, and never for long."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from dateutil import rrule
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.bounded import bounded
from tests.sync.resources import calendar, event

from crmmail.sync.event import EventError, Window, parse
from crmmail.sync.recurrence import WEEKDAYS, Budget, RecurrenceError, Rule, times

START = datetime(2024, 1, 31, 9, 30)
BEFORE = datetime(2028, 1, 1)
WINDOW = Window.around(int(datetime(2026, 6, 15, tzinfo=UTC).timestamp()))


def days(rule: str, start: datetime = START, count: int = 6) -> list[str]:
    """The first days of a rule."""
    found = times(Rule.parse(rule), start, start, start + timedelta(days=9_000), Budget())
    return [f"{one:%Y-%m-%d}" for one in found[:count]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY", ["2024-01-31", "2024-03-31", "2024-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2024-01-31", "2024-02-29", "2024-03-31"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2024-02-29", "2028-02-29", "2032-02-29"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU", ["2024-02-11", "2024-02-13", "2024-02-25"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU", ["2024-02-04", "2024-02-13", "2024-02-18"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", ["2024-12-30", "2025-12-29", "2027-01-04"]),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SU", ["2024-12-29", "2025-12-28", "2027-01-03"]),
        ("FREQ=YEARLY;BYWEEKNO=20", ["2024-05-15", "2025-05-14", "2026-05-13"]),
        ("FREQ=YEARLY;BYDAY=-1MO", ["2024-12-30", "2025-12-29", "2026-12-28"]),
        ("FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU", ["2024-03-31", "2024-10-27", "2025-03-30"]),
        ("FREQ=YEARLY;BYYEARDAY=-1,60", ["2024-02-29", "2024-12-31", "2025-03-01"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", ["2024-09-13", "2024-12-13", "2025-06-13"]),
        ("FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=-1", ["2024-01-31", "2024-02-29", "2024-03-28"]),
        ("FREQ=DAILY;INTERVAL=10;BYMONTH=2", ["2024-02-10", "2024-02-20", "2025-02-04"]),
    ],
)  # fmt: skip
def test_days(rule: str, expected: list[str]) -> None:
    assert days(rule, count=3) == expected


_PARTS = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"])},
    optional={
        "INTERVAL": st.integers(1, 4).map(str),
        "COUNT": st.integers(1, 30).map(str),
        "WKST": st.sampled_from(WEEKDAYS),
        "BYDAY": st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3).map(",".join),
        "BYMONTH": st.lists(st.integers(1, 12).map(str), min_size=1, max_size=3).map(",".join),
        "BYMONTHDAY": st.lists(
            st.integers(-31, 31).filter(bool).map(str), min_size=1, max_size=4
        ).map(",".join),
        "BYHOUR": st.integers(0, 23).map(str),
        "BYSETPOS": st.sampled_from(["1", "-1", "2", "1,-1"]),
    },
)


@settings(max_examples=300)
@given(_PARTS, st.datetimes(datetime(2023, 1, 1), datetime(2025, 12, 31)))
def test_random_rules_are_as_dateutil_has_them(parts: dict[str, str], start: datetime) -> None:
    # dateutil counts BYSETPOS from DTSTART in the first week.
    assume("BYSETPOS" not in parts or parts["FREQ"] != "WEEKLY")
    start = start.replace(microsecond=0)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    ours = times(Rule.parse(text), start, start, BEFORE, Budget())
    assume(ours)  # dateutil looks for what never comes until the year 9999
    reference = rrule.rrulestr(text, dtstart=start)
    assert ours == list(itertools.takewhile(lambda one: one < BEFORE, reference))


@settings(max_examples=200)
@given(_PARTS, st.datetimes(datetime(2024, 6, 1), datetime(2027, 1, 1)))
def test_what_lies_long_before_is_passed_over_without_a_difference(
    parts: dict[str, str], after: datetime
) -> None:
    rule = Rule.parse(";".join(f"{name}={value}" for name, value in parts.items()))
    whole = times(rule, START, START, BEFORE, Budget())
    assert times(rule, START, after, BEFORE, Budget()) == [one for one in whole if one >= after]


def outcome(text: str) -> str:
    """ "read", or why not."""
    try:
        found = parse(text, WINDOW, UTC)
    except EventError as problem:
        return problem.reason
    assert len(found.times) <= 5_000
    return "read"


HOSTILE = [
    ("20260701T090000Z", "FREQ=SECONDLY"),
    ("20260701T090000Z", "FREQ=MINUTELY"),
    ("20210101T090000Z", "FREQ=HOURLY"),
    ("20260701T090000Z", "FREQ=SECONDLY;COUNT=1000000"),
    ("20260701T090000Z", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"),
    ("20260701T090000Z", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"),
    ("20260701T090000Z", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    ("16010101T000000Z", "FREQ=DAILY;COUNT=10000000"),
    ("16010101T000000Z", "FREQ=YEARLY;COUNT=1000000;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
    ("20210701T090000Z", "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9;BYMINUTE=0,1,2,3,4,5,6,7,8,9"),
    ("00010101T000000Z", "FREQ=SECONDLY;UNTIL=99991231T235959Z"),
    ("20260701T090000Z", "FREQ=YEARLY;INTERVAL=99999999;BYMONTH=2;BYMONTHDAY=30"),
    ("20260701T090000Z", "FREQ=SECONDLY;INTERVAL=99999999999999999999;BYMONTHDAY=31;BYMONTH=4"),
    ("20260701T090000Z", "FREQ=YEARLY;BYSETPOS=366;BYMONTH=2"),
    ("20260701T090000Z", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6"),
]


@pytest.mark.parametrize(("start", "rule"), HOSTILE)
def test_a_hostile_rule_is_refused_or_read_and_costs_little(start: str, rule: str) -> None:
    text = calendar(event(f"DTSTART:{start}", f"RRULE:{rule}"))
    with bounded(2.0):  # the slowest takes a twentieth on a machine that does nothing else
        assert outcome(text) in ("read", "endless", "old")


def test_what_comes_round_too_often_is_endless() -> None:
    for start, rule in HOSTILE[:5]:
        with pytest.raises(RecurrenceError) as told:
            parse(calendar(event(f"DTSTART:{start}", f"RRULE:{rule}")), WINDOW, UTC)
        assert told.value.reason == "endless"


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART:20260701T090000Z", "DTEND:99991231T235959Z"],
        ["DTSTART:99991231T235959Z", "DURATION:P999999999W"],
        ["DTSTART;TZID=Asia/Tokyo:00010101T000000", "RRULE:FREQ=YEARLY"],
        ["DTSTART:20260701T090000Z", "RDATE:" + ",".join(["20260701T090000Z"] * 50_000)],
        ["DTSTART:20260701T090000Z", "RRULE:FREQ=DAILY;COUNT=5", "DURATION:P9999999D"],
        ["DTSTART:20260701T090000Z", "RRULE:" + "FREQ=DAILY;" * 10_000],
        ["DTSTART:20260701T090000Z", "DESCRIPTION:" + "<p>" * 100_000],
        ["DTSTART:20260701T090000Z", "DESCRIPTION:" + "https://a." * 30_000],
        ["DTSTART:20260701T090000Z", "ATTENDEE" + ";X=1" * 50_000 + ":mailto:a@b.com"],
        ["DTSTART:20260701T090000Z", "DURATION:P" + "1D" * 50_000 + "X"],
    ],
)
def test_other_hostile_values_take_no_long_either(lines: list[str]) -> None:
    with bounded():
        assert outcome(calendar(event(*lines))) in ("read", "unreadable", "endless", "old", "later")


AT = "DTSTART:20260701"


def test_many_changed_times_are_refused() -> None:
    changed = [
        event(f"RECURRENCE-ID:2026070{n // 3_600 + 1}T00{n // 60 % 60:02}{n % 60:02}Z", AT)
        for n in range(6_000)
    ]  # fmt: skip
    with pytest.raises(EventError) as told:
        parse(calendar(*changed), WINDOW, UTC)
    assert told.value.reason == "endless"
