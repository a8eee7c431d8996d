"""The kinds of record and how each is listed: one place that the screens share."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from crmmail.store import companies, opportunities, people
from crmmail.store.kinds import Kind
from crmmail.widgets import rows as drawn
from crmmail.widgets.pieces import Piece
from crmmail.widgets.words import plural


class View(Protocol):
    """Reads the ids of a list."""

    def __call__(
        self,
        db: sqlite3.Connection,
        sort: str = "last",
        descending: bool | None = None,
        match: str = "",
        limit: int | None = None,
    ) -> array[int]: ...


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One kind of record: its name, how its list is read and drawn, what to say of an empty one."""

    kind: Kind
    title: str
    nouns: tuple[str, str]
    topic: str
    view: View
    rows: Callable[[sqlite3.Connection, Sequence[int]], Iterable[Any]]
    draw: Callable[[Any, int], Iterable[Piece]]
    columns: tuple[drawn.Column, ...]
    empty: tuple[str, ...]


CATALOGUES = (
    Catalogue(
        Kind.PERSON,
        "People",
        ("person", "people"),
        "people",
        people.view,
        people.rows,
        drawn.person,
        drawn.PEOPLE,
        ("Nobody yet", "People appear here as their mail comes in; c makes one by hand."),
    ),
    Catalogue(
        Kind.COMPANY,
        "Companies",
        ("company", "companies"),
        "companies",
        companies.view,
        companies.rows,
        drawn.company,
        drawn.COMPANIES,
        ("No company yet", "Companies appear here with their first person; c makes one by hand."),
    ),
    Catalogue(
        Kind.OPPORTUNITY,
        "Opportunities",
        ("opportunity", "opportunities"),
        "opportunities",
        opportunities.view,
        opportunities.rows,
        drawn.opportunity,
        drawn.OPPORTUNITIES,
        (
            "No opportunity yet",
            "c makes one; the mail of its company and contact gathers there by itself.",
        ),
    ),
)
NO_ACCOUNT = (
    "No mail account yet",
    "ctrl+p, then “Add a mailbox”   sets yours up here",
    "crmmail demo                   shows a sample, from the shell",
)


def all_deleted(entry: Catalogue, count: int) -> tuple[str, ...]:
    """What to say of a list that is empty because the user has deleted its records."""
    said = f"{plural(count, *entry.nouns)} deleted, none left"
    if entry.kind is Kind.OPPORTUNITY:
        return said, "c makes a new one."
    return (
        said,
        "L, then “deleted contacts”   lists those who have mail here",
        "space or * marks them, a     brings them back",
    )


_NO_MAIL = "No conversation yet"
_EMPTY_RECORD = (_NO_MAIL, "Mail with this record appears here as it comes in.")
_EMPTY_DEAL = (
    _NO_MAIL,
    "The mail of its company and contact appears here: e names them;",
    "l on a thread brings in a single one.",
)


def empty_record(kind: int) -> tuple[str, ...]:
    """What to say where a record of a kind has no threads."""
    return _EMPTY_DEAL if kind == Kind.OPPORTUNITY else _EMPTY_RECORD


def catalogue(kind: int) -> Catalogue:
    """The catalogue of a kind."""
    return next(entry for entry in CATALOGUES if entry.kind == kind)
