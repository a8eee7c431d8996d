"""Resources of calendars -> meetings in the store (rules.md K), a batch in one transaction.

A resource is kept as it came. The meetings of a UID are worked out from all resources with it, in
whatever calendars (K3), when one of them comes, changes or goes, when the rules change (M9), and
when the window has moved (K2).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from crmmail import __version__
from crmmail.store import levels
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.sync import meeting_rules
from crmmail.sync.event import Window
from crmmail.sync.hiding import MARK, hidden
from crmmail.sync.meeting_rules import MeetingRules
from crmmail.sync.meeting_work import FORGOTTEN, Outcome, Reader, work_out
from crmmail.sync.rejudge import fingerprint

_BATCH = 100
"""Resources in one transaction: others wait for it. As many as are fetched at once."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as the server has it; one without text could not be read."""

    href: str
    etag: str
    raw: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a calendar was read; the empty one is its beginning."""

    sync_token: str = ""
    ctag: str = ""
    compared_at: int = 0


def save(
    store: Store,
    calendar_id: int,
    resources: Iterable[Resource],
    gone_hrefs: Iterable[str] = (),
    cursor: Cursor | None = None,
    zone: tzinfo | None = None,
) -> None:
    """Take resources in and out of a calendar, with all that follows; the cursor comes last.

    `zone` is the user's, for times that name none; None is the system's.
    """
    judged_by = _rules(store.read(), calendar_id)
    new, gone = [_writable(one, judged_by) for one in resources], list(gone_hrefs)
    count = max(len(new), len(gone), 1)
    for start in range(0, count, _BATCH):
        reader = Reader(int(time.time()), zone)
        batch = slice(start, start + _BATCH)
        read = [(one, reader.read(one.raw)) for one in new[batch]]  # before others have to wait
        with store.write("state") as (db, change):
            _judged_from_here(db, calendar_id)
            uids = _keep(db, calendar_id, read) | _remove(db, calendar_id, gone[batch])
            work_out(db, change, uids, reader)
            if cursor is not None and start + _BATCH >= count:
                _advance(db, calendar_id, cursor)


def _advance(db: sqlite3.Connection, calendar_id: int, cursor: Cursor) -> None:
    db.execute(
        "UPDATE calendar SET sync_token = ?, ctag = ?, compared_at = ? WHERE id = ?",
        [cursor.sync_token, cursor.ctag, cursor.compared_at, calendar_id],
    )


def _rules(db: sqlite3.Connection, calendar_id: int) -> MeetingRules:
    """The rules of a calendar's account."""
    row = db.execute("SELECT account_id FROM calendar WHERE id = ?", [calendar_id]).fetchone()
    return meeting_rules.load(db, row[0] if row else None)


def _writable(resource: Resource, judged_by: MeetingRules) -> Resource:
    """A resource whose text SQLite takes, without what may not be kept (V5)."""
    raw = resource.raw.encode("utf-8", "replace").decode()
    if judged_by.forgets(raw):
        return replace(resource, raw=FORGOTTEN)
    raw = hidden(raw) if judged_by.hides and raw else raw
    return resource if raw == resource.raw else replace(resource, raw=raw)


def drop(store: Store, calendar_id: int) -> None:
    """Remove a calendar; meetings that another one holds stay."""
    clear(store, calendar_id)
    with store.write("state", "meetings") as (db, _):
        db.execute("DELETE FROM calendar WHERE id = ?", [calendar_id])


def clear(store: Store, calendar_id: int) -> None:
    """Take out all that only a calendar holds; a later pass wipes it from the file too."""
    with store.write() as (db, _):
        db.execute(
            """UPDATE calendar SET sync_token = '', ctag = '', compared_at = 0, failing = ''
               WHERE id = ?""",
            [calendar_id],
        )
    while True:
        with store.write("ledger", "state") as (db, change):
            rows = db.execute(
                "SELECT id, uid FROM calendar_object WHERE calendar_id = ? LIMIT ?",
                [calendar_id, _BATCH],
            ).fetchall()
            db.executemany("DELETE FROM calendar_object WHERE id = ?", [row[:1] for row in rows])
            work_out(db, change, {row[1] for row in rows}, Reader(int(time.time())))
            if rows:
                levels.order_wipe(db)
        if len(rows) < _BATCH:
            return


def slide(
    store: Store, now: int, stopping: Callable[[], bool] = bool, zone: tzinfo | None = None
) -> None:
    """Bring meetings up to date with the time and the rules: to be called in every pass."""

    def rework(uids: Sequence[str]) -> bool:
        """Work meetings out anew; False when it was stopped."""
        for start in range(0, len(uids), _BATCH):
            if stopping():
                return False
            batch, reader = uids[start : start + _BATCH], Reader(now, zone)
            reader.read_ahead(store.read(), batch)
            with store.write("state") as (db, change):
                work_out(db, change, batch, reader)
        return True

    rework(_outdated(store.read(), Window.around(now)))
    for account_id, wanted in _changed_rules(store.read()):
        rows = store.read().execute(
            """SELECT DISTINCT uid FROM calendar_object WHERE calendar_id IN (
                   SELECT id FROM calendar WHERE account_id = ? OR account_id IS NULL)""",
            [account_id],
        )
        uids = [row[0] for row in rows]
        with store.write() as (db, _):  # set back half way, the rules would be those of before
            db.execute("UPDATE account SET meetings_applied = '' WHERE id = ?", [account_id])
        if not rework(uids):
            return
        with store.write("state") as (db, _):
            _fetch_again(db, account_id)
            db.execute("UPDATE account SET meetings_applied = ? WHERE id = ?", [wanted, account_id])


def _fetch_again(db: sqlite3.Connection, account_id: int) -> None:
    """Let the next pass fetch what was hidden, where it may be kept again (V3)."""
    fetched = db.execute(
        """UPDATE calendar_object SET etag = '' WHERE instr(raw, ?) AND calendar_id IN (
               SELECT calendar.id FROM calendar JOIN account ON account.id = account_id
               WHERE account_id = ? AND meeting_level >= ?)""",
        [MARK, account_id, Level.EVERYTHING],
    )
    if fetched.rowcount:
        db.execute(
            """UPDATE calendar SET sync_token = '', ctag = '', compared_at = 0
               WHERE account_id = ?""",
            [account_id],
        )


def _outdated(db: sqlite3.Connection, window: Window) -> list[str]:
    """The UIDs of meetings whose times the window has reached or left, or whose copy is gone."""
    rows = db.execute(
        """SELECT uid FROM calendar_object WHERE expanded_to != 0 AND expanded_to < :end
           UNION SELECT uid FROM calendar_object WHERE reason = 'later' AND starts_at < :end
           UNION SELECT uid FROM meeting WHERE object_id IS NULL
           UNION SELECT uid FROM occurrence JOIN meeting ON meeting.id = meeting_id
               WHERE starts_at < :start AND ends_at < :start
           UNION SELECT uid FROM occurrence JOIN meeting ON meeting.id = meeting_id
               WHERE cancelled AND starts_at < :cancelled AND ends_at < :cancelled""",
        {"start": window.start, "end": window.end, "cancelled": window.cancelled_from},
    )
    return [row[0] for row in rows]


def _changed_rules(db: sqlite3.Connection) -> list[tuple[int, str]]:
    """The accounts whose meetings were judged by other rules, with the mark of today's."""
    return [
        (account_id, wanted)
        for account_id, applied in db.execute("SELECT id, meetings_applied FROM account").fetchall()
        if (wanted := mark(db, account_id)) != applied
    ]


def _judged_from_here(db: sqlite3.Connection, calendar_id: int) -> None:
    """Note by which rules the first meetings of an account are judged."""
    row = db.execute(
        """SELECT account.id FROM calendar JOIN account ON account.id = account_id
           WHERE calendar.id = ? AND meetings_applied = ''""",
        [calendar_id],
    ).fetchone()
    held = """SELECT 1 FROM calendar_object JOIN calendar ON calendar.id = calendar_id
              WHERE account_id = ? LIMIT 1"""
    if row and not db.execute(held, row).fetchone():
        wanted = mark(db, row[0])
        db.execute("UPDATE account SET meetings_applied = ? WHERE id = ?", [wanted, row[0]])


def mark(db: sqlite3.Connection, account_id: int) -> str:
    """What changes whenever a rule does, or the program that reads."""
    return f"{__version__}:{fingerprint(meeting_rules.load(db, account_id))}"


def _remove(db: sqlite3.Connection, calendar_id: int, hrefs: Iterable[str]) -> set[str]:
    rows = db.execute(
        """DELETE FROM calendar_object WHERE calendar_id = ?
           AND href IN (SELECT value FROM json_each(?)) RETURNING uid""",
        [calendar_id, json.dumps(list(hrefs))],
    )
    return {row[0] for row in rows.fetchall()}


def _keep(
    db: sqlite3.Connection, calendar_id: int, read: Sequence[tuple[Resource, Outcome]]
) -> set[str]:
    """Write the resources down; returns the UIDs that they are, and were, about.

    What has none stands alone, under its address.
    """
    known = [(said.uid or f"href:{one.href}", one) for one, said in read]
    forgotten = [one.href for one, _ in read if one.raw == FORGOTTEN]
    before = db.execute(
        """SELECT uid FROM json_each(?) AS wanted CROSS JOIN calendar_object
           ON calendar_id = ? AND href = wanted.value""",
        [json.dumps([one.href for one, _ in read]), calendar_id],
    ).fetchall()
    db.executemany(
        """INSERT INTO calendar_object (calendar_id, href, etag, uid, raw) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (calendar_id, href) DO UPDATE
           SET etag = excluded.etag, uid = excluded.uid, raw = excluded.raw""",
        [(calendar_id, one.href, one.etag, uid, one.raw) for uid, one in known],
    )
    db.execute(
        """UPDATE calendar_object SET reason = ?, detail = '', raw = '', title = '', uid = '',
               starts_at = 0, expanded_to = 0
           WHERE calendar_id = ? AND href IN (SELECT value FROM json_each(?))""",
        [FORGOTTEN, calendar_id, json.dumps(forgotten)],
    )
    return {row[0] for row in before} | {uid for uid, _ in known}
