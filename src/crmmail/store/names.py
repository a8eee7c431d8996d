"""Names while they are typed: records, addresses and subjects by any part of their name."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from crmmail.store.kinds import Kind
from crmmail.store.windows import escaped, packed, plain
from crmmail.text import has_no_spaces, one_line

_TEXT = """CASE key & 7
    WHEN 1 THEN (SELECT name FROM person WHERE id = key >> 3)
    WHEN 2 THEN (SELECT name || ' ' || ifnull((SELECT group_concat(domain, ' ')
                 FROM company_domain WHERE company_id = company.id), '')
                 FROM company WHERE id = key >> 3)
    WHEN 3 THEN (SELECT name FROM opportunity WHERE id = key >> 3)
    WHEN 4 THEN (SELECT address || ' ' || name FROM address WHERE id = key >> 3)
    WHEN 5 THEN (SELECT subject FROM thread WHERE id = key >> 3)
    WHEN 6 THEN (SELECT title FROM meeting WHERE id = key >> 3) END"""
_INDEXES = (("search_names", "key & 7 < 5"), ("search_subjects", "key & 7 >= 5"))
_TRIGRAM = 3
# Private use: no text in the store has such characters (crmmail.text).
_MARKS = "\ue000\ue000"
_WORD = re.compile(r"(?<![^\W_])(?=[^\W_])")
_MOST = 5_000  # ids of one word: more are no choice
_MOST_FIRSTS = 500
# All characters with which three letters begin, each looked up behind the one before.
_FIRSTS = """
    WITH RECURSIVE letters (term) AS (
        SELECT (SELECT term FROM temp.name_letters LIMIT 1)
        UNION ALL
        SELECT (SELECT term FROM temp.name_letters
                WHERE term >= substr(letters.term, 1, 1) || char(1114111) LIMIT 1)
        FROM letters WHERE letters.term IS NOT NULL LIMIT ?)
    SELECT json_group_array(substr(term, 1, 1)) FROM letters WHERE term IS NOT NULL
"""


class What(IntEnum):
    """What a row of the index names; the first three are Kind's."""

    PERSON = Kind.PERSON
    COMPANY = Kind.COMPANY
    OPPORTUNITY = Kind.OPPORTUNITY
    ADDRESS = 4
    THREAD = 5
    MEETING = 6


_RECORDS = (What.PERSON, What.COMPANY, What.OPPORTUNITY, What.ADDRESS)


def stale(db: sqlite3.Connection) -> bool:
    """Whether something is to be indexed."""
    return db.execute("SELECT 1 FROM search_stale LIMIT 1").fetchone() is not None


def refresh(db: sqlite3.Connection) -> None:
    """Index what a write has changed, before it is committed: triggers have noted it."""
    if not stale(db):
        return
    for table, which in _INDEXES:
        db.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT key FROM search_stale WHERE {which})"
        )
        found = db.execute(
            f"""SELECT key, text FROM (SELECT key, {_TEXT} AS text FROM search_stale WHERE {which})
                WHERE text != ''"""
        )
        db.executemany(
            f"INSERT INTO {table} (rowid, text) VALUES (?, ?)",
            ((key, indexed(text)) for key, text in found),
        )
    db.execute("DELETE FROM search_stale")


def indexed(text: str) -> str:
    """A name as it is indexed: without case and accents, with two marks before each word.

    With the marks, one or two letters are three too when they begin a word.
    """
    return _WORD.sub(_MARKS, plain(text))


def searched(word: str) -> str:
    """What is looked for in a name as it is indexed: few letters have to begin a word of it."""
    wanted = indexed(word)
    return wanted.removeprefix(_MARKS) if len(word) >= _TRIGRAM else wanted


@dataclass(slots=True)
class Names:
    """Looks words up in names; each word once."""

    db: sqlite3.Connection
    _known: dict[tuple[What, str], set[int]] = field(default_factory=dict)
    _common: dict[str, bool] = field(default_factory=dict)

    def ids(self, what: What, words: Sequence[str]) -> set[int]:
        """The ids of what has all these words in its name.

        Any part of a name counts that has three letters; fewer letters have to begin a word of it.
        """
        return _all(words, lambda word: self._named(what, word))

    def records(self, what: What, words: Sequence[str]) -> set[int]:
        """The records, deleted ones too, that have each of these words in what they are known by.

        A person is known by name, addresses and company; an opportunity by name, company, contact.
        """
        return _all(words, lambda word: self._known_by(what, word))

    def is_common(self, word: str) -> bool:
        """Whether a word is in so many names of records that they are not all looked up."""
        if word not in self._common:
            keys = _look_up(self.db, "search_names", word, "1")
            self._common[word] = len(keys) == _MOST
            if len(keys) < _MOST:  # then these are all
                found: dict[int, set[int]] = {what: set() for what in _RECORDS}
                for key in keys:
                    found[key & 7].add(key >> 3)
                self._known.update({(what, word): found[what] for what in _RECORDS})
        return self._common[word]

    def _named(self, what: What, word: str) -> set[int]:
        if what in _RECORDS:
            self.is_common(word)
        found = self._known.get((what, word))
        if found is None:
            found = self._known[what, word] = self._of_kind(what, word)
        return found

    def _of_kind(self, what: What, word: str) -> set[int]:
        """What is named so, of one kind; up to its newest only, as others' ids may go on."""
        table = "search_names" if what in _RECORDS else "search_subjects"
        condition = f"""rowid & 7 = {int(what)} AND rowid <= (
            SELECT ifnull(max(id), 0) * 8 + 7 FROM {what.name.lower()})"""
        return {key >> 3 for key in _look_up(self.db, table, word, condition)}

    def _known_by(self, what: What, word: str) -> set[int]:
        found = self._named(what, word)
        if what is What.COMPANY:
            return found
        companies = self._named(What.COMPANY, word)
        found = found | _pointing(self.db, what.name.lower(), "id", "company_id", companies)
        if what is What.PERSON:
            addresses = self._named(What.ADDRESS, word)
            return found | _pointing(self.db, "address", "person_id", "id", addresses)
        people = self._named(What.PERSON, word)
        return found | _pointing(self.db, "opportunity", "id", "contact_id", people)


def candidates(db: sqlite3.Connection, what: What, text: str) -> set[int] | None:
    """The records that may have the words of a text in what they are known by.

    None when the index is of no help: it is not for words that are short or in very many names.
    While a word is typed, they are among those that its letters before have found.
    """
    longest = max(one_line(text).split(), key=len, default="")
    if _is_nowhere(db, longest):
        return set()
    if len(longest) < _TRIGRAM or plain(longest) != plain(longest.lower()):
        return None
    (version,) = db.execute("PRAGMA data_version").fetchone()
    last: _Typed | None = getattr(_typed, "last", None)
    if last is not None and last.still(db, version, what) and longest.startswith(last.word):
        return last.found
    names = Names(db)
    if any(len(names.ids(kind, [longest])) >= _MOST for kind in _RECORDS):
        return None
    found = names.records(what, [longest])
    _typed.last = _Typed(db, version, what, longest, found)
    return found


def _is_nowhere(db: sqlite3.Connection, pair: str) -> bool:
    """Whether it is two letters that are nowhere in any name, which to see for oneself takes long.

    Letters are indexed by threes: these two would begin one, or end one where a name ends.
    """
    if len(pair) != _TRIGRAM - 1 or not pair.isascii() or not pair.isalnum():
        return False
    pair = pair.lower()
    begins = "SELECT 1 FROM temp.name_letters WHERE term >= ? AND term < ? LIMIT 1"
    if db.execute(begins, [pair, pair + chr(0x10FFFF)]).fetchone() is not None:
        return False
    firsts = packed(db, _FIRSTS, [_MOST_FIRSTS])
    ends = """SELECT 1 FROM json_each(?) first
              WHERE EXISTS (SELECT 1 FROM temp.name_letters WHERE term = first.value || ?)"""
    some = db.execute(ends, [json.dumps(firsts), pair]).fetchone()
    return some is None and len(firsts) < _MOST_FIRSTS


@dataclass(frozen=True, slots=True)
class _Typed:
    """What a word has found, as long as nobody has written since."""

    db: sqlite3.Connection
    version: int
    what: What
    word: str
    found: set[int]

    def still(self, db: sqlite3.Connection, version: int, what: What) -> bool:
        """Whether that is what would be found now."""
        return (self.db, self.version, self.what) == (db, version, what)


_typed = threading.local()


def _all(words: Sequence[str], look_up: Callable[[str], set[int]]) -> set[int]:
    """What every word finds."""
    found: set[int] = set()
    for position, word in enumerate(words):
        found = found & look_up(word) if position else look_up(word)
        if not found:
            break
    return found


def _pointing(
    db: sqlite3.Connection, table: str, wanted: str, column: str, ids: set[int]
) -> set[int]:
    """One column of the rows of a table that point to some ids with another."""
    if not ids:
        return set()
    sql = f"""SELECT json_group_array({wanted}) FROM {table}
              WHERE {wanted} IS NOT NULL AND {column} IN (SELECT value FROM json_each(?))"""
    return set(packed(db, sql, [json.dumps(list(ids))]))


def _look_up(db: sqlite3.Connection, table: str, word: str, condition: str) -> list[int]:
    """The keys of the names in a table that have a word, as far as a condition is true of them."""
    wanted = searched(word)
    if has_no_spaces(word) and len(word) < _TRIGRAM:
        match, value = "text LIKE ? ESCAPE '\\'", f"%{escaped(plain(word))}%"
    elif len(wanted) < _TRIGRAM:
        return []  # signs, no letters
    else:
        match, value = "text MATCH ?", '"' + wanted.replace('"', '""') + '"'
    sql = f"SELECT rowid AS key FROM {table} WHERE {match} AND {condition} LIMIT {_MOST}"
    return packed(db, f"SELECT json_group_array(key) FROM ({sql})", [value])
