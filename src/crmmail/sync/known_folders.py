"""The folders of an account as the store knows them: new, gone, renamed, numbered anew (M12, S4).

What the server does not list any more waits here until later runs say the same (`believing.py`).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from crmmail.store import recipients
from crmmail.store.database import Change, Store
from crmmail.sync import believing, upkeep
from crmmail.sync.answers import FolderInfo
from crmmail.sync.believing import FOLDER, LIST, MESSAGES, NUMBERS, RUNS, Looks
from crmmail.sync.folders import UNREAD_ROLES
from crmmail.sync.respelling import respell
from crmmail.sync.upkeep import FolderRow


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    role: str
    selectable: bool
    selected: bool
    messages: int
    holds: bool  # rows of messages, in the store or the skip list

    @property
    def has_something_to_lose(self) -> bool:
        """Mail, a count in the skip list (M1), or a selection made by hand."""
        chosen = self.selectable and self.selected != (self.role not in UNREAD_ROLES)
        return self.holds or self.messages > 0 or chosen


def reconcile(
    store: Store,
    account_id: int,
    listed: Sequence[FolderInfo],
    looks: Looks,
    *,
    whole: bool = True,
) -> None:
    """Make the account's folders those of the server.

    A folder that is new gets its role's default (M1). One that is not listed, or cannot be opened
    any more, stays until later runs say so; then what it alone held is orphaned (M12). A list that
    is not `whole` says nothing of what is not in it (M15).
    """
    with store.write() as (db, change):
        respell(db, account_id, listed)
        have = _known(db, account_id)
        there = {info.name: info for info in listed}
        doubted = db.execute("SELECT 1 FROM unconfirmed LIMIT 1").fetchone() is not None
        for name, row in have.items():
            if name not in there and not whole:
                believing.suspend(db, row.id, FOLDER, str(_newest(db)))
                change.topics.add("state")
            elif name not in there or (row.selectable and not there[name].selectable):
                _absent(db, change, row, looks, there.get(name))
            elif doubted and believing.withdraw(db, [row.id], FOLDER):
                change.topics.add("state")
        for info in listed:
            if info.name not in have:
                _add(db, account_id, info)
                change.topics.add("state")
            elif _differs(have[info.name], info):
                db.execute(
                    """UPDATE folder SET role = ?, selectable = max(selectable, ?),
                           messages = CASE WHEN ? THEN ? ELSE messages END WHERE id = ?""",
                    [
                        *(info.role, info.selectable),
                        *(info.counted and info.selectable, info.messages),
                        have[info.name].id,
                    ],
                )
                change.topics.add("state")
        _unselect(db, change, account_id)


def begin(store: Store, row: FolderRow, info: FolderInfo) -> None:
    """Start a folder's import from the top: first sight, or a new UIDVALIDITY (S4).

    What it held under the old UIDVALIDITY stays beside it, until the headers have told where that
    lies now, or later runs have confirmed that it is gone.
    """
    with store.write("state") as (db, change):
        cursors = [info.uidvalidity or 1, info.uidnext, info.uidnext, info.modseq, info.messages]
        if row.uidvalidity and upkeep.count_local(db, row.id):
            db.execute(
                "UPDATE folder SET former = 1, floor = 1, messages = 0 WHERE id = ?", [row.id]
            )
            believing.withdraw(db, [row.id], MESSAGES, LIST)
            number = _old_again(db, row, info) or _beside(db, row.id)
        else:
            number = row.id
        db.execute(
            """UPDATE folder SET uidvalidity = ?, uidnext = ?, floor = ?, modseq = ?,
                   messages = ?, former = 0, unseen = -1, flags_at = ?,
                   flags_failed = '' WHERE id = ?""",
            [*cursors, int(time.time()), number],
        )
        change.topics |= {"threads", "ledger"}


def settle(store: Store, account_id: int, looks: Looks, failed: Collection[str]) -> list[str]:
    """At the end of a pass let go of what lies elsewhere by now, and of what is confirmed.

    Returns what is to be said of the rest. `failed` names the folders that were not read well.
    """
    waits = "SELECT 1 FROM unconfirmed UNION SELECT 1 FROM folder WHERE former"
    if not store.read().execute(waits).fetchone():
        return []
    with store.write() as (db, change):
        for number, above in _missing(db, account_id):
            if _all_is_elsewhere(db, number, above):
                upkeep.forget(db, change, [number])
        for number, name, whole in _former(db, account_id):
            upkeep.take_out(db, change, number, believing.elsewhere(db, number))
            if not upkeep.count_local(db, number) or (
                whole and name not in failed and believing.confirmed(db, looks, number, NUMBERS)
            ):
                upkeep.forget(db, change, [number])
        return list(_words(db, account_id))


# -- inside ------------------------------------------------------------------------------------


def _known(db: sqlite3.Connection, account_id: int) -> dict[str, _Known]:
    rows = db.execute(
        """SELECT name, id, role, selectable, selected, messages,
                  EXISTS (SELECT 1 FROM placement WHERE folder_id = folder.id)
                  OR EXISTS (SELECT 1 FROM skipped WHERE folder_id = folder.id)
           FROM folder WHERE account_id = ? AND NOT former""",
        [account_id],
    )
    return {
        name: _Known(number, role, bool(selectable), bool(selected), messages, bool(holds))
        for name, number, role, selectable, selected, messages, holds in rows
    }


def _differs(row: _Known, info: FolderInfo) -> bool:
    return (row.role, row.selectable, row.messages) != (info.role, info.selectable, info.messages)


def _absent(
    db: sqlite3.Connection, change: Change, row: _Known, looks: Looks, info: FolderInfo | None
) -> None:
    """A folder is not listed, or is listed as one that cannot be opened."""
    change.topics.add("state")
    if row.has_something_to_lose and not believing.confirmed(
        db, looks, row.id, FOLDER, str(_newest(db))
    ):
        return
    if info is None:
        upkeep.forget(db, change, [row.id])
    else:
        believing.withdraw(db, [row.id], FOLDER)
        db.execute("UPDATE folder SET selectable = 0 WHERE id = ?", [row.id])


def _newest(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT ifnull(max(id), 0) FROM folder").fetchone()[0])


def _add(db: sqlite3.Connection, account_id: int, info: FolderInfo) -> None:
    selected = info.selectable and info.role not in UNREAD_ROLES
    db.execute(
        """INSERT INTO folder (account_id, name, wire, role, selectable, selected, messages)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [account_id, info.name, info.wire, info.role, info.selectable, selected, info.messages],
    )


def _unselect(db: sqlite3.Connection, change: Change, account_id: int) -> None:
    """The mail of a folder that the user turned off goes (M9)."""
    off = [
        row[0]
        for row in db.execute(
            """SELECT id FROM folder WHERE account_id = ? AND uidvalidity
               AND NOT (selected AND selectable)""",
            [account_id],
        )
    ]
    if off:
        recipients.leave_folders(db, off)
        upkeep.clear(db, change, off)
        believing.withdraw(db, off, MESSAGES, LIST)
        db.execute(
            """UPDATE folder SET uidvalidity = 0, uidnext = 0, floor = 0, modseq = 0
               WHERE id IN (SELECT value FROM json_each(?))""",
            [json.dumps(off)],
        )
        change.topics |= {"threads", "ledger", "state"}


def _old_again(db: sqlite3.Connection, row: FolderRow, info: FolderInfo) -> int | None:
    """The folder as it was under this UIDVALIDITY, if the server is back at that."""
    found = db.execute(
        """SELECT id FROM folder AS old WHERE former AND uidvalidity = ?1 AND id != ?2
           AND (account_id, name) = (SELECT account_id, name FROM folder WHERE id = ?2)""",
        [info.uidvalidity, row.id],
    ).fetchone()
    if found:
        believing.withdraw(db, found, NUMBERS)
    return found[0] if found else None


def _beside(db: sqlite3.Connection, number: int) -> int | None:
    """A new row for a folder, set as the old one."""
    return db.execute(
        """INSERT INTO folder (account_id, name, wire, role, selectable, selected)
           SELECT account_id, name, wire, role, selectable, selected FROM folder WHERE id = ?""",
        [number],
    ).lastrowid


def _missing(db: sqlite3.Connection, account_id: int) -> Iterable[tuple[int, int]]:
    """The folders that are not listed, each with the newest folder of when that began."""
    return db.execute(
        """SELECT id, CAST(said AS INTEGER) FROM unconfirmed JOIN folder ON id = folder_id
           WHERE account_id = ? AND kind = ?""",
        [account_id, FOLDER],
    ).fetchall()


def _all_is_elsewhere(db: sqlite3.Connection, number: int, above: int) -> bool:
    """Whether folders that came since hold all that a folder held: its name has changed."""
    held = upkeep.local_uids(db, number)
    return bool(held) and held == believing.elsewhere(db, number, above=above)


def _former(db: sqlite3.Connection, account_id: int) -> Iterable[tuple[int, str, bool]]:
    """Folders as they were before a new UIDVALIDITY, and whether as they are now is read whole."""
    return db.execute(
        """SELECT old.id, old.name, NOT EXISTS (
               SELECT 1 FROM folder AS now WHERE now.account_id = old.account_id
               AND now.name = old.name AND NOT now.former AND (now.floor > 1 OR EXISTS (
                   SELECT 1 FROM unconfirmed WHERE folder_id = now.id)))
           FROM folder AS old WHERE old.account_id = ? AND old.former""",
        [account_id],
    ).fetchall()


def _words(db: sqlite3.Connection, account_id: int) -> Iterator[str]:
    """What waits to be confirmed, in words for a person."""
    rows = db.execute(
        """SELECT folder.id, name, messages, kind, said, runs
           FROM unconfirmed JOIN folder ON id = folder_id
           WHERE account_id = ? AND kind != ? ORDER BY name, kind""",
        [account_id, LIST],
    ).fetchall()
    for number, name, messages, kind, said, runs in rows:
        so_far = f"({runs} of {RUNS})."
        if kind == MESSAGES:
            count = len(believing.unlisted(said)[0])
            what = f"the server does not list {count:,} of its messages any more; they"
            if count == 1:
                what = "the server does not list one of its messages any more; it"
        elif kind == NUMBERS:
            count = upkeep.count_local(db, number)
            what = f"the server has numbered it anew, and {count:,} of its messages are not in it"
            what += " any more; they"
        else:
            count = upkeep.count_local(db, number) or messages
            what = f"the server does not list this folder any more; its {count:,} messages"
        stay = "stays" if what.endswith(" it") else "stay"
        yield f"{name}: {what} {stay} here until {RUNS} runs in a row say the same {so_far}"
