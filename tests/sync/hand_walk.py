"""One seeded walk over what a person does by hand, and what happens on the servers meanwhile.

Each step is done to the store and not to a twin of it. When it is taken back, and the servers have
been read again, both say the same: nothing by hand is lost, doubled or brought back.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing

from tests.dav_servers import CalDav
from tests.remote import Remote
from tests.sync import hand_deeds
from tests.sync.conftest import dumped
from tests.sync.hand_deeds import DEEDS, Deed
from tests.sync.hand_events import CIRCLES, EVENTS, arrive, meet
from tests.sync.hand_world import Undo, Walk

from crmmail.errors import CrmmailError
from crmmail.store import mail_rules
from crmmail.store.database import Store
from crmmail.store.kinds import Kind


class Broken(AssertionError):
    """Something is not as it has to be."""


_LABEL = {
    Kind.PERSON: """SELECT name || ' ' || ifnull((SELECT group_concat(address) FROM (SELECT address
                    FROM address WHERE person_id = person.id ORDER BY 1)), '') FROM person""",
    Kind.COMPANY: """SELECT name || ' ' || ifnull((SELECT group_concat(domain) FROM (SELECT domain
                     FROM company_domain WHERE company_id = company.id ORDER BY 1)), '')
                     FROM company""",
    Kind.OPPORTUNITY: "SELECT name FROM opportunity",
}


def said_by_hand(store: Store) -> list[str]:
    """What is in the tables of what was done by hand, and that no dump says."""
    db = store.read()

    def label(kind: int, record: int) -> str:
        row = db.execute(f"{_LABEL[Kind(kind)]} WHERE id = ?", [record]).fetchone()
        return f"{Kind(kind).name} {row[0] if row else f'of {record}, which is gone'}"

    found = [
        f"deed {target} {key} {label(kind, record)} {hand}"
        for target, key, kind, record, hand in db.execute(
            "SELECT target, key, kind, record_id, hand FROM manual_link"
        )
    ]
    found += [
        f"note {label(kind, record)} {text} {created}"
        for kind, record, text, created in db.execute(
            "SELECT kind, record_id, text, created_at FROM note"
        )
    ]
    found += [
        f"change {label(kind, record)} {name} {old} {new}"
        for kind, record, name, old, new in db.execute(
            "SELECT kind, record_id, field, old, new FROM record_change"
        )
    ]
    found += [f"allowed {one}" for one in mail_rules.allowed(db)]
    return sorted(found)


def numbers(store: Store) -> dict[str, int]:
    """The thread of each message, and the meeting of each UID and time."""
    found = dict(store.read().execute("SELECT message_id, thread_id FROM message").fetchall())
    query = "SELECT uid || ' ' || recurrence_id, id FROM meeting"
    return found | dict(store.read().execute(query).fetchall())


def check(store: Store) -> None:
    """What holds in every store."""
    db = store.read()
    empty = {
        "a link of a record that is not there": """SELECT kind, record_id FROM (
            SELECT kind, record_id FROM manual_link UNION SELECT kind, record_id FROM note
            UNION SELECT kind, record_id FROM record_change
            UNION SELECT kind, record_id FROM thread_link
            UNION SELECT kind, record_id FROM meeting_link)
            WHERE NOT EXISTS (SELECT 1 FROM person WHERE kind = 1 AND id = record_id)
            AND NOT EXISTS (SELECT 1 FROM company WHERE kind = 2 AND id = record_id)
            AND NOT EXISTS (SELECT 1 FROM opportunity WHERE kind = 3 AND id = record_id)""",
        "a thread without messages": """SELECT id FROM thread WHERE id NOT IN (
            SELECT thread_id FROM message)""",
        "a message without a thread": """SELECT id FROM message WHERE thread_id NOT IN (
            SELECT id FROM thread)""",
        "two primary addresses": """SELECT person_id FROM address WHERE is_primary
            GROUP BY person_id HAVING count(*) > 1""",
        "no primary address": """SELECT person_id FROM address WHERE person_id IS NOT NULL
            GROUP BY person_id HAVING sum(is_primary) = 0""",
        "an address that nobody uses": """SELECT address FROM address WHERE person_id IS NULL
            AND NOT written AND NOT EXISTS (SELECT 1 FROM participant WHERE address_id = address.id)
            AND NOT EXISTS (SELECT 1 FROM attendee WHERE address_id = address.id)""",
    }
    found = {what: rows for what, sql in empty.items() if (rows := db.execute(sql).fetchall())}
    _equal({}, found)
    hand_of_threads(db)


def hand_of_threads(db: sqlite3.Connection) -> None:
    """What is shown of threads is the latest that was said of any of their Message-IDs."""
    wanted = set(
        db.execute(
            """SELECT kind, record_id, thread_id, hand FROM (
                   SELECT kind, record_id, thread_id, hand, max(at) FROM manual_link
                   JOIN thread_ref ON digest_key(mid) = manual_link.key WHERE target = 1
                   GROUP BY kind, record_id, thread_id)"""
        ).fetchall()
    )
    shown = set(
        db.execute(
            "SELECT kind, record_id, thread_id, hand FROM thread_link WHERE hand != 0"
        ).fetchall()
    )
    _equal(sorted(wanted), sorted(shown))


FIRST: tuple[Deed, ...] = (
    hand_deeds.new_deal,
    *(hand_deeds.link_thread,) * 2,
    hand_deeds.link_meeting,
    hand_deeds.note,
    hand_deeds.new_person,
)
"""What is done by hand before a walk begins."""


def begin(store: Store, boxes: tuple[Remote, ...], dav: CalDav, seed: int) -> Walk:
    """A store that knows some mail and meetings, and has a few things done by hand."""
    walk = Walk(store, boxes, dav, random.Random(seed))
    for box in boxes:
        box.create("Clients")
    for _ in range(14):
        arrive(walk)
    for _ in range(2):
        meet(walk)
    walk.settle()
    for deed in FIRST:
        _done(walk, deed)
    return walk


def step(walk: Walk) -> None:
    """One thing that is done, and perhaps taken back."""
    rnd = walk.rnd
    walk.steps += 1
    if rnd.randrange(6) == 0:
        _circle(walk, rnd.choice(CIRCLES))
        return
    if rnd.randrange(3) == 0:
        happens = rnd.choice(EVENTS)
        walk.said.append(happens.__name__)
        happens(walk)
        walk.settle()
        check(walk.store)
        return
    deed = rnd.choice(DEEDS)
    how = rnd.choice(["kept", "at once", "settled", "meanwhile", "meanwhile"])
    walk.said.append(f"{deed.__name__}, {how}")
    twin = _copy(walk)
    try:
        before = numbers(walk.store)
        undo = _done(walk, deed)
        if undo is None:
            return
        if how == "kept":
            walk.settle()
            check(walk.store)
            return
        if how != "at once":
            walk.settle()
            check(walk.store)
        if how == "meanwhile":
            for happens in rnd.choices(EVENTS, k=rnd.randint(1, 2)):
                walk.said.append(f"  {happens.__name__}")
                happens(walk)
            walk.settle()
            check(walk.store)
        undo()
        walk.settle()
        walk.settle(twin)
        _same(walk.store, twin)
        after = numbers(walk.store)
        changed = {k: (v, after[k]) for k, v in before.items() if after.get(k, v) != v}
        expected = {k: (v, n) for k, v in before.items() if (n := numbers(twin).get(k, v)) != v}
        _equal(expected, changed)
        check(walk.store)
    finally:
        twin.close()


def _circle(walk: Walk, circle: Callable[[Walk], None]) -> None:
    walk.said.append(circle.__name__)
    before = dumped(walk.store), said_by_hand(walk.store), numbers(walk.store)
    circle(walk)
    walk.settle(runs=4)
    after = dumped(walk.store), said_by_hand(walk.store), numbers(walk.store)
    for wanted, found in zip(before, after, strict=True):
        _equal(wanted, found)
    check(walk.store)


def _same(store: Store, twin: Store) -> None:
    _equal(dumped(twin), dumped(store))
    _equal(said_by_hand(twin), said_by_hand(store))


def _equal(wanted: object, found: object) -> None:
    if wanted == found:
        return
    if isinstance(wanted, list) and isinstance(found, list):
        raise Broken("\n".join(_differ(wanted, found)))
    raise Broken(f"wanted {wanted}\nfound {found}")


def _differ(wanted: list[str], found: list[str]) -> list[str]:
    missing = [f"missing: {one}" for one in wanted if one not in found]
    more = [f"too much: {one}" for one in found if one not in wanted]
    doubled = [f"doubled: {one}" for one in set(found) if found.count(one) > wanted.count(one)]
    return missing + (more or doubled)


def _done(walk: Walk, deed: Deed) -> Undo | None:
    try:
        return deed(walk)
    except CrmmailError as problem:
        walk.said.append(f"  refused: {problem}")
        return None


def _copy(walk: Walk) -> Store:
    path = walk.store.path.with_name("twin.db")
    for old in path.parent.glob("twin.db*"):
        old.unlink()
    with closing(sqlite3.connect(path)) as copied:
        walk.store.read().backup(copied)
    return Store(path)
