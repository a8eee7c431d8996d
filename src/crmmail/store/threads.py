"""Threads: a record's, the newest, and one of them (rules.md T3, C7)."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import hands, links, manual, records, windows
from crmmail.store.database import Store
from crmmail.store.hands import Link as Link
from crmmail.store.kinds import Kind, Level
from crmmail.store.manual import Said

_NAME = """CASE WHEN own THEN 'me' WHEN p.name != '' THEN p.name WHEN a.name != '' THEN a.name
    ELSE a.address END"""
_NAMES = f"""
    SELECT json_group_array({_NAME})
    FROM (
        SELECT from_id, max(outgoing) AS own FROM message
        WHERE thread_id = t.id AND from_id IS NOT NULL GROUP BY from_id ORDER BY min(id)
    )
    JOIN address a ON a.id = from_id
    LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
"""
_WINDOW = f"""
    SELECT json_group_array(json_array(
        t.id, t.subject, t.last_at, t.messages, t.unread, t.attachments, ({_NAMES}),
        coalesce(m.preview, ''), coalesce(iif(l.why = '' AND l.hand = 1, 'hand', l.why), ''),
        t.subject = '' AND ifnull(m.level = {Level.METADATA}, 0)))
    FROM json_each(?) wanted
    JOIN thread t ON t.id = wanted.value
    LEFT JOIN message m ON m.id = t.last_id
    LEFT JOIN thread_link l ON l.kind = ? AND l.record_id = ? AND l.thread_id = t.id
"""

# A word is in the subject, in the newest message's first words, or in who wrote.
_MATCH = f"""(t.subject {{like}} OR m.preview {{like}} OR EXISTS (
    SELECT 1 FROM message x JOIN address a ON a.id = x.from_id
    LEFT JOIN person p ON p.id = a.person_id AND p.deleted_at = 0
    WHERE x.thread_id = t.id AND {_NAME.replace(" own ", " x.outgoing ")} {{like}}))"""
_MATCHED = "JOIN thread t ON t.id = l.thread_id LEFT JOIN message m ON m.id = t.last_id"


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in a list.

    `names` are who wrote in it, in time order, oneself as "me"; `why` says what put it on the
    record: participant, people, domain, company, contact, several joined by ",", or "hand".
    `hidden`: it is visibility that it has no subject (V1).
    """

    id: int
    subject: str
    last_at: int
    messages: int
    unread: int
    attachments: int
    names: tuple[str, ...]
    preview: str
    why: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class ThreadDetail:
    """One thread: its messages' ids, oldest first, and the records it belongs to."""

    id: int
    subject: str
    messages: list[int]
    links: list[Link]


def of_record(
    db: sqlite3.Connection, kind: int, record_id: int, limit: int | None = None, match: str = ""
) -> array[int]:
    """The ids of a record's threads, newest first: of all, of some, of those with all words."""
    condition, words = windows.matching(match, _MATCH)
    kinds, ids, limits = (f"?{len(words) + number}" for number in (1, 2, 3))
    select = f"""
        SELECT l.thread_id AS id FROM thread_link l {_MATCHED if words else ""}
        WHERE l.kind = {kinds} AND l.record_id = {ids} AND l.hand >= 0 AND {condition}
        ORDER BY l.last_at DESC, l.thread_id DESC LIMIT {limits}
    """
    return windows.ids(db, select, [*words, kind, record_id, -1 if limit is None else limit])


def newest(db: sqlite3.Connection, limit: int | None = None) -> array[int]:
    """The ids of all threads, or of some, newest first."""
    select = "SELECT id FROM thread ORDER BY last_at DESC, id DESC LIMIT ?"
    return windows.ids(db, select, [-1 if limit is None else limit])


def rows(
    db: sqlite3.Connection,
    ids: Iterable[int],
    kind: int | None = None,
    record_id: int | None = None,
) -> list[ThreadRow]:
    """The rows of a window of a list; for a record's list, with why each thread is on it."""
    found = windows.window(db, _WINDOW, ids, kind or 0, record_id or 0)
    return [
        ThreadRow(
            i,
            subject,
            last_at,
            messages,
            unread,
            attachments,
            _distinct(names),
            preview,
            why,
            bool(hidden),
        )
        for i, subject, last_at, messages, unread, attachments, names, preview, why, hidden in found
    ]


def get(db: sqlite3.Connection, thread_id: int) -> ThreadDetail | None:
    """One thread, or None."""
    row = db.execute("SELECT subject FROM thread WHERE id = ?", [thread_id]).fetchone()
    if row is None:
        return None
    messages = db.execute("SELECT id FROM message WHERE thread_id = ? ORDER BY id", [thread_id])
    return ThreadDetail(
        thread_id,
        row[0],
        [message_id for (message_id,) in messages],
        hands.links(db, hands.THREAD, thread_id),
    )


def link(store: Store, kind: int, record_id: int, thread_id: int) -> Said:
    """Put a thread on a record by hand (C7); returns what links.take_back() needs."""
    return set_hand(store, kind, record_id, thread_id, 1)


def hide(store: Store, kind: int, record_id: int, thread_id: int) -> Said:
    """Take a thread off a record by hand (C7); returns what links.take_back() needs."""
    return set_hand(store, kind, record_id, thread_id, -1)


def unlink(store: Store, kind: int, record_id: int, thread_id: int) -> Said:
    """Leave it to the rules again whether a thread is on a record."""
    return set_hand(store, kind, record_id, thread_id, 0)


def set_hand(store: Store, kind: int, record_id: int, thread_id: int, value: int) -> Said:
    """Link by hand (1), hide by hand (-1) or neither (0); returns what links.take_back() needs."""
    with store.write("threads", records.TOPICS[Kind(kind)]) as (db, change):
        records.check_alive(db, Kind(kind), record_id)
        if not db.execute("SELECT 1 FROM thread WHERE id = ?", [thread_id]).fetchone():
            raise records.RecordError(
                f"There is no thread with the number {thread_id}.",
                "crmmail thread list shows those that there are.",
            )
        said = manual.put(db, manual.THREAD, kind, record_id, thread_id, value)
        links.relink(db, change, [thread_id], by_hand=True)
        change.records.add((kind, record_id))
        change.threads.add(thread_id)
    return said


def hand(db: sqlite3.Connection, kind: int, record_id: int, thread_id: int) -> int:
    """Whether a thread was linked to a record by hand (1), hidden (-1), or neither (0)."""
    return hands.hand(db, hands.THREAD, kind, record_id, thread_id)


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Each name once: a person may write from several addresses."""
    return tuple(dict.fromkeys(names))
