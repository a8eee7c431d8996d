"""How far the work on what is already here has come, for the status line (rules.md M9, V3, S6)."""

from __future__ import annotations

import sqlite3

from crmmail.store.database import Store


def begin(store: Store, account_id: int, counted_by: str) -> None:
    """Say that settings are being applied, to as many messages as that query counts."""
    with store.write("state") as (db, _):
        (total,) = db.execute(counted_by, [account_id]).fetchone()
        db.execute(
            """UPDATE sync_state SET state = 'applying', done = 0, total = ?
               WHERE account_id = ?""",
            [total, account_id],
        )


def advance(db: sqlite3.Connection, account_id: int, count: int) -> None:
    """So many more are done."""
    db.execute(
        "UPDATE sync_state SET done = min(total, done + ?) WHERE account_id = ?",
        [count, account_id],
    )


def end(store: Store, account_id: int) -> None:
    """All is applied; the pass goes on."""
    with store.write("state") as (db, _):
        db.execute(
            """UPDATE sync_state SET state = 'checking'
               WHERE account_id = ? AND state = 'applying'""",
            [account_id],
        )
