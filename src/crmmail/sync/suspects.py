"""What the store knows of messages that the server cannot send (rules.md M8)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from functools import cached_property
from weakref import WeakKeyDictionary

from crmmail.store.attempts import PAUSE
from crmmail.store.database import Store
from crmmail.sync import upkeep
from crmmail.sync.fetching import SMALL
from crmmail.sync.narrowing import Place
from crmmail.sync.session import Session

PASSES = 3
"""Passes in which a message fails before it is set aside without an error."""
_FEW = 3
"""Messages of a folder of which each may be unreadable; where all of more are, it is the folder."""

_COMPLETE: WeakKeyDictionary[Store, dict[int, list[int]]] = WeakKeyDictionary()
"""Folders of which all was here, and the numbers that they had then: to count costs 5 ms for each
100,000 messages.
"""


class FolderMemory:
    """What a Narrowing is to know of a folder, and leaves behind in case of a kill."""

    def __init__(self, store: Store, folder_id: int) -> None:
        self._store = store
        self._folder_id = folder_id
        self._noted = set[int]()
        self.small: Sequence[int] = ()
        """Small messages of the folder that the server has just listed."""

    def controls(self) -> list[int]:
        """Small messages of the folder that the server has sent or listed, the newest."""
        rows = self._store.read().execute(
            """SELECT uid FROM placement JOIN message ON message.id = placement.message_id
               WHERE folder_id = ? AND size BETWEEN 1 AND ? ORDER BY uid DESC LIMIT 2""",
            [self._folder_id, SMALL],
        )
        return [*(uid for (uid,) in rows), *self.small[:2]]

    def elsewhere(self) -> list[Place]:
        """Small messages of the account's other folders, if this one has only a few."""
        rows = self._store.read().execute(
            """SELECT other.name, other.wire, uid FROM folder
               JOIN folder AS other ON other.account_id = folder.account_id
               AND other.id != folder.id AND NOT other.former
               AND other.id IN (SELECT id FROM listed_folder)
               JOIN placement ON placement.folder_id = other.id
               JOIN message ON message.id = placement.message_id
               WHERE folder.id = ? AND folder.messages <= ? AND size BETWEEN 1 AND ? LIMIT 2""",
            [self._folder_id, _FEW, SMALL],
        )
        return [Place(*row) for row in rows]

    def has_few(self) -> bool:
        """Whether the whole account has so few messages that none of them need work.

        One whose folders are not read any more, or that is gone, has none.
        """
        (count,) = (
            self._store.read()
            .execute(
                """SELECT ifnull(sum(other.messages), 0) FROM folder JOIN folder AS other
               ON other.account_id = folder.account_id AND other.selected AND other.selectable
               WHERE folder.id = ? AND NOT other.former""",
                [self._folder_id],
            )
            .fetchone()
        )
        return bool(count <= _FEW)

    def suspects(self) -> set[int]:
        """Messages that failed alone, or among others when the connection ended."""
        return self._known | self._noted

    def suspect(self, uids: Collection[int]) -> None:
        """Note the messages among which there is one that makes the connection end."""
        self._noted = set(uids)
        with self._store.write() as (db, _):
            db.execute(
                "UPDATE folder SET suspects = ? WHERE id = ?",
                [json.dumps(sorted(uids)) if uids else "", self._folder_id],
            )

    @cached_property
    def _known(self) -> set[int]:
        db = self._store.read()
        row = db.execute("SELECT suspects FROM folder WHERE id = ?", [self._folder_id]).fetchone()
        failed = db.execute(
            """SELECT uid FROM skipped INDEXED BY ix_skipped_unreadable
               WHERE folder_id = ? AND reason = 'unreadable'""",
            [self._folder_id],
        )
        return {*json.loads(row[0] if row and row[0] else "[]"), *(uid for (uid,) in failed)}


def due(
    db: sqlite3.Connection, account_id: int, before: int, now: int
) -> list[tuple[str, int, list[int]]]:
    """Unreadable messages whose turn it is: (folder name, folder id, UIDs).

    None that was tried since `before`; both are moments in milliseconds.
    """
    rows = db.execute(
        f"""SELECT folder.name, folder.id, json_group_array(skipped.uid) FROM folder
           JOIN skipped INDEXED BY ix_skipped_unreadable ON skipped.folder_id = folder.id
           WHERE folder.account_id = ?1 AND selected AND selectable AND floor <= 1
           AND folder.id IN (SELECT id FROM listed_folder)
           AND reason = 'unreadable' AND tried_at < ?2 AND tried_at <= ?3 - 1000 * {PAUSE}
           GROUP BY folder.id""",  # noqa: S608 - the pause is ours
        [account_id, before, now],
    )
    return [(name, folder_id, json.loads(packed)) for name, folder_id, packed in rows]


def tell(session: Session) -> None:
    """Put into a session's errors what could not be read, and has not failed for long."""
    rows = session.store.read().execute(
        """SELECT folder.name, count(*), min(detail) FROM folder
           JOIN skipped INDEXED BY ix_skipped_unreadable ON skipped.folder_id = folder.id
           WHERE folder.account_id = ? AND selected AND reason = 'unreadable' AND attempts < ?
           AND folder.id IN (SELECT id FROM listed_folder)
           GROUP BY folder.id ORDER BY folder.name""",
        [session.account_id, PASSES],
    )
    for name, count, detail in rows.fetchall():
        which = "A message" if count == 1 else f"{count} messages"
        why = detail.rpartition(" [")[0]
        session.errors.append(f"{name}: {which} could not be read, and will be tried again: {why}")
    rows = session.store.read().execute(
        """SELECT folder.name, count(*) FROM placement INDEXED BY ix_placement_wanted
           JOIN folder ON folder.id = folder_id
           WHERE wanted AND wanted = 2 AND account_id = ?
           GROUP BY folder.id ORDER BY folder.name""",
        [session.account_id],
    )
    for name, count in rows.fetchall():
        which = "a message" if count == 1 else f"{count:,} messages"
        session.errors.append(f"{name}: The server did not send {which} again. It will be asked.")


def account_for(session: Session) -> None:
    """Put into a session's errors the folders of which messages are missing.

    The server's count is the measure; it is asked for again, as mail may have come or gone. What is
    here is counted once by a process, then when a number of the folder has changed.
    """
    complete = _COMPLETE.setdefault(session.store, {})
    db = session.store.read()
    rows = db.execute(
        """SELECT id, name, messages, uidnext, uidvalidity, modseq, compared
           FROM folder WHERE account_id = ? AND selected AND selectable
           AND id IN (SELECT id FROM listed_folder) AND uidvalidity AND floor <= 1""",
        [session.account_id],
    )
    for folder_id, name, *numbers in rows.fetchall():
        messages, uidnext, *_ = numbers
        if complete.get(folder_id) == numbers:
            continue
        if (here := upkeep.count_local(db, folder_id)) == messages:
            complete[folder_id] = numbers
        elif not any(error.startswith(f"{name}: ") for error in session.errors):
            with session.apart(name):
                told = session.examine_again(name)
                if told.messages != messages:
                    upkeep.counted(session.store, folder_id, told.messages)
                if here != told.messages and told.uidnext <= uidnext:
                    session.errors.append(_differ(name, told.messages, here))


def _differ(name: str, there: int, here: int) -> str:
    return (
        f"{name}: the server counts {there:,} messages, and {here:,} are here. "
        "crmmail compares them again in each pass."
    )
