"""Messages and meetings leave the store, and with them what they alone held up (M9, M12)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from crmmail.store import counting, former, joining, links
from crmmail.store.database import Change
from crmmail.store.kinds import Kind


def remove_messages(
    db: sqlite3.Connection, change: Change, message_ids: Iterable[int], trace: bool = True
) -> None:
    """Take messages out, with their text, search rows, empty threads and links.

    People, companies and notes stay (M12), and what the user said of a thread (C7). With `trace`
    it is remembered which threads they were in. A message may be named twice, as one that left two
    folders is.
    """
    packed = json.dumps(list(dict.fromkeys(message_ids)))  # the index counts what leaves it
    if packed == "[]":
        return
    threads = _column(
        db,
        """SELECT DISTINCT message.thread_id FROM json_each(?) AS gone
           CROSS JOIN message ON message.id = gone.value""",
        packed,
    )
    addresses = _column(
        db,
        """SELECT DISTINCT address_id FROM json_each(?) AS gone
           CROSS JOIN participant ON participant.message_id = gone.value""",
        packed,
    )
    db.execute(
        """INSERT INTO search (search, rowid, subject, people, text)
           SELECT 'delete', source.id, source.subject, source.people, source.text
           FROM json_each(?) AS gone
           CROSS JOIN search_source AS source ON source.id = gone.value""",
        [packed],
    )
    db.execute("DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))", [packed])
    remain = joining.split(db, change, threads, trace)
    forget(db, addresses)
    links.relink(db, change, remain)
    for kind in Kind:  # a thread that lost its oldest message may have been a record's first
        counting.recount(db, kind, [record for of, record in change.records if of == kind])
    change.topics.update(("threads", "people", "companies", "opportunities"))


def remove_meetings(db: sqlite3.Connection, change: Change, meeting_ids: Iterable[int]) -> None:
    """Take meetings out, with their times and links.

    People, companies and notes stay (M12), and what the user said of a meeting (C7).
    """
    packed = json.dumps(list(meeting_ids))
    if packed == "[]":
        return
    addresses = _column(
        db,
        """SELECT DISTINCT address_id FROM json_each(?) AS gone
           CROSS JOIN attendee ON attendee.meeting_id = gone.value""",
        packed,
    )
    change.records.update(
        db.execute(
            """SELECT DISTINCT link.kind, link.record_id FROM json_each(?) AS gone
               CROSS JOIN meeting_link AS link ON link.meeting_id = gone.value""",
            [packed],
        ).fetchall()
    )
    former.remember_meetings(db, packed)
    db.execute("DELETE FROM meeting WHERE id IN (SELECT value FROM json_each(?))", [packed])
    forget(db, addresses)
    change.topics.add("meetings")


def forget(db: sqlite3.Connection, address_ids: Iterable[int]) -> None:
    """Let what is left of mail and meetings name addresses (C4); drop those that nobody uses."""
    address_ids = list(address_ids)
    packed = json.dumps(address_ids)
    db.execute(
        """UPDATE address SET (name, name_at) = (
               SELECT ifnull(max(name), ''), ifnull(max(message_id), 0) FROM (
                   SELECT name, message_id FROM participant
                   WHERE address_id = address.id AND name != ''
                   ORDER BY message_id DESC, position LIMIT 1))
           WHERE id IN (SELECT value FROM json_each(?)) AND name_at
           AND NOT EXISTS (SELECT 1 FROM message WHERE message.id = name_at)""",
        [packed],
    )
    name_by_meetings(db, address_ids)
    db.execute(
        """DELETE FROM address WHERE id IN (SELECT value FROM json_each(?))
           AND person_id IS NULL AND NOT written
           AND NOT EXISTS (SELECT 1 FROM participant WHERE address_id = address.id)
           AND NOT EXISTS (SELECT 1 FROM attendee WHERE address_id = address.id)""",
        [packed],
    )


def name_by_meetings(db: sqlite3.Connection, address_ids: Iterable[int]) -> None:
    """Let the latest meeting name the addresses that no mail has a name for (C4).

    Most are called the same by all, so that it need not be looked for.
    """
    db.execute(
        """WITH named AS MATERIALIZED (
               SELECT wanted.value AS id, ifnull((
                   SELECT attendee.name FROM attendee
                   JOIN meeting ON meeting.id = attendee.meeting_id
                   WHERE attendee.address_id = wanted.value AND attendee.name != ''
                   ORDER BY meeting.last_at DESC, meeting.uid, meeting.recurrence_id LIMIT 1),
                   '') AS name
               FROM json_each(?) AS wanted CROSS JOIN address ON address.id = wanted.value
               WHERE address.name_at = 0 AND address.no_contact != 'own' AND (
                   EXISTS (SELECT 1 FROM attendee WHERE address_id = wanted.value
                           AND attendee.name NOT IN ('', address.name))
                   OR address.name != '' AND NOT EXISTS (
                       SELECT 1 FROM attendee WHERE address_id = wanted.value
                       AND attendee.name = address.name)))
           UPDATE address SET name = named.name FROM named
           WHERE address.id = named.id AND address.name != named.name""",
        [json.dumps(list(address_ids))],
    )


def _column(db: sqlite3.Connection, query: str, packed: str) -> list[int]:
    return [row[0] for row in db.execute(query, [packed])]
