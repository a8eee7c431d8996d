"""Forgetting somebody: every trace of a person's addresses leaves, and does not come back.

So that their mail, which is still on the server, stays out, a salted digest of each address is
kept. It tells whether an address is a forgotten one, and does not tell which ones are.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

from crmmail.store import (
    address_book,
    files,
    former,
    levels,
    links,
    mentioned,
    people,
    records,
    removal,
    rule_changes,
)
from crmmail.store.database import Change, Store, StoreError
from crmmail.store.kinds import Kind

REASON = "forgotten"
"""The ledger's reason for what is kept out, of which it says nothing else."""
_BATCH = 200  # messages in one transaction
_BLANK = """reason = 'forgotten', detail = '', message_id = '', sent_at = 0, subject = '',
            sender = '', size = 0, facts = ''"""
_BLANK_RESOURCE = """reason = 'forgotten', detail = '', raw = '', title = '', uid = '',
                     starts_at = 0, expanded_to = 0"""
_TOPICS = ("ledger", "notes", "meetings", *records.ALL_TOPICS)


@dataclass(frozen=True, slots=True)
class Traces:
    """What there is of somebody: under `name`, or "" for an address that is nobody's."""

    name: str
    addresses: tuple[str, ...]
    messages: int
    meetings: int
    skipped: int
    notes: int
    remains: StoreError | None = None
    """Why some of it can still be read from the store's file, or a copy, after it was forgotten."""


def digest(address: str, known: Collection[str] = ()) -> str:
    """What is kept of a forgotten address; all digests of a store have the same salt."""
    salt = next(iter(known), "").partition(":")[0] or secrets.token_hex(16)
    key = bytes.fromhex(salt)
    return f"{salt}:{blake2b(address.encode(), digest_size=16, key=key).hexdigest()}"


def is_forgotten(address: str, known: Collection[str]) -> bool:
    """Whether an address is among those whose digests are known, of whatever salts."""
    salts = {one.partition(":")[0] for one in known}
    return any(digest(address, [salt]) in known for salt in salts)


def digests_of(address: str, known: Collection[str]) -> set[str]:
    """The digests of an address with each of the salts that others have."""
    return {digest(address, [salt]) for salt in {one.partition(":")[0] for one in known}}


def digests(db: sqlite3.Connection) -> frozenset[str]:
    """Of every forgotten address."""
    return frozenset(row[0] for row in db.execute("SELECT digest FROM forgotten"))


def remembered(db: sqlite3.Connection) -> frozenset[str]:
    """The digests of addresses that were forgotten and let in again; older stores have none."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'remembered'").fetchone():
        return frozenset()
    return frozenset(row[0] for row in db.execute("SELECT digest FROM remembered"))


def traces(db: sqlite3.Connection, typed: str) -> Traces:
    """What `forget` would take out: the address's, and its owner's with all their addresses.

    Raises RecordError for an own address, and for what is none.
    """
    address = address_book.parse(typed)
    if db.execute("SELECT 1 FROM own_address WHERE address = ?", [address]).fetchone():
        raise records.RecordError(f"{address} is your own address.", "Remove the account instead.")
    owner = _owner(db, address)
    person = people.get(db, owner, deleted=True) if owner else None
    addresses = person.addresses if person else (address,)
    packed = json.dumps(addresses)
    (messages,) = db.execute(f"SELECT count(*) FROM ({_MESSAGES})", [packed]).fetchone()
    (meetings,) = db.execute(f"SELECT count(*) FROM ({_MEETINGS})", [packed]).fetchone()
    (notes,) = db.execute(
        "SELECT count(*) FROM note WHERE kind = 1 AND record_id = ?", [owner or 0]
    ).fetchone()
    skipped = sum(len(batch) for batch in _ledger(db, addresses))
    name = person.name if person else ""
    return Traces(name, addresses, messages, meetings, skipped, notes)


def mentions(db: sqlite3.Connection, addresses: Collection[str]) -> int:
    """How many messages of others have one of the addresses in their text."""
    phrases = " OR ".join('"{}"'.format(one.replace('"', "")) for one in addresses)
    (found,) = db.execute(
        "SELECT count(*) FROM search WHERE search MATCH ?", [f"{{subject text}}: ({phrases})"]
    ).fetchone()
    return int(found)


def forget(store: Store, typed: str) -> Traces:
    """Take every trace of an address and its owner out; returns what there was.

    In short transactions, the owner last: killed on the way, it is called again. Until the next
    sync has rewritten the file, deleted text may still be read from its free pages. Raises OSError,
    with nothing changed, for kept text of a form that cannot be looked through.
    """
    found = traces(store.read(), typed)
    files.remove_unsaved(store.path, (found.name, *found.addresses))
    _take_out(store, found)
    return replace(found, remains=levels.wipe(store))


def forget_again(store: Store, known: Collection[str]) -> None:
    """Take those out whose digests are known from elsewhere, as from the store before a restore.

    Nothing of them is left in the store's file; its copies are not looked at. An address that was
    theirs here, and was not forgotten, is nobody's then; its mail stays.
    """
    with store.write() as (db, _):
        ordered = db.execute("SELECT 1 FROM chore WHERE name = 'wipe'").fetchone()
        db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", [(one,) for one in known])
    for address in among(store.read(), known):
        found = traces(store.read(), address)
        gone = tuple(one for one in found.addresses if is_forgotten(one, known))
        _take_out(store, replace(found, addresses=gone))
    store.rewrite()
    if not ordered:
        with store.write() as (db, _):
            db.execute("DELETE FROM chore WHERE name = 'wipe'")


def among(db: sqlite3.Connection, known: Collection[str]) -> dict[str, str]:
    """The addresses in a store, with names, that were forgotten elsewhere; own ones are not."""
    if not known:
        return {}
    rows = sorted(mentioned.everybody(db).items())
    return {address: name for address, name in rows if is_forgotten(address, known)}


def _take_out(store: Store, found: Traces) -> None:
    """Take all of a person out of the store's rows, and keep digests of the addresses."""
    with store.write() as (db, _):
        known, back = set(digests(db)), remembered(db)
        for address in found.addresses:  # with the salt of before: older backups have that too
            known.add(digest(address, known or back))
            gone = [(one,) for one in digests_of(address, back)]
            db.executemany("DELETE FROM remembered WHERE digest = ?", gone)
        db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", [(one,) for one in known])
    packed = json.dumps(found.addresses)
    while _forget_messages(store, packed):
        pass
    for batch in _ledger(store.read(), found.addresses):
        with store.write("ledger") as (db, _):
            former.erase(db, _mids(db, batch))
            blank(db, batch)
    with store.write(*_TOPICS) as (db, change):
        _forget_meetings(db, packed)
        _forget_resources(db, found.addresses)
        _forget_person(db, change, found.addresses)
        former.erase_unknown(db)
        levels.order_wipe(db)


def blank(db: sqlite3.Connection, rows: Iterable[tuple[int, int]]) -> None:
    """Keep of entries of the skip list (folder, UID) only that they are there."""
    db.executemany(f"UPDATE skipped SET {_BLANK} WHERE folder_id = ? AND uid = ?", rows)
    levels.order_wipe(db)


_MESSAGES = """
    SELECT DISTINCT participant.message_id FROM json_each(?) AS wanted
    CROSS JOIN address ON address.address = wanted.value
    CROSS JOIN participant ON participant.address_id = address.id
"""
_MEETINGS = """
    SELECT DISTINCT meeting.uid FROM json_each(?) AS wanted
    CROSS JOIN address ON address.address = wanted.value
    CROSS JOIN attendee ON attendee.address_id = address.id
    CROSS JOIN meeting ON meeting.id = attendee.meeting_id
"""


def _owner(db: sqlite3.Connection, address: str) -> int | None:
    row = db.execute("SELECT person_id FROM address WHERE address = ?", [address]).fetchone()
    return row[0] if row else None


def _forget_messages(store: Store, packed: str) -> bool:
    """Take some of the messages out; each place where one lies gets a row of the ledger."""
    with store.write("ledger") as (db, change):
        some = [row[0] for row in db.execute(f"{_MESSAGES} LIMIT {_BATCH}", [packed])]
        ids = json.dumps(some)
        db.execute(
            """INSERT OR REPLACE INTO skipped (folder_id, uid, reason, flags)
               SELECT folder_id, uid, 'forgotten', flags FROM placement
               WHERE message_id IN (SELECT value FROM json_each(?))""",
            [ids],
        )
        db.execute(
            "DELETE FROM placement WHERE message_id IN (SELECT value FROM json_each(?))", [ids]
        )
        mids = db.execute(
            "SELECT message_id FROM message WHERE id IN (SELECT value FROM json_each(?))", [ids]
        ).fetchall()
        removal.remove_messages(db, change, some, trace=False)
        former.erase(db, [mid for (mid,) in mids])
    return bool(some)


def _mids(db: sqlite3.Connection, places: list[tuple[int, int]]) -> list[str]:
    """The Message-IDs of entries of the ledger."""
    query = "SELECT message_id FROM skipped WHERE folder_id = ? AND uid = ?"
    return [mid for place in places for (mid,) in db.execute(query, place)]


def _ledger(db: sqlite3.Connection, addresses: Collection[str]) -> Iterator[list[tuple[int, int]]]:
    """The ledger's entries in which one of the addresses takes part, some at a time."""
    after = (0, 0)
    wanted = set(addresses)
    while rows := db.execute(
        "SELECT folder_id, uid, facts FROM skipped WHERE (folder_id, uid) > (?, ?) "
        "AND facts != '' ORDER BY folder_id, uid LIMIT 5000",
        after,
    ).fetchall():
        after = rows[-1][:2]
        found = [
            (folder, uid)
            for folder, uid, facts in rows
            if any(one in facts for one in wanted)  # most have none: these need no parsing
            and wanted.intersection(one[2] for one in json.loads(facts)["people"])
        ]
        if found:
            yield found


def _forget_meetings(db: sqlite3.Connection, packed: str) -> None:
    """Take the meetings out; of their resources only the place is kept, so that they stay out."""
    uids = json.dumps([row[0] for row in db.execute(_MEETINGS, [packed])])
    db.execute(
        f"""UPDATE calendar_object SET {_BLANK_RESOURCE}
            WHERE uid IN (SELECT value FROM json_each(?))""",
        [uids],
    )
    db.execute("DELETE FROM meeting WHERE uid IN (SELECT value FROM json_each(?))", [uids])
    former.erase(db, uids=json.loads(uids))


def _forget_resources(db: sqlite3.Connection, addresses: Collection[str]) -> None:
    """Blank the resources of meetings that are in the skip list and have one of the addresses."""
    gone: list[tuple[int, str]] = []
    for number, uid, raw in db.execute("SELECT id, uid, raw FROM calendar_object WHERE raw != ''"):
        if not mentioned.in_calendar(raw, addresses).isdisjoint(addresses):
            gone.append((number, uid))
    db.executemany(
        f"UPDATE calendar_object SET {_BLANK_RESOURCE} WHERE id = ?", [(one,) for one, _ in gone]
    )
    former.erase(db, uids=[uid for _, uid in gone if uid])


def _merged(db: sqlite3.Connection, owner: int) -> list[int]:
    """A person, and the deleted ones that were merged into that one, at whatever remove."""
    found = db.execute(
        """WITH RECURSIVE merged (id) AS (
               SELECT ?
               UNION SELECT person.id FROM merged
               JOIN record_change ON kind = 1 AND record_id = merged.id AND field = 'merged'
               JOIN person ON person.id = CAST(record_change.new AS INTEGER) AND deleted_at > 0)
           SELECT id FROM merged""",
        [owner],
    )
    return [number for (number,) in found]


def _erase_person(db: sqlite3.Connection, change: Change, person: int) -> None:
    for table in ("note", "record_change", "manual_link", "thread_link", "meeting_link"):
        db.execute(f"DELETE FROM {table} WHERE kind = 1 AND record_id = ?", [person])
    db.execute(
        "DELETE FROM record_change WHERE kind = 1 AND field = 'merged' AND new = ?", [str(person)]
    )
    deals = [
        row[0] for row in db.execute("SELECT id FROM opportunity WHERE contact_id = ?", [person])
    ]
    for name in ("old", "new"):  # the number may be somebody else's later
        db.execute(
            f"UPDATE record_change SET {name} = '' WHERE field = 'contact_id' AND {name} = ?",
            [str(person)],
        )
    db.execute("DELETE FROM person WHERE id = ?", [person])
    rule_changes.lower_marks(db)
    links.relink_records(db, change, Kind.OPPORTUNITY, deals)
    change.records.add((Kind.PERSON, person))


def _forget_person(db: sqlite3.Connection, change: Change, addresses: Collection[str]) -> None:
    """Take the person out, with notes, changes, links, addresses, entries of lists; and a company
    that nothing but this person's mail told of."""
    packed = json.dumps(list(addresses))
    owner = _owner(db, next(iter(addresses)))
    sites = db.execute(
        "SELECT DISTINCT site FROM address WHERE address IN (SELECT value FROM json_each(?))",
        [packed],
    ).fetchall()
    for table in ("blocklist", "allowlist"):
        db.execute(
            f"DELETE FROM {table} WHERE pattern IN (SELECT value FROM json_each(?))", [packed]
        )
    former.erase_entries(db, addresses)
    for one in _merged(db, owner) if owner is not None else ():
        _erase_person(db, change, one)
    db.execute("DELETE FROM address WHERE address IN (SELECT value FROM json_each(?))", [packed])
    db.execute(
        """DELETE FROM company
           WHERE source != 'hand' AND NOT name_by_hand AND links = '' AND id IN (
               SELECT company_id FROM company_domain
               WHERE domain IN (SELECT value FROM json_each(?)))
           AND NOT EXISTS (SELECT 1 FROM person WHERE company_id = company.id)
           AND NOT EXISTS (SELECT 1 FROM opportunity WHERE company_id = company.id)
           AND NOT EXISTS (SELECT 1 FROM note WHERE kind = 2 AND record_id = company.id)
           AND NOT EXISTS (SELECT 1 FROM manual_link WHERE kind = 2 AND record_id = company.id)
           AND NOT EXISTS (SELECT 1 FROM record_change
                           WHERE kind = 2 AND record_id = company.id AND field != 'deleted')
           AND NOT (deleted_at > 0 AND EXISTS (  -- others would bring it back
               SELECT 1 FROM company_domain JOIN address ON address.site = domain
               WHERE company_id = company.id))
           AND NOT EXISTS (SELECT 1 FROM thread_link WHERE kind = 2 AND record_id = company.id)
           AND NOT EXISTS (SELECT 1 FROM meeting_link WHERE kind = 2 AND record_id = company.id)""",
        [json.dumps([site for (site,) in sites])],
    )
