"""Twelve months of a record's mail in twelve characters."""

from __future__ import annotations

import time
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def last_months(count: int = 12) -> tuple[list[str], int]:
    """The names of the last months, like 202603, oldest first, and when the first one began."""
    now = time.localtime()
    numbers = range(now.tm_year * 12 + now.tm_mon - count, now.tm_year * 12 + now.tm_mon)
    pairs = [(number // 12, number % 12 + 1) for number in numbers]
    year, month = pairs[0]
    begin = int(time.mktime((year, month, 1, 0, 0, 0, 0, 0, -1)))
    return [f"{year:04}{month:02}" for year, month in pairs], begin


def bars(counts: Sequence[int]) -> str:
    """A bar for each count; a month without mail is a dot."""
    most = max(counts, default=0)
    return "".join(
        _BARS[max(-(-count * len(_BARS) // most) - 1, 0)] if count else "·" for count in counts
    )
