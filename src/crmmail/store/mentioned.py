"""Everybody whose address is in a store, also in its skip list, rules or calendars only."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any

from crmmail.addresses import normal

_FOLDED = re.compile(r"\r?\n[ \t]")
_MAILTO = re.compile(r"mailto:([^\s;:,\"<>]+)")
# By table: an older store does not have all of them.
_ROWS = {
    "address": "SELECT address, name FROM address",
    "blocklist": "SELECT pattern, '' FROM blocklist WHERE pattern LIKE '_%@%'",
    "allowlist": """SELECT pattern, '' FROM allowlist
                    WHERE pattern LIKE '_%@%' AND pattern NOT LIKE '<%'""",
}


def everybody(db: sqlite3.Connection) -> dict[str, str]:
    """All addresses but the user's own, with their names where known; also of an old store."""
    found: dict[str, str] = {}
    for address, name in _all(db):
        found[address] = found.get(address) or name
    for (own,) in db.execute("SELECT address FROM own_address"):
        found.pop(own, None)
    return found


def in_facts(facts: str) -> list[tuple[str, str, str]]:
    """Role, name and address of each person that an entry of the skip list tells of."""
    return [(role, name, address) for role, name, address, *_ in json.loads(facts)["people"]]


def in_document(document: dict[str, Any]) -> set[str]:
    """The addresses in the rules and the imported calendars of a backup; not those of people."""
    lists = {one for part in ("blocklist", "allowlist", "written") for one in document[part]}
    return lists.union(*(in_calendar(raw) for row in document["calendars"] for raw in row["raw"]))


def in_calendar(raw: str, wanted: Collection[str] = ()) -> set[str]:
    """The addresses of who takes part in a resource; none where no wanted one does."""
    lines = _FOLDED.sub("", raw).lower().splitlines()
    people = " ".join(one for one in lines if one.startswith(("attendee", "organizer")))
    if wanted and not any(one in people for one in wanted):  # most have none
        return set()
    return {normal(one) for one in _MAILTO.findall(people)}


def _all(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    for table, query in _ROWS.items():
        if table in tables:
            yield from db.execute(query)
    for (facts,) in db.execute("SELECT facts FROM skipped WHERE facts != ''"):
        for _, name, address in in_facts(facts):
            yield address, name
    if "calendar_object" in tables:
        for (raw,) in db.execute("SELECT raw FROM calendar_object WHERE raw != ''"):
            for address in in_calendar(raw):
                yield address, ""
