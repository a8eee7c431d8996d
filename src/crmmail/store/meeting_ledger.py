"""The ledger of the calendars: which meetings did not enter the store, and by which rule (K)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crmmail.addresses import normal
from crmmail.store import windows
from crmmail.store.kinds import Level
from crmmail.store.ledger import Filter
from crmmail.text import one_line

PREFIX = "meetings: "
"""How the reasons of meetings begin where those of mail stand beside them; alone: any of them."""

_RULES = {
    "calendar": "K1: the calendar is not read",
    "unreadable": "K8: it could not be read",
    "endless": "K2: it recurs too often to be followed",
    "empty": "K2: it takes place at no time",
    "old": "K2: over for more than five years",
    "later": "K2: more than a year ahead",
    "private": "K7: private or confidential",
    "blocked": "M3: somebody in it is on the blocklist",
    "nobody": "K7: nobody but you takes part",
    "internal": "K7: between colleagues only",
    "forgotten": "somebody in it was forgotten: crmmail remember ADDRESS lets them in again",
}
REASONS = tuple(_RULES)
NAMES = {
    PREFIX: "meetings",
    f"{PREFIX}calendar": "calendars not read",
    f"{PREFIX}old": "meetings: too old",
    f"{PREFIX}later": "meetings: too far ahead",
    f"{PREFIX}internal": "meetings: colleagues",
}
"""What the meetings of a reason are called, where that is not the reason itself."""

_MEETING = 1 << 62
"""What the ids of meetings have beside those of mail; of calendars that are not read, negated."""
_FIELDS = f"""object.id | {_MEETING}, object.uid, reason, detail, title, starts_at,
    calendar.id, calendar.name, calendar.account_id, ifnull(email, ''),
    title = '' AND ifnull(meeting_level, {Level.EVERYTHING}) < {Level.EVERYTHING}"""
_JOINED = """JOIN calendar ON calendar.id = object.calendar_id
    LEFT JOIN account ON account.id = calendar.account_id"""
_OBJECTS = f"""
    SELECT json_group_array(json_array({_FIELDS})) FROM json_each(?) wanted
    CROSS JOIN calendar_object object ON object.id = wanted.value & ~{_MEETING} {_JOINED}
    WHERE wanted.value > 0 AND reason != ''
"""
_CALENDARS = f"""
    SELECT json_group_array(json_array(-(calendar.id | {_MEETING}), '', 'calendar', '', '', 0,
        calendar.id, calendar.name, account_id, email, 0))
    FROM json_each(?) wanted
    CROSS JOIN calendar ON calendar.id = -wanted.value & ~{_MEETING}
    JOIN account ON account.id = account_id WHERE wanted.value < 0
"""


@dataclass(frozen=True, slots=True)
class SkippedMeeting:
    """A resource of a calendar that is no meeting in the store; or a calendar that is not read."""

    id: int
    uid: str
    reason: str
    detail: str
    title: str
    starts_at: int
    calendar_id: int
    calendar: str
    account_id: int | None  # None: imported from a file
    account: str
    hidden: bool  # V5: the title is not kept

    @property
    def words(self) -> str:
        """By which rule it is not here."""
        words = _RULES.get(self.reason, self.reason)
        return f"{words} ({self.detail})" if self.detail else words

    @property
    def brief(self) -> str:
        """The same without the rule's number."""
        return self.words.partition(": ")[2] or self.words

    @property
    def place(self) -> str:
        """Where it lies."""
        return lies_in(self.account, self.calendar)


def lies_in(account: str, calendar: str) -> str:
    """A calendar in words."""
    name = f"the calendar {calendar}" if calendar else "a calendar"
    return f"{name} of {account}" if account else f"the file {calendar}"


def is_meeting(row: int) -> bool:
    """Whether an id of the ledger is one of this one, not of mail."""
    return abs(row) >= _MEETING


def view(db: sqlite3.Connection, by: Filter, limit: int | None = None) -> array[int]:
    """The ids of the skipped meetings, latest first; after those of the calendars not read."""
    of_mail = by.reason and not by.reason.startswith(PREFIX)
    if of_mail or by.folder_id or by.sender:
        return array("q")
    reason = by.reason.removeprefix(PREFIX)
    return _not_read(db, by, reason) + _objects(db, by, reason, -1 if limit is None else limit)


def _not_read(db: sqlite3.Connection, by: Filter, reason: str) -> array[int]:
    if reason not in ("", "calendar"):
        return array("q")
    condition, parameters = windows.matching(by.match, "name {like}")
    return windows.ids(
        db,
        f"""SELECT -(id | {_MEETING}) AS id FROM calendar
            WHERE NOT selected AND account_id IS NOT NULL AND {condition}
            AND {by.calendar_id} IN (0, id) ORDER BY account_id, name""",
        parameters,
    )


def _objects(db: sqlite3.Connection, by: Filter, reason: str, limit: int) -> array[int]:
    condition, parameters = windows.matching(by.match, "title {like}")
    if reason:
        parameters.append(reason)
        condition += f" AND reason = ?{len(parameters)}"
    return windows.ids(
        db,
        f"""SELECT id | {_MEETING} AS id FROM calendar_object object
            WHERE reason != '' AND {condition} AND {by.calendar_id} IN (0, calendar_id)
            ORDER BY starts_at DESC, object.id LIMIT {limit}""",
        parameters,
    )


def window(db: sqlite3.Connection, wanted: Iterable[int]) -> list[SkippedMeeting]:
    """The rows of a window of a view."""
    order = list(wanted)
    found = {
        values[0]: SkippedMeeting(*values)
        for sql in (_OBJECTS, _CALENDARS)
        for values in windows.window(db, sql, order)
    }
    return [found[i] for i in order if i in found]


def by_reason(db: sqlite3.Connection) -> dict[str, int]:
    """How many meetings each rule kept out, and how many calendars are not read."""
    found = db.execute(
        """SELECT reason, count(*) FROM calendar_object WHERE reason != '' GROUP BY reason
           UNION ALL SELECT 'calendar', count(*) FROM calendar
           WHERE NOT selected AND account_id IS NOT NULL"""
    )
    return {f"{PREFIX}{reason}": n for reason, n in sorted(found) if n}


def count(db: sqlite3.Connection, account_id: int, reason: str) -> int:
    """How many meetings of an account a rule kept out."""
    found = db.execute(
        """SELECT count(*) FROM calendar_object WHERE reason = ?
           AND calendar_id IN (SELECT id FROM calendar WHERE account_id = ?)""",
        [reason, account_id],
    )
    return int(found.fetchone()[0])


def rows(
    db: sqlite3.Connection, reason: str = "", limit: int | None = None
) -> Iterator[SkippedMeeting]:
    """The skipped meetings, latest first: of one reason, or all."""
    found = db.execute(
        f"""SELECT {_FIELDS} FROM calendar_object object {_JOINED}
            WHERE reason != '' AND ?1 IN ('', reason)
            ORDER BY starts_at DESC, object.id LIMIT ?2""",
        [reason, -1 if limit is None else limit],
    )
    return (SkippedMeeting(*values) for values in found)


def find(db: sqlite3.Connection, query: str, limit: int) -> list[SkippedMeeting]:
    """The skipped meetings with that UID, those words in the title, or that address in them."""
    if not (text := one_line(query)):
        return []
    if address := normal(text):
        condition, parameters = windows.matching(address, "lower(object.raw) {like}")
    else:
        condition, parameters = windows.matching(text, "object.title {like}")
    after = len(parameters)
    found = db.execute(
        f"""SELECT {_FIELDS} FROM calendar_object object {_JOINED}
            WHERE reason != '' AND ({condition} OR object.uid = ?{after + 1})
            ORDER BY starts_at DESC, object.id LIMIT ?{after + 2}""",
        [*parameters, text, limit],
    )
    return [SkippedMeeting(*values) for values in found]
