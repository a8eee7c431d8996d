"""One value of an account, as the choices to set it: a switch is on or off."""

from __future__ import annotations

from functools import partial

from crmmail.screens.options import Option, Setting, numbered
from crmmail.store import effects, mail_rules
from crmmail.store.accounts import AccountRow
from crmmail.store.database import Store

_SWITCHES = {
    "exclude_group": ("Group mail", "let in", "kept out"),
    "sync_internal": ("Mail between colleagues", "kept out", "let in"),
    "exclude_free": ("Free-mail contacts", "made", "not made"),
    "sync_internal_meetings": ("Meetings of colleagues", "kept out", "let in"),
    "sync_private": ("Private meetings", "kept out", "let in"),
    "paused": ("Sync", "goes on", "paused"),
}
"""What each is about, and what it says when it is off, and on."""


def choice(store: Store, account: AccountRow, words: str, effect: str, **values: object) -> Option:
    """A choice of one value; the one that holds now does nothing."""
    if all(getattr(account, name) == value for name, value in values.items()):
        return Option(0, words, "As it is now.")
    do = partial(mail_rules.set_values, store, account.id, **values)
    return Option(0, words, effect, do, f"{account.email}: {words}")


def switch(store: Store, account: AccountRow, name: str, role: str = "text") -> Setting:
    """The row of a switch."""
    title, *said = _SWITCHES[name]
    on = bool(getattr(account, name))
    return Setting(title, said[on], role, partial(_positions, store, account, name))


def _positions(store: Store, account: AccountRow, name: str) -> list[Option]:
    db = store.read()
    title, *said = _SWITCHES[name]
    return numbered(
        choice(
            store,
            account,
            f"{title}: {said[value]}",
            effects.switch(db, account.id, name, value),
            **{name: value},
        )
        for value in (False, True)
    )
