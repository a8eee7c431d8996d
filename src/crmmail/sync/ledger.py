"""Writing the ledger: the messages that did not enter, each with its one reason (rules.md M)."""

from __future__ import annotations

import json
import sqlite3
import time

from crmmail.sync.batch import Batch, Passed
from crmmail.sync.message import Header
from crmmail.sync.suspects import PASSES


def record(db: sqlite3.Connection, batch: Batch) -> None:
    """Write the ledger's rows; one that a write since its judgement lets in is marked so."""
    db.executemany(
        """INSERT OR REPLACE INTO skipped (folder_id, uid, reason, detail, message_id, sent_at,
               subject, sender, size, flags, facts, level, attempts, tried_at, readmit)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
               CASE WHEN ?3 = 'unreadable' THEN max(?13, 1 + ifnull((
                   SELECT attempts FROM skipped AS before
                   WHERE before.folder_id = ?1 AND before.uid = ?2), 0)) ELSE 0 END,
               CASE WHEN ?3 = 'unreadable' THEN ?14 ELSE 0 END,
               ?4 = 'role' AND EXISTS (SELECT 1 FROM address WHERE address = ?8 AND written))""",
        [
            (
                *_ledger_row(batch.folder_id, passed),
                batch.rules.level,
                PASSES if passed.final else 1,
                time.time_ns() // 1_000_000,
            )
            for passed in batch.passed
        ],
    )


def facts_of(header: Header) -> str:
    """What the rules need to judge a message again without the server (M9), as JSON."""
    people = [(one.role, one.name, one.address) for one in header.participants]
    return json.dumps(
        {"people": people, "sign": header.sign, "invitation": header.invitation},
        ensure_ascii=False,
    )


def _ledger_row(folder_id: int, passed: Passed) -> tuple[object, ...]:
    verdict, header = passed.verdict, passed.header
    row: tuple[object, ...] = (folder_id, passed.uid, verdict.reason, verdict.detail)
    if header is None:
        return (*row, "", 0, "", "", 0, passed.flags, "")
    sender = next((one.address for one in header.participants if one.role == "from"), "")
    return (
        *row,
        header.message_id,
        header.sent_at,
        header.subject,
        sender,
        header.size,
        passed.flags,
        facts_of(header),
    )
