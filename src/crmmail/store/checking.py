"""Looking for damage in the whole file, in pieces, while the store is in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from crmmail.store.database import Store
from crmmail.store.trouble import DamagedError

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def look(store: Store, stopped: Callable[[], bool] = bool) -> bool:
    """Read every page of every table; report damage and return whether there is none.

    A store of some gigabytes takes as long as its disk takes to read it. `stopped` ends it between
    two tables.
    """
    db = store.read()
    tables = db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage ORDER BY name"
    ).fetchall()
    for (name,) in tables:
        if stopped():
            return True
        try:
            (said,) = db.execute(f"PRAGMA quick_check('{name}')").fetchone()
        except sqlite3.DatabaseError as problem:
            if not (problem.sqlite_errorname or "").startswith(_DAMAGED):
                raise
            said = str(problem)
        if said != "ok":
            store.report(DamagedError(f"{store.path} is damaged: {said.splitlines()[-1]}."))
            return False
    return True
