"""To whom I have written: what lets the mail of role addresses in (M5).

That I wrote to an address stays known when the message is deleted on the server, and however often
mail is judged again. It goes with the mail that a rule keeps out, and with an alias that goes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail import addresses
from crmmail.store import removal
from crmmail.store.mail_rules import NOT_MINE

_RECIPIENTS = """
    SELECT DISTINCT participant.address_id FROM json_each(?) AS wanted
    CROSS JOIN participant ON participant.message_id = wanted.value
    WHERE participant.role IN ('to', 'cc', 'bcc')
"""
# A message that is noted as mine and is not, or the other way round.
_OTHER = """
    outgoing != (ifnull(from_id, 0) IN (
        SELECT address.id FROM own_address JOIN address ON address.address = own_address.address))
"""
_WRITTEN = """
    EXISTS (SELECT 1 FROM participant JOIN message ON message.id = participant.message_id
            WHERE participant.address_id = address.id AND message.outgoing
            AND participant.role IN ('to', 'cc', 'bcc'))
"""


@dataclass(frozen=True, slots=True)
class Suspects:
    """Messages and addresses of which something may be other than it is noted, as packed ids."""

    messages: str
    addresses: str


def suspects(db: sqlite3.Connection) -> Suspects:
    """Look for what own_again() has to change: that reads all mail, and is not for a write."""
    messages = db.execute(f"SELECT id FROM message WHERE {_OTHER}").fetchall()
    addresses = db.execute(f"SELECT id FROM address WHERE NOT written AND {_WRITTEN}").fetchall()
    return Suspects(_packed(messages), _packed(addresses))


def own_again(db: sqlite3.Connection, looked: Suspects) -> None:
    """Which messages are mine, and so whom I have written to, after own addresses changed.

    Done twice, it does nothing more.
    """
    flipped = db.execute(
        f"""UPDATE message SET outgoing = NOT outgoing
            WHERE id IN (SELECT value FROM json_each(?)) AND {_OTHER} RETURNING id, outgoing""",
        [looked.messages],
    ).fetchall()
    own = [row[0] for row in db.execute("SELECT address FROM own_address")]
    roles = _roles(db, own)
    db.executemany(
        "INSERT OR IGNORE INTO address (address, site, no_contact) VALUES (?, ?, 'group')",
        [(role, addresses.site(addresses.domain_of(role))) for role in sorted(roles)],
    )
    db.execute(
        "UPDATE address SET written = 1 WHERE NOT written"
        " AND address IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(roles))],
    )
    mine = json.dumps([message for message, is_mine in flipped if is_mine])
    db.execute(
        f"""UPDATE address SET written = 1 WHERE NOT written AND {_WRITTEN} AND id IN (
                SELECT value FROM json_each(?) UNION {_RECIPIENTS})""",
        [looked.addresses, mine],
    )
    _not_mine_any_more(db, [message for message, is_mine in flipped if not is_mine], roles)


def unwrite(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """A rule takes these messages out: to whom I wrote in them only, I have not written.

    To role addresses I have: the skip list has the message.
    """
    packed = json.dumps(list(message_ids))
    rows = db.execute(
        f"""SELECT id, address FROM address WHERE written AND id IN ({_RECIPIENTS}
                AND EXISTS (SELECT 1 FROM message WHERE id = wanted.value AND outgoing))""",
        [packed],
    ).fetchall()
    strangers = [row[0] for row in rows if not _is_role(row[1])]
    _clear(db, strangers, packed)


def leave_folders(db: sqlite3.Connection, folder_ids: Iterable[int]) -> None:
    """Folders are turned off: to whom I wrote in their mail only, I have not written.

    Call it before their rows go. When a role address is among them, all mail is judged again.
    """
    packed = json.dumps(list(folder_ids))
    alone = db.execute(
        """SELECT DISTINCT message_id FROM placement AS here
           WHERE folder_id IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (
               SELECT 1 FROM placement AS other WHERE other.message_id = here.message_id
               AND other.folder_id NOT IN (SELECT value FROM json_each(?1)))""",
        [packed],
    ).fetchall()
    going = json.dumps([message for (message,) in alone])
    own = [row[0] for row in db.execute("SELECT address FROM own_address")]
    here = f"folder_id IN (SELECT value FROM json_each('{packed}'))"
    left = _roles(db, own, f"NOT {here}")
    wrote = {
        row[0]
        for row in db.execute(
            f"""SELECT id FROM address WHERE written AND id IN ({_RECIPIENTS}
                    AND EXISTS (SELECT 1 FROM message WHERE id = wanted.value AND outgoing))""",
            [going],
        )
    }
    named = json.dumps(sorted(_roles(db, own, here)))
    wrote |= {
        row[0]
        for row in db.execute(
            """SELECT address.id FROM json_each(?) AS wanted
               CROSS JOIN address ON address.address = wanted.value WHERE written""",
            [named],
        )
    }
    rows = db.execute(
        "SELECT id, address FROM address WHERE id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(wrote))],
    ).fetchall()
    cleared = _clear(db, [number for number, address in rows if address not in left], going)
    removal.forget(db, wrote)  # those that only the skip list knew
    if any(map(_is_role, cleared)):
        db.execute("UPDATE account SET applied = ''")


def _not_mine_any_more(db: sqlite3.Connection, messages: list[int], roles: set[str]) -> None:
    """Whom only an address wrote to that was mine, I have not written to."""
    chores = db.execute("SELECT name FROM chore WHERE name LIKE ? || '%'", [NOT_MINE]).fetchall()
    dropped = [name.removeprefix(NOT_MINE) for (name,) in chores]
    suspects = json.dumps(sorted(_roles(db, dropped))) if dropped else "[]"
    rows = db.execute(
        f"""SELECT id, address FROM address WHERE written AND (
                id IN ({_RECIPIENTS}) OR address IN (SELECT value FROM json_each(?)))""",
        [json.dumps(messages), suspects],
    ).fetchall()
    cleared = [number for number, address in rows if address not in roles]
    _clear(db, cleared, "[]")
    removal.forget(db, cleared)
    db.executemany("DELETE FROM chore WHERE name = ?", chores)


def _clear(db: sqlite3.Connection, address_ids: list[int], going: str) -> list[str]:
    """Mark addresses as not written to, but those to whom other mail of mine went than `going`."""
    if not address_ids:
        return []
    return [
        row[0]
        for row in db.execute(
            """UPDATE address SET written = 0 WHERE written
               AND id IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
                   SELECT 1 FROM participant JOIN message ON message.id = participant.message_id
                   WHERE participant.address_id = address.id AND message.outgoing
                   AND participant.role IN ('to', 'cc', 'bcc')
                   AND message.id NOT IN (SELECT value FROM json_each(?)))
               RETURNING address""",
            [json.dumps(address_ids), going],
        )
    ]


def _roles(db: sqlite3.Connection, own: Iterable[str], where: str = "true") -> set[str]:
    """The role addresses that these wrote to, in messages of the skip list."""
    facts = db.execute(
        f"""SELECT facts FROM skipped WHERE reason != 'draft' AND facts != ''
            AND sender IN (SELECT value FROM json_each(?)) AND {where}""",
        [json.dumps(sorted(own))],
    )
    return {
        address
        for (packed,) in facts
        for role, _, address in json.loads(packed)["people"]
        if role in ("to", "cc", "bcc") and _is_role(address)
    }


def _packed(rows: Iterable[tuple[int]]) -> str:
    return json.dumps([number for (number,) in rows])


def _is_role(address: str) -> bool:
    return addresses.is_role(address.partition("@")[0])
