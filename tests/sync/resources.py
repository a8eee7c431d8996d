"""Calendar resources, as tests write them."""

from __future__ import annotations

from crmmail.store.database import Store
from crmmail.sync import meetings
from crmmail.sync.meetings import Resource


def event(*lines: str, uid: str = "one") -> str:
    """A VEVENT."""
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    """A resource."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""])


def meeting(
    *lines: str,
    uid: str = "one",
    start: str = "20260701T090000",
    people: tuple[str, ...] = ("Ann Berg <ann@acme.com>",),
    title: str = "Kick-off",
) -> str:
    """A VEVENT of an hour in Berlin that I have called, with people."""
    asked = []
    for one in people:
        name, _, address = one.rpartition("<")
        asked.append(f"ATTENDEE;CN={name.strip()};PARTSTAT=ACCEPTED:mailto:{address.rstrip('>')}")
    return event(
        f"SUMMARY:{title}",
        f"DTSTART;TZID=Europe/Berlin:{start}",
        "DURATION:PT1H",
        "ORGANIZER;CN=Me:mailto:me@home.example",
        *asked,
        *lines,
        uid=uid,
    )


def put(store: Store, calendar_id: int, **resources: str | None) -> None:
    """Let a calendar hold these resources by name; None takes one out."""
    taken = [
        Resource(f"/{name}.ics", f"{hash(raw)}", raw) for name, raw in resources.items() if raw
    ]
    gone = [f"/{name}.ics" for name, raw in resources.items() if raw is None]
    meetings.save(store, calendar_id, taken, gone)
