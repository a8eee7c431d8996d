"""One batch of judged messages is one transaction: everything they change, and the cursor."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from crmmail.store import joining, levels, links
from crmmail.store.database import Change, Store
from crmmail.store.joining import Joinable
from crmmail.store.kinds import Level
from crmmail.sync import contacts, correspondents, ledger, lifting, rules
from crmmail.sync.batch import Batch, Kept
from crmmail.sync.message import Participant, usable_name
from crmmail.sync.rules import Rules


def known(
    db: sqlite3.Connection, message_ids: Iterable[str], level: int = Level.METADATA
) -> dict[str, int]:
    """Which of these messages the store holds at that level at least: Message-ID -> message.id."""
    return dict(
        db.execute(
            """SELECT message.message_id, message.id FROM json_each(?) AS wanted
               CROSS JOIN message ON message.message_id = wanted.value WHERE message.level >= ?""",
            [json.dumps(list(message_ids)), level],
        ).fetchall()
    )


def save(store: Store, batch: Batch) -> int:
    """Write a batch: messages, placements, threads, people, links, search, ledger, cursor.

    Returns how many messages of the ledger it let in, to be fetched: role addresses that turn out
    to be written to (M5). Raises rules.Moved, and writes nothing, where the batch was judged by
    rules that do not hold any more, or counts on a message that has left meanwhile.
    """
    with store.write() as (db, change):
        rules.hold(db, batch.rules)
        batch = lifting.spare(db, batch)
        address_ids = correspondents.register(db, batch)
        new, old = _sort(db, batch.kept)
        lifted = lifting.lifted(db, old, batch.rules)
        lifting.follow(db, batch)
        threads = _join(db, change, new, old, lifted, batch.rules)
        _insert(db, new, threads, address_ids, batch.rules)
        lifting.lift(db, lifted, batch.rules)
        displaced = _place(db, batch, {**new, **old})
        correspondents.name(db, change, new, address_ids)
        admitted = correspondents.note_written(db, batch)
        ledger.record(db, batch)
        everybody = {one for kept in batch.kept for one in _candidates(kept, batch.rules)}
        met = contacts.meet(db, change, everybody, batch.rules)
        contacts.leave(db, change, displaced)
        levels.lower(db, change, old.values())
        touched = set(threads.values()) | _threads_of(db, old.values())
        joining.refresh(db, touched)
        links.relink_met(db, change, met, touched)
        _advance(db, batch)
        change.threads |= touched
        change.topics |= {"threads", "state"} if touched else {"state"}
        change.topics |= {"ledger"} if batch.passed else set()
    return admitted


def message_key(sent_at: int, message_id: str) -> int:
    """The id that a message gets: newest first is descending id."""
    digest = blake2b(message_id.encode("utf-8", "replace"), digest_size=4).digest()
    return sent_at << 20 | int.from_bytes(digest, "big") & 0xFFFFF


def _candidates(kept: Kept, judged_by: Rules) -> list[str]:
    return rules.candidates(kept.header.participants, judged_by)


def _sort(db: sqlite3.Connection, kept: Sequence[Kept]) -> tuple[dict[Kept, int], dict[Kept, int]]:
    """New messages and those that the store has, each with its message.id."""
    there = known(db, [one.header.message_id for one in kept])
    new: dict[Kept, int] = {}
    old: dict[Kept, int] = {}
    wanted = [message_key(one.header.sent_at, one.header.message_id) for one in kept]
    taken = {
        row[0]
        for row in db.execute(
            """SELECT message.id FROM json_each(?) AS wanted
               CROSS JOIN message ON message.id = wanted.value""",
            [json.dumps(wanted)],
        )
    }
    for one, key in zip(kept, wanted, strict=True):
        mid = one.header.message_id
        if mid in there:
            old[one] = there[mid]
            continue
        while key in taken:
            key += 1
        there[mid] = new[one] = key
        taken.add(key)
    return new, old


def _refs(kept: Kept, judged_by: Rules) -> tuple[str, ...]:
    if kept.provider_thread:
        return (*kept.header.refs, f"thread:{judged_by.account_id}:{kept.provider_thread}")
    return kept.header.refs


def _join(
    db: sqlite3.Connection,
    change: Change,
    new: dict[Kept, int],
    old: dict[Kept, int],
    lifted: dict[Kept, int],
    judged_by: Rules,
) -> dict[int, int]:
    joinable = []
    for kept, key in {**new, **lifted}.items():
        header = kept.header
        alike, is_reply = lifting.loose_key(header.subject, header.participants)
        joinable.append(
            Joinable(
                key,
                header.message_id,
                _refs(kept, judged_by),
                header.sent_at,
                alike,
                is_reply and not header.refs,
            )
        )
    for kept, key in old.items():
        if kept.provider_thread and kept not in lifted:
            refs = _refs(kept, judged_by)[-1:]
            db.execute(
                "UPDATE message SET refs = trim(refs || ' ' || ?) WHERE id = ? "
                "AND instr(' ' || refs || ' ', ' ' || ? || ' ') = 0",
                [refs[0], key, refs[0]],
            )
            joinable.append(Joinable(key, kept.header.message_id, refs, 0, "", False))
    return joining.join(db, change, joinable)


def _insert(
    db: sqlite3.Connection,
    new: dict[Kept, int],
    threads: dict[int, int],
    address_ids: dict[str, int],
    judged_by: Rules,
) -> None:
    rows, texts, people, attachments = [], [], [], []
    for kept, key in new.items():
        header, body = kept.header, kept.body
        if body is None:  # it was here when the others were fetched
            raise rules.Moved
        sender = next((one.address for one in header.participants if one.role == "from"), "")
        alike, is_reply = lifting.loose_key(header.subject, header.participants)
        rows.append(
            (
                key,
                header.message_id,
                threads[key],
                header.sent_at,
                header.subject,
                address_ids.get(sender),
                sender in judged_by.own,
                kept.flags,
                header.size,
                sum(not part.inline for part in body.attachments),
                body.preview,
                " ".join(_refs(kept, judged_by)),
                alike,
                is_reply and not header.refs,
                header.sign,
                judged_by.level,
                header.invitation,
            )
        )
        texts.append(
            (key, header.subject, _names(header.participants), body.text, lifting.spans(body))
        )
        people += [
            (
                key,
                place,
                address_ids[one.address],
                one.role,
                one.name if usable_name(one.name) else "",
            )
            for place, one in enumerate(header.participants)
        ]
        attachments += lifting.attached(key, body)
    db.executemany(
        """INSERT INTO message (id, message_id, thread_id, sent_at, subject, from_id, outgoing,
           flags, size, attachments, preview, refs, loose_key, loose, sign, level, invitation)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        rows,
    )
    db.executemany(
        "INSERT INTO message_text (message_id, people, text, quotes) VALUES (?, ?, ?, ?)",
        [(key, who, text, quotes) for key, _, who, text, quotes in texts],
    )
    db.executemany(
        "INSERT INTO search (rowid, subject, people, text) VALUES (?, ?, ?, ?)",
        sorted(row[:4] for row in texts),  # a rowid below the last makes FTS5 flush what it holds
    )
    db.executemany("INSERT INTO participant VALUES (?, ?, ?, ?, ?)", people)
    db.executemany("INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?)", attachments)


def _names(people: Iterable[Participant]) -> str:
    return "\n".join(dict.fromkeys(f"{one.name} {one.address}".strip() for one in people))


def _place(db: sqlite3.Connection, batch: Batch, ids: dict[Kept, int]) -> list[int]:
    """Write where messages lie; returns those that lie nowhere any more.

    What was fetched again at another level may turn out to be an invitation, or unreadable, or
    may get another id, if that was made up (M6, M8, M11).
    """
    displaced = lifting.displace(db, batch, ids)
    db.executemany(
        """INSERT OR REPLACE INTO placement (folder_id, uid, message_id, flags)
           VALUES (?, ?, ?, ?)""",
        [(batch.folder_id, kept.uid, key, kept.flags) for kept, key in ids.items()],
    )
    db.executemany(
        "UPDATE message SET flags = flags | ?, orphaned_at = 0 WHERE id = ?",
        [(kept.flags, key) for kept, key in ids.items()],
    )
    db.execute(
        "DELETE FROM skipped WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))",
        [batch.folder_id, json.dumps([kept.uid for kept in ids])],
    )
    return [
        key
        for key in displaced
        if not db.execute("SELECT 1 FROM placement WHERE message_id = ?", [key]).fetchone()
    ]


def _threads_of(db: sqlite3.Connection, message_ids: Iterable[int]) -> set[int]:
    return {
        row[0]
        for row in db.execute(
            """SELECT message.thread_id FROM json_each(?) AS wanted
               CROSS JOIN message ON message.id = wanted.value""",
            [json.dumps(list(message_ids))],
        )
    }


def _advance(db: sqlite3.Connection, batch: Batch) -> None:
    db.execute(
        """UPDATE folder SET floor = ifnull(?, floor), uidnext = max(uidnext, ifnull(?, 0))
           WHERE id = ?""",
        [batch.floor, batch.uidnext, batch.folder_id],
    )
    db.execute(
        "UPDATE sync_state SET done = done + ? WHERE account_id = ?",
        [len(batch.kept) + len(batch.passed), batch.rules.account_id],
    )
