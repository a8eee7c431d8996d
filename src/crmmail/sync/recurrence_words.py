"""A recurrence rule in words: "every 2 weeks on Monday and Thursday, 10 times"."""

from __future__ import annotations

from calendar import day_name, month_name
from collections.abc import Iterable

from crmmail.sync.recurrence import Rule

_UNITS = {
    "YEARLY": "year", "MONTHLY": "month", "WEEKLY": "week", "DAILY": "day",
    "HOURLY": "hour", "MINUTELY": "minute", "SECONDLY": "second",
}  # fmt: skip
_PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_WORKDAYS = {(0, day) for day in range(5)}


def words(rules: Iterable[Rule], dates: int = 0) -> str:
    """What several rules, and a number of further dates, say; "" for neither."""
    said = list(dict.fromkeys(map(_rule, rules)))
    if dates:
        also = "on" if not said else "also on"
        said.append(f"{also} {dates} chosen {'day' if dates == 1 else 'days'}")
    return ", ".join(said)


def _rule(rule: Rule) -> str:
    unit = _UNITS[rule.freq]
    often = f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    if set(rule.by_day) == _WORKDAYS and rule.interval == 1 and rule.freq in ("WEEKLY", "DAILY"):
        often, on = "every weekday", ""
    else:
        on = _on(rule)
    if months := rule.by.get("BYMONTH"):
        on += f" in {_listed(month_name[month] for month in sorted(months))}"
    return f"{often}{on}{_until(rule)}"


def _on(rule: Rule) -> str:
    """Which of the days: "" where the first one says it."""
    by = rule.by
    if by.keys() & {"BYHOUR", "BYMINUTE", "BYSECOND"}:
        return " at chosen times"
    if by.keys() & {"BYWEEKNO", "BYYEARDAY"}:
        return " on chosen days"
    if days := by.get("BYMONTHDAY"):
        if rule.by_day or "BYSETPOS" in by:
            return " on chosen days"
        numbers = [_day(day) for day in sorted(days, key=lambda day: (day < 0, day))]
        return f" on {_listed(numbers)}"
    if not rule.by_day:
        return ""
    if positions := by.get("BYSETPOS"):
        places = _listed(_place(one) for one in sorted(positions))
        if set(rule.by_day) == _WORKDAYS:
            return f" on the {places} weekday"
        return f" on the {places} of {_listed(day_name[day] for _, day in rule.by_day)}"
    if rule.freq not in ("YEARLY", "MONTHLY"):
        return f" on {_listed(day_name[day] for _, day in rule.by_day)}"
    return f" on {_listed(_nth(*one) for one in rule.by_day)}"


def _nth(number: int, weekday: int) -> str:
    name = day_name[weekday]
    return f"the {_place(number)} {name}" if number else f"every {name}"


def _place(number: int) -> str:
    if number in _PLACES:
        return _PLACES[number]
    return f"{_PLACES.get(-number, _th(-number))} last" if number < 0 else _th(number)


def _th(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def _day(number: int) -> str:
    if number > 0:
        return f"the {_th(number)}"
    return "the last day" if number == -1 else f"the {_th(-number)} day before the end"


def _until(rule: Rule) -> str:
    if rule.count:
        return ", once" if rule.count == 1 else f", {rule.count:,} times"
    day = rule.until[:8]
    return f" until {day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdigit() else ""


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
