"""How many threads a record has, and when the first and the last of them were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from crmmail.store.kinds import Kind

_TABLES = {Kind.PERSON: "person", Kind.COMPANY: "company", Kind.OPPORTUNITY: "opportunity"}


def recount(db: sqlite3.Connection, kind: Kind, ids: Iterable[int]) -> None:
    """Count these records' threads again, from nothing."""
    db.execute(
        f"""UPDATE {_TABLES[kind]} SET (threads, first_at, last_at) = (
                SELECT count(*), ifnull(min(thread.first_at), 0), ifnull(max(thread.last_at), 0)
                FROM thread_link AS link JOIN thread ON thread.id = link.thread_id
                WHERE link.kind = {int(kind)} AND link.record_id = {_TABLES[kind]}.id
                AND link.hand >= 0)
            WHERE id IN (SELECT value FROM json_each(?))""",
        [json.dumps(list(ids))],
    )


def update(db: sqlite3.Connection) -> None:
    """Bring the counters up to date after threads were linked, without counting what stayed.

    `touched` and `moved` are the scratch tables of links.relink().
    """
    for kind, table in _TABLES.items():
        lost = [
            row[0]
            for row in db.execute(
                "SELECT DISTINCT record_id FROM moved WHERE kind = ? AND gone", [int(kind)]
            )
        ]
        db.execute(
            f"""UPDATE {table} SET threads = threads + gained.n,
                    first_at = CASE WHEN {table}.first_at = 0 THEN gained.first_at
                                    ELSE min({table}.first_at, gained.first_at) END
                FROM (SELECT moved.record_id, count(*) AS n, min(thread.first_at) AS first_at
                      FROM moved JOIN thread ON thread.id = moved.id
                      WHERE moved.kind = {int(kind)} AND NOT moved.gone GROUP BY 1) AS gained
                WHERE {table}.id = gained.record_id"""
        )
        db.execute(
            f"""UPDATE {table} SET
                    first_at = CASE WHEN {table}.first_at = 0 THEN seen.first_at
                                    ELSE min({table}.first_at, seen.first_at) END,
                    last_at = ifnull((SELECT max(last_at) FROM thread_link INDEXED BY
                        ix_thread_link_newest WHERE kind = {int(kind)}
                        AND record_id = {table}.id AND hand >= 0), 0)
                FROM (SELECT link.record_id, min(thread.first_at) AS first_at FROM touched
                      CROSS JOIN thread_link AS link ON link.thread_id = touched.id
                      CROSS JOIN thread ON thread.id = touched.id
                      WHERE link.kind = {int(kind)} AND link.hand >= 0 GROUP BY 1) AS seen
                WHERE {table}.id = seen.record_id"""
        )
        recount(db, kind, lost)
