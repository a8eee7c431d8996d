"""Resources of a calendar that its server lists and does not send: asked for ever less often (K8).

How often, is as for messages that cannot be read (M8).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection

from crmmail.store.attempts import EACH_PASS, pause
from crmmail.store.database import Store
from crmmail.sync.suspects import PASSES

Failing = dict[str, tuple[int, int]]
"""By path how often a resource was asked for in vain, and when last."""


def of(db: sqlite3.Connection, calendar_id: int) -> Failing:
    """The resources of a calendar that failed when they were last asked for."""
    row = db.execute("SELECT failing FROM calendar WHERE id = ?", [calendar_id]).fetchone()
    found = json.loads(row[0] if row and row[0] else "{}")
    return {href: (attempts, at) for href, (attempts, at) in found.items()}


def asked(store: Store, calendar_id: int, asked_for: Collection[str], bad: Collection[str]) -> None:
    """Note which of the resources that were asked for have failed."""
    before, now = of(store.read(), calendar_id), int(time.time())
    after = {href: one for href, one in before.items() if href not in asked_for}
    after |= {href: (before.get(href, (0, 0))[0] + 1, now) for href in bad}
    if after != before:
        with store.write() as (db, _):
            db.execute(
                "UPDATE calendar SET failing = ? WHERE id = ?",
                [json.dumps(after) if after else "", calendar_id],
            )


def waiting(failing: Failing) -> set[str]:
    """Those that are not asked for yet."""
    now = time.time()
    return {href for href, (attempts, at) in failing.items() if 0 <= now - at < pause(attempts)}


def is_due(failing: Failing) -> bool:
    """Whether one that is not asked for in each pass is to be asked for in this one."""
    late = {href for href, (attempts, _) in failing.items() if attempts >= EACH_PASS}
    return bool(late - waiting(failing))


def all_late(failing: Failing, bad: Collection[str]) -> bool:
    """Whether all that fail have failed so often that the calendar does not wait for them."""
    return all(failing.get(href, (0, 0))[0] + 1 >= EACH_PASS for href in bad)


def words(db: sqlite3.Connection, calendar_id: int) -> str:
    """What to say of meetings that are here and have not been sent for some passes; or ""."""
    old = [href for href, (attempts, _) in of(db, calendar_id).items() if attempts >= PASSES]
    if not old:
        return ""
    (count,) = db.execute(
        """SELECT count(*) FROM calendar_object WHERE calendar_id = ? AND raw != ''
           AND href IN (SELECT value FROM json_each(?))""",
        [calendar_id, json.dumps(old)],
    ).fetchone()
    which = "a meeting that has" if count == 1 else f"{count:,} meetings that have"
    return count and (
        f"The server does not send {which} changed. What is here may be out of date; "
        "crmmail asks again."
    )
