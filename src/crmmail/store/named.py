"""Records that match what was typed, in the order in which one of them is meant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from crmmail.store.kinds import Kind
from crmmail.store.names import Names, What
from crmmail.store.records import TABLES
from crmmail.store.windows import fold, packed
from crmmail.text import one_line

EXACT, BEGINS, PART = range(3)
"""How words name a record: it is called so; its name begins so; they are a part of something."""

_EXACT = {
    Kind.PERSON: """fold(r.name) = :name OR EXISTS (
        SELECT 1 FROM address WHERE person_id = r.id AND address = :words)""",
    Kind.COMPANY: """fold(r.name) = :name OR EXISTS (
        SELECT 1 FROM company_domain WHERE company_id = r.id AND domain = :words)""",
    Kind.OPPORTUNITY: "fold(r.name) = :name",
}


def ranked(
    db: sqlite3.Connection, kind: Kind, text: str, found: Sequence[int], limit: int
) -> dict[int, int]:
    """The found records of a kind, each with how a text names it: the best first.

    `found` are the first `limit` in the order of their list. A record that is called exactly so is
    in the answer, also where it is not among them.
    """
    words = one_line(text).strip()
    wanted = dict.fromkeys(found)
    if len(found) >= limit:
        wanted |= dict.fromkeys(_called(db, kind, words))
    ranks = _ranks(db, kind, words, list(wanted))
    known = set(found)
    order = {i: ranks.get(i, PART) for i in wanted if i in known or ranks.get(i) == EXACT}
    return dict(sorted(order.items(), key=lambda one: one[1])[:limit])


def _called(db: sqlite3.Connection, kind: Kind, words: str) -> set[int]:
    """The records of a kind with all the words in their own names."""
    return Names(db).ids(What(kind), words.split())


def _ranks(db: sqlite3.Connection, kind: Kind, words: str, ids: Sequence[int]) -> dict[int, int]:
    """The rank of the live records among some; PART is left out."""
    name = fold(words)
    if not name:
        return {}
    sql = f"""
        SELECT json_group_array(json_array(id, rank)) FROM (
            SELECT r.id AS id, CASE WHEN {_EXACT[kind]} THEN {EXACT} ELSE {BEGINS} END AS rank
            FROM {TABLES[kind]} r
            WHERE r.id IN (SELECT value FROM json_each(:ids)) AND r.deleted_at = 0
                AND (substr(fold(r.name), 1, length(:name)) = :name OR {_EXACT[kind]}))"""
    values = {"ids": json.dumps(list(ids)), "name": name, "words": words.lower()}
    return dict(packed(db, sql, values))
