"""Which rules were changed, and from where: so that a rule set back takes back what it made (C10).

A change is written down with the newest person and company that there were then. Set back, by `u`
or by hand, it is marked, and the sync takes out those that came since and that no rule makes now
(sync/taking_back.py). Only a change can be taken back: who sets a third value keeps them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from crmmail.store import links, records, removal
from crmmail.store.database import Change
from crmmail.store.kinds import Kind
from crmmail.store.manual import BOTH, digest_key

PEOPLE_ONLY = ("policy", "exclude_free", "meeting_policy")
"""Settings that move no mail: they only say who becomes a contact."""
SETTINGS = (
    *PEOPLE_ONLY,
    *("exclude_group", "sync_internal", "mail_since", "mail_level"),
    *("sync_internal_meetings", "sync_private", "meeting_level"),
)
"""Columns of an account that can make people or companies."""
Place: TypeAlias = tuple[int, int]
"""Of a message in the skip list: folder and UID."""

UNTOUCHED_PERSON = """
    source != 'hand' AND deleted_at = 0 AND NOT name_by_hand AND job = '' AND phone = ''
    AND links = ''
    AND (SELECT count(*) FROM address WHERE person_id = person.id) = 1
    AND NOT EXISTS (SELECT 1 FROM opportunity WHERE contact_id = person.id)
    AND NOT EXISTS (SELECT 1 FROM note WHERE kind = 1 AND record_id = person.id)
    AND NOT EXISTS (SELECT 1 FROM record_change WHERE kind = 1 AND record_id = person.id)
    AND NOT EXISTS (SELECT 1 FROM record_change
                    WHERE kind = 1 AND field = 'merged' AND new = person.id || '')
    AND NOT EXISTS (SELECT 1 FROM record_change
                    WHERE field = 'contact_id' AND old = person.id || '')
    AND NOT EXISTS (SELECT 1 FROM record_change
                    WHERE field = 'contact_id' AND new = person.id || '')
    AND NOT EXISTS (SELECT 1 FROM manual_link
                    WHERE target IN (1, 2) AND kind = 1 AND record_id = person.id)
"""
"""What holds of a person with whom the user has done nothing."""
UNTOUCHED_COMPANY = """
    source != 'hand' AND deleted_at = 0 AND NOT name_by_hand AND links = ''
    AND (SELECT count(*) FROM company_domain WHERE company_id = company.id) = 1
    AND NOT EXISTS (SELECT 1 FROM person WHERE company_id = company.id)
    AND NOT EXISTS (SELECT 1 FROM opportunity WHERE company_id = company.id)
    AND NOT EXISTS (SELECT 1 FROM note WHERE kind = 2 AND record_id = company.id)
    AND NOT EXISTS (SELECT 1 FROM record_change WHERE kind = 2 AND record_id = company.id)
    AND NOT EXISTS (SELECT 1 FROM record_change
                    WHERE kind = 2 AND field = 'merged' AND new = company.id || '')
    AND NOT EXISTS (SELECT 1 FROM record_change
                    WHERE field = 'company_id' AND old = company.id || '')
    AND NOT EXISTS (SELECT 1 FROM record_change
                    WHERE field = 'company_id' AND new = company.id || '')
    AND NOT EXISTS (SELECT 1 FROM manual_link
                    WHERE target IN (1, 2) AND kind = 2 AND record_id = company.id)
"""
"""What holds of a company that is nobody's any more and with which the user has done nothing."""


def note(
    db: sqlite3.Connection,
    setting: str,
    before: object,
    after: object,
    account_id: int | None = None,
    which: str = "",
) -> None:
    """Write down that a setting was changed, and mark the change that is taken back by it.

    To set it back again takes back this one. `which` tells entries of a list apart, and is kept as
    a digest.
    """
    if before == after:
        return
    of = (setting, digest_key(which), account_id)
    found = db.execute(
        """SELECT id FROM rule_change WHERE setting = ? AND "key" = ? AND account_id IS ?
           AND NOT undone AND before = ?""",
        [*of, str(after)],
    ).fetchone()
    if found:
        db.execute(
            """DELETE FROM rule_change WHERE setting = ? AND "key" = ? AND account_id IS ?
               AND NOT undone AND id > ?""",
            [*of, found[0]],
        )
        db.execute("UPDATE rule_change SET undone = 1 WHERE id = ?", [found[0]])
    db.execute(
        """INSERT INTO rule_change (setting, "key", account_id, before, person_mark, company_mark)
           VALUES (?, ?, ?, ?, (SELECT ifnull(max(id), 0) FROM person),
                   (SELECT ifnull(max(id), 0) FROM company))""",
        [*of, str(before)],
    )


def words(db: sqlite3.Connection, account_id: int, setting: str, value: object) -> str:
    """What setting a value takes back, for somebody to read before; "" when it is no way back."""
    row = db.execute(
        """SELECT person_mark FROM rule_change WHERE setting = ? AND account_id = ?
           AND NOT undone AND before = ?""",
        [setting, account_id, str(value)],
    ).fetchone()
    if row is None:
        return ""
    (count,) = db.execute(
        f"SELECT count(*) FROM person WHERE id > ? AND {UNTOUCHED_PERSON}", row
    ).fetchone()
    if not count:
        return ""
    what = "contact" if count == 1 else "contacts"
    return f"Takes back up to {count:,} {what} that the change made; those that you edited stay."


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was set back: what came after these may go."""

    id: int
    setting: str
    person_mark: int
    company_mark: int


def undone(db: sqlite3.Connection) -> list[Undone]:
    """What is to be taken back."""
    rows = db.execute(
        "SELECT id, setting, person_mark, company_mark FROM rule_change WHERE undone ORDER BY id"
    )
    return [Undone(*row) for row in rows]


def is_undone(db: sqlite3.Connection, change_id: int) -> bool:
    """Whether a change is still to be taken back: the pass of mail or that of calendars does it."""
    found = db.execute("SELECT 1 FROM rule_change WHERE id = ? AND undone", [change_id])
    return found.fetchone() is not None


def done(db: sqlite3.Connection, change_id: int) -> None:
    """A change is taken back. Who stays for a later change goes with that one."""
    for table in ("person", "company"):
        db.execute(
            f"""UPDATE rule_change SET {table}_mark = min(
                    {table}_mark, (SELECT {table}_mark FROM rule_change WHERE id = ?1))
                WHERE id > ?1""",
            [change_id],
        )
    lower_marks(db)
    db.execute("DELETE FROM rule_change WHERE id = ?", [change_id])


def lower_marks(db: sqlite3.Connection) -> None:
    """People and companies are gone for good: their numbers may be given again."""
    for table in ("person", "company"):
        db.execute(
            f"""UPDATE rule_change SET {table}_mark =
                min({table}_mark, (SELECT ifnull(max(id), 0) FROM {table}))"""
        )


def suspects(db: sqlite3.Connection, after: int, limit: int = -1) -> list[tuple[int, int, str]]:
    """People that came after that one and are untouched: person, address, as it is written."""
    return db.execute(
        f"""SELECT person.id, address.id, address.address FROM person
            JOIN address ON address.person_id = person.id
            WHERE person.id > ? AND {UNTOUCHED_PERSON} ORDER BY 1 LIMIT ?""",
        [after, limit],
    ).fetchall()


def taking_part(db: sqlite3.Connection, addresses: Iterable[int]) -> set[int]:
    """Which addresses take part in a message or a meeting of the store."""
    packed = json.dumps(list(addresses))
    return {
        number
        for table in ("participant", "attendee")
        for (number,) in db.execute(
            f"""SELECT DISTINCT address_id FROM json_each(?) AS wanted
                CROSS JOIN {table} ON address_id = wanted.value""",
            [packed],
        )
    }


def in_skip_list(
    db: sqlite3.Connection, addresses: Iterable[str], stopping: Callable[[], bool]
) -> dict[str, Place]:
    """A place in the skip list for each of these addresses that it names.

    That reads all of it: to be asked once, and not inside a write.
    """
    packed, found = json.dumps(list(addresses)), dict[str, Place]()
    for (folder_id,) in db.execute("SELECT id FROM folder").fetchall():
        if packed == "[]" or stopping():
            break
        rows = db.execute(
            """SELECT named.value ->> 2, uid FROM skipped
               CROSS JOIN json_each(facts, '$.people') AS named
               WHERE folder_id = ? AND facts != ''
               AND named.value ->> 2 IN (SELECT value FROM json_each(?))""",
            [folder_id, packed],
        )
        found |= {address: (folder_id, uid) for address, uid in rows}
    return found


def still_named(db: sqlite3.Connection, places: Mapping[str, Place]) -> set[str]:
    """Which of these addresses the skip list names in their places still."""
    rows = db.execute(
        """SELECT wanted.value ->> 0 FROM json_each(?) AS wanted
           CROSS JOIN skipped ON folder_id = wanted.value ->> 1 AND uid = wanted.value ->> 2
           CROSS JOIN json_each(facts, '$.people') AS named
           WHERE facts != '' AND named.value ->> 2 = wanted.value ->> 0""",
        [json.dumps([(address, *place) for address, place in places.items()])],
    )
    return {address for (address,) in rows}


def take_out_people(
    db: sqlite3.Connection, change: Change, gone: Mapping[int, int], bars: Mapping[int, str]
) -> None:
    """Take out people, by person.id -> address.id; `bars` says why an address is no contact."""
    if not gone:
        return
    db.executemany(
        "UPDATE address SET person_id = NULL, is_primary = 0, no_contact = ? WHERE id = ?",
        [(bars[address], address) for address in gone.values()],
    )
    take_out(db, change, Kind.PERSON, list(gone))
    removal.forget(db, gone.values())


def take_out_companies(db: sqlite3.Connection, change: Change, after: int) -> None:
    """Take out the companies that came after that one, are untouched and have nobody any more."""
    rows = db.execute(f"SELECT id FROM company WHERE id > ? AND {UNTOUCHED_COMPANY}", [after])
    if gone := [row[0] for row in rows]:
        take_out(db, change, Kind.COMPANY, gone)


def take_out(db: sqlite3.Connection, change: Change, kind: Kind, gone: Collection[int]) -> None:
    """Take records out for good, with their links; what they were on is linked without them."""
    linked = _unlink(db, kind, list(gone))
    db.execute(
        f"DELETE FROM {records.TABLES[kind]} WHERE id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(gone))],
    )
    lower_marks(db)
    _relink(db, change, linked)
    change.topics.update(records.TOPICS.values())
    change.records.update((int(kind), one) for one in gone)


def _unlink(db: sqlite3.Connection, kind: Kind, ids: list[int]) -> dict[str, set[int]]:
    """Take the links of records away; returns the threads and meetings."""
    packed = json.dumps(ids)
    where = f"kind = {int(kind)} AND record_id IN (SELECT value FROM json_each(?))"
    found: dict[str, set[int]] = {}
    for what in BOTH:
        rows = db.execute(f"SELECT {what}_id FROM {what}_link WHERE {where}", [packed])
        found[what] = {row[0] for row in rows}
        db.execute(f"DELETE FROM {what}_link WHERE {where}", [packed])
    return found


def _relink(db: sqlite3.Connection, change: Change, linked: Mapping[str, set[int]]) -> None:
    for what, ids in linked.items():
        links.relink(db, change, ids, what)
        change.topics |= {f"{what}s"} if ids else set()
