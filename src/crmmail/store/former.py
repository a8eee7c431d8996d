"""The numbers that threads and meetings had: what comes back has its own again.

Somebody may have written a number down, in a script or a note. So it is never given to another
thread or meeting, and the conversation gets it back that it was of. What is kept is a digest of
each Message-ID (of a meeting: of its UID and RECURRENCE-ID).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from crmmail.store.manual import MEETING, TARGETS, THREAD

_NEXT = """
    INSERT INTO {table} (id) SELECT 1 + max(
        ifnull((SELECT max(id) FROM {table}), 0),
        ifnull((SELECT max(id) FROM former_id WHERE target = {target}), 0))
"""
_NEW_THREAD = _NEXT.format(table="thread", target=TARGETS[THREAD])


def new_thread(db: sqlite3.Connection, former: int | None = None) -> int:
    """Make a thread, with a number that it had or that no thread ever had; returns that."""
    if former is not None:
        db.execute("INSERT INTO thread (id) VALUES (?)", [former])
        return former
    return int(db.execute(_NEW_THREAD).lastrowid or 0)


def remember(db: sqlite3.Connection, thread_id: int, mids: Iterable[str]) -> None:
    """Note which thread these messages were in. What was noted before stays."""
    db.executemany(
        "INSERT OR IGNORE INTO former_id (target, key, id) VALUES (1, digest_key(?), ?)",
        [(mid, thread_id) for mid in mids],
    )


def free(db: sqlite3.Connection, mids: Iterable[str]) -> dict[str, int]:
    """Which threads these messages were in, of those that there are no more."""
    if not _any(db):
        return {}
    return dict(
        db.execute(
            """SELECT wanted.value, former_id.id FROM json_each(?) AS wanted
               CROSS JOIN former_id ON target = 1 AND former_id.key = digest_key(wanted.value)
               WHERE NOT EXISTS (SELECT 1 FROM thread WHERE thread.id = former_id.id)""",
            [json.dumps(list(mids))],
        ).fetchall()
    )


def back(db: sqlite3.Connection, threads: Iterable[tuple[str, int]]) -> None:
    """These messages are in these threads again: nothing has to be remembered of that."""
    if _any(db):
        db.execute(
            """DELETE FROM former_id WHERE target = 1 AND (former_id.key, id) IN (
                   SELECT digest_key(value ->> 0), value ->> 1 FROM json_each(?))""",
            [json.dumps(list(threads))],
        )


def remember_meetings(db: sqlite3.Connection, packed: str) -> None:
    """Note the numbers of meetings that go; `packed` is JSON."""
    db.execute(
        """INSERT OR REPLACE INTO former_id (target, key, id, uid_key)
           SELECT 2, digest_key(uid || ' ' || recurrence_id), meeting.id, digest_key(uid)
           FROM json_each(?) AS gone CROSS JOIN meeting ON meeting.id = gone.value""",
        [packed],
    )


def meeting_id(db: sqlite3.Connection, uid: str, recurrence_id: str) -> int:
    """The number of a meeting that comes: the one that it had, or one that none ever had."""
    of_both = f"{uid} {recurrence_id}"
    row = db.execute(
        """SELECT id FROM former_id WHERE target = 2 AND key = digest_key(?)
           AND NOT EXISTS (SELECT 1 FROM meeting WHERE meeting.id = former_id.id)""",
        [of_both],
    ).fetchone()
    if row:
        return int(row[0])
    (new,) = db.execute(
        f"""SELECT 1 + max(ifnull((SELECT max(id) FROM meeting), 0), ifnull((
                SELECT max(id) FROM former_id WHERE target = {TARGETS[MEETING]}), 0))"""
    ).fetchone()
    return int(new)


def erase(db: sqlite3.Connection, mids: Iterable[str] = (), uids: Iterable[str] = ()) -> None:
    """Keep no trace of these messages and meetings, nor of what the hand said of them."""
    messages = [(1, mid) for mid in mids]
    meetings = [(2, uid) for uid in uids]
    both = messages + meetings
    db.executemany("DELETE FROM manual_link WHERE target = ? AND key = digest_key(?)", both)
    db.executemany("DELETE FROM former_id WHERE target = ? AND key = digest_key(?)", messages)
    db.executemany("DELETE FROM former_id WHERE target = ? AND uid_key = digest_key(?)", meetings)
    entries = [(f"<{mid}>",) for _, mid in messages]
    entries += [(f"<meeting:{uid}>",) for _, uid in meetings]  # mail_rules.meeting_pattern
    db.executemany("DELETE FROM allowlist WHERE pattern = ?", entries)
    erase_entries(db, (entry for (entry,) in entries))


def erase_unknown(db: sqlite3.Connection) -> None:
    """Keep no number of a single occurrence of which nobody can say whose meeting it was.

    Before migration 0017 the digest of its UID was not kept beside that of UID and RECURRENCE-ID.
    """
    db.execute("DELETE FROM former_id WHERE target = 2 AND uid_key = 0")


def erase_entries(db: sqlite3.Connection, entries: Iterable[str]) -> None:
    """Keep no trace of these entries of the block- and allowlist in the changes of rules."""
    db.executemany(
        """DELETE FROM rule_change WHERE setting IN ('blocklist', 'allowlist')
           AND "key" = digest_key(?)""",
        [(entry,) for entry in entries],
    )


def _any(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT 1 FROM former_id WHERE target = 1 LIMIT 1").fetchone())
