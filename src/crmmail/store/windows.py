"""Reading lists: the ids of a view at once, then its rows by windows.

Each read is one row of JSON, taken in a single step: a thread that parses mail beside it can take
the interpreter away only once, however long the list.
"""

from __future__ import annotations

import json
import sqlite3
import time
import unicodedata
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crmmail.errors import CrmmailError
from crmmail.text import one_line

_MANY = 5  # times as many as are wanted
_WORDS = 20  # more than anybody types; SQLite has limits

Parameters = Sequence[int | str] | Mapping[str, int | str]


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Let several queries see the store as it is now, whatever is written meanwhile."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def packed(db: sqlite3.Connection, sql: str, parameters: Parameters = ()) -> list[Any]:
    """The one JSON array that a query answers with."""
    (text,) = db.execute(sql, parameters).fetchone()
    rows: list[Any] = json.loads(text)
    return rows


def ids(db: sqlite3.Connection, select: str, parameters: Parameters = ()) -> array[int]:
    """The ids that a query selects in a column named `id`, in its order."""
    return array("q", packed(db, f"SELECT json_group_array(id) FROM ({select})", parameters))


def window(
    db: sqlite3.Connection, sql: str, wanted: Iterable[int], *parameters: int | str
) -> list[list[Any]]:
    """The rows of some ids, in the order of the ids; ids that are gone are left out.

    The query's first parameter is the ids as JSON; each of its rows starts with the id.
    """
    order = list(wanted)
    found = {row[0]: row for row in packed(db, sql, [json.dumps(order), *parameters])}
    return [found[i] for i in order if i in found]


@dataclass(frozen=True, slots=True)
class Sort:
    """A way to sort a list: by an expression, the greatest first or not, as text or as numbers.

    With `gaps` the expression may be NULL: those come last either way.
    """

    key: str
    descending: bool = False
    text: bool = False
    gaps: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """How the list of one kind of record is read; the records' table is `r` in each expression."""

    source: str  # "person r LEFT JOIN …"
    sorts: Mapping[str, Sort]
    match: str  # where a word is looked for, see matching()
    candidates: Callable[[sqlite3.Connection, str], Collection[int] | None]
    """The only ones in which all words may be found; None: they may be in any."""

    def ids(
        self,
        db: sqlite3.Connection,
        sort: str,
        descending: bool | None = None,
        match: str = "",
        limit: int | None = None,
    ) -> array[int]:
        """The ids of the live records, sorted, ties by name and then id."""
        if sort not in self.sorts:
            known = ", ".join(self.sorts)
            raise CrmmailError(f"A list cannot be sorted by {sort!r}.", f"Sort by one of: {known}.")
        by = self.sorts[sort]
        down = by.descending if descending is None else descending
        condition, parameters = matching(match, self.match)
        if match and (some := self.candidates(db, match)) is not None:
            parameters.append(json.dumps(list(some)))
            along = "+" if limit is not None and are_many(some, limit) else ""
            condition += f" AND {along}r.id IN (SELECT value FROM json_each(?{len(parameters)}))"
        source = f"FROM {self.source} WHERE r.deleted_at = 0 AND {condition}"
        select = _as_text(by, down, source) if by.text else _as_number(by, down, source)
        return ids(db, f"{select} LIMIT {-1 if limit is None else limit}", parameters)


def are_many(found: Collection[int], limit: int) -> bool:
    """Whether the first of them are found sooner along a list than by looking at each.

    SQLite walks the list when the column is not plain: `+id IN (…)`.
    """
    return len(found) > _MANY * limit


def _as_number(by: Sort, down: bool, source: str) -> str:
    extra, order = (f", {timely(by.key)} AS key", "key IS NULL, key") if by.gaps else ("", by.key)
    order += " DESC" if down else " ASC"
    return f"SELECT r.id AS id{extra} {source} ORDER BY {order}, r.name COLLATE NOCASE, r.id"


def _as_text(by: Sort, down: bool, source: str) -> str:
    """As people sort: SQLite itself orders ASCII letters only. No text comes last."""
    order = f"key = '', {_folded('key')} {'DESC' if down else 'ASC'}, {_folded('name')}, id"
    return f"""
        WITH listed AS MATERIALIZED (SELECT r.id AS id, {by.key} AS key, r.name AS name {source})
        SELECT id FROM listed ORDER BY {order}"""


def _folded(column: str) -> str:
    """SQL for fold(): the store's connections know that, but few texts need to be handed over."""
    return f"CASE WHEN {column} GLOB '*[^ -~]*' THEN fold({column}) ELSE lower({column}) END"


def timely(sql: str) -> str:
    """SQL with the time, to the minute, for `{now}`: as text, because a list's words are bound."""
    return sql.replace("{now}", str(int(time.time()) // 60 * 60))


def fold(text: str) -> str:
    """Text as it is compared when sorting: without case and accents."""
    if not text.isascii():
        text = "".join(
            c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)
        )
    return text.casefold()


class _Letters(dict[int, int]):
    """Each character as fold() has it; those that would become several stay."""

    def __missing__(self, code: int) -> int:
        folded = fold(chr(code))
        self[code] = ord(folded) if len(folded) == 1 else code
        return self[code]


_LETTERS = _Letters()


def plain(text: str) -> str:
    """Text without case and accents, with every character at its place."""
    return text.translate(_LETTERS)


def matching(match: str, condition: str) -> tuple[str, list[str]]:
    """An SQL condition and its parameters: every word of `match` is found somewhere.

    `condition` says where to look, with `{like}` for the comparison: "(name {like} OR job {like})".
    """
    conditions, parameters = ["1"], list[str]()
    for word in one_line(match).split()[:_WORDS]:
        tests = []
        for spelling in spellings(word):
            parameters.append(f"%{escaped(spelling)}%")
            tests.append(condition.replace("{like}", f"LIKE ?{len(parameters)} ESCAPE '\\'"))
        conditions.append(f"({' OR '.join(tests)})")
    return " AND ".join(conditions), parameters


def spellings(word: str) -> list[str]:
    """A word in the cases it may be stored in: LIKE itself knows the case of ASCII letters only."""
    return [word] if word.isascii() else sorted({word, word.lower(), word.upper(), word.title()})


def escaped(word: str) -> str:
    """A word as LIKE takes it literally, with ESCAPE '\\'."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
