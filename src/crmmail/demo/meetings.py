"""The sample calendar: sixty meetings with the sample's people, the same for the same now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from crmmail.demo.parts import stable
from crmmail.demo.story import Person, lines_of

_HOME = "Europe/Berlin"
_ANSWERS = {"no": "DECLINED", "maybe": "TENTATIVE", "open": "NEEDS-ACTION"}
_EVERY = {"daily": 1, "weekly": 7, "monthly": 28}


@dataclass(frozen=True, slots=True)
class Planned:
    """A meeting of the script."""

    title: str
    organizer: str
    guests: tuple[str, ...]
    days: int  # from now
    clock: tuple[int, int]
    minutes: int
    options: tuple[tuple[str, str], ...]
    text: str

    def option(self, name: str) -> str:
        """What the script says after an option's name, "" without it."""
        return next((value for key, value in self.options if key == name), "")

    def options_of(self, name: str) -> list[str]:
        """All that it says after that name."""
        return [value for key, value in self.options if key == name]


def resources(now: datetime, people: Mapping[str, Person]) -> dict[str, str]:
    """The calendar's resources by name, as a server keeps them."""
    found = {}
    for planned in _planned():
        name = stable(planned.title)
        found[f"{name}.ics"] = _calendar(planned, f"{name}@quietrooms.example", now, people)
    return found


def _planned() -> Iterator[Planned]:
    line, text = "", list[str]()
    for one in [*lines_of("meetings"), "|"]:
        if one.startswith("  "):
            text.append(one.strip())
            continue
        if line:
            yield _read(line, "\n".join(text))
        line, text = one, []


def _read(line: str, text: str) -> Planned:
    title, who, when, rest = (field.strip() for field in line.split("|"))
    organizer, _, guests = who.partition(">")
    days, clock, minutes = when.split()
    hour, minute = clock.split(":")
    options = [part.strip().partition("=") for part in rest.split(";") if part.strip()]
    return Planned(
        title,
        organizer.strip(),
        tuple(key.strip() for key in guests.split(",") if key.strip()),
        int(days),
        (int(hour), int(minute)),
        int(minutes),
        tuple((key, value) for key, _, value in options),
        text,
    )


def _calendar(planned: Planned, uid: str, now: datetime, people: Mapping[str, Person]) -> str:
    zone = planned.option("tz") or _HOME
    start = _start(planned, now, ZoneInfo(zone))
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Desk Mail//16//EN"]
    lines += [] if planned.option("days") else _zone(zone, start)
    lines += _event(planned, uid, start, zone, people)
    for moved in planned.options_of("moved"):
        number, _, minutes = moved.partition("+")
        at = _nth(planned, start, int(number))
        later = at + timedelta(minutes=int(minutes))
        lines += _event(planned, uid, later, zone, people, f"RECURRENCE-ID{_local(at, zone)}")
    return "\r\n".join([*map(_folded, lines), "END:VCALENDAR", ""])


def _event(
    planned: Planned,
    uid: str,
    start: datetime,
    zone: str,
    people: Mapping[str, Person],
    recurrence_id: str = "",
) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20240101T000000Z")
    yield f"SUMMARY:{_text(planned.title)}"
    if whole := planned.option("days"):
        yield f"DTSTART;VALUE=DATE:{start:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{start + timedelta(days=int(whole)):%Y%m%d}"
    else:
        yield f"DTSTART{_local(start, zone)}"
        yield f"DTEND{_local(start + timedelta(minutes=planned.minutes), zone)}"
    yield from [recurrence_id] if recurrence_id else _recurrence(planned, start, zone)
    yield from _people(planned, people)
    for name, value in (
        ("LOCATION", planned.option("at") or planned.option("room")),
        ("DESCRIPTION", planned.text),
        ("URL", planned.option("link")),
    ):
        if value:
            yield f"{name}:{value if name == 'URL' else _text(value)}"
    if ("off", "") in planned.options:
        yield "STATUS:CANCELLED"
    if ("private", "") in planned.options:
        yield "CLASS:PRIVATE"
    yield "END:VEVENT"


def _recurrence(planned: Planned, start: datetime, zone: str) -> Iterator[str]:
    for name, days in _EVERY.items():
        if count := planned.option(name):
            every = "WEEKLY;INTERVAL=4" if days == 28 else name.upper()
            yield f"RRULE:FREQ={every};COUNT={count}"
    for number in planned.options_of("skip"):
        yield f"EXDATE{_local(_nth(planned, start, int(number)), zone)}"


def _nth(planned: Planned, start: datetime, number: int) -> datetime:
    """When a series takes place for the n-th time, counted from 0."""
    step = next(days for name, days in _EVERY.items() if planned.option(name))
    return start + timedelta(days=step * number)  # the same time of the clock


def _people(planned: Planned, people: Mapping[str, Person]) -> Iterator[str]:
    if not planned.guests:
        return
    answers = {key: _ANSWERS[how] for how in _ANSWERS for key in planned.options_of(how)}
    host = people[planned.organizer]
    yield f'ORGANIZER;CN="{host.name}":mailto:{host.address}'
    for key in (planned.organizer, *planned.guests):
        answer = answers.get(key, "ACCEPTED")
        yield f'ATTENDEE;CN="{people[key].name}";PARTSTAT={answer}:mailto:{people[key].address}'
    if room := planned.option("room"):
        yield f'ATTENDEE;CUTYPE=ROOM;CN="{room}":mailto:rooms@{host.address.partition("@")[2]}'


def _start(planned: Planned, now: datetime, zone: tzinfo) -> datetime:
    """When it begins, on the clock of its zone; never at a weekend."""
    day: date = now.astimezone(ZoneInfo(_HOME)).date() + timedelta(days=planned.days)
    if day.weekday() > 4:
        day += timedelta(days=7 - day.weekday())
    if planned.title.startswith("Monday"):
        day -= timedelta(days=day.weekday())
    hour, minute = planned.clock
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def _zone(name: str, at: datetime) -> Iterator[str]:
    """A VTIMEZONE that is right around a time, as simple mail programs write it."""
    yield from ("BEGIN:VTIMEZONE", f"TZID:{name}")
    offsets = [datetime(at.year, month, 15, tzinfo=ZoneInfo(name)) for month in (1, 7)]
    winter, summer = (f"{one:%z}" for one in offsets)
    american = name.startswith("America")
    rules = {
        "STANDARD": ("11", "1SU") if american else ("10", "-1SU"),
        "DAYLIGHT": ("3", "2SU" if american else "-1SU"),
    }
    for kind, own, other in (("STANDARD", winter, summer), ("DAYLIGHT", summer, winter)):
        if kind == "DAYLIGHT" and winter == summer:
            continue
        month, day = rules[kind]
        yield from (f"BEGIN:{kind}", "DTSTART:19700101T020000")
        yield from (f"TZOFFSETFROM:{other}", f"TZOFFSETTO:{own}")
        if winter != summer:
            yield f"RRULE:FREQ=YEARLY;BYMONTH={month};BYDAY={day}"
        yield f"END:{kind}"
    yield "END:VTIMEZONE"


def _local(at: datetime, zone: str) -> str:
    return f";TZID={zone}:{at:%Y%m%dT%H%M%S}"


def _text(value: str) -> str:
    for sign in "\\;,":
        value = value.replace(sign, f"\\{sign}")
    return value.replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets (RFC 5545, 3.1)."""
    pieces, piece, size = list[str](), "", 0
    for sign in line:
        width = len(sign.encode())
        if size + width > 73:
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + sign, size + width
    return "\r\n ".join([*pieces, piece])
