"""Messages that the store has, at another level than before (rules.md V3, V4)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from crmmail.store import levels
from crmmail.store.kinds import MADE_UP
from crmmail.sync.batch import Batch, Kept
from crmmail.sync.message import Body, Participant, base_subject
from crmmail.sync.rules import Rules


def lifted(db: sqlite3.Connection, old: dict[Kept, int], judged_by: Rules) -> dict[Kept, int]:
    """Those that were fetched because the store has less of them than the account allows (V3)."""
    lifted = {kept: key for kept, key in old.items() if kept.body is not None}
    below = {
        row[0]
        for row in db.execute(
            """SELECT message.id FROM json_each(?) AS wanted
               CROSS JOIN message ON message.id = wanted.value WHERE message.level < ?""",
            [json.dumps(list(lifted.values())), judged_by.level],
        )
    }
    unique = {key: kept for kept, key in lifted.items() if key in below}
    return {kept: key for key, kept in unique.items()}


def lift(db: sqlite3.Connection, lifted: dict[Kept, int], judged_by: Rules) -> None:
    """Give messages that the store has what it may have of them now (V3)."""
    rows, texts, attachments = [], [], []
    for kept, key in lifted.items():
        header, body = kept.header, kept.body
        if body is None:
            continue
        alike, is_reply = loose_key(header.subject, header.participants)
        shown = sum(not part.inline for part in body.attachments)
        loose = is_reply and not header.refs
        rows.append((key, judged_by.level, header.subject, body.preview, shown, alike, loose))
        texts.append((key, body.text, spans(body)))
        attachments += attached(key, body)
    if rows:
        levels.raise_(db, rows, texts, attachments)


def follow(db: sqlite3.Connection, batch: Batch) -> None:
    """Let a message whose made-up id is another one now stay in its thread (M11).

    The id is made of what is known of it, which changes with the level; its place is the same.
    """
    made_up = {
        kept.uid: kept.header.message_id
        for kept in batch.kept
        if kept.header.message_id.endswith(MADE_UP)
    }
    if not made_up:
        return
    there = db.execute(
        """SELECT placement.uid, message.thread_id FROM json_each(?) AS wanted
           CROSS JOIN placement ON placement.folder_id = ? AND placement.uid = wanted.value
           CROSS JOIN message ON message.id = placement.message_id
           WHERE message.message_id LIKE ?""",
        [json.dumps(list(made_up)), batch.folder_id, f"%{MADE_UP}"],
    ).fetchall()
    db.executemany(
        "INSERT OR IGNORE INTO thread_ref (mid, thread_id) VALUES (?, ?)",
        [(made_up[uid], thread) for uid, thread in there],
    )


def spare(db: sqlite3.Connection, batch: Batch) -> Batch:
    """Without the messages that are here and that the server failed to send once more (M8).

    What is here of them stays, and the next pass asks again.
    """
    failed = [one.uid for one in batch.passed if not one.final]
    if not failed:
        return batch
    here = {
        uid
        for (uid,) in db.execute(
            """UPDATE placement SET wanted = 2
               WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?)) RETURNING uid""",
            [batch.folder_id, json.dumps(failed)],
        )
    }
    return replace(batch, passed=[one for one in batch.passed if one.final or one.uid not in here])


def displace(db: sqlite3.Connection, batch: Batch, ids: dict[Kept, int]) -> list[int]:
    """Take the placements that the batch's UIDs have and will not have after it."""
    coming = {kept.uid: key for kept, key in ids.items()}
    uids = [*coming, *(one.uid for one in batch.passed)]
    there = db.execute(
        """SELECT uid, message_id FROM placement
           WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))""",
        [batch.folder_id, json.dumps(uids)],
    ).fetchall()
    gone = [(uid, message) for uid, message in there if coming.get(uid) != message]
    db.executemany(
        "DELETE FROM placement WHERE folder_id = ? AND uid = ?",
        [(batch.folder_id, uid) for uid, _ in gone],
    )
    return [message for _, message in gone]


def loose_key(subject: str, people: Iterable[Participant]) -> tuple[str, bool]:
    """What T2 compares, "" for a subject that says too little, and whether it is a reply's."""
    base, is_reply = base_subject(subject)
    if len(base) <= 3:
        return "", is_reply
    everybody = sorted({person.address for person in people if person.role != "reply_to"})
    text = "\0".join((base, *everybody)).encode("utf-8", "replace")
    return blake2b(text, digest_size=12).hexdigest(), is_reply


def spans(body: Body) -> str:
    """The quoted lines as the store writes them down."""
    return ",".join(f"{start}-{end}" for start, end in body.quotes)


def attached(key: int, body: Body) -> list[tuple[object, ...]]:
    """A message's rows of the attachment table."""
    return [
        (key, place, part.name, part.mime, part.size, part.inline)
        for place, part in enumerate(body.attachments)
    ]
