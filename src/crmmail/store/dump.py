"""The logical content of the store as lines of JSON: stores that say the same print the same.

Nothing that depends on when or in which order mail came: no row ids, no UIDs, no times of sync.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from crmmail.store import accounts, dump_calendar, hands, windows
from crmmail.store.kinds import Kind

_PLACES = """
    SELECT json_group_array(json_array(email, name)) FROM (
        SELECT account.email, folder.name FROM placement JOIN folder ON folder.id = folder_id
        JOIN account ON account.id = account_id WHERE message_id = m.id ORDER BY 1, 2)
"""
_PARTICIPANTS = """
    SELECT json_group_array(json_array(role, name, address)) FROM (
        SELECT role, participant.name, address FROM participant
        JOIN address ON address.id = address_id WHERE message_id = m.id ORDER BY position)
"""
_ATTACHMENTS = """
    SELECT json_group_array(json_array(name, mime, inline)) FROM (
        SELECT name, mime, inline FROM attachment WHERE message_id = m.id ORDER BY position)
"""
_MESSAGES = f"""
    SELECT m.message_id, level, sent_at, subject, outgoing, flags, ({_PARTICIPANTS}),
           ({_ATTACHMENTS}), ({_PLACES}), quotes, text
    FROM message m LEFT JOIN message_text ON message_text.message_id = m.id ORDER BY m.message_id
"""
_THREADS = """
    SELECT min(message_id) AS key, subject, first_at, last_at, (
        SELECT json_group_array(message_id) FROM (
            SELECT message_id FROM message WHERE thread_id = thread.id ORDER BY 1))
    FROM thread JOIN (SELECT message_id, thread_id FROM message) ON thread_id = thread.id
    GROUP BY thread.id ORDER BY key
"""
_Keys = dict[str, dict[int, str]]
_HOW_TO_REACH_IT = (
    *("host", "port", "security", "username", "secret"),
    *("caldav_url", "caldav_username", "caldav_secret", "login_at"),
)
_LEDGER = """
    SELECT email, folder.name, reason, detail, message_id, skipped.subject, sender
    FROM skipped JOIN folder ON folder.id = folder_id JOIN account ON account.id = account_id
    ORDER BY 1, 2, 3, 4, 5, 6, 7
"""
_RECORDS = {
    Kind.PERSON: """
        SELECT id, name, deleted_at > 0, first_at, last_at, json_object(
            'by_hand', name_by_hand, 'job', job, 'phone', phone, 'links', links,
            'company', company_id),
            (SELECT min(address) FROM address WHERE person_id = person.id) AS known_by
        FROM person ORDER BY known_by, name
    """,
    Kind.COMPANY: """
        SELECT id, name, deleted_at > 0, first_at, last_at,
            json_object('by_hand', name_by_hand, 'links', links),
            (SELECT min(domain) FROM company_domain WHERE company_id = company.id) AS known_by
        FROM company ORDER BY known_by, name
    """,
    Kind.OPPORTUNITY: """
        SELECT id, name, deleted_at > 0, first_at, last_at, json_object(
            'stage', stage, 'amount', amount, 'currency', currency, 'closes_on', closes_on,
            'company', company_id, 'contact', contact_id),
            '' AS known_by
        FROM opportunity ORDER BY known_by, name
    """,
}


def dump(db: sqlite3.Connection) -> Iterator[str]:
    """The lines of the dump, of one snapshot of the store, without line ends."""
    with windows.snapshot(db):
        for part in (
            _accounts,
            _messages,
            _threads,
            _meetings,
            _records,
            _hand,
            _ledger,
            _addresses,
        ):
            yield from part(db)


def _line(what: str, **values: Any) -> str:
    return json.dumps({"what": what, **values}, ensure_ascii=False)


def _column(db: sqlite3.Connection, sql: str, *parameters: int) -> list[Any]:
    return [value for (value,) in db.execute(sql, parameters)]


def _accounts(db: sqlite3.Connection) -> Iterator[str]:
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    for row in cursor.execute("SELECT * FROM account ORDER BY email"):
        values = dict(row)
        account_id = values.pop("id")
        for how_to_reach_it in _HOW_TO_REACH_IT:
            del values[how_to_reach_it]
        yield _line(
            "account",
            **values,
            own=accounts.addresses(db, account_id),
            internal=accounts.internal_domains(db, account_id),
        )
    for pattern in _column(db, "SELECT pattern FROM blocklist ORDER BY 1"):
        yield _line("blocked", pattern=pattern)
    for email, name, role, selected, messages in db.execute(
        """SELECT email, folder.name, role, selected, messages
           FROM folder JOIN account ON account.id = account_id WHERE NOT former ORDER BY 1, 2"""
    ):
        yield _line(
            "folder", account=email, name=name, role=role, selected=selected, messages=messages
        )


def _messages(db: sqlite3.Connection) -> Iterator[str]:
    for row in db.execute(_MESSAGES):
        (
            message_id,
            level,
            sent_at,
            subject,
            outgoing,
            flags,
            people,
            parts,
            places,
            quotes,
            text,
        ) = row
        yield _line(
            "message",
            message_id=message_id,
            level=level,
            sent_at=sent_at,
            subject=subject,
            outgoing=outgoing,
            flags=flags,
            participants=json.loads(people),
            attachments=json.loads(parts),
            placements=json.loads(places),
            quotes=quotes,
            text=text,
        )


def _threads(db: sqlite3.Connection) -> Iterator[str]:
    for _, subject, first_at, last_at, messages in db.execute(_THREADS):
        yield _line(
            "thread",
            messages=json.loads(messages),
            subject=subject,
            first_at=first_at,
            last_at=last_at,
        )


def _meetings(db: sqlite3.Connection) -> Iterator[str]:
    for calendar in dump_calendar.calendars(db):
        yield _line("calendar", **calendar)
    for meeting in dump_calendar.meetings(db):
        yield _line("meeting", **meeting)


def _records(db: sqlite3.Connection) -> Iterator[str]:
    keys = _keys(db)
    for kind, sql in _RECORDS.items():
        # Namesakes with the same address, or none, are told apart by all that is known of them.
        for _, alike in groupby(db.execute(sql), key=lambda row: (row[6], row[1])):
            yield from sorted(_record(db, kind, row, keys) for row in alike)


def _record(db: sqlite3.Connection, kind: Kind, row: tuple[Any, ...], keys: _Keys) -> str:
    record_id, name, deleted, first_at, last_at, fields, _ = row
    values = json.loads(fields)
    for reference, other in (("company", Kind.COMPANY), ("contact", Kind.PERSON)):
        if reference in values:
            values[reference] = _label(db, other, values[reference])
    linked = {
        f"{what}s": sorted(
            (keys[what].get(target, ""), why)
            for target, why in db.execute(
                f"SELECT {what}_id, why FROM {what}_link "
                "WHERE kind = ? AND record_id = ? AND hand >= 0",
                [kind, record_id],
            )
            if not deleted
        )
        for what in hands.BOTH
    }
    return _line(
        kind.name.lower(),
        name=name,
        known_by=_known_by(db, kind, record_id),
        **values,
        deleted=deleted,
        first_at=first_at,
        last_at=last_at,
        **linked,
        notes=_column(
            db, "SELECT text FROM note WHERE kind = ? AND record_id = ? ORDER BY 1", kind, record_id
        ),
    )


def _label(db: sqlite3.Connection, kind: Kind, record_id: int | None) -> list[str] | None:
    """A record as another one refers to it: by name and what it is known by."""
    if record_id is None:
        return None
    sql = f"SELECT name FROM {kind.name.lower()} WHERE id = ? AND deleted_at = 0"
    name = _column(db, sql, record_id)
    return [*name, *_known_by(db, kind, record_id)] if name else None


def _known_by(db: sqlite3.Connection, kind: Kind, record_id: int) -> list[str]:
    """The addresses of a person, the primary one first; the domains of a company."""
    if kind is Kind.PERSON:
        sql = "SELECT address FROM address WHERE person_id = ? ORDER BY is_primary DESC, address"
    elif kind is Kind.COMPANY:
        sql = "SELECT domain FROM company_domain WHERE company_id = ? ORDER BY 1"
    else:
        return []
    return _column(db, sql, record_id)


def _keys(db: sqlite3.Connection) -> _Keys:
    """What tells threads and meetings apart in any store: the smallest Message-ID, the UID."""
    threads = "SELECT thread_id, min(message_id) FROM message GROUP BY thread_id"
    meetings = "SELECT id, trim(uid || ' ' || recurrence_id) FROM meeting"
    return {
        hands.THREAD: dict(db.execute(threads).fetchall()),
        hands.MEETING: dict(db.execute(meetings).fetchall()),
    }


def _hand(db: sqlite3.Connection) -> Iterable[str]:
    keys = _keys(db)
    lines = []
    for what in hands.BOTH:
        for kind, record_id, target, hand in db.execute(
            f"SELECT kind, record_id, {what}_id, hand FROM {what}_link WHERE hand != 0"
        ):
            if (label := _label(db, Kind(kind), record_id)) is not None:
                record = [Kind(kind).name.lower(), *label]
                done = "linked" if hand > 0 else "hidden"
                lines.append(_line(done, record=record, **{what: keys[what].get(target, "")}))
    return sorted(lines)


def _ledger(db: sqlite3.Connection) -> Iterator[str]:
    for email, folder, reason, detail, message_id, subject, sender in db.execute(_LEDGER):
        yield _line(
            "skipped",
            account=email,
            folder=folder,
            reason=reason,
            detail=detail,
            message_id=message_id,
            subject=subject,
            sender=sender,
        )
    for meeting in dump_calendar.ledger(db):
        yield _line("skipped_meeting", **meeting)


def _addresses(db: sqlite3.Connection) -> Iterator[str]:
    sql = "SELECT address, name, written, no_contact FROM address ORDER BY address"
    for address, name, written, no_contact in db.execute(sql):
        yield _line("address", address=address, name=name, written=written, no_contact=no_contact)
