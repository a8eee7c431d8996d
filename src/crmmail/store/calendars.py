"""Calendars: which there are, how far they were read, which are selected (K1)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.errors import CrmmailError, MissingError
from crmmail.store import rule_changes
from crmmail.store.database import Store

FILE = "file:"
"""How the url of an imported file begins."""

_FIELDS = (
    "id, account_id, url, name, color, selected, sync_token, ctag, compared_at, last_success, "
    "error, missing"
)


class CalendarError(CrmmailError):
    """There is no such calendar, or not exactly one."""


class NoCalendarError(CalendarError, MissingError):
    """There is no such calendar."""


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A calendar, how far it was read, and what went wrong."""

    id: int
    account_id: int | None
    url: str
    name: str
    color: str
    selected: bool
    sync_token: str
    ctag: str
    compared_at: int
    last_success: int
    error: str
    missing: str

    @property
    def from_file(self) -> bool:
        """Whether it was imported, and is on no server."""
        return self.account_id is None


@dataclass(frozen=True, slots=True)
class CalendarCounts:
    """What a calendar holds: meetings in the store, and resources in the ledger by reason."""

    meetings: int
    skipped: dict[str, int]


def rows(db: sqlite3.Connection, account_id: int | None = None) -> list[CalendarRow]:
    """The calendars of an account, or all of them, by account and name."""
    found = db.execute(
        f"SELECT {_FIELDS} FROM calendar WHERE account_id IS ?1 OR ?1 IS NULL "
        "ORDER BY account_id IS NULL, account_id, name, id",
        [account_id],
    )
    return [_row(one) for one in found]


def named(
    db: sqlite3.Connection, name: str, email: str = "", *, files: bool = False
) -> CalendarRow:
    """The calendar of that name, of one account or among the imported; or an error in words."""
    owners = dict(db.execute("SELECT id, email FROM account"))
    every = [one for one in rows(db) if not email or owners.get(one.account_id) == email]
    every = [one for one in every if one.from_file or not files]
    found = [one for one in every if one.name == name] or [
        one for one in every if one.name.casefold() == name.casefold()
    ]
    if not found:
        known = ", ".join(dict.fromkeys(one.name for one in every)) or "none"
        raise NoCalendarError(f"There is no calendar {name!r}.", f"Calendars: {known}.")
    if len(found) > 1:
        raise CalendarError(
            f"There are {len(found)} calendars {name!r}.", "Say which: --account EMAIL"
        )
    return found[0]


def counts(db: sqlite3.Connection, calendar_id: int) -> CalendarCounts:
    """What came of a calendar's resources. One with several meetings (a changed series) is one."""
    found = dict(
        db.execute(
            "SELECT reason, count(*) FROM calendar_object WHERE calendar_id = ? GROUP BY reason",
            [calendar_id],
        )
    )
    return CalendarCounts(found.pop("", 0), found)


def etags(db: sqlite3.Connection, calendar_id: int) -> dict[str, str]:
    """What is here of a calendar: the ETag of each resource, by its path."""
    return dict(
        db.execute("SELECT href, etag FROM calendar_object WHERE calendar_id = ?", [calendar_id])
    )


def texts(db: sqlite3.Connection, calendar_id: int, hrefs: list[str]) -> dict[str, str]:
    """What is here of some resources, by path."""
    if not hrefs:
        return {}
    return dict(
        db.execute(
            """SELECT href, raw FROM json_each(?) AS wanted CROSS JOIN calendar_object
               ON calendar_id = ? AND href = wanted.value""",
            [json.dumps(hrefs), calendar_id],
        )
    )


def listed(store: Store, account_id: int, found: Iterable[tuple[str, str, str]]) -> None:
    """Note the calendars (url, name, color) that a server lists. None is taken away."""
    known = {one.url: one for one in rows(store.read(), account_id)}
    fresh = [
        one
        for one in {one[0]: one for one in found}.values()  # a server may list one twice
        if one[0] not in known or (known[one[0]].name, known[one[0]].color) != one[1:]
    ]
    if not fresh:
        return
    with store.write("state") as (db, _):
        for url, name, color in fresh:
            if url in known:
                db.execute(
                    "UPDATE calendar SET name = ?, color = ? WHERE id = ?",
                    [name, color, known[url].id],
                )
            else:
                db.execute(
                    "INSERT INTO calendar (account_id, url, name, color) VALUES (?, ?, ?, ?)",
                    [account_id, url, name, color],
                )


def add_file(store: Store, name: str) -> int:
    """The calendar that keeps what is imported from a file under that name; made if need be."""
    with store.write("accounts") as (db, _):
        found = db.execute(
            "SELECT id FROM calendar WHERE account_id IS NULL AND name = ?", [name]
        ).fetchone()
        if found:
            return int(found[0])
        added = db.execute(
            "INSERT INTO calendar (account_id, url, name) VALUES (NULL, ?, ?)",
            [f"{FILE}{name}", name],
        )
        return int(added.lastrowid or 0)


def select(store: Store, calendar_id: int, *, on: bool) -> bool:
    """Read a calendar, or not (K1); its meetings come and go with the next sync.

    Returns whether it was read.
    """
    with store.write("accounts") as (db, _):
        row = db.execute(
            "SELECT selected, account_id, url FROM calendar WHERE id = ?", [calendar_id]
        ).fetchone()
        if row:
            rule_changes.note(db, "calendar", int(row[0]), int(on), *row[1:])
        db.execute(
            "UPDATE calendar SET selected = ?, sync_token = '', ctag = '', error = '' WHERE id = ?",
            [on, calendar_id],
        )
    return bool(row[0]) if row else on


def told(store: Store, calendar_id: int, error: str) -> None:
    """Note what went wrong with a calendar, in words."""
    with store.write("state") as (db, _):
        db.execute("UPDATE calendar SET error = ? WHERE id = ?", [error, calendar_id])


def succeeded(store: Store, calendar_ids: Iterable[int], now: int) -> None:
    """Note that these calendars are as the server has them."""
    with store.write("state") as (db, _):
        db.executemany(
            "UPDATE calendar SET last_success = ?, error = '' WHERE id = ?",
            [(now, one) for one in calendar_ids],
        )


def _row(values: tuple[object, ...]) -> CalendarRow:
    named_values = dict(zip(CalendarRow.__slots__, values, strict=True))
    named_values["selected"] = bool(named_values["selected"])
    return CalendarRow(**named_values)  # type: ignore[arg-type]
