"""An account leaves, with the mail that only it held: in short transactions, one after the other.

People, companies and notes stay (M12). What is begun is written down first (the table `chore`), so
that a removal that was cut short goes on with the next start of the sync.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator

from crmmail.store import levels, removal
from crmmail.store.database import Change, Store

_CHORE = "remove account "
_MESSAGES = 150
_SKIPPED = 2_000
"""Rows in one transaction: what somebody else wants to write waits for no more."""


def nobody(_done: int, _total: int) -> None:
    """Hears of no progress."""


def begin(db: sqlite3.Connection, account_id: int) -> None:
    """Note that an account is to go; its sync ends."""
    db.execute("UPDATE account SET paused = 1 WHERE id = ?", [account_id])
    db.execute("INSERT OR IGNORE INTO chore VALUES (?)", [f"{_CHORE}{account_id}"])


def finish(store: Store, on_progress: Callable[[int, int], object] = nobody) -> None:
    """Remove every account that is to go; `on_progress(done, total)` counts its messages.

    What they leave in the file's free pages is overwritten by the next pass, or here.
    """
    query = "SELECT name FROM chore WHERE name LIKE ? || '%'"
    for (name,) in store.read().execute(query, [_CHORE]).fetchall():
        account_id = int(name.removeprefix(_CHORE))
        held, done = _held(store.read(), account_id), 0
        for messages in _threads(held):
            with store.write() as (db, change):
                _take(db, change, account_id, messages)
            done += len(messages)
            on_progress(done, len(held))
        while _forget_skipped(store, account_id):
            pass
        with store.write("accounts", "state", "ledger", "threads") as (db, change):
            late = [message for message, _ in _held(db, account_id)]  # came in the meantime
            db.execute("DELETE FROM account WHERE id = ?", [account_id])
            _drop_meetings(db, change)
            _leave(db, change, late)
            levels.order_wipe(db)
            db.execute("DELETE FROM chore WHERE name = ?", [name])
    if not store.read().execute("SELECT 1 FROM account LIMIT 1").fetchone():
        levels.wipe(store)  # no account is left whose next pass would


def _held(db: sqlite3.Connection, account_id: int) -> list[tuple[int, int]]:
    """The account's messages, each with its thread, thread by thread."""
    return db.execute(
        """SELECT id, thread_id FROM message WHERE id IN (
               SELECT message_id FROM placement JOIN folder ON folder.id = folder_id
               WHERE account_id = ?) ORDER BY thread_id""",
        [account_id],
    ).fetchall()


def _threads(held: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Cut the messages where threads end: a thread is dealt with once, if it is not long."""
    part: list[int] = []
    for number, (message, thread) in enumerate(held):
        whole = number == 0 or held[number - 1][1] != thread
        if len(part) >= 2 * _MESSAGES or (whole and len(part) >= _MESSAGES):
            yield part
            part = []
        part.append(message)
    if part:
        yield part


def _take(db: sqlite3.Connection, change: Change, account_id: int, messages: list[int]) -> None:
    """Messages are not in the account any more."""
    db.execute(
        """DELETE FROM placement WHERE message_id IN (SELECT value FROM json_each(?))
           AND folder_id IN (SELECT id FROM folder WHERE account_id = ?)""",
        [json.dumps(messages), account_id],
    )
    _leave(db, change, messages)


def _leave(db: sqlite3.Connection, change: Change, messages: list[int]) -> None:
    """What no other account holds goes; the rest keeps what the others may keep (V4)."""
    gone = db.execute(
        """SELECT value FROM json_each(?) AS held
           WHERE NOT EXISTS (SELECT 1 FROM placement WHERE message_id = held.value)""",
        [json.dumps(messages)],
    ).fetchall()
    alone = {message for (message,) in gone}
    removal.remove_messages(db, change, alone)
    levels.lower(db, change, set(messages) - alone)


def _drop_meetings(db: sqlite3.Connection, change: Change) -> None:
    """Take out what no calendar holds any more; the next pass sees to what another one holds."""
    orphans = db.execute(
        """SELECT id FROM meeting WHERE object_id IS NULL AND NOT EXISTS (
               SELECT 1 FROM calendar_object WHERE uid = meeting.uid AND reason = '')"""
    ).fetchall()
    removal.remove_meetings(db, change, [meeting_id for (meeting_id,) in orphans])


def _forget_skipped(store: Store, account_id: int) -> int:
    with store.write("ledger") as (db, _):
        return db.execute(
            """DELETE FROM skipped WHERE (folder_id, uid) IN (
                   SELECT folder_id, uid FROM skipped JOIN folder ON folder.id = folder_id
                   WHERE account_id = ? LIMIT ?)""",
            [account_id, _SKIPPED],
        ).rowcount
