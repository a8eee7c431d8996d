"""Meetings as one iCalendar file (RFC 5545): the resources of the calendars, put together."""

from __future__ import annotations

import sqlite3

from crmmail import __version__


def calendar(db: sqlite3.Connection) -> str:
    """Every meeting in the store, each UID once, with the time zones that they need."""
    import icalendar

    made = icalendar.Calendar()
    made.add("PRODID", f"-//crmmail//crmmail {__version__}//EN")
    made.add("VERSION", "2.0")
    zones = set[str]()
    resources = db.execute(
        """SELECT raw FROM calendar_object WHERE id IN (
               SELECT object_id FROM meeting WHERE object_id IS NOT NULL) ORDER BY uid, id"""
    )
    for (raw,) in resources:
        for part in icalendar.Calendar.from_ical(raw).subcomponents:
            if part.name == "VTIMEZONE":
                name = str(part.get("TZID", ""))
                if name in zones:
                    continue
                zones.add(name)
            made.add_component(part)
    return str(made.to_ical(), "utf-8", "replace")
