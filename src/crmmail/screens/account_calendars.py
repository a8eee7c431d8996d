"""The calendars of an account: which are read, and whom their meetings make contacts of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from crmmail.screens.account_values import choice, switch
from crmmail.screens.options import Option, Setting, numbered
from crmmail.screens.undo import Undo
from crmmail.store import calendars
from crmmail.store.accounts import AccountRow
from crmmail.store.calendars import CalendarRow
from crmmail.store.database import Store

_ASKED = {
    "both": "who calls one and who is asked",
    "organizer": "who calls one",
    "participant": "who is asked",
    "none": "nobody",
}


def of_meetings(store: Store, account: AccountRow, held: list[CalendarRow]) -> Iterator[Setting]:
    """The rows of what is read of meetings, and of each calendar."""
    yield Setting(
        "Contacts of meetings",
        _ASKED[account.meeting_policy],
        options=partial(_meeting_policies, store, account),
    )
    for name in ("sync_internal_meetings", "sync_private"):
        yield switch(store, account, name)
    for row in held:
        yield Setting(
            row.name or row.url,
            row.error or ("read" if row.selected else "not read"),
            "bad" if row.error else "text" if row.selected else "muted",
            partial(_calendar, store, row),
        )


def _meeting_policies(store: Store, account: AccountRow) -> list[Option]:
    effect = "Makes contacts of old meetings too; those that there are stay."
    return numbered(
        [
            choice(store, account, f"Contacts of meetings: {words}", effect, meeting_policy=policy)
            for policy, words in _ASKED.items()
        ]
    )


def _calendar(store: Store, row: CalendarRow) -> list[Option]:
    count = calendars.counts(store.read(), row.id).meetings
    on = not row.selected
    words = f"{'Read' if on else 'Do not read'} {row.name or row.url}"
    effect = "Its meetings are fetched." if on else f"Removes up to {count:,} meetings from here."
    return [Option(0, words, effect, partial(_select, store, row.id, on), words)]


def _select(store: Store, calendar_id: int, on: bool) -> Undo:
    return partial(
        calendars.select, store, calendar_id, on=calendars.select(store, calendar_id, on=on)
    )
