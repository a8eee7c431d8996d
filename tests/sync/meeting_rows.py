"""A store with calendars in June 2026, and what it says of meetings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from crmmail.store import accounts, dump
from crmmail.store import meetings as stored
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """It is noon of 2026-06-15, and stays so."""
    with time_machine.travel(NOW, tick=False):
        yield


def shared(store: Store, email: str = "me@home.example", **values: object) -> int:
    """An account with a calendar; returns the calendar's id."""
    account_id = accounts.add(store, email)
    with store.write() as (db, _):
        for name, value in values.items():
            db.execute(f"UPDATE account SET {name} = ? WHERE id = ?", [value, account_id])
        db.execute("INSERT INTO calendar (account_id, url) VALUES (?, ?)", [account_id, email])
        return int(db.execute("SELECT max(id) FROM calendar").fetchone()[0])


@pytest.fixture
def work(store: Store) -> int:
    """The calendar of an account me@home.example."""
    return shared(store)


def told(store: Store, query: str, *values: object) -> list[tuple[object, ...]]:
    """Rows."""
    return [tuple(row) for row in store.read().execute(query, values)]


def reasons(store: Store) -> dict[str, tuple[str, str]]:
    """The skip list: by name of the resource, why and what exactly."""
    rows = told(store, "SELECT href, reason, detail FROM calendar_object WHERE reason != ''")
    return {str(href).strip("/")[:-4]: (str(why), str(what)) for href, why, what in rows}


def starts(store: Store) -> list[str]:
    """When meetings start, in UTC, and with what title."""
    rows = store.read().execute(
        "SELECT starts_at, title FROM occurrence JOIN meeting ON meeting.id = meeting_id "
        "ORDER BY starts_at"
    )
    return [f"{datetime.fromtimestamp(at, UTC):%m-%d %H:%M} {title}" for at, title in rows]


def of(store: Store, kind: Kind, record: int) -> list[str]:
    """The titles of a record's meetings, with why they are there."""
    ids = stored.of_record(store.read(), kind, record).ids
    return [f"{row.title}: {row.why}" for row in stored.rows(store.read(), ids, kind, record)]


def person(store: Store, name: str) -> int:
    """The id of a person."""
    ((found,),) = told(store, "SELECT id FROM person WHERE name = ?", name)
    assert isinstance(found, int)
    return found


def dumped(store: Store) -> list[str]:
    """What the store says, but for the accounts' own lines."""
    return [line for line in dump.dump(store.read()) if not line.startswith('{"what": "account"')]
