"""Everybody in a thread or at a meeting: in which roles, whose address, or why nobody's (C3)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from crmmail.screens.blocking import blocking
from crmmail.screens.clipboard import copy
from crmmail.screens.undo import Do
from crmmail.store import address_book, people, why
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.messages import MessageRow, Person
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit, safe
from crmmail.widgets.window_list import WindowList

_ROLES = ("from", "to", "cc", "bcc", "reply_to")


@dataclass(frozen=True, slots=True)
class Row:
    """An address; `roles` say what it has to do with the thread or the meeting."""

    id: int
    name: str
    address: str
    roles: str
    person_id: int | None
    company: str
    no_contact: str


def participants(db: sqlite3.Connection, messages: Sequence[MessageRow]) -> list[Row]:
    """Who takes part in these messages, in the order in which they first did."""
    seen: dict[str, Person] = {}
    roles: dict[str, Counter[str]] = {}
    for who in (who for message in messages for who in message.participants):
        if not (known := seen.get(who.address)) or not known.name:
            seen[who.address] = who
        roles.setdefault(who.address, Counter())[who.role] += 1
    ids = {who.person_id for who in seen.values() if who.person_id is not None}
    companies = {row.id: row.company for row in people.rows(db, sorted(ids))}
    return [
        Row(
            position,
            who.name if who.name != who.address else "",
            who.address,
            _roles(roles[who.address]),
            who.person_id,
            companies.get(who.person_id or 0, ""),
            who.no_contact,
        )
        for position, who in enumerate(seen.values())
    ]


def _roles(counts: Counter[str]) -> str:
    """How often somebody has which role."""
    found = (role for role in _ROLES if counts[role])
    return ", ".join(f"{role.replace('_', '-')} {counts[role]}" for role in found)


def draw(row: Row, width: int) -> Iterator[Piece]:
    """An address on one line."""
    first = max(width * 45 // 100, 24)
    name = "me" if row.no_contact == "own" else row.name
    text = f"{name} <{row.address}>" if name else row.address
    yield fit(text, first), "text" if row.person_id is None else "strong"
    yield "  " + fit(row.roles, 24 if width >= 100 else 16 if width >= 70 else 9), "muted"
    if row.person_id is not None:
        yield "  contact" + (f", {row.company}" if row.company else ""), "good"
    else:
        yield "  " + (why.contact(row.no_contact) or "no contact"), "accent"


class ParticipantsPanel(Panel[Row]):
    """Everybody in a thread or at a meeting."""

    BINDING_GROUP_TITLE = "Participants"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "Record",
            tooltip="Open the person's record",
            id="participants.open",
        ),
        Binding(
            "c",
            "create",
            "Make a contact",
            tooltip="Make a contact of the address",
            id="participants.create",
        ),
        Binding(
            "B",
            "block",
            "Block",
            tooltip="Keep out all mail with the address, and remove what is here",
            id="participants.block",
        ),
        Binding(
            "y",
            "copy",
            "Copy",
            tooltip="Copy the address to the clipboard",
            id="participants.copy",
        ),
    ]

    def __init__(self, store: Store) -> None:
        super().__init__(
            draw,
            title="Participants",
            nouns=("address", "addresses"),
            empty="Nobody takes part.",
            id="participants",
        )
        self._store = store

    @on(WindowList.Opened)
    def _opened(self, event: WindowList.Opened) -> None:
        event.stop()
        row = self.row
        if row is None:
            return
        if row.person_id is None:
            words = why.contact(row.no_contact) or "no contact"
            self.notify(
                f"{safe(row.address)} has no record ({words}). c makes a contact of it.",
                markup=False,
            )
            return
        from crmmail.screens.record import RecordScreen

        self.close()
        RecordScreen.open(self.app, self._store, Kind.PERSON, row.person_id)

    def action_create(self) -> None:
        """Make a contact of the address."""
        row = self.row
        if row is None:
            return
        if row.person_id is not None or row.no_contact == "own":
            words = "That is your own address." if row.no_contact == "own" else "A contact already."
            self.notify(words, timeout=3, markup=False)
            return
        do = partial(create, self._store, row.address)
        self.screen.post_message(Do(f"{safe(row.address)} is a contact now", do))

    def action_block(self) -> None:
        """Put the address on the blocklist."""
        if self.row is not None:
            self.screen.post_message(blocking(self._store, [self.row.address]))

    def action_copy(self) -> None:
        """Copy the address to the clipboard."""
        if self.row is not None:
            copy(self, self.row.address)


def create(store: Store, address: str) -> Callable[[], object]:
    """Make a person of an address; returns what makes it nobody's again, for the same reason."""
    before = {address: address_book.held(store.read(), address)}
    person_id = people.create(store, addresses=[address])
    return partial(people.unmake, store, person_id, before)
