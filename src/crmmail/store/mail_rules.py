"""An account's rules, as its user sets them; the next pass applies them to what is there (M9)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from crmmail.addresses import normal, typed_address, typed_domain
from crmmail.errors import CrmmailError, MissingError
from crmmail.store import rule_changes
from crmmail.store.accounts import MEETING_POLICIES, POLICIES
from crmmail.store.database import Store

SWITCHES = (
    *("exclude_group", "exclude_free", "sync_internal", "paused"),
    *("sync_internal_meetings", "sync_private"),
)
NOT_MINE = "not mine "
"""How a chore begins that names an address that was mine: what it wrote is not mine any more."""
LEVELS = ("mail_level", "meeting_level")
"""Settings whose values are a Level (V)."""


class RuleError(CrmmailError):
    """A rule cannot be set like that."""


class NoRuleError(RuleError, MissingError):
    """What is to be changed is not there."""


def change(store: Store, account_id: int, **values: object) -> None:
    """Set the policy (C2), `mail_since` (M10, epoch seconds, 0 for none), a level or a switch."""
    _change(store, account_id, values)


def set_values(store: Store, account_id: int, **values: object) -> Callable[[], object]:
    """As `change`; returns what sets back what they were, unless they were changed since (U2)."""
    before = _change(store, account_id, values)
    return partial(_change, store, account_id, before, values)


def _change(
    store: Store,
    account_id: int,
    values: Mapping[str, object],
    instead_of: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Set values of an account, with `instead_of` only where these are there; returns the old."""
    if values.get("policy", POLICIES[0]) not in POLICIES:
        raise RuleError(f"{values['policy']!r} is no policy.", f"One of: {', '.join(POLICIES)}.")
    if values.get("meeting_policy", MEETING_POLICIES[0]) not in MEETING_POLICIES:
        known = ", ".join(MEETING_POLICIES)
        raise RuleError(f"{values['meeting_policy']!r} is no policy.", f"One of: {known}.")
    others = ("policy", "meeting_policy", "mail_since", "name")
    if unknown := values.keys() - {*SWITCHES, *LEVELS, *others}:
        raise ValueError(f"no rules of an account: {unknown}")
    before: dict[str, object] = {}
    with store.write("accounts") as (db, _):
        for name, value in values.items():
            row = db.execute(f"SELECT {name} FROM account WHERE id = ?", [account_id]).fetchone()
            if row is None:
                continue
            if instead_of is not None and row[0] != instead_of[name]:
                raise RuleError("The setting was changed since.", "It stays as it is.")
            before[name] = row[0]
            if name in rule_changes.SETTINGS:  # a switch is 0 or 1, as it stands in the store
                now = int(value) if isinstance(value, int) else value
                rule_changes.note(db, name, row[0], now, account_id)
            db.execute(f"UPDATE account SET {name} = ? WHERE id = ?", [value, account_id])
    return before


def add_alias(store: Store, account_id: int, typed: str) -> str:
    """Make an address one's own; returns it as it is compared."""
    address = as_address(typed)
    with store.write("accounts") as (db, _):
        _put_on(db, "own_address", account_id, address)
    return address


def drop_alias(store: Store, account_id: int, typed: str) -> None:
    """Make an alias a stranger's again."""
    with store.write("accounts") as (db, _):
        (email,) = db.execute("SELECT email FROM account WHERE id = ?", [account_id]).fetchone()
        if as_address(typed) == normal(email):
            raise RuleError(f"{email} is the account's own address.", "Only aliases can go.")
        _gone(
            db,
            "DELETE FROM own_address WHERE account_id = ? AND address = ?",
            [account_id, as_address(typed)],
            f"{typed} is no alias of {email}.",
        )
        rule_changes.note(db, "own_address", 1, 0, account_id, as_address(typed))
        db.execute("INSERT OR IGNORE INTO chore VALUES (?)", [f"{NOT_MINE}{as_address(typed)}"])


def add_internal(store: Store, account_id: int, typed: str) -> str:
    """Make a domain one of colleagues (M4); returns it as it is compared."""
    domain = as_domain(typed)
    with store.write("accounts") as (db, _):
        _put_on(db, "internal_domain", account_id, domain)
    return domain


def drop_internal(store: Store, account_id: int, typed: str) -> None:
    """Make a domain one of strangers again."""
    with store.write("accounts") as (db, _):
        _gone(
            db,
            "DELETE FROM internal_domain WHERE account_id = ? AND domain = ?",
            [account_id, as_domain(typed)],
            f"{typed} is no internal domain of this account.",
        )
        rule_changes.note(db, "internal_domain", 1, 0, account_id, as_domain(typed))


def select_folder(store: Store, account_id: int, name: str, *, on: bool) -> bool:
    """Read a folder, or stop to: then its mail leaves the store (M9).

    Returns whether it was read before.
    """
    with store.write("accounts", "state") as (db, _):
        row = db.execute(
            """SELECT id, selectable, selected FROM folder
               WHERE account_id = ? AND name = ? AND NOT former""",
            [account_id, name],
        ).fetchone()
        if row is None:
            raise NoRuleError(f"There is no folder {name}.", "They are known after the first sync.")
        if on and not row[1]:
            raise RuleError(f"{name} holds no messages: the server says that it cannot be opened.")
        rule_changes.note(db, "folder", int(row[2]), int(on), account_id, name)
        db.execute(
            "UPDATE folder SET selected = ? WHERE account_id = ? AND name = ?",
            [on, account_id, name],
        )
    return bool(row[2])


def blocked(db: sqlite3.Connection) -> list[str]:
    """The blocklist (M3), sorted."""
    return [row[0] for row in db.execute("SELECT pattern FROM blocklist ORDER BY pattern")]


def block(store: Store, typed: str) -> str:
    """Keep out an address, or all of a domain written "@domain"; returns it as it is compared."""
    pattern = as_pattern(typed)
    with store.write("accounts") as (db, _):
        if db.execute("SELECT 1 FROM own_address WHERE address = ?", [pattern]).fetchone():
            raise RuleError(f"{pattern} is your own address.", "Own addresses are never blocked.")
        _put_on(db, "blocklist", None, pattern)
    return pattern


def unblock(store: Store, typed: str) -> str:
    """Take an entry off the blocklist."""
    pattern = as_pattern(typed)
    _take_off(store, "blocklist", pattern, f"{pattern} is not on the blocklist.")
    return pattern


def allowed(db: sqlite3.Connection) -> list[str]:
    """The exceptions, sorted: addresses, "@domain", "<Message-ID>" (M4 to M7), meetings (K7)."""
    return [row[0] for row in db.execute("SELECT pattern FROM allowlist ORDER BY pattern")]


def meeting_pattern(uid: str) -> str:
    """The exception for one meeting, with all its times."""
    return f"<meeting:{uid}>"


def allow(store: Store, typed: str) -> str:
    """Let in one message, written "<Message-ID>", or all mail from an address or "@domain".

    Or one meeting, as `meeting_pattern` has it. Whatever M4 to M7 or K7 say of it; the blocklist
    still keeps it out. Returns it as it is compared.
    """
    pattern = as_exception(typed)
    with store.write("accounts") as (db, _):
        _put_on(db, "allowlist", None, pattern)
    return pattern


def disallow(store: Store, typed: str) -> str:
    """End an exception: what it let in is judged like all other mail again."""
    pattern = as_exception(typed)
    _take_off(store, "allowlist", pattern, f"There is no exception for {pattern}.")
    return pattern


def as_exception(typed: str) -> str:
    """What was typed as an exception: a message, a meeting, an address, "@domain"."""
    typed = typed.strip()
    return typed if typed.startswith("<") and typed.endswith(">") else as_pattern(typed)


def _take_off(store: Store, table: str, pattern: str, otherwise: str) -> None:
    with store.write("accounts") as (db, _):
        _gone(db, f"DELETE FROM {table} WHERE pattern = ?", [pattern], otherwise)
        rule_changes.note(db, table, 1, 0, which=pattern)


def _put_on(db: sqlite3.Connection, table: str, account_id: int | None, entry: str) -> None:
    """Add an entry to a list, of an account or of all."""
    values = [entry] if account_id is None else [account_id, entry]
    marks = ", ".join("?" * len(values))
    if db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values).rowcount:
        rule_changes.note(db, table, 0, 1, account_id, entry)


def _gone(db: sqlite3.Connection, sql: str, values: list[object], otherwise: str) -> None:
    if db.execute(sql, values).rowcount == 0:
        raise NoRuleError(otherwise)


def as_pattern(typed: str) -> str:
    """What was typed as an entry of a list: an address, or "@domain". Raises in words."""
    typed = typed.strip()
    if typed.startswith("@"):
        return f"@{as_domain(typed[1:])}"
    return as_address(typed, "It looks like ann@acme.com; a domain, @acme.com.")


def as_address(typed: str, hint: str = "It looks like ann@acme.com.") -> str:
    """What was typed as an address as it is compared. Raises in words."""
    if not (address := typed_address(typed)):
        raise RuleError(f"{typed!r} is not an e-mail address.", hint)
    return address


def as_domain(typed: str) -> str:
    """What was typed as a domain as it is compared. Raises in words."""
    if not (domain := typed_domain(typed.strip().lstrip("@"))):
        raise RuleError(f"{typed!r} is not a domain.", "It looks like acme.com.")
    return domain


def as_day(typed: str) -> int:
    """The beginning of a day typed as 2024-01-31, in epoch seconds. Raises in words."""
    try:
        return int(datetime.strptime(typed.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise RuleError(f"{typed!r} is not a day.", "It looks like 2024-01-31.") from None
