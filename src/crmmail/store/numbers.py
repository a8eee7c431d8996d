"""The numbers of threads and meetings, as a backup has them: what is built anew has its own again.

Each is known by digests, as in `former_id` (store/former.py): a thread by its oldest and its newest
message, a meeting by its UID and RECURRENCE-ID. Nothing can be read of what they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress

from crmmail.store.manual import digest_key

Number = tuple[int, int, int, int]
"""Target (1: thread, 2: meeting), number, digest, and of a meeting the digest of its UID alone."""

_KNOWN = """
    SELECT target, id, "key", uid_key FROM former_id
    UNION SELECT 1, thread.id, digest_key(message.message_id), 0
        FROM thread CROSS JOIN message ON message.id = thread.last_id
    UNION SELECT 1, thread_id, digest_key(message_id), 0
        FROM (SELECT thread_id, message_id, min(id) FROM message GROUP BY thread_id)
    UNION SELECT 2, id, digest_key(uid || ' ' || recurrence_id), digest_key(uid) FROM meeting
    ORDER BY 1, 2, 3
"""
_PUT = """
    INSERT OR IGNORE INTO former_id (target, "key", id, uid_key) SELECT ?1, ?3, ?2, ?4
    WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE id = ?2)
"""


def collect(db: sqlite3.Connection) -> list[Number]:
    """The numbers of what is in a store, and of what was."""
    return db.execute(_KNOWN).fetchall()


def salvage(damaged: sqlite3.Connection) -> list[Number]:
    """Those of a store that may be damaged, as far as it can be read: by every message."""
    found: list[Number] = []
    with suppress(sqlite3.Error):
        found += (
            (1, number, digest_key(mid), 0)
            for mid, number in damaged.execute("SELECT mid, thread_id FROM thread_ref")
        )
    with suppress(sqlite3.Error):
        found += (
            (2, number, digest_key(f"{uid} {recurrence}"), digest_key(uid))
            for number, uid, recurrence in damaged.execute(
                "SELECT id, uid, recurrence_id FROM meeting"
            )
        )
    return found


def put_back(db: sqlite3.Connection, rows: Iterable[Sequence[int]]) -> None:
    """Let what comes have these numbers, unless something else has one already."""
    for row in rows:
        table = "thread" if row[0] == 1 else "meeting"
        db.execute(_PUT.format(table=table), (*row, 0)[:4])


def known_keys(db: sqlite3.Connection) -> set[tuple[int, int]]:
    """The digests of all that is in a store, was in it, or was said of by hand; by target."""
    return set(
        db.execute(
            """SELECT target, "key" FROM former_id UNION SELECT target, "key" FROM manual_link
               UNION SELECT 1, digest_key(mid) FROM thread_ref
               UNION SELECT 2, digest_key(uid) FROM meeting
               UNION SELECT 2, digest_key(uid || ' ' || recurrence_id) FROM meeting"""
        )
    )
