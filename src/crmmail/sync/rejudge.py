"""A changed rule applied to what is already here, both ways, without a download (rules.md M9)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

from crmmail.store import forgetting, former, levels, recipients
from crmmail.store.database import Change, Store
from crmmail.store.kinds import MADE_UP, Level
from crmmail.store.links import relink_met
from crmmail.sync import contacts, progress, rules
from crmmail.sync.message import Participant
from crmmail.sync.rules import Facts, Rules, judge

_BATCH = 300
"""Messages in one transaction."""
_COUNT = """
    SELECT ifnull(sum((SELECT count(*) FROM placement WHERE folder_id = folder.id)
                    + (SELECT count(*) FROM skipped WHERE folder_id = folder.id)), 0)
    FROM folder WHERE account_id = ?
"""


def fingerprint(judged_by: Any) -> str:
    """What changes whenever a rule of the account does; `judged_by` is a dataclass of rules."""
    text = json.dumps(asdict(judged_by), default=sorted, sort_keys=True)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def apply(store: Store, judged_by: Rules, stopping: Callable[[], bool] = bool) -> None:
    """Judge again what the account brought, if its rules changed since that was last done.

    What no longer passes goes to the ledger; what passes now is marked to be fetched. Killed half
    way it starts again: the fingerprint is written last. Raises rules.Moved where the rules change
    on the way.
    """
    wanted = fingerprint(judged_by)
    account = judged_by.account_id
    row = store.read().execute("SELECT applied FROM account WHERE id = ?", [account]).fetchone()
    if row is None or row[0] == wanted:
        return
    looked = recipients.suspects(store.read())
    with store.write() as (db, _):
        rules.hold(db, judged_by)
        # Set back half way, the rules would be those under which all was judged before.
        db.execute("UPDATE account SET applied = '' WHERE id = ?", [account])
        recipients.own_again(db, looked)
    written = rules.written_to(store.read())
    progress.begin(store, account, _COUNT)
    for step in (_ledger_step, _stored_step):
        after: tuple[int, int] | None = (0, 0)
        while after is not None:
            if stopping():
                return
            with store.write("state") as (db, change):
                rules.hold(db, judged_by)
                after = step(db, change, judged_by, written, after)
                progress.advance(db, account, _BATCH)
    progress.end(store, account)
    with store.write("ledger", "people") as (db, _):
        rules.hold(db, judged_by)
        _bar_again(db, judged_by)
        db.execute("UPDATE account SET applied = ? WHERE id = ?", [wanted, account])


def _ledger_step(
    db: sqlite3.Connection,
    change: Change,
    judged_by: Rules,
    written: Container[str],
    after: tuple[int, int],
) -> tuple[int, int] | None:
    rows = db.execute(
        """SELECT folder_id, uid, reason, detail, readmit, subject, level, flags, facts, sent_at,
                  message_id
           FROM skipped WHERE (folder_id, uid) > (?, ?)
           AND +folder_id IN (SELECT id FROM folder WHERE account_id = ?)
           ORDER BY folder_id, uid LIMIT ?""",  # the "+" lets SQLite go on where it stopped
        [*after, judged_by.account_id, _BATCH],
    ).fetchall()
    for folder, uid, *row in rows:
        said = _Entry(row[0], row[1], bool(row[2]), *row[3:5])
        now = _again(said, row[5:], judged_by, written)
        if now != said:
            db.execute(
                """UPDATE skipped SET reason = ?, detail = ?, readmit = ?, subject = ?, level = ?
                   WHERE folder_id = ? AND uid = ?""",
                [now.reason, now.detail, now.readmit, now.subject, now.level, folder, uid],
            )
            if now.reason == forgetting.REASON:
                forgetting.blank(db, [(folder, uid)])
                former.erase(db, row[-1:])
            change.topics.add("ledger")
    return (rows[-1][0], rows[-1][1]) if rows else None


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a row of the ledger says. `level` is that at which it was listed."""

    reason: str
    detail: str
    readmit: bool
    subject: str
    level: int


def _again(said: _Entry, about: Sequence[Any], judged_by: Rules, written: Container[str]) -> _Entry:
    """What an entry says now, of a message with these flags, facts, date and Message-ID."""
    flags, packed, sent_at, message_id = about
    level = judged_by.level
    if said.reason == forgetting.REASON:  # nothing of it is known here
        return replace(said, level=level)
    relist = _relist(said.level, level, message_id)
    now = replace(
        said,
        readmit=relist,
        subject=said.subject if level else "",
        level=said.level if relist else level,
    )
    if said.reason == "unreadable":
        if level < said.level == Level.EVERYTHING:  # its text is not needed now; words may quote it
            return replace(now, detail=said.detail[said.detail.rfind("[") :], readmit=True)
        return replace(now, readmit=relist or said.readmit)
    told = json.loads(packed)
    people = [Participant(*one) for one in told["people"]]
    invites = _invites(told["invitation"], level)
    facts = Facts(people, told["sign"], invites, flags, sent_at, message_id)
    if (verdict := judge(facts, judged_by, written)) is None:
        return replace(now, readmit=True)
    return replace(now, reason=verdict.reason, detail=verdict.detail)


def _relist(known: int, level: int, message_id: str) -> bool:
    """Whether only the server can say what is to be known at a level: a subject, a made-up id."""
    if (known == Level.METADATA) == (level == Level.METADATA):
        return False
    return known == Level.METADATA or message_id.endswith(MADE_UP)


def _invites(invitation: int, level: int) -> bool:
    """Whether a message is known for an invitation (M6): some only say so in their text."""
    return bool(invitation) and (invitation != 2 or level == Level.EVERYTHING)


def _stored_step(
    db: sqlite3.Connection,
    change: Change,
    judged_by: Rules,
    written: Container[str],
    after: tuple[int, int],
) -> tuple[int, int] | None:
    rows = db.execute(
        """SELECT placement.folder_id, placement.uid, placement.flags, message.id, message.sign,
                  message.level, message.invitation, message.message_id,
                  message.sent_at, message.subject, message.size,
                  (SELECT json_group_array(json_array(role, name, address)) FROM (
                      SELECT participant.role, participant.name, address.address
                      FROM participant JOIN address ON address.id = participant.address_id
                      WHERE participant.message_id = message.id ORDER BY participant.position))
           FROM placement JOIN message ON message.id = placement.message_id
           WHERE (placement.folder_id, placement.uid) > (?, ?)
           AND +placement.folder_id IN (SELECT id FROM folder WHERE account_id = ?)
           ORDER BY placement.folder_id, placement.uid LIMIT ?""",
        [*after, judged_by.account_id, _BATCH],
    ).fetchall()
    leaving: list[int] = []
    staying: list[int] = []
    wanted: list[tuple[int, int]] = []
    candidates: set[str] = set()
    erased: list[str] = []
    for (
        folder,
        uid,
        flags,
        key,
        sign,
        level,
        invitation,
        mid,
        sent_at,
        subject,
        size,
        packed,
    ) in rows:
        people = [Participant(*one) for one in json.loads(packed)]
        invites = _invites(invitation, judged_by.level)
        facts = Facts(people, sign, invites, flags, sent_at, mid)
        if (verdict := judge(facts, judged_by, written)) is None:
            candidates.update(rules.candidates(people, judged_by))
            staying.append(key)
            if level < judged_by.level:
                wanted.append((folder, uid))
            continue
        kept = json.dumps(
            {"people": json.loads(packed), "sign": sign, "invitation": invitation},
            ensure_ascii=False,
        )
        relist = _relist(level, judged_by.level, mid)
        db.execute(
            """INSERT OR REPLACE INTO skipped (folder_id, uid, reason, detail, message_id, sent_at,
               subject, sender, size, flags, facts, level, readmit)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                folder,
                uid,
                verdict.reason,
                verdict.detail,
                mid,
                sent_at,
                subject if judged_by.level else "",
                facts.sender,
                size,
                flags,
                kept,
                level if relist else judged_by.level,
                relist,
            ],
        )
        if verdict.reason == forgetting.REASON:
            forgetting.blank(db, [(folder, uid)])
            erased.append(mid)
        db.execute("DELETE FROM placement WHERE folder_id = ? AND uid = ?", [folder, uid])
        leaving.append(key)
    gone = [
        key
        for key in leaving
        if not db.execute("SELECT 1 FROM placement WHERE message_id = ?", [key]).fetchone()
    ]
    recipients.unwrite(db, gone)
    contacts.leave(db, change, gone)
    former.erase(db, erased)
    levels.lower(db, change, {*staying, *leaving}.difference(gone))
    db.executemany("UPDATE placement SET wanted = 1 WHERE folder_id = ? AND uid = ?", wanted)
    if leaving:
        change.topics |= {"ledger", "threads"}
    relink_met(db, change, contacts.meet(db, change, candidates, judged_by))
    return (rows[-1][0], rows[-1][1]) if rows else None


def _bar_again(db: sqlite3.Connection, judged_by: Rules) -> None:
    """Say again of every address why it is no contact (C3)."""
    rows = db.execute("SELECT id, address, no_contact, person_id FROM address").fetchall()
    fresh = []
    for address_id, address, said, person in rows:
        if said == "deleted":
            continue
        bar = "" if person else rules.contact_bar(address, judged_by) or "policy"
        if bar != said:
            fresh.append((bar, address_id))
    db.executemany("UPDATE address SET no_contact = ? WHERE id = ?", fresh)
