"""A record as people name it on a command line: by id, name, address or domain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from crmmail.cli.problems import NotFoundError
from crmmail.cli.shapes import RECORD_NAMES
from crmmail.errors import CrmmailError
from crmmail.store import companies, opportunities, people
from crmmail.store.kinds import Kind

_VIEWS = {
    Kind.PERSON: people.view,
    Kind.COMPANY: companies.view,
    Kind.OPPORTUNITY: opportunities.view,
}


def record(db: sqlite3.Connection, kind: Kind, text: str) -> int:
    """The id of the one record that `text` names exactly; a number is an id as it is."""
    wanted = text.strip().casefold()
    if wanted.isdecimal():
        return int(wanted)
    ids = _VIEWS[kind](db, match=wanted)
    found = [i for i in ids if wanted in _names(db, kind, i)]
    if not found:
        raise NotFoundError(
            f"There is no {RECORD_NAMES[kind]} {text!r}.",
            "Names, addresses and domains must be whole. To look for a part: list --match TEXT",
        )
    if len(found) > 1:
        raise CrmmailError(
            f"{len(found)} records are called {text!r}.",
            f"Say which by its id: {', '.join(map(str, found[:20]))}",
        )
    return found[0]


def _names(db: sqlite3.Connection, kind: Kind, record_id: int) -> set[str]:
    return {name.casefold() for name in _called(db, kind, record_id)}


def _called(db: sqlite3.Connection, kind: Kind, record_id: int) -> Iterator[str]:
    if kind is Kind.PERSON:
        yield from (row.name for row in people.rows(db, [record_id]))
        yield from people.addresses(db, record_id)
    elif kind is Kind.COMPANY:
        yield from (row.name for row in companies.rows(db, [record_id]))
        yield from companies.domains(db, record_id)
    else:
        yield from (row.name for row in opportunities.rows(db, [record_id]))
