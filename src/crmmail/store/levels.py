"""How much of a message is here (rules.md V): what no account may keep leaves, and its traces."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import joining, links
from crmmail.store.database import Change, Store, StoreError
from crmmail.store.kinds import MADE_UP, Level
from crmmail.store.trouble import InUseError, explain

log = logging.getLogger(__name__)

_PROBLEMS = (sqlite3.Error, OSError, StoreError)
_BEGUN = "wipe:"
"""How a chore begins for what was ordered to go before it was begun with."""
_COPIES = "copies:"
"""How a chore begins for copies that could not be changed: they are tried by the next pass, or,
with a version of backups behind it, by a crmmail that has another one."""

# A message without a placement waits to reappear somewhere (M12): in any account.
_EXCESS = """
    SELECT id, thread_id, allowed FROM (
        SELECT message.id, message.thread_id, message.level, ifnull(
            (SELECT max(mail_level) FROM placement JOIN folder ON folder.id = folder_id
             JOIN account ON account.id = account_id WHERE placement.message_id = message.id),
            (SELECT max(mail_level) FROM account)) AS allowed
        FROM json_each(?) AS wanted CROSS JOIN message ON message.id = wanted.value)
    WHERE allowed < level
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """What another level would do to an account's mail: how many texts and subjects go or come."""

    texts: int
    subjects: int


def lower(db: sqlite3.Connection, change: Change, message_ids: Iterable[int]) -> None:
    """Take from these messages what none of the accounts that hold them may keep (V3, V4)."""
    if not db.execute("SELECT 1 FROM account WHERE mail_level < 2 LIMIT 1").fetchone():
        return
    excess = db.execute(_EXCESS, [json.dumps(list(message_ids))]).fetchall()
    if not excess:
        return
    ids = json.dumps([message for message, _, _ in excess])
    _index(db, ids, remove=True)
    _strip(db, ids, json.dumps([(message, allowed) for message, _, allowed in excess]))
    _index(db, ids)
    threads = {thread for _, thread, _ in excess}
    parted = {thread for _, thread, allowed in excess if allowed == Level.METADATA}
    joining.refresh(db, threads - parted)
    links.relink(db, change, joining.split(db, change, parted))  # T2 needs a subject
    order_wipe(db)
    change.topics.add("threads")
    change.threads |= threads


def raise_(
    db: sqlite3.Connection,
    rows: Iterable[tuple[int, int, str, str, int, str, bool]],
    texts: Iterable[tuple[int, str, str]],
    attachments: Iterable[tuple[object, ...]],
) -> None:
    """Give messages what their new level allows.

    `rows` are (id, level, subject, preview, attachments, loose_key, loose), `texts` are (id, text,
    quotes), `attachments` rows of that table.
    """
    rows = list(rows)
    ids = json.dumps([row[0] for row in rows])
    _index(db, ids, remove=True)
    db.execute("DELETE FROM attachment WHERE message_id IN (SELECT value FROM json_each(?))", [ids])
    db.executemany(
        """UPDATE message SET level = ?2, subject = ?3, preview = ?4, attachments = ?5,
               loose_key = ?6, loose = ?7 WHERE id = ?1""",
        rows,
    )
    db.executemany("UPDATE message_text SET text = ?2, quotes = ?3 WHERE message_id = ?1", texts)
    db.executemany("INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?)", attachments)
    _index(db, ids)


def effect(db: sqlite3.Connection, account_id: int, level: int) -> Effect:
    """What the level would remove from this computer, or fetch: of what no other account decides.

    A message counts that would have another level than it has.
    """
    texts, subjects = db.execute(
        """
        SELECT count(*) FILTER (WHERE (level = 2) != (max(?2, others) = 2)),
               count(*) FILTER (WHERE (level > 0) != (max(?2, others) > 0))
        FROM (SELECT level, ifnull((
                  SELECT max(mail_level) FROM placement AS other
                  JOIN folder ON folder.id = other.folder_id
                  JOIN account ON account.id = account_id
                  WHERE other.message_id = message.id AND account_id != ?1), 0) AS others
              FROM message WHERE id IN (
                  SELECT message_id FROM placement JOIN folder ON folder.id = folder_id
                  WHERE account_id = ?1))
        """,
        [account_id, level],
    ).fetchone()
    return Effect(texts, subjects)


def words(before: int, after: int, effect: Effect) -> str:
    """What a change of the level will do, for somebody to read before."""
    counts = [
        f"{count:,} {what if count == 1 else what + 's'}"
        for count, what in ((effect.texts, "text"), (effect.subjects, "subject"))
        if count
    ]
    what = " and ".join(counts) or "nothing that is here"
    if after < before:
        return f"Removes {what} from this computer, not from the server or what you backed up."
    return f"Fetches {what}, the newest first." if counts else "Changes nothing that is here."


def of_message(db: sqlite3.Connection, message_id: int) -> Level:
    """At which level a message is here."""
    row = db.execute("SELECT level FROM message WHERE id = ?", [message_id]).fetchone()
    return Level(row[0]) if row else Level.EVERYTHING


def order_wipe(db: sqlite3.Connection) -> None:
    """Let a later pass leave nothing in the file of what this transaction takes out."""
    db.execute("INSERT OR IGNORE INTO chore VALUES ('wipe')")


def wipe(store: Store) -> StoreError | None:
    """Leave nothing in the file, and in its copies, of what was ordered to go.

    Reads its order from the store, so that it comes after any crash. Returns what stands in the
    way, such as a full disk or another process that reads; then the next pass tries it again. A
    copy that cannot be changed keeps nothing in the file. One that a newer crmmail has written is
    looked at again by a crmmail of another version.
    """
    if not (ordered := _ordered(store.read())):
        return None
    from crmmail.store import copies, handmade  # they open stores, which know the levels

    newer = f"{_COPIES}{handmade.VERSION}"
    if ordered == {newer}:
        return None
    left, then = None, ""
    try:
        ordered = _begin(store)
    except _PROBLEMS as problem:
        told = explain(problem, store.path)
        log.warning("the store is not rewritten yet: %s", told)
        return told
    try:
        if left := copies.clear(store):
            then = newer
    except _PROBLEMS as problem:
        left, then = explain(problem, store.path), _COPIES
        log.warning("not all copies are made anew yet: %s", left)
    if any(one.startswith(_BEGUN) for one in ordered) and (failed := _rewrite(store)):
        return failed if left is None else StoreError(f"{failed} {left}", left.hint)
    with store.write("state") as (db, _):
        db.executemany("DELETE FROM chore WHERE name = ?", [(name,) for name in ordered])
        if then:
            db.execute("INSERT OR IGNORE INTO chore VALUES (?)", [then])
    return left


def _ordered(db: sqlite3.Connection) -> set[str]:
    query = "SELECT name FROM chore WHERE name = 'wipe' OR name LIKE ? OR name LIKE ?"
    return {name for (name,) in db.execute(query, [f"{_BEGUN}%", f"{_COPIES}%"])}


def _begin(store: Store) -> set[str]:
    """Give what is ordered a name of its own: what is ordered meanwhile is another order."""
    with store.write() as (db, _):
        mine = f"{_BEGUN}{os.urandom(4).hex()}"
        db.execute("UPDATE chore SET name = ? WHERE name = 'wipe'", [mine])
        return _ordered(db)


def _rewrite(store: Store) -> StoreError | None:
    """Leave nothing in the file of what was deleted; returns what stands in the way."""
    try:
        with store.write("state") as (db, _):
            db.execute("UPDATE sync_state SET state = 'wiping' WHERE state = 'checking'")
        if not store.rewrite():
            return InUseError(
                "Another crmmail uses the store.", "The next sync overwrites what was deleted."
            )
    except _PROBLEMS as problem:
        told = explain(problem, store.path)
        log.warning("the store is not rewritten yet: %s", told)
        return told
    return None


def _strip(db: sqlite3.Connection, ids: str, allowed: str) -> None:
    where = "IN (SELECT value FROM json_each(?))"
    db.execute(f"DELETE FROM attachment WHERE message_id {where}", [ids])
    db.execute(f"UPDATE message_text SET text = '', quotes = '' WHERE message_id {where}", [ids])
    db.execute(
        """UPDATE message SET level = told.value ->> 1, preview = '', attachments = 0,
               subject = iif(told.value ->> 1, subject, ''),
               loose_key = iif(told.value ->> 1, loose_key, ''),
               loose = iif(told.value ->> 1, loose, 0)
           FROM json_each(?) AS told WHERE message.id = told.value ->> 0""",
        [allowed],
    )
    db.execute(
        f"""UPDATE placement SET wanted = 1 WHERE message_id IN (
                SELECT id FROM message WHERE id {where} AND level = 0
                AND message_id LIKE '%{MADE_UP}')""",  # its id was made with the subject
        [ids],
    )


def _index(db: sqlite3.Connection, ids: str, *, remove: bool = False) -> None:
    """Put messages into the search index, or take them out as they stand in it."""
    command, value = ("search, ", "'delete', ") if remove else ("", "")
    db.execute(
        f"""INSERT INTO search ({command}rowid, subject, people, text)
            SELECT {value}source.id, source.subject, source.people, source.text
            FROM json_each(?) AS wanted
            CROSS JOIN search_source AS source ON source.id = wanted.value""",
        [ids],
    )
