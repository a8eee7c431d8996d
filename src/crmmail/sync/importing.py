"""Meetings from an .ics file, through the same parser as those of a server."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from crmmail.errors import CrmmailError
from crmmail.store import calendars
from crmmail.store.database import Store
from crmmail.sync import ics_file, meetings
from crmmail.sync.meetings import Resource
from crmmail.sync.multistatus import canonical

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    calendar_id: int
    read: int
    new: int
    changed: int


def import_file(store: Store, name: str, data: bytes) -> Imported:
    """Put the meetings of a file into the calendar of that name. What is the same is left alone."""
    raw = ics_file.decoded(data)
    if "BEGIN:VCALENDAR" not in raw.upper():
        raise CrmmailError("This is no calendar file.", "It begins with BEGIN:VCALENDAR.")
    found = [_resource(uid, text) for uid, text in ics_file.split(raw)]
    if not found:
        raise CrmmailError("There is no meeting in this file.")
    calendar_id = calendars.add_file(store, name)
    here = calendars.etags(store.read(), calendar_id)
    wanted = [one for one in found if here.get(one.href) != one.etag]
    for start in range(0, len(wanted), _CHUNK):
        meetings.save(store, calendar_id, wanted[start : start + _CHUNK], set(), None)
    calendars.succeeded(store, [calendar_id], int(time.time()))
    new = sum(one.href not in here for one in wanted)
    return Imported(calendar_id, len(found), new, len(wanted) - new)


def _resource(uid: str, text: str) -> Resource:
    """A meeting as a server would list it; one without a UID is known by its text."""
    mark = hashlib.sha256(text.encode()).hexdigest()
    return Resource(canonical(f"/{uid or mark}"), mark, text)
