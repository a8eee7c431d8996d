"""Which threads and meetings belong to which records (rules.md C7), kept ready to be read.

Links are computed from who took part, for a set of threads (or meetings) at a time, and compared
with what is there: the same function serves a new message, a new person, a merge and a removal.
What the user linked or hid by hand (store/manual.py) survives every pass.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from crmmail.store import counting, manual
from crmmail.store.database import Change, Store
from crmmail.store.hands import MEETING, THREAD
from crmmail.store.kinds import Kind

WHY = ("participant", "people", "domain", "company", "contact")
"""What a link's `why` is made of, in this order."""

_SCRATCH = """
    CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY);
    CREATE TEMP TABLE IF NOT EXISTS present (
        id INTEGER, address_id INTEGER, person_id INTEGER, company_id INTEGER, site TEXT,
        PRIMARY KEY (id, address_id)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS wanted (
        kind INTEGER, record_id INTEGER, id INTEGER, why INTEGER,
        PRIMARY KEY (kind, record_id, id)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS reason (why INTEGER PRIMARY KEY, words TEXT);
    CREATE TEMP TABLE IF NOT EXISTS moved (
        kind INTEGER, record_id INTEGER, id INTEGER, gone INTEGER
    );
"""

# Each adds its own bit of `why`.
_WANT = (
    """SELECT 1, person_id, id, 1 FROM present WHERE person_id IS NOT NULL""",
    """SELECT 2, company.id, present.id, 2 FROM present
       JOIN company ON company.id = present.company_id AND company.deleted_at = 0""",
    """SELECT 2, company.id, present.id, 4 FROM present
       JOIN company_domain ON company_domain.domain = present.site
       JOIN company ON company.id = company_domain.company_id AND company.deleted_at = 0""",
    """SELECT 3, opportunity.id, wanted.id, 8 FROM opportunity
       JOIN wanted ON wanted.kind = 2 AND wanted.record_id = opportunity.company_id
       WHERE opportunity.deleted_at = 0""",
    """SELECT 3, opportunity.id, wanted.id, 16 FROM opportunity
       JOIN wanted ON wanted.kind = 1 AND wanted.record_id = opportunity.contact_id
       WHERE opportunity.deleted_at = 0""",
)

# Here and below {what} is thread or meeting.
_DIFFER = (
    # What nobody wants any more goes; a hand-made link only loses its automatic reason.
    """INSERT INTO moved
       SELECT link.kind, link.record_id, link.{what}_id, 1 FROM touched
       CROSS JOIN {what}_link AS link ON link.{what}_id = touched.id
       WHERE link.hand = 0 AND NOT EXISTS (
           SELECT 1 FROM wanted WHERE wanted.kind = link.kind
           AND wanted.record_id = link.record_id AND wanted.id = link.{what}_id)""",
    """DELETE FROM {what}_link WHERE (kind, record_id, {what}_id) IN (
           SELECT kind, record_id, id FROM moved WHERE gone)""",
    """UPDATE {what}_link SET why = '' WHERE hand != 0 AND why != ''
       AND {what}_id IN (SELECT id FROM touched) AND NOT EXISTS (
           SELECT 1 FROM wanted WHERE wanted.kind = {what}_link.kind
           AND wanted.record_id = {what}_link.record_id
           AND wanted.id = {what}_link.{what}_id)""",
    """INSERT INTO moved
       SELECT wanted.kind, wanted.record_id, wanted.id, 0 FROM wanted
       WHERE NOT EXISTS (
           SELECT 1 FROM {what}_link AS link WHERE link.kind = wanted.kind
           AND link.record_id = wanted.record_id AND link.{what}_id = wanted.id)""",
)


@dataclass(frozen=True, slots=True)
class _Linked:
    """How threads, or meetings, differ from each other here."""

    taking_part: str  # joins from {id}, of the thread or meeting, to `part`, which has address_id
    put: tuple[str, ...]  # what writes the wanted links
    addressed: str  # the ids of those in which an address takes part

    def differ(self, what: str) -> tuple[str, ...]:
        return (*(one.format(what=what) for one in _DIFFER), *self.put)


_LINKED = {
    THREAD: _Linked(
        """CROSS JOIN message ON message.thread_id = {id}
           CROSS JOIN participant AS part ON part.message_id = message.id""",
        (
            """INSERT INTO thread_link (kind, record_id, thread_id, last_at, why)
               SELECT wanted.kind, wanted.record_id, wanted.id, thread.last_at, reason.words
               FROM wanted JOIN thread ON thread.id = wanted.id
               JOIN reason ON reason.why = wanted.why WHERE true
               ON CONFLICT DO UPDATE SET last_at = excluded.last_at, why = excluded.why
               WHERE last_at != excluded.last_at OR why != excluded.why""",
            """UPDATE thread_link SET last_at = (SELECT last_at FROM thread WHERE id = thread_id)
               WHERE hand != 0 AND thread_id IN (SELECT id FROM touched)""",
        ),
        """SELECT DISTINCT message.thread_id AS id FROM {source}
           CROSS JOIN participant ON participant.address_id = {address}
           CROSS JOIN message ON message.id = participant.message_id""",
    ),
    MEETING: _Linked(
        "CROSS JOIN attendee AS part ON part.meeting_id = {id}",
        (
            """INSERT INTO meeting_link (kind, record_id, meeting_id, why)
               SELECT wanted.kind, wanted.record_id, wanted.id, reason.words
               FROM wanted JOIN reason ON reason.why = wanted.why WHERE true
               ON CONFLICT DO UPDATE SET why = excluded.why WHERE why != excluded.why""",
        ),
        """SELECT DISTINCT attendee.meeting_id AS id FROM {source}
           CROSS JOIN attendee ON attendee.address_id = {address}""",
    ),
}

_PRESENT = """
    INSERT OR IGNORE INTO present
    SELECT touched.id, part.address_id, person.id, person.company_id, address.site
    FROM touched {taking_part}
    CROSS JOIN address ON address.id = part.address_id
    LEFT JOIN person ON person.id = address.person_id AND person.deleted_at = 0
"""


def relink(
    db: sqlite3.Connection,
    change: Change,
    ids: Iterable[int],
    what: str = THREAD,
    by_hand: bool = False,
) -> None:
    """Make the links of these threads or meetings what C7 says, and the counters of records.

    `by_hand`: what the user said of them has changed.
    """
    ids = list(ids)
    if not ids:
        return
    linked = _LINKED[what]
    _prepare(db)
    db.execute("INSERT OR IGNORE INTO touched SELECT value FROM json_each(?)", [json.dumps(ids)])
    said = manual.show(db, what, by_hand)
    db.execute(_PRESENT.format(taking_part=linked.taking_part.format(id="touched.id")))
    for select in _WANT:
        db.execute(
            f"INSERT INTO wanted {select} {'AND' if ' WHERE ' in select else 'WHERE'} true"
            " ON CONFLICT DO UPDATE SET why = why | excluded.why"
        )
    for statement in linked.differ(what):
        db.execute(statement)
    if what == THREAD:
        counting.update(db)
        for kind in Kind if said else ():
            counting.recount(db, kind, [record for of, record in said if of == kind])
    change.records.update(said)
    change.records.update(
        db.execute(
            f"""SELECT kind, record_id FROM moved UNION
                SELECT link.kind, link.record_id FROM touched
                CROSS JOIN {what}_link AS link ON link.{what}_id = touched.id"""
        ).fetchall()
    )


def take_back(store: Store, said: manual.Said) -> None:
    """Take back what the hand said of a thread or a meeting, also of one that is away."""
    with store.write(f"{said.what}s", "people", "companies", "opportunities") as (db, change):
        ids = manual.unsay(db, said)
        relink(db, change, ids, said.what, by_hand=True)
        change.records.add((said.kind, said.record_id))
        if said.what == THREAD:
            change.threads.update(ids)


def relink_records(
    db: sqlite3.Connection,
    change: Change,
    kind: Kind,
    ids: Iterable[int],
    by_hand: bool = False,
) -> None:
    """Relink all that these records have, or may have after they changed (C6)."""
    ids = list(ids)
    change.topics.update(("threads", "meetings"))
    change.records.update((int(kind), record) for record in ids)
    for what in _LINKED:
        relink(db, change, _reach(db, kind, ids, what), what, by_hand)
    counting.recount(db, kind, ids)


def relink_met(
    db: sqlite3.Connection,
    change: Change,
    met: Iterable[int],
    threads: Iterable[int] = (),
    meetings: Iterable[int] = (),
) -> None:
    """Relink these threads and meetings, and all in which any of these addresses takes part."""
    packed = json.dumps(list(met))
    for what, touched in ((THREAD, set(threads)), (MEETING, set(meetings))):
        if packed != "[]":
            select = _LINKED[what].addressed.format(
                source="json_each(?) AS wanted", address="wanted.value"
            )
            touched |= {row[0] for row in db.execute(select, [packed])}
        relink(db, change, touched, what)
        change.topics |= {f"{what}s"} if touched else set()


def unlink(db: sqlite3.Connection, change: Change, thread_ids: Iterable[int]) -> None:
    """Take threads off every record before they go."""
    packed = json.dumps(list(thread_ids))
    rows = db.execute(
        """SELECT link.kind, link.record_id FROM json_each(?) AS gone
           CROSS JOIN thread_link AS link ON link.thread_id = gone.value""",
        [packed],
    ).fetchall()
    db.execute(
        "DELETE FROM thread_link WHERE thread_id IN (SELECT value FROM json_each(?))", [packed]
    )
    for kind in Kind:
        counting.recount(db, kind, {row[1] for row in rows if row[0] == kind})
    change.records.update(rows)


_IDS = "SELECT value FROM json_each(:ids)"
_HAVE = f"SELECT {{what}}_id FROM {{what}}_link WHERE kind = :kind AND record_id IN ({_IDS})"
_WHOSE = {
    Kind.PERSON: f"address.person_id IN ({_IDS})",
    Kind.COMPANY: f"""address.person_id IN (SELECT id FROM person WHERE company_id IN ({_IDS}))
        OR address.site IN (SELECT domain FROM company_domain WHERE company_id IN ({_IDS}))""",
}
_OF_OPPORTUNITY = f"""
    SELECT link.{{what}}_id FROM opportunity JOIN {{what}}_link AS link
    ON (link.kind = 1 AND link.record_id = opportunity.contact_id)
    OR (link.kind = 2 AND link.record_id = opportunity.company_id)
    WHERE opportunity.id IN ({_IDS})
"""


def _reach(db: sqlite3.Connection, kind: Kind, ids: list[int], what: str) -> set[int]:
    """What these records have, or may have."""
    if kind in _WHOSE:
        addressed = _LINKED[what].addressed.format(source="address", address="address.id")
        more = f"{addressed} WHERE {_WHOSE[kind]}"
    else:
        more = _OF_OPPORTUNITY.format(what=what)
    values = {"ids": json.dumps(ids), "kind": int(kind)}
    return {
        row[0] for select in (_HAVE.format(what=what), more) for row in db.execute(select, values)
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
