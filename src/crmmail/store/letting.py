"""Letting in what was skipped: each rule's way, in words before, and with what takes it back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from crmmail.errors import CrmmailError
from crmmail.store import ledger, mail_rules
from crmmail.store.database import Store
from crmmail.store.ledger import LedgerRow

Undo = Callable[[], object]

MESSAGE, SENDER, RULE = "message", "sender", "rule"
_JUDGED = ("internal", "group", "invitation", "nobody")  # M4 to M7: what an exception beats


@dataclass(frozen=True, slots=True)
class Way:
    """One way to let something in: what it does, and which setting that changes."""

    key: str  # message | sender | rule
    words: str
    setting: str


def ways(db: sqlite3.Connection, row: LedgerRow) -> list[Way]:
    """How this message can be let in, the narrowest way first; none for a draft."""
    match row.reason:
        case "folder":
            words = f"Read the folder {row.folder}"
            return [Way(RULE, words, f"folders of {row.email}: {row.folder} is read")]
        case "old":
            day = f"{datetime.fromtimestamp(row.sent_at, UTC):%Y-%m-%d}"
            words = f"Let in all mail from {day} on"
            return [Way(RULE, words, f"{row.email}: mail since {day}")]
        case "blocked":
            words = f"Take {row.detail} off the blocklist"
            return [Way(RULE, words, "blocklist")]
        case "unreadable":
            return [Way(RULE, "Try to read it again now", "none: the next sync fetches it again")]
        case reason if reason in _JUDGED:
            return _exceptions(db, row)
    return []


def _exceptions(db: sqlite3.Connection, row: LedgerRow) -> list[Way]:
    found = []
    if row.message_id:
        words = "Let in this message"
        found.append(Way(MESSAGE, words, "exceptions: this message"))
    if row.sender:
        (count,) = db.execute(
            """SELECT count(*) FROM skipped WHERE sender = ?
               AND reason IN ('internal', 'group', 'invitation', 'nobody')""",
            [row.sender],
        ).fetchone()
        words = f"Let in all mail from {row.sender} ({count:,} here)"
        found.append(Way(SENDER, words, f"exceptions: {row.sender}"))
    count = ledger.by_reason(db, row.account_id).get(row.reason, 0)
    if row.reason == "internal":
        words = f"Let in all mail between colleagues ({count:,} here)"
        found.append(Way(RULE, words, f"{row.email}: internal mail is read"))
    if row.reason == "group":
        words = f"Let in all group mail ({count:,} here)"
        found.append(Way(RULE, words, f"{row.email}: group mail is read"))
    return found


def let_in(store: Store, row: LedgerRow, key: str) -> Undo:
    """Change the setting that keeps a message out; returns what sets it back.

    The next pass of the sync applies it (M9).
    """
    if key not in {way.key for way in ways(store.read(), row)}:
        raise CrmmailError(
            f"This cannot be let in like that ({ledger.describe(row.reason, row.detail)}).",
            "A draft enters when it is sent." if row.reason == "draft" else "",
        )
    if key == MESSAGE:
        return allow(store, f"<{row.message_id}>")
    if key == SENDER:
        return allow(store, row.sender)
    return _change_rule(store, row)


def allow(store: Store, typed: str) -> Undo:
    """Make an exception, unless there is one; returns what ends it."""
    before = mail_rules.allowed(store.read())
    pattern = mail_rules.allow(store, typed)
    return (lambda: None) if pattern in before else (lambda: mail_rules.disallow(store, pattern))


def _change_rule(store: Store, row: LedgerRow) -> Undo:
    account = row.account_id
    match row.reason:
        case "folder":
            mail_rules.select_folder(store, account, row.folder, on=True)
            return lambda: mail_rules.select_folder(store, account, row.folder, on=False)
        case "blocked":
            mail_rules.unblock(store, row.detail)
            return lambda: mail_rules.block(store, row.detail)
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
