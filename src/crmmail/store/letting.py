"""Letting in what was skipped: each rule's way, in words before, and with what takes it back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from crmmail.errors import CrmmailError
from crmmail.store import calendars, companies, ledger, mail_rules, meeting_ledger, people
from crmmail.store.contact_ledger import DeletedContact
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.ledger import LedgerRow
from crmmail.store.meeting_ledger import SkippedMeeting

Undo = Callable[[], object]
Skipped = LedgerRow | SkippedMeeting | DeletedContact
"""What the ledger has: a message, a meeting, a contact."""

MESSAGE, SENDER, RULE = "message", "sender", "rule"
_SWITCHES = {  # K7: what lets such meetings in, and what they are
    "internal": ("sync_internal_meetings", "meetings of colleagues"),
    "private": ("sync_private", "private meetings"),
}
_OTHERWISE = {
    "draft": "A draft enters when it is sent: there is no other way.",
    "forgotten": "It enters after crmmail remember ADDRESS: there is no other way.",
}
_MEETINGS_OTHERWISE = {
    "nobody": "It enters when somebody else is invited: there is no other way.",
    "later": "It enters by itself when it is less than a year ahead.",
    "old": "Meetings are kept for five years: it has no way in.",
    "forgotten": _OTHERWISE["forgotten"],
}
_JUDGED = ("internal", "group", "invitation", "nobody")  # M4 to M7: what an exception beats


@dataclass(frozen=True, slots=True)
class Way:
    """One way to let something in: what it does, and which setting that changes."""

    key: str  # message | sender | rule
    words: str
    setting: str
    alone: bool = False  # it lets in nothing else

    @property
    def done(self) -> str:
        """What a toast says when it is done."""
        if self.key in (MESSAGE, SENDER):
            return f"{self.words}, as an exception from the rules (X lists them)"
        return f"{self.words}: changes {self.setting}"


def ways(db: sqlite3.Connection, row: Skipped) -> list[Way]:
    """How this can be let in, the narrowest way first; where there is none, see `otherwise`."""
    if isinstance(row, DeletedContact):
        setting = f"contacts: {row.name} is one again, with mail, meetings and notes"
        return [Way(RULE, f"Bring {row.name} back", setting, alone=True)]
    if isinstance(row, SkippedMeeting):
        return _ways_of_meeting(db, row)
    match row.reason:
        case "folder":
            words = f"Read the folder {row.folder}"
            return [Way(RULE, words, f"folders of {row.email}: {row.folder} is read")]
        case "old":
            day = f"{datetime.fromtimestamp(row.sent_at, UTC):%Y-%m-%d}"
            words = f"Let in all mail from {day} on"
            return [Way(RULE, words, f"{row.email}: mail since {day}")]
        case "blocked":
            return [_off_the_blocklist(row.detail)]
        case "unreadable":
            setting = "nothing else: the next sync fetches it"
            return [Way(RULE, "Try to read it again now", setting, alone=True)]
        case reason if reason in _JUDGED:
            return _exceptions(db, row)
    return []


def alone(db: sqlite3.Connection, rows: Iterable[Skipped]) -> Iterator[Skipped]:
    """Those that can be let in and nothing else with them, by the first of their ways."""
    return (row for row in rows if any(way.alone for way in ways(db, row)[:1]))


def _ways_of_meeting(db: sqlite3.Connection, row: SkippedMeeting) -> list[Way]:
    if row.reason == "calendar":
        words = f"Read {row.place}"
        return [Way(RULE, words, f"calendars of {row.account}: {row.calendar} is read")]
    if row.reason == "blocked":
        return [_off_the_blocklist(row.detail)]
    if row.reason not in _SWITCHES:
        return []
    this = Way(MESSAGE, "Let in this meeting", "the exceptions: this meeting is added", alone=True)
    if row.account_id is None:  # of a file: no account's switch is about it
        return [this]
    _, names = _SWITCHES[row.reason]
    count = meeting_ledger.count(db, row.account_id, row.reason)
    words = f"Let in all {names} ({count:,} here)"
    return [this, Way(RULE, words, f"{row.account}: {names} are read")]


def _off_the_blocklist(pattern: str) -> Way:
    return Way(RULE, f"Take {pattern} off the blocklist", "blocklist")


def otherwise(row: Skipped) -> str:
    """What to know of that which no setting lets in."""
    if isinstance(row, SkippedMeeting):
        corrected = "It enters when it is corrected in the calendar: the sync reads it again."
        return _MEETINGS_OTHERWISE.get(row.reason, corrected)
    return _OTHERWISE.get(row.reason, "No setting lets it in.")


def _exceptions(db: sqlite3.Connection, row: LedgerRow) -> list[Way]:
    found = []
    if row.message_id:
        words = "Let in this message"
        found.append(Way(MESSAGE, words, "the exceptions: this message is added", alone=True))
    if row.sender:
        (count,) = db.execute(
            """SELECT count(*) FROM skipped WHERE sender = ?
               AND reason IN ('internal', 'group', 'invitation', 'nobody')""",
            [row.sender],
        ).fetchone()
        words = f"Let in all mail from {row.sender} ({count:,} here)"
        found.append(Way(SENDER, words, f"the exceptions: {row.sender} is added"))
    count = ledger.by_reason(db, row.account_id).get(row.reason, 0)
    if row.reason == "internal":
        words = f"Let in all mail between colleagues ({count:,} here)"
        found.append(Way(RULE, words, f"{row.email}: internal mail is read"))
    if row.reason == "group":
        words = f"Let in all group mail ({count:,} here)"
        found.append(Way(RULE, words, f"{row.email}: group mail is read"))
    return found


def let_in(store: Store, row: Skipped, key: str) -> Undo:
    """Change the setting that keeps a message or a meeting out; returns what sets it back.

    The next pass of the sync applies it (M9); a contact is back at once (C6).
    """
    if key not in {way.key for way in ways(store.read(), row)}:
        raise CrmmailError(f"This cannot be let in like that ({row.words}).", otherwise(row))
    if isinstance(row, DeletedContact):
        return _restore(store, row)
    if isinstance(row, SkippedMeeting):
        if key == MESSAGE:
            return allow(store, mail_rules.meeting_pattern(row.uid))
        return _change_meeting_rule(store, row)
    if key == MESSAGE:
        return allow(store, f"<{row.message_id}>")
    if key == SENDER:
        return allow(store, row.sender)
    return _change_rule(store, row)


def _restore(store: Store, row: DeletedContact) -> Undo:
    records = people if row.kind == Kind.PERSON else companies
    records.restore(store, row.record_id)
    return lambda: records.delete(store, row.record_id)


def allow(store: Store, typed: str) -> Undo:
    """Make an exception, unless there is one; returns what ends it."""
    before = mail_rules.allowed(store.read())
    pattern = mail_rules.allow(store, typed)
    return (lambda: None) if pattern in before else (lambda: mail_rules.disallow(store, pattern))


def _change_meeting_rule(store: Store, row: SkippedMeeting) -> Undo:
    if row.reason == "calendar":
        read = calendars.select(store, row.calendar_id, on=True)
        return lambda: calendars.select(store, row.calendar_id, on=read)
    if row.reason == "blocked":
        return _unblock(store, row.detail)
    switch, _ = _SWITCHES[row.reason]
    return mail_rules.set_values(store, row.account_id or 0, **{switch: True})


def _unblock(store: Store, pattern: str) -> Undo:
    mail_rules.unblock(store, pattern)
    return lambda: mail_rules.block(store, pattern)


def _change_rule(store: Store, row: LedgerRow) -> Undo:
    account = row.account_id
    match row.reason:
        case "folder":
            read = mail_rules.select_folder(store, account, row.folder, on=True)
            return lambda: mail_rules.select_folder(store, account, row.folder, on=read)
        case "blocked":
            return _unblock(store, row.detail)
        case "unreadable":
            _retry(store, row, again=True)
            return lambda: _retry(store, row, again=False)
        case "old":
            change: dict[str, object] = {"mail_since": row.sent_at - row.sent_at % 86_400}
        case "internal":
            change = {"sync_internal": True}
        case _:
            change = {"exclude_group": False}
    return mail_rules.set_values(store, account, **change)


def _retry(store: Store, row: LedgerRow, *, again: bool) -> None:
    with store.write("ledger", "accounts") as (db, _):
        db.execute(
            "UPDATE skipped SET readmit = ? WHERE folder_id = ? AND uid = ?",
            [again, row.folder_id, row.uid],
        )
