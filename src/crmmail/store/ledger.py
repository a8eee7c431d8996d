"""The ledger: which mail did not enter the store, and by which rule (rules.md M)."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from crmmail.addresses import normal
from crmmail.store import attempts, windows
from crmmail.store.kinds import Level
from crmmail.text import one_line

_RULES = {
    "folder": "M1: the folder is not synced",
    "old": "M10: older than the account's “mail since”",
    "draft": "M2: a draft",
    "blocked": "M3: somebody in it is on the blocklist",
    "internal": "M4: between colleagues only",
    "group": "M5: group mail",
    "invitation": "M6: an invitation, whose meeting comes with the calendar",
    "nobody": "M7: nobody but you takes part",
    "unreadable": "M8: it could not be read",
    "deleted contact": "C5: you deleted this contact",
    "forgotten": "somebody in it was forgotten: crmmail remember ADDRESS lets them in again",
}
NAMES = {
    "": "all",
    "folder": "folders not read",
    "old": "too old",
    "draft": "drafts",
    "internal": "colleagues",
    "invitation": "invitations",
}
"""What the messages of a reason are called, where that is not the reason itself."""
REASONS = tuple(reason for reason in _RULES if reason != "deleted contact")
"""The reasons of mail."""
_GROUPS = {
    "machine": "M5: sent by a machine that reads no answers",
    "role": "M5: sent from a role address that you have never written to",
    "Precedence": "M5: bulk mail",
    "Auto-Submitted": "M5: sent automatically",
}
_FIELDS = """
    SELECT account.email, folder.name, skipped.uid, reason, detail, message_id, sent_at, subject,
           sender, size, folder_id, account_id, level, attempts, tried_at
    FROM skipped JOIN folder ON folder.id = skipped.folder_id
    JOIN account ON account.id = folder.account_id
"""

_UID_BITS = 32
_ROWS = f"""
    SELECT json_group_array(json_array(
        wanted.value, account.email, folder.name, s.uid, s.reason, s.detail, s.message_id,
        s.sent_at, s.subject, s.sender, s.size, s.folder_id, folder.account_id, s.level,
        s.attempts, s.tried_at))
    FROM json_each(?) wanted
    CROSS JOIN skipped s ON s.folder_id = wanted.value >> {_UID_BITS}
        AND s.uid = wanted.value & ((1 << {_UID_BITS}) - 1)
    JOIN folder ON folder.id = s.folder_id JOIN account ON account.id = folder.account_id
"""
_FOLDERS = """
    SELECT folder.id, account_id, email, folder.name, role, messages FROM folder
    JOIN account ON account.id = account_id WHERE folder.id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A message that was skipped, and why."""

    email: str
    folder: str
    uid: int
    reason: str
    detail: str
    message_id: str
    sent_at: int
    subject: str
    sender: str
    size: int
    folder_id: int
    account_id: int
    level: int = Level.EVERYTHING
    attempts: int = 0
    """M8: how often it was tried in vain; 0 for what is not tried again."""
    tried_at: int = 0  # in milliseconds

    @property
    def next_try(self) -> int:
        """When it is tried again at the earliest; a time that has passed: by the next sync."""
        return self.tried_at // 1000 + attempts.pause(self.attempts) if self.attempts else 0

    @property
    def id(self) -> int:
        """What tells the row from all others, as one number; of a folder that is not read, < 0."""
        return row_id(self.folder_id, self.uid) if self.uid else -self.folder_id

    @property
    def words(self) -> str:
        """By which rule it is not here."""
        return describe(self.reason, self.detail)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the ledger is narrowed to; words are looked for in senders and subjects."""

    reason: str = ""
    folder_id: int = 0
    sender: str = ""
    match: str = ""
    calendar_id: int = 0  # then it is of meetings only (meeting_ledger.py)


def row_id(folder_id: int, uid: int) -> int:
    """The number of a message in the ledger."""
    return folder_id << _UID_BITS | uid


def view(db: sqlite3.Connection, by: Filter, limit: int | None = None) -> array[int]:
    """The ids of the skipped messages, newest first; before them those of folders not read (M1)."""
    if by.calendar_id:
        return array("q")
    conditions, parameters = windows.matching(by.match, "(subject {like} OR sender {like})")
    for column, value in (
        ("reason", by.reason), ("folder_id", by.folder_id), ("sender", by.sender)
    ):  # fmt: skip
        if value:
            parameters.append(str(value))
            conditions += f" AND {column} = ?{len(parameters)}"
    found = windows.ids(
        db,
        f"""SELECT folder_id << {_UID_BITS} | uid AS id FROM skipped WHERE {conditions}
            ORDER BY sent_at DESC, folder_id, uid DESC LIMIT {-1 if limit is None else limit}""",
        parameters,
    )
    return _unread(db, by) + found


def _unread(db: sqlite3.Connection, by: Filter) -> array[int]:
    if by.reason not in ("", "folder") or by.sender:
        return array("q")
    condition, parameters = windows.matching(by.match, "name {like}")
    return windows.ids(
        db,
        f"""SELECT -id AS id FROM folder WHERE NOT selected AND messages > 0 AND {condition}
            AND {by.folder_id} IN (0, id) ORDER BY account_id, name""",
        parameters,
    )


def window(db: sqlite3.Connection, wanted: Iterable[int]) -> list[LedgerRow]:
    """The rows of a window of a view."""
    order = list(wanted)
    folders = [-i for i in order if i < 0]
    found = {row.id: row for row in map(_folder_row, db.execute(_FOLDERS, [json.dumps(folders)]))}
    messages = [i for i in order if i >= 0]
    for row in windows.packed(db, _ROWS, [json.dumps(messages)]):
        found[row[0]] = LedgerRow(*row[1:])
    return [found[i] for i in order if i in found]


def _folder_row(values: tuple[Any, ...]) -> LedgerRow:
    folder_id, account_id, email, name, role, messages = values
    words = f"{messages:,} message{'' if messages == 1 else 's'}"
    return LedgerRow(
        email, name, 0, "folder", role, "", 0, words, "", messages, folder_id, account_id
    )


def by_reason(db: sqlite3.Connection, account_id: int | None = None) -> dict[str, int]:
    """How many messages each rule kept out, of one account or all; "folder" is M1's.

    The messages of a folder that is not selected are counted by the server, not listed.
    """
    account = "(?1 IS NULL OR account_id = ?1)"
    found = db.execute(
        f"""
        SELECT reason, count(*) FROM skipped
        WHERE folder_id IN (SELECT id FROM folder WHERE {account}) GROUP BY reason
        UNION ALL
        SELECT 'folder', coalesce(sum(messages), 0) FROM folder WHERE NOT selected AND {account}
        """,
        [account_id],
    )
    return {reason: n for reason, n in sorted(found) if n}


def rows(
    db: sqlite3.Connection,
    reason: str = "",
    email: str = "",
    limit: int | None = None,
) -> Iterator[LedgerRow]:
    """The skipped messages, newest first: of one reason, of one account, or all."""
    found = db.execute(
        f"""
        {_FIELDS} WHERE (?1 = '' OR reason = ?1) AND (?2 = '' OR account.email = ?2)
        ORDER BY sent_at DESC, folder.id, uid DESC LIMIT ?3
        """,
        [reason, email, -1 if limit is None else limit],
    )
    return (LedgerRow(*row) for row in found)


def find(db: sqlite3.Connection, query: str, limit: int = 50) -> list[LedgerRow]:
    """The skipped messages with that Message-ID, that participant, or those words as subject."""
    if not (text := one_line(query).strip("<> ")):
        return []
    if address := normal(text):
        condition = "(sender = ?1 OR instr(facts, ?2))"
        parameters = [address, json.dumps(address)]
    else:
        condition, parameters = windows.matching(text, "skipped.subject {like}")
    after = len(parameters)
    found = db.execute(
        f"""
        {_FIELDS} WHERE {condition} OR message_id = ?{after + 1}
        ORDER BY sent_at DESC, folder.id, uid DESC LIMIT ?{after + 2}
        """,
        [*parameters, text, limit],
    )
    return [LedgerRow(*row) for row in found]


def describe(reason: str, detail: str = "") -> str:
    """Why a message was skipped, in words, with the rule that says so."""
    if reason == "group" and detail:
        return _describe_group(detail)
    words = _RULES.get(reason, reason)
    return f"{words} ({detail})" if detail else words


def brief(reason: str, detail: str = "") -> str:
    """Why a message was skipped, without the rule's number."""
    words = describe(reason, detail)
    return words.partition(": ")[2] or words


def _describe_group(detail: str) -> str:
    name, _, value = detail.partition(":")
    if name.startswith("List-"):
        return f"M5: a mailing list ({detail} header)"
    words = _GROUPS.get(name, _RULES["group"])
    if name in ("machine", "role") and not value:
        return words
    return f"{words} ({detail})"
