"""Does a meeting enter the store, and who of it becomes a contact (rules.md K7, C2, M3)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from crmmail import addresses
from crmmail.store import forgetting
from crmmail.store.kinds import Level
from crmmail.store.mail_rules import meeting_pattern
from crmmail.sync import ical, rules
from crmmail.sync.parsed import ParsedMeeting, ParsedObject
from crmmail.sync.rules import Rules, Verdict

_ADDRESS = re.compile(r"[^\s@:;,<>()\"=]{1,320}@[^\s@:;,<>()\"=?\\]+")


@dataclass(frozen=True, slots=True)
class MeetingRules:
    """One account's settings as far as they judge meetings; of files, all accounts' together."""

    base: Rules  # its policy and `sync_internal` are those for meetings
    mine: frozenset[str]  # the account's own addresses
    private: bool = False
    hides: bool = False  # V5: of meetings only people and time are kept

    def forgets(self, raw: str) -> bool:
        """Whether a text names somebody of whom no trace may be kept."""
        if not self.base.forgotten:
            return False
        named = set(map(addresses.normal, _ADDRESS.findall(ical.unfolded(raw))))
        return any(map(self.base.forgets, named - {""}))


def load(db: sqlite3.Connection, account_id: int | None) -> MeetingRules:
    """An account's rules as they are set now; None stands for files."""
    if account_id is None:
        return _for_files(db)
    policy, internal, private, level = db.execute(
        """SELECT meeting_policy, sync_internal_meetings, sync_private, meeting_level
           FROM account WHERE id = ?""",
        [account_id],
    ).fetchone()
    base = replace(rules.load(db, account_id), policy=policy, sync_internal=bool(internal))
    mine = _column(db, "SELECT address FROM own_address WHERE account_id = ?", account_id)
    return MeetingRules(base, mine, bool(private), level < Level.EVERYTHING)


def _for_files(db: sqlite3.Connection) -> MeetingRules:
    """What holds for imported files: every account's domains, and what any account allows."""
    free, internal, private, policies, policy = db.execute(
        """SELECT ifnull(min(exclude_free), 1), ifnull(max(sync_internal_meetings), 0),
                  ifnull(max(sync_private), 1), count(DISTINCT meeting_policy), min(meeting_policy)
           FROM account"""
    ).fetchone()
    colleagues = _column(db, "SELECT domain FROM internal_domain")
    base = Rules(
        0,
        own=_column(db, "SELECT address FROM own_address"),
        internal=colleagues,
        colleagues=colleagues,
        blocked=_column(db, "SELECT pattern FROM blocklist"),
        allowed=_column(db, "SELECT pattern FROM allowlist"),
        forgotten=forgetting.digests(db),
        exclude_free=bool(free),
        sync_internal=bool(internal),
        policy=policy if policies == 1 else "both",
    )
    return MeetingRules(base, frozenset(), bool(private))


def judge(found: ParsedObject, judged_by: MeetingRules) -> Verdict | None:
    """Why a meeting does not enter, or None: it does."""
    base = judged_by.base
    is_allowed = meeting_pattern(found.uid) in base.allowed
    if not (judged_by.private or is_allowed) and any(one.private for one in found.meetings):
        return Verdict("private")
    others = list(dict.fromkeys(_others(found, base)))
    if blocked := next(filter(None, map(base.blocks, others)), ""):
        return Verdict("blocked", blocked)
    if not others:
        return Verdict("nobody")
    if not (base.sync_internal or is_allowed) and all(map(base.is_internal, others)):
        return Verdict("internal")
    return None


def candidates(meeting: ParsedMeeting, judged_by: MeetingRules) -> list[str]:
    """The addresses that the account's policy would make contacts of (C2); rooms never (K5)."""
    policy = judged_by.base.policy
    if policy == "none" or meeting.cancelled:
        return []
    return [
        one.address
        for one in meeting.attendees
        if one.kind == "individual"
        and policy in ("both", "organizer" if one.organizer else "participant")
    ]


def _column(db: sqlite3.Connection, query: str, *values: object) -> frozenset[str]:
    return frozenset(row[0] for row in db.execute(query, values))


def _others(found: ParsedObject, base: Rules) -> Iterator[str]:
    """Everybody but oneself and things."""
    for meeting in found.meetings:
        for one in meeting.attendees:
            if one.address not in base.own and one.kind not in ("room", "resource"):
                yield one.address
