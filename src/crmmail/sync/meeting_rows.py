"""Writing meetings as what differs from what is there: what did not change is not touched."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from crmmail.store import former, removal
from crmmail.store.database import Change
from crmmail.sync.copies import Copy, Whole
from crmmail.sync.message import usable_name
from crmmail.sync.parsed import ParsedMeeting

_COLUMNS = (
    "object_id, title, location, description, link, people, organizer_id, tzid, all_day, "
    "recurrence, first_at, last_at"
)
_SET = ", ".join(f"{column} = ?" for column in _COLUMNS.split(", "))
_MARKS = ", ".join("?" * 15)
_Attendee = tuple[int, str, str, str, str, bool]


@dataclass(slots=True)
class Written:
    """What a write has changed."""

    touched: set[int] = field(default_factory=set)  # meetings that are new, or whose people are
    addresses: set[int] = field(default_factory=set)  # that took part before or do now
    left: set[int] = field(default_factory=set)  # people that took part in what went
    changed: bool = False


def write(
    db: sqlite3.Connection,
    change: Change,
    wholes: Mapping[str, Whole],
    address_ids: Mapping[str, int],
) -> Written:
    """Make the meetings of these UIDs what is wanted."""
    done = Written()
    here = _present(db, wholes)
    ids: dict[tuple[str, str], int] = {}
    for uid, whole in wholes.items():
        spans = _spans(whole)
        for rid, (copy, meeting) in whole.meetings.items():
            row = _row(copy, meeting, spans[rid], address_ids)
            ids[uid, rid] = _put(db, done, (uid, rid), row, here.get((uid, rid)))
    _put_times(db, done, wholes, ids)
    for (uid, rid), meeting_id in ids.items():
        _put_attendees(db, done, meeting_id, wholes[uid].meetings[rid][1], address_ids)
    gone = [row[0] for key, row in here.items() if key not in ids]
    done.left = _people(db, gone)
    removal.remove_meetings(db, change, gone)
    done.changed |= bool(gone)
    return done


def _people(db: sqlite3.Connection, meeting_ids: list[int]) -> set[int]:
    rows = db.execute(
        """SELECT DISTINCT person_id FROM json_each(?) AS gone
           CROSS JOIN attendee ON attendee.meeting_id = gone.value
           CROSS JOIN address ON address.id = attendee.address_id WHERE person_id IS NOT NULL""",
        [json.dumps(meeting_ids)],
    )
    return {person for (person,) in rows}


def _present(
    db: sqlite3.Connection, wholes: Mapping[str, Whole]
) -> dict[tuple[str, str], tuple[int, tuple[object, ...]]]:
    """The meetings that are there, by UID and recurrence id."""
    rows = db.execute(
        f"""SELECT meeting.id, uid, recurrence_id, {_COLUMNS} FROM json_each(?) AS wanted
            CROSS JOIN meeting ON meeting.uid = wanted.value""",  # noqa: S608
        [json.dumps(list(wholes))],
    ).fetchall()
    return {(row[1], row[2]): (row[0], row[3:]) for row in rows}


def _row(
    copy: Copy, meeting: ParsedMeeting, span: tuple[int, int], address_ids: Mapping[str, int]
) -> tuple[object, ...]:
    people = "\n".join(f"{one.name} {one.address}".strip() for one in meeting.attendees)
    return (
        copy.object_id,
        meeting.title,
        meeting.location,
        meeting.description,
        meeting.link,
        people,
        address_ids.get(meeting.organizer),
        meeting.tzid,
        int(meeting.all_day),
        meeting.recurrence,
        *span,
    )


def _spans(whole: Whole) -> dict[str, tuple[int, int]]:
    """When each meeting first and last begins."""
    found: dict[str, list[int]] = defaultdict(list)
    for time in whole.times.values():
        found[time.recurrence_id].append(time.starts_at)
    return {rid: (min(starts), max(starts)) for rid, starts in found.items()}


def _put(
    db: sqlite3.Connection,
    done: Written,
    key: tuple[str, str],
    row: tuple[object, ...],
    there: tuple[int, tuple[object, ...]] | None,
) -> int:
    if there is None:
        new = former.meeting_id(db, *key)
        db.execute(
            f"INSERT INTO meeting (id, uid, recurrence_id, {_COLUMNS}) VALUES ({_MARKS})",  # noqa: S608
            [new, *key, *row],
        )
        done.touched.add(new)
        done.changed = True
        return new
    if there[1] != row:
        db.execute(f"UPDATE meeting SET {_SET} WHERE id = ?", [*row, there[0]])  # noqa: S608
        done.changed = True
    return there[0]


def _put_times(
    db: sqlite3.Connection,
    done: Written,
    wholes: Mapping[str, Whole],
    ids: Mapping[tuple[str, str], int],
) -> None:
    here = {
        (uid, original): (occurrence, values)
        for occurrence, uid, original, *values in db.execute(
            """SELECT occurrence.id, uid, original_at, meeting_id, starts_at, ends_at, cancelled
               FROM json_each(?) AS wanted CROSS JOIN meeting ON meeting.uid = wanted.value
               CROSS JOIN occurrence ON occurrence.meeting_id = meeting.id""",
            [json.dumps(list(wholes))],
        )
    }
    new, moved = [], []
    for uid, whole in wholes.items():
        for original, time in whole.times.items():
            meeting = ids[uid, time.recurrence_id]
            values = [meeting, time.starts_at, time.ends_at, int(time.cancelled)]
            there = here.pop((uid, original), None)
            if there is None:
                new.append((original, *values))
            elif there[1] != values:
                moved.append((*values, there[0]))
    db.executemany(
        """INSERT INTO occurrence (original_at, meeting_id, starts_at, ends_at, cancelled)
           VALUES (?, ?, ?, ?, ?)""",
        new,
    )
    db.executemany(
        """UPDATE occurrence SET meeting_id = ?, starts_at = ?, ends_at = ?, cancelled = ?
           WHERE id = ?""",
        moved,
    )
    db.executemany("DELETE FROM occurrence WHERE id = ?", [(there[0],) for there in here.values()])
    done.changed |= bool(new or moved or here)


def _put_attendees(
    db: sqlite3.Connection,
    done: Written,
    meeting_id: int,
    meeting: ParsedMeeting,
    address_ids: Mapping[str, int],
) -> None:
    wanted: list[_Attendee] = [
        (
            address_ids[one.address],
            one.name if usable_name(one.name) else "",
            one.role,
            one.response,
            one.kind,
            one.organizer,
        )
        for one in meeting.attendees
    ]
    here = []
    if meeting_id not in done.touched:
        here = db.execute(
            """SELECT address_id, name, role, response, kind, organizer FROM attendee
               WHERE meeting_id = ? ORDER BY position""",
            [meeting_id],
        ).fetchall()
    if here == wanted:
        return
    db.execute("DELETE FROM attendee WHERE meeting_id = ?", [meeting_id])
    db.executemany(
        """INSERT INTO attendee (meeting_id, position, address_id, name, role, response, kind,
               organizer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [(meeting_id, place, *one) for place, one in enumerate(wanted)],
    )
    done.touched.add(meeting_id)
    done.addresses |= {one[0] for one in (*here, *wanted)}
    done.changed = True
