"""The ledger: which mail did not enter the store, and by which rule (rules.md M)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from crmmail.addresses import normal
from crmmail.store import windows
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
_GROUPS = {
    "machine": "M5: sent by a machine that reads no answers",
    "role": "M5: sent from a role address that you have never written to",
    "Precedence": "M5: bulk mail",
    "Auto-Submitted": "M5: sent automatically",
}
_FIELDS = """
    SELECT account.email, folder.name, skipped.uid, reason, detail, message_id, sent_at, subject,
           sender, size
    FROM skipped JOIN folder ON folder.id = skipped.folder_id
    JOIN account ON account.id = folder.account_id
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


def _describe_group(detail: str) -> str:
    name, _, value = detail.partition(":")
    if name.startswith("List-"):
        return f"M5: a mailing list ({detail} header)"
    words = _GROUPS.get(name, _RULES["group"])
    if name in ("machine", "role") and not value:
        return words
    return f"{words} ({detail})"
