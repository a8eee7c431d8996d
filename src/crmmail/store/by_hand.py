"""Which tables hold what no server can give back, and noticing that one of them was changed.

Each table of a store is in one of these sets; a test fails for one that is in none. A table that a
person fills belongs to `BY_HAND` and into the daily backup (store/handmade.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

BY_HAND = frozenset(
    {
        *("account", "own_address", "internal_domain", "blocklist", "allowlist", "forgotten"),
        *("remembered", "person", "address", "company", "company_domain", "opportunity", "note"),
        *("record_change", "manual_link", "rule_change", "folder", "calendar", "calendar_object"),
    }
)
"""Tables of which something, or all, goes into the daily backup."""
NUMBERS = frozenset({"former_id", "thread", "meeting"})
"""Tables whose numbers somebody may have written down: these go into it, by digests (T5)."""
FROM_SERVERS = frozenset(
    {
        *("message", "message_text", "placement", "thread_ref", "participant", "attachment"),
        *("thread_link", "skipped", "unconfirmed", "occurrence", "attendee", "meeting_link"),
    }
)
"""Tables that a sync fills again; those of links with what `manual_link` says."""
OF_THIS_FILE = frozenset({"sync_state", "chore"})
"""What holds for one file only, such as what is still to be done to it."""

_CONFIGURED = (
    *("email", "name", "host", "port", "security", "username", "secret", "policy"),
    *("exclude_group", "exclude_free", "sync_internal", "mail_since", "paused", "caldav_url"),
    *("caldav_username", "caldav_secret", "meeting_policy", "sync_internal_meetings"),
    *("sync_private", "pin", "mail_level", "meeting_level"),
)
_RECORD = ("name_by_hand", "links", "source", "deleted_at")
_EVENTS = ("INSERT", "UPDATE", "DELETE")
_WHOLE = (
    *("note", "record_change", "manual_link", "blocklist", "allowlist", "forgotten"),
    *("own_address", "internal_domain", "rule_change", "remembered"),
)
_DEAL = "name, company_id, contact_id, stage, amount, currency, closes_on, deleted_at"
_MADE = "WHEN NEW.source = 'hand'"
# What happens to a table by hand: an event, and a condition. Columns that the sync writes too
# (names, counters) are left out: an edit of these is in record_change as well.
_WATCHED: dict[str, tuple[tuple[str, str], ...]] = {
    **{table: tuple((event, "") for event in _EVENTS) for table in _WHOLE},
    "account": (("INSERT", ""), ("DELETE", ""), (f"UPDATE OF {', '.join(_CONFIGURED)}", "")),
    "person": (("INSERT", _MADE), (f"UPDATE OF job, phone, {', '.join(_RECORD)}", "")),
    "company": (("INSERT", _MADE), (f"UPDATE OF {', '.join(_RECORD)}", "")),
    "opportunity": (("INSERT", ""), ("DELETE", ""), (f"UPDATE OF {_DEAL}", "")),
    "folder": (("UPDATE OF selected", ""),),
    "calendar": (("UPDATE OF selected", ""), ("INSERT", "WHEN NEW.account_id IS NULL")),
}


def watch(db: sqlite3.Connection, changed: Callable[[], object]) -> None:
    """Call `changed` for each change of such a row that this connection makes.

    A store that is opened at an older version is watched as far as it has these tables and columns.
    """

    def tell() -> None:
        changed()

    there: dict[str, set[str]] = {}
    for table, column in db.execute(
        """SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
           WHERE m.type = 'table' AND m.rootpage"""
    ):
        there.setdefault(table, set()).add(column)
    db.create_function("changed_by_hand", 0, tell)
    db.executescript(
        "".join(
            f"CREATE TEMP TRIGGER by_hand_{table}_{number} AFTER {event} ON main.{table} {when} "
            "BEGIN SELECT changed_by_hand(); END;"
            for table, events in _WATCHED.items()
            for number, (event, when) in enumerate(events)
            if table in there and there[table].issuperset(_columns_of(event))
        )
    )


def _columns_of(event: str) -> list[str]:
    return event.removeprefix("UPDATE OF ").split(", ") if " OF " in event else []
