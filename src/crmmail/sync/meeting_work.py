"""The meetings of some UIDs, worked out from all resources that the store holds of them (K3)."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from crmmail.store import former, levels, links, naming, removal
from crmmail.store.database import Change
from crmmail.sync import contacts, correspondents, meeting_rows, meeting_rules
from crmmail.sync.copies import Copy, Whole, unite
from crmmail.sync.event import EventError, ParsedObject, Window, parse
from crmmail.sync.hiding import MARK, hidden
from crmmail.sync.meeting_rules import MeetingRules

Outcome = ParsedObject | EventError
FORGOTTEN = "forgotten"
"""The reason of a resource that names somebody of whom no trace may be kept."""
_Facts = tuple[str, str, str, int, int]


class Reader:
    """Reads texts, each once, for one window."""

    def __init__(self, now: int, zone: tzinfo | None = None) -> None:
        self.window = Window.around(now)
        self._zone = zone
        self._known: dict[str, Outcome] = {}

    def read(self, raw: str) -> Outcome:
        """What a text says, or why it says nothing."""
        if (outcome := self._known.get(raw)) is None:
            try:
                outcome = parse(raw, self.window, self._zone)
            except EventError as problem:
                outcome = problem
            self._known[raw] = outcome
        return outcome

    def read_ahead(self, db: sqlite3.Connection, uids: Iterable[str]) -> None:
        """Read all that is held of these UIDs, before others have to wait for a write."""
        for row in _objects(db, uids):
            self.read(row.raw)


@dataclass(frozen=True, slots=True)
class _Object:
    """A resource in the store."""

    id: int
    account_id: int | None
    uid: str
    raw: str
    place: tuple[str, ...]
    facts: _Facts  # reason, detail, title, starts_at, expanded_to


def work_out(db: sqlite3.Connection, change: Change, uids: Iterable[str], reader: Reader) -> None:
    """Make the meetings of these UIDs what their resources say, with people and links."""
    judges: dict[int | None, MeetingRules] = {}
    copies: dict[str, list[Copy]] = {uid: [] for uid in uids}
    forgotten = set[str]()
    for row in _objects(db, copies):
        if row.account_id not in judges:
            judges[row.account_id] = meeting_rules.load(db, row.account_id)
        judged_by = judges[row.account_id]
        if row.facts[0] == FORGOTTEN and not row.raw:
            continue
        if judged_by.forgets(row.raw):
            _forget(db, change, row)
            forgotten.add(row.uid)
            continue
        if judged_by.hides and MARK not in row.raw:
            row = _hide(db, row)
        found = _judge(db, change, row, reader, judged_by)
        if found is not None:
            copies[row.uid].append(
                Copy(row.id, row.account_id, judged_by.mine, row.place, found, MARK in row.raw)
            )
    wholes = {uid: unite(held) for uid, held in copies.items()}
    address_ids = _addresses(db, wholes, judges)
    written = meeting_rows.write(db, change, wholes, address_ids)
    former.erase(db, uids=[uid for uid in forgotten if not wholes[uid].meetings])
    removal.forget(db, written.addresses)
    naming.rename(db, change, written.addresses)
    naming.name_again(db, change, written.left)
    met = set[int]()
    for account_id, wanted in _candidates(wholes, judges).items():
        met |= contacts.meet(db, change, wanted, judges[account_id].base, "calendar")
    links.relink_met(db, change, met, meetings=written.touched)
    change.topics |= {"meetings"} if written.changed else set()


def _objects(db: sqlite3.Connection, uids: Iterable[str]) -> list[_Object]:
    rows = db.execute(
        """SELECT o.id, calendar.account_id, o.uid, o.raw, ifnull(email, ''), url, o.href,
                  o.reason, o.detail, o.title, o.starts_at, o.expanded_to
           FROM json_each(?) AS wanted CROSS JOIN calendar_object AS o ON o.uid = wanted.value
           JOIN calendar ON calendar.id = o.calendar_id
           LEFT JOIN account ON account.id = calendar.account_id""",
        [json.dumps(list(uids))],
    )
    return [
        _Object(object_id, account_id, uid, raw, tuple(more[:3]), tuple(more[3:]))
        for object_id, account_id, uid, raw, *more in rows.fetchall()
    ]


def _forget(db: sqlite3.Connection, change: Change, row: _Object) -> None:
    """Keep of a resource only its place, so that it stays out."""
    db.execute(
        """UPDATE calendar_object SET reason = ?, detail = '', raw = '', title = '', uid = '',
               starts_at = 0, expanded_to = 0 WHERE id = ?""",
        [FORGOTTEN, row.id],
    )
    levels.order_wipe(db)
    change.topics.add("ledger")


def _hide(db: sqlite3.Connection, row: _Object) -> _Object:
    """Take from the store what an account's level has come to forbid (V3)."""
    raw = hidden(row.raw)
    db.execute("UPDATE calendar_object SET raw = ? WHERE id = ?", [raw, row.id])
    levels.order_wipe(db)
    return replace(row, raw=raw)


def _judge(
    db: sqlite3.Connection,
    change: Change,
    row: _Object,
    reader: Reader,
    judged_by: MeetingRules,
) -> ParsedObject | None:
    """What a resource says, or None where it has no place but the ledger."""
    said = reader.read(row.raw)
    facts: _Facts
    if isinstance(said, EventError):
        facts = (said.reason, said.detail, said.title, said.starts_at, 0)
    else:
        verdict = meeting_rules.judge(said, judged_by)
        reason, detail = (verdict.reason, verdict.detail) if verdict else ("", "")
        until = reader.window.end if said.recurs else 0
        facts = (reason, detail, said.meetings[0].title, said.times[0].starts_at, until)
    if facts != row.facts:
        db.execute(
            """UPDATE calendar_object
               SET reason = ?, detail = ?, title = ?, starts_at = ?, expanded_to = ?
               WHERE id = ?""",
            [*facts, row.id],
        )
        change.topics |= {"ledger"} if facts[0] or row.facts[0] else set()
    return said if isinstance(said, ParsedObject) and not facts[0] else None


def _addresses(
    db: sqlite3.Connection,
    wholes: Mapping[str, Whole],
    judges: Mapping[int | None, MeetingRules],
) -> dict[str, int]:
    """The ids of all who are asked to these meetings."""
    wanted: dict[int | None, set[str]] = defaultdict(set)
    for whole in wholes.values():
        for copy, meeting in whole.meetings.values():
            wanted[copy.account_id].update(one.address for one in meeting.attendees)
    found: dict[str, int] = {}
    for account_id, addresses in wanted.items():
        found |= correspondents.upsert(db, addresses, judges[account_id].base)
    return found


def _candidates(
    wholes: Mapping[str, Whole], judges: Mapping[int | None, MeetingRules]
) -> dict[int | None, set[str]]:
    """Who is to be a contact, by the account whose rules say so."""
    found: dict[int | None, set[str]] = defaultdict(set)
    for whole in wholes.values():
        for copy, meeting in whole.meetings.values():
            account = copy.account_id
            found[account].update(meeting_rules.candidates(meeting, judges[account]))
    return found
