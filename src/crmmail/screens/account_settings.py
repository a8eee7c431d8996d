"""The settings of one account, as rows that say what they are, and what each choice would do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial

from crmmail.addresses import normal
from crmmail.errors import CrmmailError
from crmmail.screens.account_calendars import of_meetings
from crmmail.screens.account_rules import rules
from crmmail.screens.account_values import choice, switch
from crmmail.screens.account_visibility import visibility
from crmmail.screens.options import Option, Setting, numbered, pair
from crmmail.screens.undo import Undo
from crmmail.store import accounts, calendars, effects, mail_rules
from crmmail.store.accounts import AccountRow, FolderRow
from crmmail.store.database import Store
from crmmail.text import one_line


def settings(store: Store, account: AccountRow) -> Iterator[Setting]:
    """What can be set, of one account and of all."""
    db = store.read()
    yield Setting("Rules", role="title")
    yield from rules(store, account)
    yield Setting("Visibility", role="title")
    yield from visibility(store, account)
    yield Setting("Folders", role="title")
    for folder in accounts.folders(db, account.id):
        yield _folder(store, account, folder)
    yield Setting("Calendars", role="title")
    if held := calendars.rows(db, account.id):
        yield from of_meetings(store, account, held)
    elif not account.caldav_url:
        add = f"crmmail account set {account.email} --caldav https://…"
        yield Setting("None", f"their address: {add}", "muted")
    yield Setting("Blocklist, of all accounts", role="title")
    for pattern in mail_rules.blocked(db):
        yield Setting(
            pattern, "kept out, always", options=partial(numbered, [_unblock(store, pattern)])
        )
    yield Setting("Add…", "an address, or a domain: @acme.com", "muted", partial(block, store))
    yield Setting("This account", role="title")
    yield switch(store, account, "paused", "bad" if account.paused else "text")
    yield Setting("Name", account.name or "(none)", options=partial(_name, store, account))
    yield Setting("Remove", "from this computer", "bad", partial(_remove, store, account))


def _folder(store: Store, account: AccountRow, folder: FolderRow) -> Setting:
    if not folder.selectable:
        return Setting(folder.name, "holds no messages: the server does not open it", "muted")
    kind = f"{folder.role}, " if folder.role else ""
    counts = f"{folder.messages:,} messages"
    if folder.selected:
        counts += f": {folder.stored:,} here, {folder.skipped:,} skipped"
    said = "read" if folder.selected else "not read"
    role = "text" if folder.selected else "muted"
    return Setting(
        folder.name,
        f"{said}  {kind}{counts}",
        role,
        partial(_folder_options, store, account, folder),
    )


def _folder_options(store: Store, account: AccountRow, folder: FolderRow) -> list[Option]:
    on = not folder.selected
    words = f"{'Read' if on else 'Do not read'} {folder.name}"
    do = partial(_select, store, account.id, folder.name, on)
    return [Option(0, words, effects.folder(folder, on=on), do, words)]


def _select(store: Store, account_id: int, name: str, on: bool) -> Undo:
    was = mail_rules.select_folder(store, account_id, name, on=on)
    return partial(mail_rules.select_folder, store, account_id, name, on=was)


def _unblock(store: Store, pattern: str) -> Option:
    return pair(
        f"{pattern} is not blocked",
        effects.unblock(store.read(), pattern),
        partial(mail_rules.unblock, store, pattern),
        partial(mail_rules.block, store, pattern),
    )


def block(store: Store) -> list[Option]:
    """Asks for what is to be blocked."""
    ask = "Keep out an address, or a domain: @acme.com"
    return [Option(0, "Block…", ask=ask, answer=partial(_blocking, store))]


def _blocking(store: Store, typed: str) -> Option:
    pattern = mail_rules.as_pattern(typed)
    if pattern in mail_rules.blocked(store.read()):
        return Option(0, f"{pattern} is blocked")  # to undo it would undo what was done before
    return pair(
        f"{pattern} is blocked",
        effects.block(store.read(), pattern),
        partial(mail_rules.block, store, pattern),
        partial(mail_rules.unblock, store, pattern),
    )


def _name(store: Store, account: AccountRow) -> list[Option]:
    def choose(typed: str) -> Option:
        name = one_line(typed)
        return choice(store, account, f"Name: {name or '(none)'}", "Only shown here.", name=name)

    return [Option(0, "Name the account…", ask="A name for the account", answer=choose)]


def _remove(store: Store, account: AccountRow) -> list[Option]:
    """Nothing brings an account back, so that its address has to be typed (U4)."""

    def answer(typed: str) -> Option:
        if normal(typed) != account.email:
            raise CrmmailError(
                f"That is not {account.email}.",
                "Nothing was removed. Type its address to remove it.",
            )
        effect = effects.removal(store.read(), account.id)
        words = f"Remove {account.email}. This cannot be undone"
        return Option(0, words, effect, partial(remove, store, account), "")

    ask = f"Type {account.email} to remove it. This cannot be undone"
    return [Option(0, "Remove…", ask=ask, answer=answer)]


def remove(store: Store, account: AccountRow) -> None:
    """Remove an account, and its password or its tokens in the keyring."""
    from crmmail.accounts import leaving

    accounts.remove(store, account.email)
    leaving.forget(account.email, account.secret)


def state(db: sqlite3.Connection, account: AccountRow) -> accounts.StateRow | None:
    """How the account's sync stands."""
    return next((one for one in accounts.states(db) if one.account_id == account.id), None)
