"""Which messages make one thread (rules.md T), in whatever order they arrive.

A thread is a component of the graph whose edges are Message-IDs mentioned (T1), loose replies
(T2) and the provider's own thread ids (T4). Every edge depends on two messages only, so that any
order of arrival ends in the same partition.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import links
from crmmail.store.database import Change

LOOSE_WINDOW = 30 * 86_400
"""How long after a message a reply without references may still join it (T2), in seconds."""


@dataclass(frozen=True, slots=True)
class Joinable:
    """What of a message decides its thread."""

    id: int
    message_id: str
    refs: tuple[str, ...]
    sent_at: int
    loose_key: str
    loose: bool


class _Groups:
    """Union-find over Message-IDs (str) and thread ids (int)."""

    def __init__(self) -> None:
        self._above: dict[str | int, str | int] = {}

    def root(self, node: str | int) -> str | int:
        above = self._above
        while (up := above.setdefault(node, node)) != node:
            above[node] = node = above.setdefault(up, up)
        return node

    def join(self, one: str | int, other: str | int) -> None:
        self._above[self.root(one)] = self.root(other)


def join(db: sqlite3.Connection, change: Change, messages: Iterable[Joinable]) -> dict[int, int]:
    """Find each message's thread, merging and making threads: message.id -> thread.id.

    The caller stores the messages with it, then calls `refresh` for the threads.
    """
    new = list(messages)
    if not new:
        return {}
    groups = _Groups()
    mids: set[str] = set()
    for message in new:
        groups.root(message.message_id)
        mids.add(message.message_id)
        for ref in message.refs:
            groups.join(message.message_id, ref)
            mids.add(ref)
    known = dict(
        db.execute(
            """SELECT ref.mid, ref.thread_id FROM json_each(?) AS wanted
               CROSS JOIN thread_ref AS ref ON ref.mid = wanted.value""",
            [json.dumps(list(mids))],
        ).fetchall()
    )
    for mid, thread_id in known.items():
        groups.join(mid, thread_id)
    threads = set(known.values())
    for one, other in _loose_edges(db, new):
        groups.join(one, other)
        if isinstance(other, int):
            threads.add(other)
    winners = _settle(db, change, groups, mids, threads)
    db.executemany(
        "INSERT INTO thread_ref (mid, thread_id) VALUES (?, ?)",
        [(mid, winners[groups.root(mid)]) for mid in sorted(mids - known.keys())],
    )
    return {message.id: winners[groups.root(message.message_id)] for message in new}


def refresh(db: sqlite3.Connection, thread_ids: Iterable[int]) -> None:
    """Make the rows of these threads say what their messages say (T3)."""
    db.execute(
        """UPDATE thread SET first_at = (SELECT sent_at FROM message WHERE id = sums.first_id),
               subject = (SELECT subject FROM message WHERE id = sums.first_id),
               last_at = (SELECT sent_at FROM message WHERE id = sums.last_id),
               last_id = sums.last_id, messages = sums.messages, unread = sums.unread,
               attachments = sums.attachments
           FROM (SELECT message.thread_id, min(message.id) AS first_id, max(message.id) AS last_id,
                        count(*) AS messages, sum(message.flags & 1 = 0) AS unread,
                        sum(message.attachments) AS attachments
                 FROM json_each(?) AS wanted
                 CROSS JOIN message ON message.thread_id = wanted.value GROUP BY 1) AS sums
           WHERE thread.id = sums.thread_id""",
        [json.dumps(list(thread_ids))],
    )


def split(db: sqlite3.Connection, change: Change, thread_ids: Iterable[int]) -> set[int]:
    """Thread again what is left of these threads after messages went; returns all that remain.

    A thread without messages goes, with its links. One that fell apart keeps its id for the part
    with the oldest message.
    """
    remain: set[int] = set()
    gone: list[int] = []
    for thread_id in thread_ids:
        messages = [
            Joinable(row[0], row[1], tuple(row[2].split()), row[3], row[4], bool(row[5]))
            for row in db.execute(
                """SELECT id, message_id, refs, sent_at, loose_key, loose FROM message
                   WHERE thread_id = ? ORDER BY id""",
                [thread_id],
            )
        ]
        db.execute("DELETE FROM thread_ref WHERE thread_id = ?", [thread_id])
        change.threads.add(thread_id)
        if not messages:
            gone.append(thread_id)
            continue
        remain |= _part(db, thread_id, messages)
    links.unlink(db, change, gone)  # at once: each record is counted again only once
    db.execute(
        "DELETE FROM thread WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(gone)]
    )
    refresh(db, remain)
    return remain


def _part(db: sqlite3.Connection, thread_id: int, messages: list[Joinable]) -> set[int]:
    groups = _Groups()
    for message in messages:
        for ref in message.refs:
            groups.join(message.message_id, ref)
    by_key: dict[str, list[Joinable]] = defaultdict(list)
    for message in messages:
        if message.loose_key:
            by_key[message.loose_key].append(message)
    for alike in by_key.values():
        for one in alike:
            for other in alike:
                if one.loose and 0 <= one.sent_at - other.sent_at <= LOOSE_WINDOW:
                    groups.join(one.message_id, other.message_id)
    threads = {groups.root(messages[0].message_id): thread_id}
    mids: dict[str, int] = {}
    for message in messages:
        root = groups.root(message.message_id)
        if root not in threads:
            threads[root] = _new_thread(db)
        for mid in (message.message_id, *message.refs):
            mids[mid] = threads[root]
        if threads[root] != thread_id:
            db.execute("UPDATE message SET thread_id = ? WHERE id = ?", [threads[root], message.id])
    db.executemany("INSERT INTO thread_ref (mid, thread_id) VALUES (?, ?)", mids.items())
    return set(threads.values())


def _loose_edges(db: sqlite3.Connection, new: list[Joinable]) -> list[tuple[str | int, str | int]]:
    """T2's edges between new messages, and from them to threads that are there."""
    edges: list[tuple[str | int, str | int]] = []
    by_key: dict[str, list[Joinable]] = defaultdict(list)
    for message in new:
        if message.loose_key:
            by_key[message.loose_key].append(message)
    for alike in by_key.values():
        for one in alike:
            if one.loose:
                edges += [
                    (one.message_id, other.message_id)
                    for other in alike
                    if 0 <= one.sent_at - other.sent_at <= LOOSE_WINDOW
                ]
    wanted = [(m.message_id, m.loose_key, m.sent_at, m.loose) for m in new if m.loose_key]
    if wanted:
        edges += db.execute(
            """SELECT wanted.value ->> 0, message.thread_id FROM json_each(?) AS wanted
               CROSS JOIN message ON message.loose_key = wanted.value ->> 1
                   AND message.loose_key != ''
               WHERE (message.loose AND message.sent_at - (wanted.value ->> 2) BETWEEN 0 AND ?)
                  OR (wanted.value ->> 3 AND (wanted.value ->> 2) - message.sent_at BETWEEN 0 AND ?)
            """,
            [json.dumps(wanted), LOOSE_WINDOW, LOOSE_WINDOW],
        ).fetchall()
    return edges


def _settle(
    db: sqlite3.Connection,
    change: Change,
    groups: _Groups,
    mids: set[str],
    threads: set[int],
) -> dict[str | int, int]:
    """One thread id for each component: its smallest, or a new one. The others are merged in."""
    there: dict[str | int, list[int]] = defaultdict(list)
    for thread_id in threads:
        there[groups.root(thread_id)].append(thread_id)
    winners: dict[str | int, int] = {}
    for mid in sorted(mids):
        root = groups.root(mid)
        if root in winners:
            continue
        threads_here = sorted(there.get(root, ()))
        winners[root] = threads_here[0] if threads_here else _new_thread(db)
        for loser in threads_here[1:]:
            _merge(db, change, loser, winners[root])
    return winners


def _new_thread(db: sqlite3.Connection) -> int:
    return int(db.execute("INSERT INTO thread DEFAULT VALUES").lastrowid or 0)


def _merge(db: sqlite3.Connection, change: Change, loser: int, winner: int) -> None:
    db.execute("UPDATE message SET thread_id = ? WHERE thread_id = ?", [winner, loser])
    db.execute("UPDATE thread_ref SET thread_id = ? WHERE thread_id = ?", [winner, loser])
    links.unlink(db, change, [loser], heir=winner)
    db.execute("DELETE FROM thread WHERE id = ?", [loser])
    change.threads.add(loser)
