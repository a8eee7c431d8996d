"""Accounts: which there are, how their sync stands, what they hold; adding and removing them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_FIELDS = (
    "id, email, name, host, port, security, username, secret, policy, exclude_group, exclude_free, "
    "sync_internal, mail_since, paused"
)


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
    row = db.execute(f"SELECT {_FIELDS} FROM account WHERE email = ?", [_key(email)]).fetchone()
    return _account(row) if row else None


def states(db: sqlite3.Connection) -> list[StateRow]:
    """How the sync of every account stands, by address."""
    found = db.execute(
        """
        SELECT account.id, email, coalesce(state, 'new'), coalesce(done, 0), coalesce(total, 0),
               coalesce(started_at, 0), coalesce(last_success, 0), coalesce(next_try, 0),
               coalesce(error, ''), coalesce(hint, '')
        FROM account LEFT JOIN sync_state ON account_id = account.id ORDER BY email
        """
    )
    return [StateRow(*row) for row in found]


def folders(db: sqlite3.Connection, account_id: int) -> list[FolderRow]:
    """The folders of an account, by name."""
    found = db.execute(
        """
        SELECT id, name, role, selectable, selected, messages,
               (SELECT count(*) FROM placement WHERE folder_id = folder.id),
               (SELECT count(*) FROM skipped WHERE folder_id = folder.id)
        FROM folder WHERE account_id = ? ORDER BY name
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
    from crmmail.store import ledger

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
    return Counts(listed, stored, messages, ledger.by_reason(db, account_id), threads)


def _account(row: tuple[object, ...]) -> AccountRow:
    values = dict(zip(AccountRow.__slots__, row, strict=True))
    for flag in ("exclude_group", "exclude_free", "sync_internal", "paused"):
        values[flag] = bool(values[flag])
    return AccountRow(**values)  # type: ignore[arg-type]


def _key(email: str) -> str:
    from crmmail import addresses

    return addresses.normal(email) or email.strip()


def _column(db: sqlite3.Connection, sql: str, account_id: int) -> list[str]:
    return [value for (value,) in db.execute(sql, [account_id])]
