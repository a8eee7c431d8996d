"""What is kept of an account's mail and meetings: everything, or less."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from crmmail.screens.account_values import choice
from crmmail.screens.options import Option, Setting, numbered
from crmmail.store import effects
from crmmail.store.accounts import AccountRow
from crmmail.store.database import Store
from crmmail.store.kinds import Level

_VISIBLE = {
    Level.EVERYTHING: "everything",
    Level.SUBJECT: "who, when and the subject",
    Level.METADATA: "who and when only",
}


def visibility(store: Store, account: AccountRow) -> Iterator[Setting]:
    """The rows of what is kept."""
    mail, meetings = Level(account.mail_level), Level(account.meeting_level)
    yield Setting("Of mail", _VISIBLE[mail], options=partial(_mail_levels, store, account))
    yield Setting(
        "Of meetings", _VISIBLE[meetings], options=partial(_meeting_levels, store, account)
    )


def _mail_levels(store: Store, account: AccountRow) -> list[Option]:
    db = store.read()
    return numbered(
        [
            choice(
                store,
                account,
                f"Keep of mail: {words}",
                effects.visibility(db, account.id, account.mail_level, level),
                mail_level=int(level),
            )
            for level, words in _VISIBLE.items()
        ]
    )


def _meeting_levels(store: Store, account: AccountRow) -> list[Option]:
    said = {
        Level.EVERYTHING: "Title, description, location and link are read.",
        Level.METADATA: "Title, description, location and link leave this computer.",
    }
    return numbered(
        [
            choice(
                store,
                account,
                f"Keep of meetings: {_VISIBLE[level]}",
                effect,
                meeting_level=int(level),
            )
            for level, effect in said.items()
        ]
    )
