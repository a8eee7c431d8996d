"""The addresses of a batch: known to the store, named by the newest mail, written to or not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from crmmail import addresses
from crmmail.store import naming
from crmmail.store.database import Change
from crmmail.sync import rules
from crmmail.sync.batch import Batch, Kept
from crmmail.sync.message import Header, usable_name
from crmmail.sync.rules import Rules


def register(db: sqlite3.Connection, batch: Batch) -> dict[str, int]:
    """Every address of the batch's kept messages: address -> address.id."""
    wanted = {person.address for kept in batch.kept for person in kept.header.participants}
    return upsert(db, wanted, batch.rules)


def name(
    db: sqlite3.Connection, change: Change, new: dict[Kept, int], address_ids: dict[str, int]
) -> None:
    """Let the newest message with a usable display name name its addresses (C4)."""
    newest: dict[int, tuple[int, str]] = {}
    for kept, key in new.items():
        for one in kept.header.participants:
            address_id = address_ids[one.address]
            if newest.get(address_id, (0, ""))[0] < key and usable_name(one.name):
                newest[address_id] = (key, one.name)
    db.executemany(
        "UPDATE address SET name = ?, name_at = ? WHERE id = ? AND name_at < ?",
        [(display, key, address_id, key) for address_id, (key, display) in newest.items()],
    )
    naming.rename(db, change, newest)


def note_written(db: sqlite3.Connection, batch: Batch) -> int:
    """Remember whom I wrote to; let in what roles among them sent before (M5)."""
    mine = {address for kept in batch.kept for address in recipients(kept.header, batch.rules)} | {
        address
        for passed in batch.passed
        if passed.header and passed.verdict.reason != "draft"
        for address in recipients(passed.header, batch.rules)
        if addresses.is_role(address.partition("@")[0])
    }
    return mark_written(db, mine, batch.rules) if mine else 0


def mark_written(db: sqlite3.Connection, written: Iterable[str], judged_by: Rules) -> int:
    """Mark addresses as written to; returns how many messages of the ledger that lets in (M5)."""
    ids = upsert(db, set(written), judged_by)
    fresh = [
        row[0]
        for row in db.execute(
            """UPDATE address SET written = 1 WHERE NOT written
               AND id IN (SELECT value FROM json_each(?)) RETURNING address""",
            [json.dumps(list(ids.values()))],
        )
        if addresses.is_role(row[0].partition("@")[0])
    ]
    return db.execute(
        """UPDATE skipped INDEXED BY ix_skipped_sender SET readmit = 1
           WHERE sender IN (SELECT value FROM json_each(?))
           AND reason = 'group' AND detail = 'role'""",
        [json.dumps(fresh)],
    ).rowcount


def recipients(header: Header, judged_by: Rules) -> list[str]:
    """Whom I wrote to with this message; nobody when it is not mine."""
    if not any(one.role == "from" and one.address in judged_by.own for one in header.participants):
        return []
    return [
        one.address
        for one in header.participants
        if one.role in ("to", "cc", "bcc") and not judged_by.forgets(one.address)
    ]


def upsert(db: sqlite3.Connection, wanted: set[str], judged_by: Rules) -> dict[str, int]:
    """Make the store know these addresses: address -> address.id."""
    packed = json.dumps(sorted(wanted))
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
                    rules.contact_bar(address, judged_by) or "policy",
                )
                for address in missing
            ],
        )
        have = dict(db.execute(query, [packed]).fetchall())
    return have
