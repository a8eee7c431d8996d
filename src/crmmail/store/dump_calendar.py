"""The calendar's part of the dump: calendars, meetings with their times and people, the ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

_CALENDARS = """
    SELECT ifnull(email, ''), url, calendar.name, color, selected
    FROM calendar LEFT JOIN account ON account.id = account_id ORDER BY 1, 2
"""
_ATTENDEES = """
    SELECT json_group_array(json_array(address, name, role, response, kind, organizer)) FROM (
        SELECT address.address, attendee.name, role, response, kind, organizer FROM attendee
        JOIN address ON address.id = address_id WHERE meeting_id = m.id ORDER BY position)
"""
_TIMES = """
    SELECT json_group_array(json_array(original_at, starts_at, ends_at, cancelled)) FROM (
        SELECT * FROM occurrence WHERE meeting_id = m.id ORDER BY original_at)
"""
_MEETINGS = f"""
    SELECT uid, recurrence_id, title, location, description, link, ifnull(address, ''), m.tzid,
           all_day, recurrence, first_at, last_at, ({_ATTENDEES}), ({_TIMES})
    FROM meeting m LEFT JOIN address ON address.id = organizer_id ORDER BY 1, 2
"""
_FIELDS = (
    "uid recurrence_id title location description link organizer tzid all_day recurrence first_at "
    "last_at"
).split()
_LEDGER = """
    SELECT ifnull(email, ''), calendar.url, href, uid, reason, detail, title, starts_at
    FROM calendar_object JOIN calendar ON calendar.id = calendar_id
    LEFT JOIN account ON account.id = account_id WHERE reason != '' ORDER BY 1, 2, 3
"""


def calendars(db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The calendars, of accounts and of files."""
    for email, url, name, color, selected in db.execute(_CALENDARS):
        yield {"account": email, "url": url, "name": name, "color": color, "selected": selected}


def meetings(db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The meetings, with all their times."""
    for *fields, attendees, times in db.execute(_MEETINGS):
        yield {
            **dict(zip(_FIELDS, fields, strict=True)),
            "attendees": json.loads(attendees),
            "times": json.loads(times),
        }


def ledger(db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """The resources that are no meeting in the store, each with the reason."""
    for email, url, href, uid, reason, detail, title, starts_at in db.execute(_LEDGER):
        yield {
            "account": email,
            "calendar": url,
            "href": href,
            "uid": uid,
            "reason": reason,
            "detail": detail,
            "title": title,
            "starts_at": starts_at,
        }
