"""Times, sizes and amounts in words."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from crmmail.widgets.words import compact, duration, exact, plural, size


def at(*when: int) -> int:
    return int(dt.datetime(*when, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())  # type: ignore[misc]


def test_times_are_local_and_as_short_as_they_can_be() -> None:
    assert compact(at(2026, 3, 14, 7, 5)) == "07:05"
    assert compact(at(2026, 3, 13, 23, 59)) == "Mar 13"
    assert compact(at(2025, 12, 31, 12, 0)) == "2025-12-31"
    assert compact(0) == ""
    assert exact(at(2026, 3, 1, 18, 4)) == "Sun 1 Mar 2026, 18:04"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (61, "1 min"), (5_400, "2 h")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_sizes_counts_and_amounts() -> None:
    counts = (12, 1_500, 999_499, 2_300_000, 999_949_999, 999_950_000, 1_234_500_000_000)
    assert [size(n) for n in counts] == [
        "12 B",
        "2 kB",
        "999 kB",
        "2.3 MB",
        "999.9 MB",
        "1.0 GB",
        "1,234.5 GB",
    ]
    assert plural(1, "person", "people") == "1 person"
    assert plural(1_200, "thread") == "1,200 threads"
