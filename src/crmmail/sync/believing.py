"""Absence is not deletion: what is not listed any more stays until later runs say so too (M12)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable

FOLDER, MESSAGES, NUMBERS, LIST = "folder", "messages", "numbers", "list"
"""What is not confirmed: see models.Unconfirmed."""
RUNS = 3
"""So many runs in a row must say the same before it is believed."""
APART = 900.0
"""Seconds after which what is said counts as said by a later run, while crmmail stays open."""


class Looks:
    """Tells later runs apart: a second look in the same run is no confirmation.

    `apart` is 0 for a single run, in which each thing counts once. While crmmail stays open it is
    the time that must pass before the same thing counts again.
    """

    def __init__(self, apart: float = 0.0) -> None:
        self._apart = apart
        self._counted: set[tuple[int, str]] = set()

    def counts(self, folder_id: int, kind: str, last: int, now: int) -> bool:
        """Whether this counts as another run than the one counted at `last`."""
        if self._apart:
            return not 0 <= now - last < self._apart
        fresh = (folder_id, kind) not in self._counted
        self._counted.add((folder_id, kind))
        return fresh


def is_little(lost: int, of: int, told: int = 0) -> bool:
    """Whether it is believed at once that so many have left: at most half, or as many as the server
    itself `told` that have.
    """
    return lost <= max(told, of // 2)


def suspend(db: sqlite3.Connection, folder_id: int, kind: str, said: str = "") -> None:
    """What the server says now can be neither: nothing is counted, nothing withdrawn."""
    db.execute(
        "INSERT OR IGNORE INTO unconfirmed (folder_id, kind, said, runs) VALUES (?, ?, ?, 0)",
        [folder_id, kind, said],
    )


def confirmed(
    db: sqlite3.Connection, looks: Looks, folder_id: int, kind: str, said: str = ""
) -> bool:
    """Count that the server says so; returns whether enough runs in a row have.

    `said` is kept from the first of them.
    """
    now = int(time.time())
    row = db.execute(
        "SELECT runs, counted_at FROM unconfirmed WHERE folder_id = ? AND kind = ?",
        [folder_id, kind],
    ).fetchone()
    counts = looks.counts(folder_id, kind, row[1] if row else 0, now)
    if row and not counts:
        return bool(row[0] >= RUNS)
    db.execute(
        """INSERT INTO unconfirmed (folder_id, kind, said, counted_at) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET runs = runs + 1, counted_at = excluded.counted_at""",
        [folder_id, kind, said, now],
    )
    return bool(row) and row[0] + 1 >= RUNS


def withdraw(db: sqlite3.Connection, folder_ids: Iterable[int], *kinds: str) -> bool:
    """The server does not say so any more: a later time is the first again."""
    return (
        db.execute(
            """DELETE FROM unconfirmed WHERE folder_id IN (SELECT value FROM json_each(?))
               AND kind IN (SELECT value FROM json_each(?))""",
            [json.dumps(list(folder_ids)), json.dumps(kinds)],
        ).rowcount
        > 0
    )


def leaving(
    db: sqlite3.Connection,
    looks: Looks,
    folder_id: int,
    missing: set[int],
    *,
    told: int = 0,
    sure: bool = True,
) -> set[int]:
    """Which of a folder's messages that the server does not list any more are to leave now.

    Those that lie in another folder leave in any case. Of the others more than half of the folder
    waits, unless the server itself `told` that so many have left; all of them wait where its
    numbers are not `sure`. The half is that of the messages that were there when the wait began:
    new ones do not end it.
    """
    here = {
        uid
        for (uid,) in db.execute(
            """SELECT uid FROM placement WHERE folder_id = ?1
               UNION ALL SELECT uid FROM skipped WHERE folder_id = ?1""",
            [folder_id],
        )
    }
    now = elsewhere(db, folder_id, missing)
    lost = missing - now
    waiting, of = _waiting(db, folder_id)
    waiting &= here
    of = min(of, len(here)) if waiting else len(here)
    if waiting - missing:  # some are listed again: what was said was wrong
        withdraw(db, [folder_id], MESSAGES)
        waiting, of = set(), len(here)
    waiting &= lost
    if sure and is_little(len(lost), of, told):  # what waited for numbers that agree
        waiting = set()
    fresh = lost - waiting
    if sure and is_little(len(fresh), len(here) - len(waiting), told):
        now |= fresh
    elif fresh:
        withdraw(db, [folder_id], MESSAGES)
        waiting = lost
    if not waiting:
        withdraw(db, [folder_id], MESSAGES)
    elif confirmed(db, looks, folder_id, MESSAGES, json.dumps([of, *sorted(waiting)])):
        now |= waiting
        withdraw(db, [folder_id], MESSAGES)
    return now


def unlisted(said: str) -> tuple[set[int], int]:
    """The messages that wait, as `said` has it, and how many the folder had when that began."""
    of, *uids = json.loads(said)
    return set(uids), of


def _waiting(db: sqlite3.Connection, folder_id: int) -> tuple[set[int], int]:
    row = db.execute(
        "SELECT said FROM unconfirmed WHERE folder_id = ? AND kind = ?", [folder_id, MESSAGES]
    ).fetchone()
    return unlisted(row[0]) if row else (set(), 0)


def elsewhere(
    db: sqlite3.Connection, folder_id: int, uids: Iterable[int] | None = None, above: int = 0
) -> set[int]:
    """Which messages of a folder (these, or all) another listed folder has too.

    Only folders with a number above that one count. A row of the skip list that says nothing about
    its message has nothing to lose.
    """
    wanted = None if uids is None else json.dumps(list(uids))
    found = db.execute(
        """
        WITH listed AS MATERIALIZED (
            SELECT id FROM listed_folder WHERE id != :folder AND id > :above),
        held AS (
            SELECT uid, message.message_id AS mid
            FROM placement JOIN message ON message.id = placement.message_id
            WHERE folder_id = :folder
            UNION ALL SELECT uid, message_id FROM skipped WHERE folder_id = :folder)
        SELECT uid FROM held
        WHERE (:wanted IS NULL OR uid IN (SELECT value FROM json_each(:wanted))) AND (
            mid = ''
            OR EXISTS (SELECT 1 FROM message JOIN placement ON placement.message_id = message.id
                       WHERE message.message_id = mid AND placement.folder_id IN listed)
            OR EXISTS (SELECT 1 FROM skipped WHERE message_id = mid AND folder_id IN listed))
        """,
        {"folder": folder_id, "above": above, "wanted": wanted},
    )
    return {uid for (uid,) in found}
