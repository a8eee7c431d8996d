"""What an account's sync says of itself, for the status line (rules.md S6)."""

from __future__ import annotations

import time

from crmmail.store.database import Store


def update(store: Store, account_id: int, **values: str | int) -> None:
    """Set fields of the account's sync_state row."""
    names = ", ".join(f"{name} = ?" for name in values)
    with store.write("state") as (db, _):
        db.execute("INSERT OR IGNORE INTO sync_state (account_id) VALUES (?)", [account_id])
        db.execute(
            f"UPDATE sync_state SET {names} WHERE account_id = ?",  # noqa: S608 - names are ours
            [*values.values(), account_id],
        )


def succeeded(store: Store, account_id: int) -> None:
    """Note that a pass came to its end."""
    update(
        store,
        account_id,
        state="waiting",
        last_success=int(time.time()),
        started_at=0,
        error="",
        hint="",
    )


def calendars(
    store: Store, account_id: int, error: str, hint: str = "", *, went_well: bool = False
) -> None:
    """Note how a pass over the calendars came out; `error` may be of single ones."""
    at = {"calendar_success": int(time.time())} if went_well else {}
    update(store, account_id, calendar_error=error, calendar_hint=hint, **at)
