"""A meeting as lines to read: when, where, who comes, what it is about, its other times."""

from __future__ import annotations

import time
from collections.abc import Iterator

from crmmail.store import why
from crmmail.store.meeting_detail import AttendeeRow, MeetingDetail
from crmmail.store.meetings import CANCELLED, Times
from crmmail.widgets.occasion import organiser_time, span, state_of, when
from crmmail.widgets.sections import Line, Section
from crmmail.widgets.words import plural

WHEN, WHO, ABOUT, TIMES = range(1, 5)
"""The keys of the sections."""
HINT = "   @ opens a record or makes a contact"
TURN = "   n the next one, p the one before"
_LABEL = 10
_AROUND = 4  # other times that are named, on either side
_ANSWERS = {
    "accepted": ("✓ ", "good", "accepted"),
    "declined": ("✗ ", "bad", "declined"),
    "tentative": ("? ", "accent", "maybe"),
    "delegated": ("→ ", "accent", "delegated"),
}
_UNKNOWN = ("· ", "muted", "has not answered")
_ROLES = {"chair": "chairs", "optional": "optional", "informed": "for information"}


def sections(detail: MeetingDetail) -> Iterator[Section]:
    """All that there is to read about a meeting."""
    yield Section(WHEN, tuple(_facts(detail)))
    yield Section(WHO, tuple(_people(detail.attendees)))
    if detail.description:
        text = [Line(((line, "text"),)) for line in detail.description.split("\n")]
        yield Section(ABOUT, (*text, Line()))
    if len(detail.times.ids) > 1:
        yield Section(TIMES, tuple(_times(detail)))


def _facts(detail: MeetingDetail) -> Iterator[Line]:
    row = detail.row
    yield _fact("When", when(row))
    if elsewhere := organiser_time(row, detail.tzid):
        yield _fact("", elsewhere, "muted")
    if state := state_of(row, over=row.ends_at <= time.time()):
        yield _fact("", *state)
    for label, text in (
        ("Repeats", detail.recurrence),
        ("Place", row.location),
        ("Online", row.link),
        ("Calendar", ", ".join(filter(None, (detail.calendar, detail.account)))),
    ):
        if text:
            yield _fact(label, text, "muted" if label == "Calendar" else "text")
    if detail.recurrence_id:
        yield _fact("", "changed: the series has it otherwise", "accent")
    yield Line()


def _fact(label: str, text: str, role: str = "text") -> Line:
    return Line(((f"{label:<{_LABEL}}", "muted"), (text, role)), hang=" " * _LABEL)


def _people(attendees: tuple[AttendeeRow, ...]) -> Iterator[Line]:
    if not attendees:
        return
    coming = sum(one.response == "accepted" for one in attendees)
    words = f"{plural(len(attendees), 'attendee')}, {coming} accepted"
    yield Line(((words, "title"), (HINT, "muted")))
    for one in attendees:
        sign, role, answer = _ANSWERS.get(one.response, _UNKNOWN)
        name = "me" if one.no_contact == "own" else one.name or one.address
        strong = "strong" if one.person_id is not None else "text"
        yield Line(
            ((sign, role), (name, strong), (f"  {', '.join(roles(one, answer))}", "muted")),
            hang="  ",
            target="people",
        )
    yield Line()


def roles(one: AttendeeRow, answer: str = "") -> Iterator[str]:
    """What somebody has to do with a meeting, in words."""
    if one.organizer:
        yield "organiser"
    if one.kind in ("room", "resource", "group"):
        yield one.kind
    if one.role in _ROLES:
        yield _ROLES[one.role]
    if answer or one.response:
        yield answer or _ANSWERS.get(one.response, _UNKNOWN)[2]
    if answer and one.person_id is not None and one.company:
        yield one.company
    if answer and one.person_id is None and one.no_contact not in ("", "own"):
        yield f"no contact ({why.contact(one.no_contact)})"


def _times(detail: MeetingDetail) -> Iterator[Line]:
    times, here = detail.times, detail.times.ids.index(detail.row.id)
    count = (plural(len(times.ids), "time"), "title")
    yield Line((count, (TURN, "muted")))
    first = max(here - _AROUND, 0)
    for i in range(first, min(here + _AROUND + 1, len(times.ids))):
        sign = "▸ " if i == here else "  "
        role = "gone" if times.off[i] == CANCELLED else "strong" if i == here else "text"
        yield Line(((sign, "mark"), (_time(times, i, all_day=detail.row.all_day), role)))


def _time(times: Times, i: int, *, all_day: bool) -> str:
    return span(times.starts[i], times.ends[i], all_day=all_day)
