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

from crmmail.store import former, links, manual
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
    fresh = sorted(mids - known.keys())
    winners = _settle(db, change, groups, fresh, mids, threads)
    db.executemany(
        "INSERT INTO thread_ref (mid, thread_id) VALUES (?, ?)",
        [(mid, winners[groups.root(mid)]) for mid in fresh],
    )
    former.back(db, [(mid, winners[groups.root(mid)]) for mid in fresh])
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


def split(
    db: sqlite3.Connection, change: Change, thread_ids: Iterable[int], trace: bool = True
) -> set[int]:
    """Thread again what is left of these threads after messages went; returns all that remain.

    A thread without messages goes, with its links. One that fell apart keeps its id for the part
    with the oldest message, but each part that had another one before has that again. `trace`: the
    ids of those that go are remembered, for when they come back.
    """
    remain: set[int] = set()
    gone: list[int] = []
    by_hand = manual.any_deed(db)
    for thread_id in thread_ids:
        messages = [
            Joinable(row[0], row[1], tuple(row[2].split()), row[3], row[4], bool(row[5]))
            for row in db.execute(
                """SELECT id, message_id, refs, sent_at, loose_key, loose FROM message
                   WHERE thread_id = ? ORDER BY id""",
                [thread_id],
            )
        ]
        before = [
            row[0]
            for row in db.execute("SELECT mid FROM thread_ref WHERE thread_id = ?", [thread_id])
        ]
        db.execute("DELETE FROM thread_ref WHERE thread_id = ?", [thread_id])
        change.threads.add(thread_id)
        mids = _part(db, thread_id, messages)
        if trace:
            former.remember(db, thread_id, [mid for mid in before if mid not in mids])
        if not messages:
            gone.append(thread_id)
            continue
        if by_hand and (said := manual.deeds(db, before)):
            heirs = [mid for mid, part in mids.items() if part == thread_id]
            manual.hand_over(db, said, mids, heirs)
        remain.update(mids.values())
    links.unlink(db, change, gone)  # at once: each record is counted again only once
    db.execute(
        "DELETE FROM thread WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(gone)]
    )
    refresh(db, remain)
    return remain


def _part(db: sqlite3.Connection, thread_id: int, messages: list[Joinable]) -> dict[str, int]:
    """Thread these messages of a thread again; returns the thread of each Message-ID."""
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
    of_root: dict[str | int, list[str]] = defaultdict(list)
    for message in messages:
        root = groups.root(message.message_id)
        of_root[root] += (message.message_id, *message.refs)
    threads = _numbers(db, thread_id, list(of_root.values()))
    mids = dict[str, int]()
    for number, part in zip(threads, of_root.values(), strict=True):
        mids |= dict.fromkeys(part, number)
    db.executemany(
        "UPDATE message SET thread_id = ? WHERE id = ?",
        [
            (mids[message.message_id], message.id)
            for message in messages
            if mids[message.message_id] != thread_id
        ],
    )
    db.executemany("INSERT INTO thread_ref (mid, thread_id) VALUES (?, ?)", mids.items())
    return mids


def _numbers(db: sqlite3.Connection, thread_id: int, parts: list[list[str]]) -> list[int]:
    """A thread id for each part of a thread that fell apart, the part with the oldest first.

    The oldest keeps that of the thread, unless it had another one before and another had not.
    """
    if len(parts) < 2:
        return [thread_id] * len(parts)
    had = former.free(db, [mid for part in parts for mid in part])
    before = [sorted({had[mid] for mid in part if mid in had}) for part in parts]
    # It never had another one, or at least most of it never had.
    own = [
        (True, 0) if not before[place] else (False, sum(mid not in had for mid in part))
        for place, part in enumerate(parts)
    ]
    heir = own.index(max(own))
    taken, found = set[int](), list[int]()
    for place, part in enumerate(parts):
        if place == heir:
            found.append(thread_id)
            continue
        number = next((one for one in before[place] if one not in taken), None)
        found.append(former.new_thread(db, number))
        taken.add(found[-1])
        former.back(db, [(mid, found[-1]) for mid in part])
    return found


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
    fresh: list[str],
    mids: set[str],
    threads: set[int],
) -> dict[str | int, int]:
    """One thread id for each component: the smallest that it has or had, or a new one.

    The others are merged in. `fresh` are those of the Message-IDs that no thread has.
    """
    there: dict[str | int, list[int]] = defaultdict(list)
    for thread_id in threads:
        there[groups.root(thread_id)].append(thread_id)
    had: dict[str | int, set[int]] = defaultdict(set)
    away = former.free(db, fresh)
    for mid, number in away.items():
        had[groups.root(mid)].add(number)
    winners: dict[str | int, int] = {}
    for mid in sorted(mids):
        root = groups.root(mid)
        if root in winners:
            continue
        threads_here = sorted(there.get(root, ()))
        # Two that were one share the number: the first to come has it.
        numbers = sorted(had[root].difference(winners.values())) if root in had else []
        if threads_here and not (numbers and numbers[0] < threads_here[0]):
            winners[root] = threads_here.pop(0)
        else:
            winners[root] = former.new_thread(db, numbers[0] if numbers else None)
        for loser in threads_here:
            _merge(db, change, loser, winners[root])
    return winners


def _merge(db: sqlite3.Connection, change: Change, loser: int, winner: int) -> None:
    mids = db.execute("SELECT mid FROM thread_ref WHERE thread_id = ?", [loser]).fetchall()
    former.remember(db, loser, [mid for (mid,) in mids])
    db.execute("UPDATE message SET thread_id = ? WHERE thread_id = ?", [winner, loser])
    db.execute("UPDATE thread_ref SET thread_id = ? WHERE thread_id = ?", [winner, loser])
    links.unlink(db, change, [loser])
    db.execute("DELETE FROM thread WHERE id = ?", [loser])
    change.threads.add(loser)
