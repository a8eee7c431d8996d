"""Times, sizes and counts in words."""

from __future__ import annotations

import time

MONTHS = (
    "January February March April May June July August September October November December".split()
)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()


def day(at: float) -> tuple[int, int, int]:
    """The local day of a time."""
    when = time.localtime(at)
    return when.tm_year, when.tm_mon, when.tm_mday


def compact(at: int) -> str:
    """A time as short as it can be told: 15:04 today, Jan 02 this year, 2006-01-02 before."""
    if not at:
        return ""
    when, now = time.localtime(at), time.localtime()
    if when[:3] == now[:3]:
        return f"{when.tm_hour:02}:{when.tm_min:02}"
    if when.tm_year == now.tm_year:
        return f"{_MONTHS[when.tm_mon - 1]} {when.tm_mday:02}"
    return f"{when.tm_year:04}-{when.tm_mon:02}-{when.tm_mday:02}"


def exact(at: int) -> str:
    """A local time to the minute, with its weekday."""
    when = time.localtime(at)
    return (
        f"{DAYS[when.tm_wday]} {when.tm_mday} {_MONTHS[when.tm_mon - 1]} {when.tm_year}, "
        f"{when.tm_hour:02}:{when.tm_min:02}"
    )


def coming(at: int) -> str:
    """A time to come as short as it can be told: 15:04 today, Mon 15:04 in a few days, Jan 02."""
    if not at:
        return ""
    when, now = time.localtime(at), time.localtime()
    days = (at - time.time()) / 86_400
    clock = f"{when.tm_hour:02}:{when.tm_min:02}"
    if when[:3] == now[:3]:
        return clock if clock != "00:00" else "today"
    if -1 < days < 6:  # one that goes on began perhaps yesterday
        return f"{DAYS[when.tm_wday]} {clock}" if clock != "00:00" else DAYS[when.tm_wday]
    return f"{_MONTHS[when.tm_mon - 1]} {when.tm_mday:02}"


def duration(seconds: float) -> str:
    """How long something takes, roughly."""
    for size, word in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{round(seconds / size)} {word}"
    return f"{max(round(seconds), 1)} s"


def tries(attempts: int, next_try: int) -> str:
    """How often a message was tried in vain and when it is tried again; "" for no attempts (M8)."""
    if not attempts:
        return ""
    when = f"after {coming(next_try)}" if next_try > time.time() else "with the next sync"
    return f"tried {plural(attempts, 'time')}, next {when}"


def size(count: int) -> str:
    """A number of bytes, roughly."""
    if count < 1_000:
        return f"{count} B"
    if count < 999_500:
        return f"{count / 1_000:.0f} kB"
    if count < 999_950_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:,.1f} GB"


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def titled(title: str, hidden: bool, what: str = "title") -> str:
    """A meeting's title, or what else mail has, or why there is none (rules.md V1, V5)."""
    return title or ("(hidden by this account's visibility)" if hidden else f"(no {what})")
