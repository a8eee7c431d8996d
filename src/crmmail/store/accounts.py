"""Accounts: which there are, how their sync stands, what they hold; adding and removing them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crmmail.addresses import domain_of, is_free, normal, typed_address
from crmmail.errors import CrmmailError
from crmmail.store import leaving, ledger, windows
from crmmail.store.database import Store
from crmmail.text import one_line

SECURITIES = ("tls", "starttls", "none")
POLICIES = ("sent", "sent_and_received", "none")
MEETING_POLICIES = ("both", "organizer", "participant", "none")

_FIELDS = (
    "id, email, name, host, port, security, username, secret, policy, exclude_group, exclude_free, "
    "sync_internal, mail_since, paused, pin, mail_level, meeting_level, "
    "meeting_policy, sync_internal_meetings, sync_private, "
    "caldav_url, caldav_username, caldav_secret"
)

_LOGIN = ("host", "port", "security", "username", "secret", "pin")
_FLAGS = (
    *("exclude_group", "exclude_free", "sync_internal", "paused"),
    *("sync_internal_meetings", "sync_private"),
)


class AccountError(CrmmailError):
    """An account cannot be added or removed like that."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A mailbox login and its rules; `secret` says where the password is kept, never what it is."""

    id: int
    email: str
    name: str
    host: str
    port: int
    security: str
    username: str
    secret: str
    policy: str
    exclude_group: bool
    exclude_free: bool
    sync_internal: bool
    mail_since: int
    paused: bool
    pin: str
    mail_level: int
    meeting_level: int
    meeting_policy: str
    sync_internal_meetings: bool
    sync_private: bool
    caldav_url: str
    caldav_username: str
    caldav_secret: str


@dataclass(frozen=True, slots=True)
class StateRow:
    """How an account's sync stands (S6)."""

    account_id: int
    email: str
    state: str
    done: int
    total: int
    started_at: int
    last_success: int
    next_try: int
    error: str
    hint: str
    calendar_error: str = ""
    calendar_hint: str = ""
    calendar_success: int = 0
    has_mail: bool = True


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder of an account, with what came of its messages."""

    id: int
    name: str
    role: str
    selectable: bool
    selected: bool
    messages: int
    stored: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What an account holds. After a sync, listed is stored plus all that was skipped."""

    listed: int
    stored: int
    messages: int
    skipped: dict[str, int]
    threads: int


def all_accounts(db: sqlite3.Connection) -> list[AccountRow]:
    """Every account, by address."""
    return [_account(row) for row in db.execute(f"SELECT {_FIELDS} FROM account ORDER BY email")]


def get(db: sqlite3.Connection, email: str) -> AccountRow | None:
    """The account of that address, or None."""
    row = db.execute(f"SELECT {_FIELDS} FROM account WHERE email = ?", [normal(email)]).fetchone()
    return _account(row) if row else None


def states(db: sqlite3.Connection) -> list[StateRow]:
    """How the sync of every account stands, by address."""
    found = db.execute(
        """
        SELECT account.id, email, coalesce(state, 'new'), coalesce(done, 0), coalesce(total, 0),
               coalesce(started_at, 0), coalesce(last_success, 0), coalesce(next_try, 0),
               coalesce(error, ''), coalesce(hint, ''), coalesce(calendar_error, ''),
               coalesce(calendar_hint, ''), coalesce(calendar_success, 0),
               host != '' OR caldav_url = ''
        FROM account LEFT JOIN sync_state ON account_id = account.id ORDER BY email
        """
    )
    return [StateRow(*(*row[:-1], bool(row[-1]))) for row in found]


def folders(db: sqlite3.Connection, account_id: int) -> list[FolderRow]:
    """The folders of an account, by name."""
    found = db.execute(
        """
        SELECT id, name, role, selectable, selected, messages,
               (SELECT count(*) FROM placement WHERE folder_id = folder.id),
               (SELECT count(*) FROM skipped WHERE folder_id = folder.id)
        FROM folder WHERE account_id = ? AND NOT former ORDER BY name
        """,
        [account_id],
    )
    return [
        FolderRow(i, name, role, bool(selectable), bool(selected), *counts)
        for i, name, role, selectable, selected, *counts in found
    ]


def addresses(db: sqlite3.Connection, account_id: int) -> list[str]:
    """The user's own addresses at an account: its own and the aliases."""
    return _column(
        db, "SELECT address FROM own_address WHERE account_id = ? ORDER BY 1", account_id
    )


def internal_domains(db: sqlite3.Connection, account_id: int) -> list[str]:
    """The domains whose people are colleagues (M4)."""
    return _column(
        db, "SELECT domain FROM internal_domain WHERE account_id = ? ORDER BY 1", account_id
    )


def counts(db: sqlite3.Connection, account_id: int) -> Counts:
    """What the server lists for an account, and what came of it."""
    with windows.snapshot(db):
        listed, stored = db.execute(
            """
            SELECT coalesce(sum(messages), 0),
                   coalesce(sum((SELECT count(*) FROM placement WHERE folder_id = folder.id)), 0)
            FROM folder WHERE account_id = ?
            """,
            [account_id],
        ).fetchone()
        messages, threads = db.execute(
            """
            SELECT count(*), count(DISTINCT thread_id) FROM message WHERE id IN (
                SELECT message_id FROM placement JOIN folder ON folder.id = folder_id
                WHERE account_id = ?)
            """,
            [account_id],
        ).fetchone()
        skipped = ledger.by_reason(db, account_id)
    return Counts(listed, stored, messages, skipped, threads)


def still_to_come(db: sqlite3.Connection, account_id: int) -> str:
    """How far the first import is, in words; "" when all is here."""
    done, total, left, reached = db.execute(
        """
        SELECT sum((SELECT count(*) FROM placement WHERE folder_id = folder.id)
                 + (SELECT count(*) FROM skipped WHERE folder_id = folder.id)),
               sum(messages), sum(floor > 1 OR (uidvalidity = 0 AND messages > 0)),
               max(iif(floor > 1, (
                   SELECT sent_at FROM (
                       SELECT uid, sent_at FROM (
                           SELECT uid, message.sent_at FROM placement
                           JOIN message ON message.id = placement.message_id
                           WHERE folder_id = folder.id ORDER BY uid LIMIT 1)
                       UNION ALL SELECT uid, sent_at FROM (
                           SELECT uid, sent_at FROM skipped
                           WHERE folder_id = folder.id ORDER BY uid LIMIT 1))
                   ORDER BY uid LIMIT 1), 0))
        FROM folder WHERE account_id = ? AND selected AND selectable
        """,
        [account_id],
    ).fetchone()
    if not left:
        return ""
    percent = min(100 * (done or 0) // max(total or 0, 1), 99)
    moment = datetime.fromtimestamp(reached or 0, UTC)
    before = f"mail before {moment.day} {moment:%B %Y}" if reached else "all mail"
    return f"initial import {percent} %, {before} still to come"


def add(
    store: Store,
    email: str,
    host: str = "",
    port: int = 993,
    security: str = "tls",
    username: str = "",
    secret: str = "",
    policy: str = "sent",
    aliases: Iterable[str] = (),
    **rules: Any,
) -> int:
    """Add a mailbox; returns its id. `secret` says where the password is kept.

    Its own domain is internal (M4), if not anybody can have an address there. `rules` are name,
    exclude_group, exclude_free, sync_internal, mail_since and pin.
    """
    from crmmail.store.models import Account, InternalDomain, OwnAddress, SyncState

    own = _address(email)
    _check(port, security, policy, host)
    with store.session("accounts", "state") as (session, db, _):
        if get(db, own):
            raise AccountError(
                f"There is an account {own} already.", f"crmmail account remove {own}"
            )
        account = Account(
            email=own,
            host=host.strip(),
            port=port,
            security=security,
            username=username or own,
            secret=secret,
            policy=policy,
            **rules,
        )
        account.name = one_line(account.name)
        session.add(account)
        session.flush()
        account_id = account.id or 0
        everyone = {own, *map(_address, aliases)}
        session.add_all(OwnAddress(account_id=account_id, address=one) for one in everyone)
        if not is_free(domain_of(own)):
            session.add(InternalDomain(account_id=account_id, domain=domain_of(own)))
        session.add(SyncState(account_id=account_id))
    return account_id


def set_login(store: Store, email: str, **values: Any) -> None:
    """Change where and how an account signs in: host, port, security, username, secret, pin.

    The next sync uses it; a refusal that stopped the account is forgotten (S5).
    """
    with store.write("accounts", "state") as (db, _):
        if (account := get(db, email)) is None:
            raise AccountError(f"There is no account {email}.")
        login = {name: getattr(account, name) for name in _LOGIN} | values
        _check(login["port"], login["security"], account.policy, login["host"])
        db.execute(
            f"UPDATE account SET {', '.join(f'{name} = :{name}' for name in _LOGIN)}, "
            "login_at = max(login_at + 1, :now) WHERE id = :id",
            {**login, "id": account.id, "now": int(time.time())},
        )
        db.execute(
            "UPDATE sync_state SET state = 'waiting', error = '', hint = '', next_try = 0 "
            "WHERE account_id = ?",
            [account.id],
        )


def set_calendars(
    store: Store, email: str, url: str, username: str = "", secret: str = "", why: str = ""
) -> int:
    """Set where an account's calendars are and how it signs in there, or `why` it has none."""
    with store.write("accounts", "state") as (db, _):
        if (account := get(db, email)) is None:
            raise AccountError(f"There is no account {email}.")
        db.execute(
            "UPDATE account SET caldav_url = ?, caldav_username = ?, caldav_secret = ?, "
            "login_at = max(login_at + 1, ?) WHERE id = ?",
            [url, username, secret, int(time.time()), account.id],
        )
        db.execute(
            "UPDATE sync_state SET calendar_error = '', calendar_hint = ? WHERE account_id = ?",
            [why, account.id],
        )
    return account.id


def remove(
    store: Store, email: str, on_progress: Callable[[int, int], object] = leaving.nobody
) -> None:
    """Remove a mailbox and the mail that only it held; people, companies and notes stay (M12).

    It is paused at once and gone at the end; what is cut short goes on with the next sync.
    """
    with store.write("accounts", "state") as (db, _):
        if (account := get(db, email)) is None:
            known = ", ".join(one.email for one in all_accounts(db)) or "none"
            raise AccountError(f"There is no account {email}.", f"Accounts: {known}.")
        leaving.begin(db, account.id)
    leaving.finish(store, on_progress)


def _address(typed: str) -> str:
    if not (address := typed_address(typed)):
        raise AccountError(f"{typed!r} is not an e-mail address.", "It looks like me@acme.com.")
    return address


def _check(port: int, security: str, policy: str, host: str) -> None:
    if not 0 < port < 65_536:
        raise AccountError(f"{port} is not a port.", "Ports are 1 to 65535; IMAP's is 993.")
    if security not in SECURITIES:
        raise AccountError(f"{security!r} is no security.", f"One of: {', '.join(SECURITIES)}.")
    if policy not in POLICIES:
        raise AccountError(f"{policy!r} is no policy.", f"One of: {', '.join(POLICIES)}.")
    if any(c.isspace() or c in "/@" for c in host.strip()):
        raise AccountError(f"{host!r} is not a server.", "It looks like imap.acme.com.")


def _account(row: tuple[object, ...]) -> AccountRow:
    values = dict(zip(AccountRow.__slots__, row, strict=True))
    for flag in _FLAGS:
        values[flag] = bool(values[flag])
    return AccountRow(**values)  # type: ignore[arg-type]  # SQLite gives objects


def _column(db: sqlite3.Connection, sql: str, account_id: int) -> list[Any]:
    return [value for (value,) in db.execute(sql, [account_id])]
