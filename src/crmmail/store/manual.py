"""Links and hides made by hand (C7), kept by what does not change: Message-IDs, UIDs of meetings.

`thread_link` and `meeting_link` are what is shown, and are worked out anew (store/links.py). What
the hand says stands here, by digests, and stays when the messages or the meeting leave the store:
it holds again as soon as they are back, whatever thread they come back in.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

THREAD, MEETING = BOTH = "thread", "meeting"
"""What is linked: its links are in the table of that name with _link behind it."""
TARGETS = {THREAD: 1, MEETING: 2}
"""How a table says it."""

Deed = tuple[int, int, int, int, int]
"""What the hand says of one key: key, kind, record_id, hand, at."""


@dataclass(frozen=True, slots=True)
class Said:
    """A deed with what it replaced: all that taking it back needs."""

    what: str  # THREAD or MEETING
    kind: int
    record_id: int
    target: int  # the number that the thread or the meeting had
    value: int
    at: int
    keys: tuple[int, ...]
    texts: tuple[str, ...]  # the Message-IDs or UIDs of these keys that were here
    replaced: tuple[Deed, ...]


_SCRATCH = """CREATE TEMP TABLE IF NOT EXISTS said (
    kind INTEGER, record_id INTEGER, id INTEGER, hand INTEGER, PRIMARY KEY (kind, record_id, id)
) WITHOUT ROWID"""

# A thread is known by the Message-IDs in it, and by those of it that have left.
_KEYS = {
    THREAD: """SELECT digest_key(mid) FROM thread_ref WHERE thread_id = ?1
               UNION SELECT key FROM former_id WHERE target = 1 AND id = ?1""",
    MEETING: "SELECT digest_key(uid) FROM meeting WHERE id = ?1",
}
_TEXTS = {
    THREAD: "SELECT mid FROM thread_ref WHERE thread_id = ?",
    MEETING: "SELECT uid FROM meeting WHERE id = ?",
}
# The threads or meetings that have these Message-IDs or UIDs now.
_WITH = {
    THREAD: """SELECT thread_id FROM json_each(?) AS wanted
               CROSS JOIN thread_ref ON mid = wanted.value""",
    MEETING: "SELECT id FROM meeting WHERE uid IN (SELECT value FROM json_each(?))",
}
# The latest deed decides, where two conversations have become one.
_SAID = """
    SELECT kind, record_id, id, hand FROM (
        SELECT manual.kind, manual.record_id, touched.id, manual.hand, max(manual.at)
        FROM touched {keys} GROUP BY 1, 2, 3)
"""
_OF_TOUCHED = {
    THREAD: """CROSS JOIN thread_ref ON thread_ref.thread_id = touched.id
               CROSS JOIN manual_link AS manual ON manual.target = 1
                   AND manual.key = digest_key(thread_ref.mid)""",
    MEETING: """CROSS JOIN meeting ON meeting.id = touched.id
                CROSS JOIN manual_link AS manual ON manual.target = 2
                    AND manual.key = digest_key(meeting.uid)""",
}
_SHOW = (
    """UPDATE {what}_link SET hand = 0 WHERE hand != 0
       AND {what}_id IN (SELECT id FROM touched) AND NOT EXISTS (
           SELECT 1 FROM said WHERE said.kind = {what}_link.kind
           AND said.record_id = {what}_link.record_id AND said.id = {what}_link.{what}_id)
       RETURNING kind, record_id""",
    """INSERT INTO {what}_link (kind, record_id, {what}_id, hand)
       SELECT kind, record_id, id, hand FROM said WHERE true
       ON CONFLICT DO UPDATE SET hand = excluded.hand WHERE hand != excluded.hand
       RETURNING kind, record_id""",
)


def digest_key(text: str) -> int:
    """The number by which a Message-ID or a UID is kept: it tells nothing of what it was."""
    from hashlib import blake2b  # OpenSSL comes with it: nothing that the first picture waits for

    digest = blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def put(
    db: sqlite3.Connection, what: str, kind: int, record_id: int, target: int, value: int
) -> Said:
    """Write down what the hand says about a link: 1, -1, or 0 for nothing.

    What is shown follows with `links.relink(…, by_hand=True)`. Returns what `unsay` needs.
    """
    keys = [row[0] for row in db.execute(_KEYS[what], [target])]
    own = f"target = {TARGETS[what]} AND kind = ? AND record_id = ?"
    packed = json.dumps(keys)
    replaced = db.execute(
        f"""DELETE FROM manual_link WHERE {own} AND key IN (SELECT value FROM json_each(?))
            RETURNING key, kind, record_id, hand, at""",
        [kind, record_id, packed],
    ).fetchall()
    (newest,) = db.execute("SELECT ifnull(max(at), 0) FROM manual_link").fetchone()
    # Each deed has a time of its own, by which it is known, whatever the clock says.
    at = max(time.time_ns() // 1_000_000, newest + 1, *(deed[4] + 1 for deed in replaced))
    if value:
        insert(db, what, [(key, kind, record_id, value, at) for key in keys])
    texts = tuple(row[0] for row in db.execute(_TEXTS[what], [target]))
    return Said(what, kind, record_id, target, value, at, tuple(keys), texts, tuple(replaced))


def unsay(db: sqlite3.Connection, said: Said) -> list[int]:
    """Take a deed back, wherever what it was said of is now; what was said before holds again.

    Returns the threads or meetings that this may show on.
    """
    of = TARGETS[said.what]
    gone = db.execute(
        """DELETE FROM manual_link WHERE target = ? AND kind = ? AND record_id = ? AND at = ?
           RETURNING key""",
        [of, said.kind, said.record_id, said.at],
    ).fetchall()
    insert(db, said.what, said.replaced)
    if said.replaced:
        *_, hand, at = max(said.replaced, key=lambda deed: deed[4])
        heirs = {key for (key,) in gone}.difference(said.keys) | _left(db, said)
        insert(db, said.what, [(key, said.kind, said.record_id, hand, at) for key in sorted(heirs)])
    found = db.execute(
        f"""{_WITH[said.what]} UNION SELECT {said.what}_id FROM {said.what}_link
            WHERE kind = ? AND record_id = ? AND hand != 0""",
        [json.dumps(said.texts), said.kind, said.record_id],
    )
    return [row[0] for row in found]


def _left(db: sqlite3.Connection, said: Said) -> set[int]:
    """What is left of a conversation of which no message is here that the deed was said of."""
    if said.what != THREAD or db.execute(_WITH[THREAD], [json.dumps(said.texts)]).fetchone():
        return set()
    query = "SELECT digest_key(mid) FROM thread_ref WHERE thread_id = ?"
    return {row[0] for row in db.execute(query, [said.target])}


def insert(db: sqlite3.Connection, what: str, deeds: Iterable[Deed]) -> None:
    """Write deeds down; of a record and a key that has one, the one that is there stays."""
    db.executemany(
        "INSERT OR IGNORE INTO manual_link (target, key, kind, record_id, hand, at)"
        f" VALUES ({TARGETS[what]}, ?, ?, ?, ?, ?)",
        deeds,
    )


def show(db: sqlite3.Connection, what: str, by_hand: bool) -> list[tuple[int, int]]:
    """Let the links of the threads or meetings in `touched` say what the hand says of them.

    Returns the records whose links are others now. Without a deed, nothing can have changed,
    unless this is one (`by_hand`).
    """
    if not by_hand and not any_deed(db):
        return []
    db.execute(_SCRATCH)
    db.execute("DELETE FROM temp.said")
    db.execute(f"INSERT INTO said {_SAID.format(keys=_OF_TOUCHED[what])}")
    changed = [row for one in _SHOW for row in db.execute(one.format(what=what)).fetchall()]
    if changed:
        db.execute(
            f"""DELETE FROM {what}_link WHERE hand = 0 AND why = ''
                AND {what}_id IN (SELECT id FROM touched)"""
        )
    return list(dict.fromkeys(changed))


def any_deed(db: sqlite3.Connection) -> bool:
    """Whether the hand has said anything."""
    return db.execute("SELECT 1 FROM manual_link LIMIT 1").fetchone() is not None


def deeds(db: sqlite3.Connection, mids: Iterable[str]) -> list[Deed]:
    """What the hand says of messages."""
    return db.execute(
        """SELECT manual.key, kind, record_id, hand, at FROM json_each(?) AS wanted
           CROSS JOIN manual_link AS manual ON target = 1
               AND manual.key = digest_key(wanted.value)""",
        [json.dumps(list(mids))],
    ).fetchall()


def hand_over(
    db: sqlite3.Connection, lost: Sequence[Deed], kept: Iterable[str], heirs: Iterable[str]
) -> None:
    """Let what is left of a conversation inherit what the hand said of messages that have left.

    `lost` are the deeds of the whole, `kept` all Message-IDs that are left of it, and `heirs` those
    in the thread that has its number. A deed that a part still has does not spread to another.
    """
    held = {digest_key(mid) for mid in kept}
    have = {(kind, record_id) for key, kind, record_id, *_ in lost if key in held}
    keys = [digest_key(mid) for mid in heirs]
    newest = sorted(lost, key=lambda deed: -deed[4])
    insert(
        db,
        THREAD,
        [(key, *deed[1:]) for deed in newest if deed[1:3] not in have for key in keys],
    )


def of_record(db: sqlite3.Connection, what: str, kind: int, record_id: int) -> list[Deed]:
    """All that the hand says of a record's threads or meetings, those that are away too."""
    return db.execute(
        """SELECT key, kind, record_id, hand, at FROM manual_link
           WHERE target = ? AND kind = ? AND record_id = ? ORDER BY key""",
        [TARGETS[what], kind, record_id],
    ).fetchall()


def remove(db: sqlite3.Connection, what: str, deeds: Iterable[Deed]) -> None:
    """Take deeds back, each unless the hand has said something else since."""
    db.executemany(
        f"""DELETE FROM manual_link WHERE target = {TARGETS[what]}
            AND key = ? AND kind = ? AND record_id = ? AND hand = ? AND at = ?""",
        deeds,
    )
