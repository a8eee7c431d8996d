"""Which threads belong to which records (rules.md C7), kept ready to be read.

Links are computed from who took part, for a set of threads at a time, and compared with what is
there: the same function serves a new message, a new person, a merge and a removal. What the user
linked or hid by hand survives every pass.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from crmmail.store.database import Change
from crmmail.store.kinds import Kind

WHY = ("participant", "people", "domain", "company", "contact")
"""What a link's `why` is made of, in this order."""

_TABLES = {Kind.PERSON: "person", Kind.COMPANY: "company", Kind.OPPORTUNITY: "opportunity"}

_SCRATCH = """
    CREATE TEMP TABLE IF NOT EXISTS touched (thread_id INTEGER PRIMARY KEY);
    CREATE TEMP TABLE IF NOT EXISTS present (
        thread_id INTEGER, address_id INTEGER, person_id INTEGER, company_id INTEGER, site TEXT,
        PRIMARY KEY (thread_id, address_id)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS wanted (
        kind INTEGER, record_id INTEGER, thread_id INTEGER, why INTEGER,
        PRIMARY KEY (kind, record_id, thread_id)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS reason (why INTEGER PRIMARY KEY, words TEXT);
    CREATE TEMP TABLE IF NOT EXISTS moved (
        kind INTEGER, record_id INTEGER, thread_id INTEGER, gone INTEGER
    );
"""

_PRESENT = """
    INSERT OR IGNORE INTO present
    SELECT touched.thread_id, participant.address_id, person.id, person.company_id, address.site
    FROM touched
    CROSS JOIN message ON message.thread_id = touched.thread_id
    CROSS JOIN participant ON participant.message_id = message.id
    CROSS JOIN address ON address.id = participant.address_id
    LEFT JOIN person ON person.id = address.person_id AND person.deleted_at = 0
"""

# Each adds its own bit of `why`.
_WANT = (
    """SELECT 1, person_id, thread_id, 1 FROM present WHERE person_id IS NOT NULL""",
    """SELECT 2, company.id, thread_id, 2 FROM present
       JOIN company ON company.id = present.company_id AND company.deleted_at = 0""",
    """SELECT 2, company.id, thread_id, 4 FROM present
       JOIN company_domain ON company_domain.domain = present.site
       JOIN company ON company.id = company_domain.company_id AND company.deleted_at = 0""",
    """SELECT 3, opportunity.id, wanted.thread_id, 8 FROM opportunity
       JOIN wanted ON wanted.kind = 2 AND wanted.record_id = opportunity.company_id
       WHERE opportunity.deleted_at = 0""",
    """SELECT 3, opportunity.id, wanted.thread_id, 16 FROM opportunity
       JOIN wanted ON wanted.kind = 1 AND wanted.record_id = opportunity.contact_id
       WHERE opportunity.deleted_at = 0""",
)

_DIFFER = (
    # What nobody wants any more goes; a hand-made link only loses its automatic reason.
    """INSERT INTO moved
       SELECT link.kind, link.record_id, link.thread_id, 1 FROM touched
       CROSS JOIN thread_link AS link ON link.thread_id = touched.thread_id
       WHERE link.hand = 0 AND NOT EXISTS (
           SELECT 1 FROM wanted WHERE wanted.kind = link.kind
           AND wanted.record_id = link.record_id AND wanted.thread_id = link.thread_id)""",
    """DELETE FROM thread_link WHERE (kind, record_id, thread_id) IN (
           SELECT kind, record_id, thread_id FROM moved WHERE gone)""",
    """UPDATE thread_link SET why = '' WHERE hand != 0 AND why != ''
       AND thread_id IN (SELECT thread_id FROM touched) AND NOT EXISTS (
           SELECT 1 FROM wanted WHERE wanted.kind = thread_link.kind
           AND wanted.record_id = thread_link.record_id
           AND wanted.thread_id = thread_link.thread_id)""",
    """INSERT INTO moved
       SELECT wanted.kind, wanted.record_id, wanted.thread_id, 0 FROM wanted
       WHERE NOT EXISTS (
           SELECT 1 FROM thread_link AS link WHERE link.kind = wanted.kind
           AND link.record_id = wanted.record_id AND link.thread_id = wanted.thread_id)""",
    """INSERT INTO thread_link (kind, record_id, thread_id, last_at, why)
       SELECT wanted.kind, wanted.record_id, wanted.thread_id, thread.last_at, reason.words
       FROM wanted JOIN thread ON thread.id = wanted.thread_id
       JOIN reason ON reason.why = wanted.why WHERE true
       ON CONFLICT DO UPDATE SET last_at = excluded.last_at, why = excluded.why
       WHERE last_at != excluded.last_at OR why != excluded.why""",
    """UPDATE thread_link SET last_at = (SELECT last_at FROM thread WHERE id = thread_id)
       WHERE hand != 0 AND thread_id IN (SELECT thread_id FROM touched)""",
)


def relink(db: sqlite3.Connection, change: Change, thread_ids: Iterable[int]) -> None:
    """Make the links of these threads what C7 says, and the counters of their records with them."""
    ids = list(thread_ids)
    if not ids:
        return
    _prepare(db)
    db.execute("INSERT INTO touched SELECT value FROM json_each(?)", [json.dumps(ids)])
    db.execute(_PRESENT)
    for select in _WANT:
        db.execute(
            f"INSERT INTO wanted {select} {'AND' if ' WHERE ' in select else 'WHERE'} true"
            " ON CONFLICT DO UPDATE SET why = why | excluded.why"
        )
    for statement in _DIFFER:
        db.execute(statement)
    _count(db, change)


def relink_records(db: sqlite3.Connection, change: Change, kind: Kind, ids: Iterable[int]) -> None:
    """Relink every thread that these records have, or may have after they changed (C6)."""
    packed = json.dumps(list(ids))
    threads = {
        row[0]
        for select in _REACH[kind]
        for row in db.execute(select, {"ids": packed, "kind": int(kind)})
    }
    change.topics.add("threads")
    change.records.update((int(kind), record) for record in json.loads(packed))
    relink(db, change, threads)
    recount(db, kind, json.loads(packed))


def threads_with(db: sqlite3.Connection, address_ids: Iterable[int]) -> set[int]:
    """The threads in which any of these addresses takes part."""
    rows = db.execute(
        """SELECT DISTINCT message.thread_id FROM json_each(?) AS wanted
           CROSS JOIN participant ON participant.address_id = wanted.value
           CROSS JOIN message ON message.id = participant.message_id""",
        [json.dumps(list(address_ids))],
    )
    return {row[0] for row in rows}


def unlink(
    db: sqlite3.Connection, change: Change, thread_ids: Iterable[int], heir: int | None = None
) -> None:
    """Take threads off every record before they go; what was linked by hand goes to their heir."""
    packed = json.dumps(list(thread_ids))
    rows = db.execute(
        """SELECT link.kind, link.record_id, link.hand FROM json_each(?) AS gone
           CROSS JOIN thread_link AS link ON link.thread_id = gone.value""",
        [packed],
    ).fetchall()
    db.execute(
        "DELETE FROM thread_link WHERE thread_id IN (SELECT value FROM json_each(?))", [packed]
    )
    if heir is not None:
        db.executemany(
            """INSERT INTO thread_link (kind, record_id, thread_id, hand) VALUES (?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET hand = excluded.hand WHERE hand = 0""",
            [(kind, record, heir, hand) for kind, record, hand in rows if hand],
        )
    for kind in _TABLES:
        recount(db, kind, {row[1] for row in rows if row[0] == kind})
    change.records.update((row[0], row[1]) for row in rows)


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


_LINKED = "SELECT thread_id FROM thread_link WHERE kind = :kind AND record_id IN ({ids})"
_IDS = "SELECT value FROM json_each(:ids)"
_BY_ADDRESS = """
    SELECT DISTINCT message.thread_id FROM address
    CROSS JOIN participant ON participant.address_id = address.id
    CROSS JOIN message ON message.id = participant.message_id WHERE {which}
"""
_REACH: dict[Kind, tuple[str, ...]] = {
    Kind.PERSON: (
        _LINKED.format(ids=_IDS),
        _BY_ADDRESS.format(which=f"address.person_id IN ({_IDS})"),
    ),
    Kind.COMPANY: (
        _LINKED.format(ids=_IDS),
        _BY_ADDRESS.format(
            which=f"""address.person_id IN (SELECT id FROM person WHERE company_id IN ({_IDS}))
            OR address.site IN (SELECT domain FROM company_domain WHERE company_id IN ({_IDS}))"""
        ),
    ),
    Kind.OPPORTUNITY: (
        _LINKED.format(ids=_IDS),
        f"""SELECT link.thread_id FROM opportunity JOIN thread_link AS link
            ON (link.kind = 1 AND link.record_id = opportunity.contact_id)
            OR (link.kind = 2 AND link.record_id = opportunity.company_id)
            WHERE opportunity.id IN ({_IDS})""",
    ),
}


def _prepare(db: sqlite3.Connection) -> None:
    if not db.execute("SELECT 1 FROM sqlite_temp_master WHERE name = 'moved'").fetchone():
        for statement in _SCRATCH.split(";"):
            db.execute(statement)
        db.executemany("INSERT INTO reason VALUES (?, ?)", _reasons())
    for table in ("touched", "present", "wanted", "moved"):
        db.execute(f"DELETE FROM temp.{table}")


def _reasons() -> list[tuple[int, str]]:
    return [
        (bits, ",".join(word for place, word in enumerate(WHY) if bits >> place & 1))
        for bits in range(1 << len(WHY))
    ]


def _count(db: sqlite3.Connection, change: Change) -> None:
    """Bring the counters of the touched records up to date, without counting what stayed."""
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
                      FROM moved JOIN thread ON thread.id = moved.thread_id
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
                      CROSS JOIN thread_link AS link ON link.thread_id = touched.thread_id
                      CROSS JOIN thread ON thread.id = touched.thread_id
                      WHERE link.kind = {int(kind)} AND link.hand >= 0 GROUP BY 1) AS seen
                WHERE {table}.id = seen.record_id"""
        )
        recount(db, kind, lost)
    records = db.execute(
        """SELECT kind, record_id FROM moved UNION
           SELECT link.kind, link.record_id FROM touched
           CROSS JOIN thread_link AS link ON link.thread_id = touched.thread_id"""
    ).fetchall()
    change.records.update(records)
