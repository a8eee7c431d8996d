"""Meetings: a record's, and all; what the hand says of them (rules.md K, C7).

A list is of occurrences: the times at which meetings take place. All-day times are stored as UTC
midnights of their days, whatever the zone; what is compared with a clock is made local first.
"""

from __future__ import annotations

import json
import sqlite3
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import hands, links, manual, records, windows
from crmmail.store.database import Store
from crmmail.store.kinds import Kind, Level
from crmmail.store.manual import Said

_NAMED = 12  # attendees whose names a list has
DAY = 86_400
CANCELLED, DECLINED = 1, 2

START = "iif(m.all_day, unixepoch(o.starts_at, 'unixepoch', 'utc'), o.starts_at)"
_END = "iif(m.all_day, unixepoch(o.ends_at, 'unixepoch', 'utc'), o.ends_at)"
_DECLINED = """EXISTS (
    SELECT 1 FROM attendee x JOIN address a ON a.id = x.address_id
    WHERE x.meeting_id = m.id AND x.response = 'declined' AND a.no_contact = 'own')"""
# A meeting counts as the next one while it goes on; one that began days ago is no news.
_COMING = f"""o.starts_at > {{now}} - 2 * {DAY} AND NOT o.cancelled
    AND {_END} > {{now}} AND {START} > {{now}} - {DAY}"""
NEXT = f"""(
    SELECT min({START}) FROM meeting_link l
    JOIN meeting m ON m.id = l.meeting_id AND m.last_at > {{now}} - 2 * {DAY}
    JOIN occurrence o ON o.meeting_id = m.id AND {_COMING}
    WHERE l.kind = {{kind}} AND l.record_id = r.id AND l.hand >= 0 AND NOT {_DECLINED})"""
"""SQL: when the next meeting of the record `r` begins, NULL without one; `{now}` is the time."""

_TIMES = f"""
    SELECT json_group_array(json_array(id, start, stop, off)) FROM (
        SELECT o.id, iif(o.cancelled, {CANCELLED}, {DECLINED} * (m.id IN (
                SELECT x.meeting_id FROM address a JOIN attendee x ON x.address_id = a.id
                WHERE a.no_contact = 'own' AND x.response = 'declined'))) AS off,
            iif(m.all_day, o.starts_at, unixepoch(o.starts_at, 'unixepoch', 'localtime')) AS start,
            iif(m.all_day, o.ends_at, unixepoch(o.ends_at, 'unixepoch', 'localtime')) AS stop
        FROM {{source}} ORDER BY start, NOT m.all_day, stop, o.id)
"""
ALL = "occurrence o JOIN meeting m ON m.id = o.meeting_id"
_OF_RECORD = """meeting_link l JOIN meeting m ON m.id = l.meeting_id
    JOIN occurrence o ON o.meeting_id = m.id
    WHERE l.kind = ? AND l.record_id = ? AND l.hand >= 0"""
_NAMES = f"""
    SELECT json_group_array(name) FROM (
        SELECT coalesce(nullif(p.name, ''), nullif(x.name, ''), nullif(a.name, ''), a.address)
            AS name
        FROM attendee x JOIN address a ON a.id = x.address_id
        LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
        WHERE x.meeting_id = m.id AND a.no_contact != 'own' AND x.response != 'declined'
        AND x.kind NOT IN ('room', 'resource')
        ORDER BY x.organizer DESC, x.position LIMIT {_NAMED})
"""
_MINE = """
    SELECT x.response FROM attendee x JOIN address a ON a.id = x.address_id
    WHERE x.meeting_id = m.id AND a.no_contact = 'own' ORDER BY x.position LIMIT 1
"""
HIDDEN = f"""m.title = '' AND EXISTS (
    SELECT 1 FROM calendar_object object JOIN calendar c ON c.id = object.calendar_id
    JOIN account ON account.id = c.account_id
    WHERE object.id = m.object_id AND meeting_level < {Level.EVERYTHING})"""
"""SQL: whether it is visibility that a meeting has no title (V5)."""
_COLUMNS = f"""
    o.id, m.id, m.title, o.starts_at, o.ends_at, m.all_day, o.cancelled, m.location, m.link,
    m.recurrence != '' OR m.recurrence_id != '', coalesce(({_MINE}), ''), ({_NAMES}),
    {HIDDEN}
"""
_WINDOW = f"""
    SELECT json_group_array(json_array({_COLUMNS},
        coalesce(iif(l.why = '' AND l.hand = 1, 'hand', l.why), '')))
    FROM json_each(?) wanted JOIN occurrence o ON o.id = wanted.value
    JOIN meeting m ON m.id = o.meeting_id
    LEFT JOIN meeting_link l ON l.kind = ? AND l.record_id = ? AND l.meeting_id = m.id
"""
MET = f"""
    SELECT id, at FROM (
        SELECT o.id, {START} AS at FROM meeting_link l JOIN meeting m ON m.id = l.meeting_id
        JOIN occurrence o ON o.meeting_id = m.id AND o.starts_at < :now + {DAY}
        WHERE l.kind = :kind AND l.record_id = :record AND l.hand >= 0 AND NOT o.cancelled
        AND NOT {_DECLINED}) WHERE at <= :now
"""
"""SQL: the occurrences at which one has met a record up to :now, and when."""
_SUMMARY = f"SELECT count(*), coalesce(max(at), 0) FROM ({MET})"
_NEXT_ROW = f"""
    SELECT o.id, {START}, m.title FROM meeting_link l
    JOIN meeting m ON m.id = l.meeting_id AND m.last_at > :now - 2 * {DAY}
    JOIN occurrence o ON o.meeting_id = m.id AND {_COMING.replace("{now}", ":now")}
    WHERE l.kind = :kind AND l.record_id = :record AND l.hand >= 0 AND NOT {_DECLINED}
    ORDER BY 2, 1 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Times:
    """When the occurrences of a list take place, the earliest first.

    Starts and ends are what a local clock shows, as if that were UTC: a day is 86,400 of them.
    """

    ids: array[int]
    starts: array[int]
    ends: array[int]
    off: array[int]  # 0, or why it does not take place for oneself: CANCELLED, DECLINED

    def between(self, since: int, until: int) -> array[int]:
        """The ids of those that take place at least partly in a span of that clock."""
        spans = zip(self.ids, self.starts, self.ends, strict=True)
        return array("q", [i for i, a, b in spans if a < until and (b > since or a >= since)])

    def next(self, now: int) -> int | None:
        """The position of the first that takes place and is not over, nor began a day ago."""
        spans = enumerate(zip(self.starts, self.ends, self.off, strict=True))
        coming = (
            i for i, (a, b, off) in spans if a > now - DAY and max(a + 1, b) > now and not off
        )
        return next(coming, None)


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    """A meeting at one time, in a list; all-day times are UTC midnights.

    `response` is one's own; `names` are of those who have not declined, at most twelve; `why` says
    what put it on the record, as in ThreadRow. `hidden`: its title is not kept (V5).
    """

    id: int
    meeting_id: int
    title: str
    starts_at: int
    ends_at: int
    all_day: bool
    cancelled: bool
    location: str
    link: str
    recurs: bool
    response: str
    names: tuple[str, ...]
    hidden: bool
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A record's meetings in few words: how often one met, when last, and what comes next."""

    met: int
    last_at: int
    next_id: int | None
    next_at: int
    next_title: str


def wall(at: float) -> int:
    """What a local clock shows at a time, in the seconds of Times."""
    return int(at) + time.localtime(at).tm_gmtoff


def of_record(db: sqlite3.Connection, kind: int, record_id: int) -> Times:
    """The times of a record's meetings."""
    return times(db, _OF_RECORD, [kind, record_id])


def every(db: sqlite3.Connection) -> Times:
    """The times of all meetings."""
    return times(db, ALL, [])


def rows(
    db: sqlite3.Connection,
    ids: Iterable[int],
    kind: int | None = None,
    record_id: int | None = None,
) -> list[OccurrenceRow]:
    """The rows of a window of a list; for a record's list, with why each is on it."""
    return [
        OccurrenceRow(
            i, meeting, title, start, end, bool(all_day), bool(cancelled), place, link,
            bool(recurs), response, tuple(dict.fromkeys(names)), bool(hidden), why,
        )
        for i, meeting, title, start, end, all_day, cancelled, place, link, recurs, response,
            names, hidden, why in windows.window(db, _WINDOW, ids, kind or 0, record_id or 0)
    ]  # fmt: skip


def summary(db: sqlite3.Connection, kind: int, record_id: int, now: float) -> Summary:
    """A record's meetings in few words."""
    values = {"kind": int(kind), "record": record_id, "now": int(now)}
    met, last_at = db.execute(_SUMMARY, values).fetchone()
    following = db.execute(_NEXT_ROW, values).fetchone() or (None, 0, "")
    return Summary(met, last_at, *following)


def nearest(db: sqlite3.Connection, meeting_ids: Iterable[int], now: float) -> dict[int, int]:
    """For each meeting the occurrence that matters most: the next one, else the last one."""
    select = """
        SELECT json_group_array(json_array(wanted.value, coalesce(
            (SELECT id FROM occurrence WHERE meeting_id = wanted.value AND ends_at > ?2
             ORDER BY starts_at LIMIT 1),
            (SELECT id FROM occurrence WHERE meeting_id = wanted.value
             ORDER BY starts_at DESC LIMIT 1))))
        FROM json_each(?1) wanted
    """
    found = windows.packed(db, select, [json.dumps(list(meeting_ids)), int(now)])
    return {meeting: occurrence for meeting, occurrence in found if occurrence is not None}


# By hand


def link(store: Store, kind: int, record_id: int, meeting_id: int) -> Said:
    """Put a meeting on a record by hand (C7); returns what links.take_back() needs."""
    return set_hand(store, kind, record_id, meeting_id, 1)


def hide(store: Store, kind: int, record_id: int, meeting_id: int) -> Said:
    """Take a meeting off a record by hand (C7); returns what links.take_back() needs."""
    return set_hand(store, kind, record_id, meeting_id, -1)


def set_hand(store: Store, kind: int, record_id: int, meeting_id: int, value: int) -> Said:
    """Link by hand (1), hide by hand (-1) or neither (0); returns what links.take_back() needs.

    This is for a meeting with all its changed occurrences.
    """
    with store.write("meetings", records.TOPICS[Kind(kind)]) as (db, change):
        records.check_alive(db, Kind(kind), record_id)
        series = db.execute(
            "SELECT id FROM meeting WHERE uid = (SELECT uid FROM meeting WHERE id = ?)",
            [meeting_id],
        ).fetchall()
        if not series:
            raise records.RecordError(
                f"There is no meeting with the number {meeting_id}.",
                "crmmail agenda shows those that there are.",
            )
        said = manual.put(db, manual.MEETING, kind, record_id, meeting_id, value)
        links.relink(db, change, [one for (one,) in series], manual.MEETING, by_hand=True)
        change.records.add((kind, record_id))
    return said


def hand(db: sqlite3.Connection, kind: int, record_id: int, meeting_id: int) -> int:
    """Whether a meeting was linked to a record by hand (1), hidden (-1), or neither (0)."""
    return hands.hand(db, hands.MEETING, kind, record_id, meeting_id)


def times(db: sqlite3.Connection, source: str, parameters: windows.Parameters) -> Times:
    """The times of some occurrences; `source` is SQL with `m` and `o`, as in ALL."""
    found = windows.packed(db, _TIMES.replace("{source}", source), parameters)
    return Times(*(array("q", (row[column] for row in found)) for column in range(4)))
