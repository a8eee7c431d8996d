"""What a change of an account's rules will do, in words, before it is made.

Counted from what the store and the ledger have; where a rule looks at more than can be counted at
once, it says "about".
"""

from __future__ import annotations

import json
import sqlite3

from crmmail.store import ledger, levels, rule_changes
from crmmail.store.accounts import FolderRow

_HELD = """id IN (SELECT message_id FROM placement JOIN folder ON folder.id = folder_id
                 WHERE account_id = ?1)"""
_STAYS = "The server keeps them."


def visibility(db: sqlite3.Connection, account_id: int, before: int, after: int) -> str:
    """Of another level of its mail (V3)."""
    return levels.words(before, after, levels.effect(db, account_id, after))


def switch(db: sqlite3.Connection, account_id: int, name: str, value: bool) -> str:
    """Of a switch of an account: exclude_group, sync_internal, exclude_free, paused."""
    match name, value:
        case "exclude_group", True:
            found = f"SELECT count(*) FROM message WHERE sign != '' AND NOT outgoing AND {_HELD}"
            return _leaves(_count(db, found, account_id), "about ")
        case "exclude_group", False:
            return _enters(ledger.by_reason(db, account_id).get("group", 0))
        case "sync_internal", True:
            return _enters(ledger.by_reason(db, account_id).get("internal", 0))
        case "sync_internal", False:
            return _leaves(_internal(db, account_id))
        case "exclude_free", False:
            found = "SELECT count(*) FROM address WHERE no_contact = 'free-mail'"
            return f"Makes contacts of up to {_plural(_count(db, found), 'address', 'addresses')}."
        case "exclude_free", True:
            taken = rule_changes.words(db, account_id, name, 1)
            return taken or "Makes no new contacts there; those that there are stay."
        case (("sync_internal_meetings" | "sync_private"), _):
            return _meetings(db, account_id, name, let_in=value)
        case "paused", True:
            return "Its mail is not looked for until it goes on; what is here stays."
    return "Looks for its mail again."


def _meetings(db: sqlite3.Connection, account_id: int, name: str, *, let_in: bool) -> str:
    """Of a switch of K7: what the ledger of the calendars has of it."""
    if not let_in:
        return "Such meetings leave this computer. The server keeps them."
    reason = "internal" if name == "sync_internal_meetings" else "private"
    count = _count(
        db,
        """SELECT count(*) FROM calendar_object JOIN calendar ON calendar.id = calendar_id
           WHERE account_id = ?1 AND reason = ?2""",
        account_id,
        reason,
    )
    return f"Lets in {_plural(count, 'meeting')}." if count else "Lets in nothing yet."


def internal_domain(db: sqlite3.Connection, account_id: int, domain: str, *, add: bool) -> str:
    """Of one more or one less domain of colleagues (M4)."""
    if add:
        return _leaves(_internal(db, account_id, domain) - _internal(db, account_id))
    return _enters(ledger.by_reason(db, account_id).get("internal", 0), "up to ")


def alias(db: sqlite3.Connection, address: str, *, add: bool) -> str:
    """Of one more or one less own address."""
    count = _count(
        db,
        """SELECT count(*) FROM message WHERE from_id IN (
               SELECT id FROM address WHERE address = ?1)""",
        address,
    )
    whose = "yours" if add else "somebody else's"
    return f"{_plural(count, 'message')} from it {'is' if count == 1 else 'are'} {whose}."


def block(db: sqlite3.Connection, *patterns: str) -> str:
    """Of more entries of the blocklist (M3)."""
    return _leaves(
        _count(
            db,
            """SELECT count(DISTINCT message_id) FROM participant
               JOIN address ON address.id = address_id
               JOIN json_each(?1) AS entry ON address = value OR (value LIKE '@%' AND (
                   address LIKE '%' || value OR address LIKE '%@%.' || substr(value, 2)))""",
            json.dumps(patterns),
        )
    )


def unblock(db: sqlite3.Connection, pattern: str) -> str:
    """Of one less entry of the blocklist."""
    found = "SELECT count(*) FROM skipped WHERE reason = 'blocked' AND detail = ?1"
    return _enters(_count(db, found, pattern))


def since(db: sqlite3.Connection, account_id: int, moment: int) -> str:
    """Of another "mail since" (M10)."""
    leaving = _count(
        db, f"SELECT count(*) FROM message WHERE sent_at < ?2 AND {_HELD}", account_id, moment
    )
    entering = _count(
        db,
        """SELECT count(*) FROM skipped WHERE reason = 'old' AND sent_at >= ?2
           AND folder_id IN (SELECT id FROM folder WHERE account_id = ?1)""",
        account_id,
        moment,
    )
    if leaving and entering:
        return f"{_leaves(leaving)} {_enters(entering)}"
    return _enters(entering) if entering else _leaves(leaving)


def folder(row: FolderRow, *, on: bool) -> str:
    """Of reading a folder, or not (M1)."""
    return _enters(row.messages, "up to ") if on else _leaves(row.stored, "up to ")


def removal(db: sqlite3.Connection, account_id: int) -> str:
    """Of removing an account: what leaves and what stays."""
    alone = _count(
        db,
        f"""SELECT count(*) FROM message WHERE {_HELD} AND id NOT IN (
                SELECT message_id FROM placement JOIN folder ON folder.id = folder_id
                WHERE account_id != ?1)""",
        account_id,
    )
    people = _count(db, "SELECT count(*) FROM person WHERE deleted_at = 0")
    return (
        f"{_plural(alone, 'message')} and its password leave this computer. "
        f"{_plural(people, 'person', 'people')}, companies and notes stay, and the mail on the "
        "server."
    )


def _internal(db: sqlite3.Connection, account_id: int, domain: str = "") -> int:
    """How many stored messages of an account are between colleagues only."""
    return _count(
        db,
        f"""SELECT count(*) FROM message WHERE {_HELD} AND NOT EXISTS (
                SELECT 1 FROM participant JOIN address ON address.id = address_id
                WHERE participant.message_id = message.id
                AND address NOT IN (SELECT address FROM own_address)
                AND NOT EXISTS (
                    SELECT 1 FROM (SELECT domain FROM internal_domain WHERE account_id = ?1
                                   UNION SELECT ?2) AS inside
                    WHERE domain != '' AND (address LIKE '%@' || domain
                                            OR address LIKE '%@%.' || domain)))""",
        account_id,
        domain,
    )


def _leaves(count: int, about: str = "") -> str:
    if not count:
        return "Nothing that is here leaves."
    return f"Removes {about}{_plural(count, 'message')} from this computer. {_STAYS}"


def _enters(count: int, about: str = "") -> str:
    return f"Lets in {about}{_plural(count, 'message')}." if count else "Lets in nothing yet."


def _count(db: sqlite3.Connection, sql: str, *values: object) -> int:
    return int(db.execute(sql, values).fetchone()[0])


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
