"""Events in iCalendar, as a server holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def event(number: int, title: str = "", *extra: str, uid: str = "", day: int | None = None) -> str:
    """A meeting of an hour with Ann, some days from now."""
    start = NOW + timedelta(days=number % 200 - 100 if day is None else day)
    end = start + timedelta(hours=1)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//crmmail//tests//EN",
        "BEGIN:VEVENT",
        f"UID:{uid or f'meeting-{number}@far.example'}",
        f"DTSTAMP:{NOW:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{end:%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{title or f'Meeting {number}'}",
        "ORGANIZER;CN=Me:mailto:me@home.example",
        "ATTENDEE;CN=Me;PARTSTAT=ACCEPTED:mailto:me@home.example",
        "ATTENDEE;CN=Ann Far;PARTSTAT=NEEDS-ACTION:mailto:ann@far.example",
        *extra,
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def events(count: int, first: int = 0) -> dict[str, str]:
    """So many resources by name."""
    return {f"{number}.ics": event(number) for number in range(first, first + count)}
