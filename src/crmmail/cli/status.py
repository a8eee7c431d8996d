"""status: what the store holds and how the sync stands. path: where the files are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crmmail import settings
from crmmail.cli.next_step import hint_of
from crmmail.cli.output import AsJson, examples, iso, note, open_store, print_json, write
from crmmail.store import accounts, companies, opportunities, people, threads
from crmmail.sync import lock
from crmmail.widgets import words

STATUS_EXAMPLES = examples("crmmail status", "crmmail status --json")
PATH_EXAMPLES = examples("crmmail path", 'cp "$(crmmail path --json | jq -r .store)" backup.db')
_WORKING = ("connecting", "checking", "importing", "applying", "wiping")


def status(as_json: AsJson = False) -> None:
    """Show what the store holds, and how the sync of each account stands."""
    with open_store() as store:
        shape = _status(store.read(), store.path, runs=lock.is_held(store.path))
    if as_json:
        print_json(shape)
        return
    for text in _lines(shape):
        write(text + "\n")
    if not shape["accounts"]:
        note("No account yet. Add one: crmmail account add --help")


def path(as_json: AsJson = False) -> None:
    """Show where crmmail keeps its files. CRMMAIL_DATA_DIR and CRMMAIL_CONFIG_DIR move them.

    The file of preferences is there only if you write it: docs/configuration.md.
    """
    where = {
        "data": str(settings.data_dir()),
        "store": str(settings.store_path()),
        "config": str(settings.config_dir()),
        "preferences": str(settings.config_path()),
    }
    if as_json:
        print_json(where)
    else:
        for name, place in where.items():
            write(f"{name:<13}{place}\n")


def _status(db: sqlite3.Connection, file: Path, *, runs: bool) -> dict[str, Any]:
    return {
        "people": len(people.view(db)),
        "companies": len(companies.view(db)),
        "opportunities": len(opportunities.view(db)),
        "threads": len(threads.newest(db)),
        "store_bytes": sum(
            part.stat().st_size for part in file.parent.glob(f"{file.name}*") if part.is_file()
        ),
        "accounts": [_account(db, state, runs=runs) for state in accounts.states(db)],
    }


def _account(db: sqlite3.Connection, state: accounts.StateRow, *, runs: bool) -> dict[str, Any]:
    counts = accounts.counts(db, state.account_id)
    said = state.state
    if not runs:  # what a sync says of itself while it works, it said before it was killed
        said = "interrupted" if said in _WORKING else "waiting" if said == "watching" else said
    return {
        "email": state.email,
        "state": said,
        "done": state.done,
        "total": state.total,
        "last_success": iso(state.last_success),
        "next_try": iso(state.next_try),
        "error": state.error or None,
        "hint": hint_of(state) or None,
        "calendar_error": state.calendar_error or None,
        "calendar_hint": state.calendar_hint or None,
        "calendar_success": iso(state.calendar_success),
        "listed": counts.listed,
        "stored": counts.stored,
        "messages": counts.messages,
        "skipped": counts.skipped,
        "threads": counts.threads,
    }


def _lines(shape: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{words.plural(shape['people'], 'person', 'people')}, "
        f"{words.plural(shape['companies'], 'company', 'companies')}, "
        f"{words.plural(shape['opportunities'], 'opportunity', 'opportunities')}, "
        f"{words.plural(shape['threads'], 'thread')}; {words.size(shape['store_bytes'])} on disk"
    )
    for account in shape["accounts"]:
        yield ""
        yield f"{account['email']}: {_state(account)}"
        skipped = sum(account["skipped"].values())
        yield (
            f"  {account['listed']:,} listed: {account['stored']:,} stored, {skipped:,} skipped; "
            f"{words.plural(account['threads'], 'thread')}"
        )
        for reason, count in account["skipped"].items():
            yield f"    {reason:<12}{count:>9,}"
        if account["error"]:
            yield f"  {account['error']} {account['hint'] or ''}".rstrip()
        if account["calendar_error"]:
            said = f"{account['calendar_error']} {account['calendar_hint'] or ''}"
            yield f"  Calendars: {said}".rstrip()
        elif account["calendar_hint"]:
            yield f"  No calendars were found: {account['calendar_hint']}"


def _state(account: dict[str, Any]) -> str:
    said = str(account["state"])
    if account["state"] == "new":
        return "not synced yet"
    if account["state"] in ("importing", "interrupted") and account["total"]:
        said += f" {account['done']:,} of {account['total']:,}"
    if account["last_success"]:
        said += f", last went well {account['last_success']}"
    return said
