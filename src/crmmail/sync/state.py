"""What an account's sync says of itself, for the status line (rules.md S6)."""

from __future__ import annotations

import time
from collections.abc import Sequence

from crmmail.store.database import Store


def update(store: Store, account_id: int, **values: str | int) -> None:
    """Set fields of the account's sync_state row."""
    names = ", ".join(f"{name} = ?" for name in values)
    with store.write("state") as (db, _):
        db.execute(  # unless the account was removed meanwhile
            "INSERT OR IGNORE INTO sync_state (account_id) SELECT id FROM account WHERE id = ?",
            [account_id],
        )
        db.execute(
            f"UPDATE sync_state SET {names} WHERE account_id = ?",  # noqa: S608 - names are ours
            [*values.values(), account_id],
        )


def ended(store: Store, account_id: int, errors: Sequence[str], **more: str | int) -> None:
    """Note that a pass came to its end, and what went wrong with single folders on the way."""
    values: dict[str, str | int] = {"state": "waiting", "last_success": int(time.time())}
    values |= {"started_at": 0, "error": " ".join(errors), "hint": "", "next_try": 0}
    update(store, account_id, **(values | more))


def broken_off(
    store: Store, account_id: int, error: str, hint: str, state: str = "waiting", next_try: int = 0
) -> None:
    """Note that a pass did not come to its end, and why."""
    update(store, account_id, state=state, error=error, hint=hint, next_try=next_try)


def calendars(
    store: Store, account_id: int, error: str, hint: str = "", *, went_well: bool = False
) -> None:
    """Note how a pass over the calendars came out; `error` may be of single ones."""
    at = {"calendar_success": int(time.time())} if went_well else {}
    update(store, account_id, calendar_error=error, calendar_hint=hint, **at)
