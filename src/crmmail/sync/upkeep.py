"""Keeping a folder's rows true to the server: new and gone folders, flags, vanished messages."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from crmmail.store import joining, levels
from crmmail.store.database import Change, Store
from crmmail.store.kinds import Flag
from crmmail.sync import contacts
from crmmail.sync.answers import FolderInfo

_ATTEMPTS_OF_A_DAY = 8
"""So often a message that cannot be read is tried within a day (M8)."""


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder as the store knows it. See models.Folder for what the cursors mean."""

    id: int
    name: str
    uidvalidity: int
    uidnext: int
    floor: int
    modseq: int
    compared: int
    flags_at: int
    unseen: int
    doubted: bool  # what the server said of its messages waits for a later run (M12)

    def differs(self, info: FolderInfo) -> bool:
        """Whether the folder has to be compared with the server: it is not as it was last time."""
        return not info.modseq or (  # a folder that counts no changes may have some
            (self.uidvalidity, self.uidnext, self.modseq, self.compared)
            != (info.uidvalidity, info.uidnext, info.modseq, info.messages)
        )


def folder_rows(db: sqlite3.Connection, account_id: int) -> list[FolderRow]:
    """The account's folders that are read, of those that the server lists."""
    return [
        FolderRow(*row)
        for row in db.execute(
            """SELECT id, name, uidvalidity, uidnext, floor, modseq, compared, flags_at,
                       unseen, EXISTS (SELECT 1 FROM unconfirmed WHERE folder_id = folder.id)
                FROM folder WHERE account_id = ? AND selected AND selectable
                AND id IN (SELECT id FROM listed_folder)""",
            [account_id],
        )
    ]


def local_uids(db: sqlite3.Connection, folder_id: int) -> set[int]:
    """Every UID of a folder that is in the store or the ledger."""
    return {
        row[0]
        for row in db.execute(
            """SELECT uid FROM placement WHERE folder_id = ?1
               UNION ALL SELECT uid FROM skipped WHERE folder_id = ?1""",
            [folder_id],
        )
    }


def readable_uids(db: sqlite3.Connection, folder_id: int, low: int, high: int) -> set[int]:
    """The UIDs of a folder from `low` up to and excluding `high` that are here, without those that
    the server could not send (M8).
    """
    return {
        row[0]
        for row in db.execute(
            """SELECT uid FROM placement WHERE folder_id = ?1 AND uid >= ?2 AND uid < ?3
               UNION ALL SELECT uid FROM skipped
               WHERE folder_id = ?1 AND uid >= ?2 AND uid < ?3 AND reason != 'unreadable'""",
            [folder_id, low, high],
        )
    }


def count_local(db: sqlite3.Connection, folder_id: int) -> int:
    """How many messages of a folder are in the store or the ledger."""
    row = db.execute(
        """SELECT (SELECT count(*) FROM placement WHERE folder_id = ?1)
                + (SELECT count(*) FROM skipped WHERE folder_id = ?1)""",
        [folder_id],
    ).fetchone()
    return int(row[0])


def newest(db: sqlite3.Connection, folder_id: int, count: int) -> int:
    """The UID from which a folder has its newest messages, so many of them; 1 if it has fewer."""
    row = db.execute(
        """SELECT uid FROM placement WHERE folder_id = ?1
           UNION ALL SELECT uid FROM skipped WHERE folder_id = ?1
           ORDER BY uid DESC LIMIT 1 OFFSET ?2""",
        [folder_id, count - 1],
    ).fetchone()
    return int(row[0]) if row else 1


def unread(db: sqlite3.Connection, folder_id: int) -> int:
    """How many messages of a folder are unread, in the store and in the skip list."""
    row = db.execute(
        """SELECT (SELECT count(*) FROM placement WHERE folder_id = ?1 AND NOT flags & ?2)
                + (SELECT count(*) FROM skipped WHERE folder_id = ?1 AND NOT flags & ?2)""",
        [folder_id, int(Flag.SEEN)],
    ).fetchone()
    return int(row[0])


def take_out(db: sqlite3.Connection, change: Change, folder_id: int, uids: Collection[int]) -> None:
    """Take out rows of a folder; a message that lies nowhere else is orphaned (M12)."""
    if not uids:
        return
    packed = json.dumps(list(uids))
    where = "WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))"
    messages = _placed(db, where, [folder_id, packed])
    db.execute(f"DELETE FROM placement {where}", [folder_id, packed])  # noqa: S608
    db.execute(f"DELETE FROM skipped {where}", [folder_id, packed])  # noqa: S608
    _settle(db, change, messages)
    change.topics |= {"threads", "ledger"}


def counted(store: Store, folder_id: int, messages: int) -> None:
    """Note how many messages the server counts in a folder."""
    with store.write("state") as (db, _):
        db.execute("UPDATE folder SET messages = ? WHERE id = ?", [messages, folder_id])


def compared(store: Store, folder_id: int, modseq: int, here: int, unseen: int) -> None:
    """A folder with so many messages was compared with the server, when it counted so.

    As long as the server's count is another, it will be again.
    """
    with store.write("state") as (db, _):
        db.execute(
            "UPDATE folder SET modseq = ?, compared = ?, unseen = ? WHERE id = ?",
            [modseq, here, unseen, folder_id],
        )


def waiting(
    db: sqlite3.Connection, account_id: int, version: str
) -> list[tuple[str, int, list[int]]]:
    """Messages of the ledger to be fetched again: (folder name, folder id, UIDs)."""
    rows = db.execute(
        """SELECT folder.name, folder.id, json_group_array(again.uid) FROM folder
           CROSS JOIN (
               SELECT folder_id, uid FROM skipped INDEXED BY ix_skipped_readmit WHERE readmit
               UNION SELECT folder_id, uid FROM skipped INDEXED BY ix_skipped_unreadable
               WHERE reason = 'unreadable' AND instr(detail, ?2) = 0) AS again
           ON again.folder_id = folder.id
           WHERE folder.account_id = ?1 AND folder.id IN (SELECT id FROM listed_folder)
           GROUP BY folder.id""",
        [account_id, version],
    )
    return [(name, folder_id, json.loads(packed)) for name, folder_id, packed in rows]


COUNT_WANTED = """
    SELECT count(*) FROM placement INDEXED BY ix_placement_wanted
    WHERE wanted AND folder_id IN (SELECT id FROM folder WHERE account_id = ?)
"""


def wanted(db: sqlite3.Connection, account_id: int, limit: int) -> list[tuple[str, int, list[int]]]:
    """The newest messages to be fetched again at the account's level (V3), like `waiting`."""
    rows = db.execute(
        """SELECT folder.name, folder.id, json_group_array(newest.uid)
           FROM (SELECT folder_id, uid FROM placement INDEXED BY ix_placement_wanted
                 WHERE wanted AND wanted = 1 AND folder_id IN (
                     SELECT id FROM folder WHERE account_id = ?
                     AND id IN (SELECT id FROM listed_folder))
                 ORDER BY message_id DESC LIMIT ?) AS newest
           JOIN folder ON folder.id = newest.folder_id GROUP BY folder.id""",
        [account_id, limit],
    )
    return [(name, folder_id, json.loads(packed)) for name, folder_id, packed in rows]


def want_again(store: Store, account_id: int) -> None:
    """Let a new pass try the texts that the server could not send in the one before."""
    placed = "placement INDEXED BY ix_placement_wanted"
    where = """WHERE wanted AND wanted = 2
               AND folder_id IN (SELECT id FROM folder WHERE account_id = ?)"""
    if store.read().execute(f"SELECT 1 FROM {placed} {where} LIMIT 1", [account_id]).fetchone():  # noqa: S608
        with store.write() as (db, _):
            db.execute(f"UPDATE {placed} SET wanted = 1 {where}", [account_id])  # noqa: S608


def stop_waiting(store: Store, folder_id: int, uids: Iterable[int]) -> None:
    """What still waits after its turn was not there any more: the comparison will find it."""
    uids = list(uids)
    with store.write() as (db, _):
        db.executemany(
            "UPDATE placement SET wanted = 0 WHERE folder_id = ? AND uid = ? AND wanted = 1",
            [(folder_id, uid) for uid in uids],
        )
        db.executemany(
            "UPDATE skipped SET readmit = 0 WHERE folder_id = ? AND uid = ?",
            [(folder_id, uid) for uid in uids],
        )


_TOLD = """
    SELECT told.value ->> 0, told.value ->> 1, {more} FROM json_each(?) AS told
    CROSS JOIN {table} ON folder_id = ? AND uid = told.value ->> 0
    WHERE flags != told.value ->> 1
"""
"""Flags that are others now. SQLite looks each UID up only because of the CROSS JOIN."""


def set_flags(store: Store, folder_id: int, flags: dict[int, int]) -> int:
    """Take over flags from the server; returns how many messages had others here.

    A message that is no draft any more is let in; one that became a draft has the account's mail
    judged again by the next pass (M2).
    """
    told = [json.dumps(list(flags.items())), folder_id]
    db = store.read()
    placed = db.execute(_TOLD.format(table="placement", more="message_id"), told).fetchall()
    passed = db.execute(_TOLD.format(table="skipped", more="reason"), told).fetchall()
    if not placed and not passed:
        return 0
    with store.write() as (db, change):
        db.executemany(
            "UPDATE placement SET flags = ? WHERE folder_id = ? AND uid = ?",
            [(now, folder_id, uid) for uid, now, _ in placed],
        )
        db.executemany(
            """UPDATE skipped SET flags = ?, readmit = readmit OR ?
               WHERE folder_id = ? AND uid = ?""",
            [
                (now, reason == "draft" and not now & Flag.DRAFT, folder_id, uid)
                for uid, now, reason in passed
            ],
        )
        if placed:
            change.topics.add("threads")
            _settle(db, change, [message for _, _, message in placed])
        if any(now & Flag.DRAFT for _, now, _ in placed):
            db.execute(
                """UPDATE account SET applied = '' WHERE id = (
                       SELECT account_id FROM folder WHERE id = ?)""",
                [folder_id],
            )
    return len(placed) + len(passed)


def bury_orphans(store: Store, before: int) -> int:
    """Take out messages that were orphaned before this moment (ms) and did not reappear (M12)."""
    with store.write() as (db, change):
        importing = db.execute(
            """SELECT 1 FROM folder JOIN account ON account.id = folder.account_id
               JOIN sync_state ON sync_state.account_id = account.id
               WHERE folder.selected AND folder.floor > 1 AND NOT account.paused
               AND sync_state.state NOT IN ('stopped', 'asking')"""
        ).fetchone()
        if importing:
            return 0
        dead = [
            row[0]
            for row in db.execute(
                "SELECT id FROM message WHERE orphaned_at > 0 AND orphaned_at < ? LIMIT 500",
                [before],
            )
        ]
        contacts.leave(db, change, dead)
        return len(dead)


def may_hide(db: sqlite3.Connection, account_id: int) -> bool:
    """Whether an orphan may lie where this account's pass could not see it (M12).

    That is in a message that the server lists and does not show, for as long as its attempts take
    a day, or in another account whose last pass had an error.
    """
    row = db.execute(
        """SELECT EXISTS (SELECT 1 FROM skipped INDEXED BY ix_skipped_unreadable
                          WHERE reason = 'unreadable' AND message_id = '' AND attempts <= ?1)
               OR EXISTS (SELECT 1 FROM sync_state JOIN account ON account.id = account_id
                          WHERE account_id != ?2 AND error != '' AND NOT paused
                          AND state NOT IN ('stopped', 'asking'))""",
        [_ATTEMPTS_OF_A_DAY, account_id],
    ).fetchone()
    return bool(row[0])


def has_orphans(db: sqlite3.Connection) -> bool:
    """Whether messages wait to reappear in some folder."""
    return db.execute("SELECT 1 FROM message WHERE orphaned_at > 0").fetchone() is not None


def now_ms() -> int:
    """The clock by which orphans are judged, in milliseconds."""
    return time.time_ns() // 1_000_000


def _placed(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[int]:
    query = f"SELECT message_id FROM placement {where}"  # noqa: S608 - conditions are ours
    return [row[0] for row in db.execute(query, values)]


def forget(db: sqlite3.Connection, change: Change, folder_ids: list[int]) -> None:
    """Take folders out; what they alone held is orphaned (M12)."""
    clear(db, change, folder_ids)
    db.execute(
        "DELETE FROM folder WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(folder_ids)]
    )
    change.topics |= {"threads", "ledger", "state"}


def clear(db: sqlite3.Connection, change: Change, folder_ids: list[int]) -> None:
    """Take out what folders hold."""
    packed = json.dumps(folder_ids)
    where = "WHERE folder_id IN (SELECT value FROM json_each(?))"
    messages = _placed(db, where, [packed])
    db.execute(f"DELETE FROM placement {where}", [packed])  # noqa: S608
    db.execute(f"DELETE FROM skipped {where}", [packed])  # noqa: S608
    _settle(db, change, messages)


def _settle(db: sqlite3.Connection, change: Change, message_ids: Sequence[int]) -> None:
    """Give messages the flags of the placements they have left; without any they are orphans."""
    packed = json.dumps(list(message_ids))
    db.execute(
        """UPDATE message SET (flags, orphaned_at) = (
               SELECT max(flags & 1) | max(flags & 2) | max(flags & 4) | max(flags & 8)
                      | max(flags & 16), 0
               FROM placement WHERE message_id = message.id)
           WHERE id IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM placement WHERE message_id = message.id)""",
        [packed],
    )
    db.execute(
        """UPDATE message SET orphaned_at = ? WHERE id IN (SELECT value FROM json_each(?))
           AND NOT EXISTS (SELECT 1 FROM placement WHERE message_id = message.id)""",
        [now_ms(), packed],
    )
    threads = {
        row[0]
        for row in db.execute(
            """SELECT DISTINCT message.thread_id FROM json_each(?) AS wanted
               CROSS JOIN message ON message.id = wanted.value""",
            [packed],
        )
    }
    levels.lower(
        db, change, message_ids
    )  # V4: perhaps an account that may keep more has it no more
    joining.refresh(db, threads)
    change.threads |= threads
