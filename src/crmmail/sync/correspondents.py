"""The addresses of a batch: known to the store, named by the newest mail, written to or not."""

from __future__ import annotations

import json
import sqlite3

from crmmail import addresses
from crmmail.store.database import Change
from crmmail.sync import contacts, rules
from crmmail.sync.batch import Batch, Kept
from crmmail.sync.message import Header, Participant, usable_name
from crmmail.sync.rules import Rules


def register(db: sqlite3.Connection, batch: Batch) -> dict[str, int]:
    """Every address of the batch that the store has to know: address -> address.id."""
    wanted = {person.address for kept in batch.kept for person in kept.header.participants} | {
        person.address
        for passed in batch.passed
        for person in _recipients(passed.header, batch.rules)
        if addresses.is_role(person.address.partition("@")[0])
    }
    packed = json.dumps(list(wanted))
    query = """SELECT address.address, address.id FROM json_each(?) AS wanted
               CROSS JOIN address ON address.address = wanted.value"""
    have = dict(db.execute(query, [packed]).fetchall())
    if missing := sorted(wanted - have.keys()):
        db.executemany(
            "INSERT INTO address (address, site, no_contact) VALUES (?, ?, ?)",
            [
                (
                    address,
                    addresses.site(addresses.domain_of(address)),
                    rules.contact_bar(address, batch.rules) or "policy",
                )
                for address in missing
            ],
        )
        have = dict(db.execute(query, [packed]).fetchall())
    return have


def name(
    db: sqlite3.Connection,
    change: Change,
    new: dict[Kept, int],
    address_ids: dict[str, int],
) -> None:
    newest: dict[int, tuple[int, str]] = {}
    for kept, key in new.items():
        for one in kept.header.participants:
            address_id = address_ids[one.address]
            if newest.get(address_id, (0, ""))[0] < key and usable_name(one.name):
                newest[address_id] = (key, one.name)
    db.executemany(
        "UPDATE address SET name = ?, name_at = ? WHERE id = ? AND name_at < ?",
        [(name, key, address_id, key) for address_id, (key, name) in newest.items()],
    )
    contacts.rename(db, change, newest)


def note_written(db: sqlite3.Connection, batch: Batch, address_ids: dict[str, int]) -> int:
    """Remember whom I wrote to; let in what roles among them sent before (M5)."""
    headers = [kept.header for kept in batch.kept] + [
        passed.header
        for passed in batch.passed
        if passed.header and passed.verdict.reason != "draft"
    ]
    mine = {
        one.address for header in headers for one in _recipients(header, batch.rules)
    } & address_ids.keys()
    if not mine:
        return 0
    fresh = [
        row[0]
        for row in db.execute(
            """UPDATE address SET written = 1 WHERE NOT written
               AND id IN (SELECT value FROM json_each(?)) RETURNING address""",
            [json.dumps([address_ids[address] for address in mine])],
        )
        if addresses.is_role(row[0].partition("@")[0])
    ]
    return db.execute(
        """UPDATE skipped SET readmit = 1 WHERE reason = 'group' AND detail = 'role'
           AND sender IN (SELECT value FROM json_each(?))""",
        [json.dumps(fresh)],
    ).rowcount


def _recipients(header: Header | None, judged_by: Rules) -> list[Participant]:
    """Whom I wrote to with this message; nobody when it is not mine."""
    if header is None or not any(
        one.role == "from" and one.address in judged_by.own for one in header.participants
    ):
        return []
    return [one for one in header.participants if one.role in ("to", "cc", "bcc")]
