"""Pure functions: does a message enter the store, and is an address a contact (rules.md M, C)."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from crmmail import addresses
from crmmail.store import forgetting
from crmmail.store.kinds import Flag, Level
from crmmail.sync.message import Participant
from crmmail.sync.problems import Problem


@dataclass(frozen=True, slots=True)
class Rules:
    """One account's settings, as far as they judge mail and make contacts.

    `own` holds the addresses of all accounts: they are all the same person's.
    """

    account_id: int
    own: frozenset[str]
    internal: frozenset[str]  # domains
    colleagues: frozenset[str]  # the internal domains of all accounts
    blocked: frozenset[str]  # addresses, and domains as "@domain"
    exclude_group: bool = True
    exclude_free: bool = True
    sync_internal: bool = False
    policy: str = "sent"
    since: int = 0  # M10: older mail stays outside
    level: int = Level.EVERYTHING  # V: what is fetched and kept
    allowed: frozenset[str] = frozenset()  # exceptions: addresses, "@domain", "<Message-ID>"
    forgotten: frozenset[str] = frozenset()  # digests of addresses of which no trace may be kept

    def is_internal(self, address: str) -> bool:
        """Whether an address is in an internal domain of this account (M4)."""
        return _within(address, self.internal)

    def blocks(self, address: str) -> str:
        """The blocklist entry that an address matches (M3), or ""."""
        return "" if address in self.own else _matching(address, self.blocked)

    def forgets(self, address: str) -> bool:
        """Whether no trace of an address may be kept."""
        return bool(self.forgotten) and forgetting.is_forgotten(address, self.forgotten)

    def allows(self, message_id: str, sender: str) -> bool:
        """Whether an exception lets this message in, whatever M4 to M7 say."""
        return f"<{message_id}>" in self.allowed or bool(_matching(sender, self.allowed))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at: the same for a message just listed and for a stored one."""

    people: Sequence[Participant]
    sign: str
    invitation: bool
    flags: int
    sent_at: int
    message_id: str = ""

    @property
    def sender(self) -> str:
        """The From address, "" without one."""
        return next((person.address for person in self.people if person.role == "from"), "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a message does not enter: the reason, and what exactly fired."""

    reason: str
    detail: str = ""


def judge(facts: Facts, rules: Rules, written: Container[str]) -> Verdict | None:
    """The first of M10 and M2 to M7 that fires, or None: the message enters.

    Before all of them, somebody who was forgotten. `written` are the role addresses that I have
    written to (M5).
    """
    if rules.forgotten and any(rules.forgets(person.address) for person in facts.people):
        return Verdict(forgetting.REASON)
    if facts.sent_at < rules.since:
        return Verdict("old")
    others = [person.address for person in facts.people if person.address not in rules.own]
    if facts.flags & Flag.DRAFT:
        return Verdict("draft")
    if blocked := next(filter(None, map(rules.blocks, others)), ""):
        return Verdict("blocked", blocked)
    if rules.allows(facts.message_id, facts.sender):
        return None
    if facts.people and not rules.sync_internal and all(map(rules.is_internal, others)):
        return Verdict("internal")
    if group := _group_sign(facts, rules, written):
        return Verdict("group", group)
    if facts.invitation:
        return Verdict("invitation")
    if not others:
        return Verdict("nobody")
    return None


def _group_sign(facts: Facts, rules: Rules, written: Container[str]) -> str:
    sender = facts.sender
    if not rules.exclude_group or sender in rules.own:
        return ""
    if facts.sign:
        return facts.sign
    local = sender.partition("@")[0]
    if addresses.is_machine(local):
        return "machine"
    if addresses.is_role(local) and sender not in written:
        return "role"
    return ""


def contact_bar(address: str, rules: Rules) -> str:
    """Why an address can be no contact (C3), or ""."""
    if address in rules.own:
        return "own"
    if _within(address, rules.colleagues):
        return "internal"
    if addresses.is_group(address):
        return "group"
    if rules.blocks(address):
        return "blocked"
    if rules.exclude_free and addresses.is_free(addresses.domain_of(address)):
        return "free-mail"
    return ""


def candidates(people: Iterable[Participant], rules: Rules) -> list[str]:
    """The addresses that the account's policy would make contacts of (C2)."""
    people = list(people)
    if rules.policy == "none":
        return []
    if rules.policy == "sent":
        if not any(person.role == "from" and person.address in rules.own for person in people):
            return []
        return [person.address for person in people if person.role in ("to", "cc", "bcc")]
    return [person.address for person in people]


class Moved(Exception):
    """The rules, or what is stored, changed after something was judged: the pass begins anew."""


def hold(db: sqlite3.Connection, judged_by: Rules) -> None:
    """Raise Moved unless these rules still hold: to be asked inside each write that they judged."""
    if load(db, judged_by.account_id) != judged_by:
        raise Moved


def load(db: sqlite3.Connection, account_id: int) -> Rules:
    """An account's rules as they are set now."""
    row = db.execute(
        """SELECT exclude_group, exclude_free, sync_internal, policy, mail_since, mail_level
           FROM account WHERE id = ?""",
        [account_id],
    ).fetchone()
    if row is None:
        raise Problem("The account was removed while it was synced.")
    return Rules(
        account_id,
        own=_set(db, "SELECT address FROM own_address"),
        internal=_set(db, "SELECT domain FROM internal_domain WHERE account_id = ?", account_id),
        colleagues=_set(db, "SELECT domain FROM internal_domain"),
        blocked=_set(db, "SELECT pattern FROM blocklist"),
        exclude_group=bool(row[0]),
        exclude_free=bool(row[1]),
        sync_internal=bool(row[2]),
        policy=row[3],
        since=row[4],
        level=row[5],
        allowed=_set(db, "SELECT pattern FROM allowlist"),
        forgotten=forgetting.digests(db),
    )


def written_to(db: sqlite3.Connection) -> set[str]:
    """The role addresses that I have written to (M5)."""
    return {
        row[0]
        for row in db.execute("SELECT address FROM address WHERE written")
        if addresses.is_role(row[0].partition("@")[0])
    }


def _matching(address: str, patterns: frozenset[str]) -> str:
    """The entry of a list that an address matches: itself, or a domain above it; or ""."""
    if not patterns or not address:
        return ""
    if address in patterns:
        return address
    domain = addresses.domain_of(address)
    while domain:
        if f"@{domain}" in patterns:
            return f"@{domain}"
        domain = domain.partition(".")[2]
    return ""


def _within(address: str, domains: Iterable[str]) -> bool:
    domain = addresses.domain_of(address)
    return any(addresses.in_domain(domain, parent) for parent in domains)


def _set(db: sqlite3.Connection, query: str, *values: object) -> frozenset[str]:
    return frozenset(row[0] for row in db.execute(query, values))
