"""Looking up messages: the terms of a query as SQL that walks them newest first.

The walk is along the index of words, whose rowids are in date order, or along a small set of ids
where a term gives one, or along all messages; the other terms are tested on the way.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from crmmail.addresses import normal
from crmmail.store.names import Names, What
from crmmail.store.query import Term
from crmmail.store.windows import escaped, packed
from crmmail.text import has_no_spaces

SMALL = 3_000  # ids that are walked instead of the index
RECENT = 2_000  # newest messages whose text is read for words without spaces between
_PREFIX = 3  # letters of a word that is being typed before it finds longer ones

_ENDINGS = 30  # words that begin alike, that the index is asked for one by one
# Each word is looked up: to go on to the next one is to pass all messages with this one.
_TERMS = """
    WITH RECURSIVE word (term) AS (
        SELECT (SELECT term FROM temp.search_terms WHERE term >= ?1 AND term < ?2 LIMIT 1)
        UNION ALL
        SELECT (SELECT term FROM temp.search_terms
                WHERE term >= word.term || char(1) AND term < ?2 LIMIT 1)
        FROM word WHERE word.term IS NOT NULL LIMIT ?3)
    SELECT json_group_array(term) FROM word WHERE term IS NOT NULL
"""

_EACH = "SELECT value FROM json_each({p})"
_ROLES = {"to": "AND role = 'to'", "cc": "AND role = 'cc'", "with": ""}
RECORDS = {"person": What.PERSON, "company": What.COMPANY, "opportunity": What.OPPORTUNITY}
_FLAGS = {
    "unread": "NOT m.flags & 1",
    "read": "m.flags & 1",
    "starred": "m.flags & 2",
    "answered": "m.flags & 4",
    "sent": "m.outgoing",
    "attachment": "m.attachments > 0",
}
_UNREAD = """SELECT id FROM message WHERE NOT flags & 1
             AND thread_id IN (SELECT id FROM thread WHERE unread > 0)"""

Hit = tuple[int, int]
"""A message and its thread."""


@dataclass(slots=True)
class Plan:
    """How the messages are found for which all terms are true."""

    words: list[str] = field(default_factory=list)  # that must be there, in the text or subject
    match: str = ""  # the same as the index of words is asked for them
    refused: str = ""  # what it is asked for that must not be there
    conditions: list[str] = field(default_factory=list)  # on the message `m`
    values: dict[str, str | int] = field(default_factory=dict)
    small: set[int] | None = None  # the message is one of these
    low: int = 0
    high: int = 1 << 62
    problems: list[str] = field(default_factory=list)
    asks: bool = False

    def __bool__(self) -> bool:
        """Whether anything is asked: what could not be understood is not."""
        return self.asks

    def bind(self, value: str | int) -> str:
        """The name of a new parameter."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def narrow(self, ids: Iterable[int]) -> None:
        """Keep only these messages."""
        self.small = set(ids) if self.small is None else self.small.intersection(ids)


def plan(names: Names, terms: Sequence[Term]) -> Plan:
    """How to look these terms up; what of them names nothing that there is, is a problem."""
    made = Plan()
    words = [term for term in terms if term.field in ("text", "subject")]
    made.words, made.match, made.refused = matching(words, "subject", partial(_endings, names.db))
    for term in terms:
        if term.field in ("before", "after"):
            _bound(made, term)
        elif term.field in _FLAGS:
            _test(
                names.db, made, term, _UNREAD if term.field == "unread" else "", _FLAGS[term.field]
            )
        elif term.field not in ("text", "subject"):
            _lookup(names, made, term)
    made.asks = len(made.problems) < len(terms)
    return made


def walk(db: sqlite3.Connection, how: Plan, threads: int) -> list[Hit]:
    """The newest messages that a plan finds, enough for that many threads."""
    if how.small is not None:
        if not how.small:
            return []
        how.low = max(how.low, min(how.small))
        how.high = min(how.high, max(how.small) + 1)
    sql, values = _sql(how)
    found: list[Hit] = []
    size = threads * 4
    while True:
        hits = [(i, thread) for i, thread in packed(db, sql, values | {"size": size})]
        found += hits
        if len(hits) < size or len({thread for _, thread in found}) >= threads:
            return found
        values["high"], size = hits[-1][0], size * 4


def _sql(how: Plan) -> tuple[str, dict[str, str | int]]:
    values = how.values | {"low": how.low, "high": how.high}
    source, conditions = "message m", ["m.id >= :low", "m.id < :high", *how.conditions]
    if how.small is not None:
        values["small"] = json.dumps(list(how.small))
        source = "json_each(:small) small CROSS JOIN message m ON m.id = small.value"
    if how.match:
        values["match"] = f"({how.match}) NOT ({how.refused})" if how.refused else how.match
        source = "search CROSS JOIN message m ON m.id = search.rowid"
        conditions[:2] = "search MATCH :match", "search.rowid >= :low", "search.rowid < :high"
        if how.small is not None:
            conditions.append("+search.rowid IN (SELECT value FROM json_each(:small))")
    elif how.refused:
        values["refused"] = how.refused
        conditions.append("m.id NOT IN (SELECT rowid FROM search WHERE search MATCH :refused)")
    order = "search.rowid" if how.match else "m.id"
    sql = f"""SELECT json_group_array(json_array(id, thread_id)) FROM (
        SELECT m.id, m.thread_id FROM {source} WHERE {" AND ".join(conditions)}
        ORDER BY {order} DESC LIMIT :size)"""
    return sql, values


def by_subject(names: Names, how: Plan) -> Plan | None:
    """A plan for what the index of words does not know: parts of words.

    They are looked for in the subjects; words of scripts without spaces, whose index entries are
    whole sentences, also in the newest messages' text.
    """
    spaceless = any(map(has_no_spaces, how.words))
    if not how.words or not all(len(w) >= _PREFIX or has_no_spaces(w) for w in how.words):
        return None
    threads = names.ids(What.THREAD, how.words)
    select = "SELECT id FROM message WHERE thread_id IN (SELECT value FROM json_each(?))"
    ids = _column(names.db, select, [_json(threads)])
    other = replace(how, match="")
    other.narrow([*ids, *_recent(names.db, how.words)] if spaceless else ids)
    return other


def _recent(db: sqlite3.Connection, words: Sequence[str]) -> list[int]:
    tests = " AND ".join(["text LIKE ? ESCAPE '\\'"] * len(words))
    sql = f"""SELECT message_id FROM message_text WHERE message_id >= (
                  SELECT min(id) FROM (SELECT id FROM message ORDER BY id DESC LIMIT {RECENT}))
              AND {tests}"""
    return _column(db, sql, [f"%{escaped(word)}%" for word in words])


# What each term asks


def matching(
    terms: Sequence[Term], title: str, endings: Callable[[str], list[str]] = lambda _: []
) -> tuple[list[str], str, str]:
    """Words to look for: themselves, and what an index of words is asked for and refuses.

    `title` is what the index calls the column of a "subject:"; `endings` gives the words that begin
    so, where they are few.
    """
    asked = [term for term in terms if not term.negated]
    # The beginning of a word is looked up in one go with all that begin so: not for one letter.
    long = [term for term in asked if not term.prefix or len(term.value) >= _PREFIX]
    asked = long or [replace(term, prefix=False) for term in asked]
    wanted = " AND ".join(_fts(term, title, endings) for term in asked)
    refused = " OR ".join(_fts(term, title, endings) for term in terms if term.negated)
    return [term.value for term in asked], wanted, refused


def _fts(term: Term, title: str, endings: Callable[[str], list[str]]) -> str:
    """A term as the index of words is asked for it: a string, so that none is an operator."""
    some = endings(term.value) if term.prefix else []
    quoted = "(" + " OR ".join(f'"{word}"' for word in some) + ")"
    if not some:
        quoted = '"' + term.value.replace('"', '""') + '"' + (" *" if term.prefix else "")
    return f"{{{title}}} : {quoted}" if term.field == "subject" else quoted


def _endings(db: sqlite3.Connection, value: str) -> list[str]:
    """The words of the index that begin so, where they are few; else none.

    Asked for words, it goes through the newest messages only as far as it has to; asked for a
    beginning, it first collects all messages that have any word of it.
    """
    if not value.isascii() or not value.isalnum():
        return []  # the index may write it otherwise
    start = value.lower()
    found = packed(db, _TERMS, [start, start + chr(0x10FFFF), _ENDINGS + 1])
    return found if len(found) <= _ENDINGS else []


def _bound(made: Plan, term: Term) -> None:
    """Ids are in the order of dates."""
    edge = term.at << 20
    if (term.field == "before") != term.negated:
        made.high = min(made.high, edge)
    else:
        made.low = max(made.low, edge)


def _test(
    db: sqlite3.Connection, made: Plan, term: Term, ids: str, condition: str, value: str = ""
) -> None:
    """Ask for the messages that a query finds, or one by one, where it finds many."""
    if ids and not term.negated:
        some = _column(db, f"{ids.replace('{p}', '?')} LIMIT {SMALL + 1}", [value] if value else [])
        if len(some) <= SMALL:
            made.narrow(some)
            return
    condition = condition.replace("{p}", made.bind(value)) if value else condition
    made.conditions.append(f"NOT ({condition})" if term.negated else condition)


def _lookup(names: Names, made: Plan, term: Term) -> None:
    db = names.db
    if term.field == "filename":
        ids = "SELECT message_id FROM attachment WHERE name LIKE {p} ESCAPE '\\'"
        _test(db, made, term, ids, f"m.id IN ({ids})", f"%{escaped(term.value)}%")
    elif term.field in ("in", "account"):
        folders = _folders(db, term)
        if folders is None:
            noun = "folder" if term.field == "in" else "account"
            made.problems.append(f"{term.field}: there is no {noun} {term.value}")
            return
        ids = f"SELECT message_id FROM placement WHERE folder_id IN ({_EACH})"
        here = (
            f"EXISTS (SELECT 1 FROM placement WHERE message_id = m.id AND +folder_id IN ({_EACH}))"
        )
        _test(db, made, term, ids, here, _json(folders))
    elif term.field in RECORDS:
        what = RECORDS[term.field]
        linked = f"""SELECT thread_id FROM thread_link
                     WHERE kind = {int(what)} AND hand >= 0 AND record_id IN ({_EACH})"""
        ids = f"SELECT id FROM message WHERE thread_id IN ({linked} LIMIT {SMALL + 1})"
        here = f"EXISTS ({linked.replace('record_id', '+record_id')} AND thread_id = m.thread_id)"
        records = names.records(what, term.value.split())
        _test(db, made, term, ids, here, _json(records))
    elif term.field == "from":
        ids = f"SELECT id FROM message WHERE from_id IN ({_EACH})"
        sender = f"ifnull(m.from_id IN ({_EACH}), 0)"
        _test(db, made, term, ids, sender, _json(addresses_of(names, term.value)))
    else:
        role = _ROLES[term.field]
        ids = f"SELECT message_id FROM participant WHERE address_id IN ({_EACH}) {role}"
        there = f"""EXISTS (SELECT 1 FROM participant
                    WHERE message_id = m.id AND +address_id IN ({_EACH}) {role})"""
        _test(db, made, term, ids, there, _json(addresses_of(names, term.value)))


def addresses_of(names: Names, value: str) -> set[int]:
    """The addresses that somebody means: their own, one that is whole, or by a part or a name."""
    db = names.db
    own = "SELECT id FROM address WHERE address IN (SELECT address FROM own_address)"
    if value.lower() == "me":
        return set(_column(db, own, []))
    if exact := _column(db, "SELECT id FROM address WHERE address = ?", [normal(value)]):
        return set(exact)
    words = value.split()
    people = _json(names.ids(What.PERSON, words))
    theirs = _column(
        db, "SELECT id FROM address WHERE person_id IN (SELECT value FROM json_each(?))", [people]
    )
    return names.ids(What.ADDRESS, words).union(theirs)


def _folders(db: sqlite3.Connection, term: Term) -> list[int] | None:
    """The folders of that name, or of all accounts of that name; None if there are none."""
    rows = packed(
        db,
        """SELECT json_group_array(json_array(folder.id, folder.name, role, email, account.name))
           FROM folder JOIN account ON account.id = account_id""",
    )
    value = term.value.casefold()
    exact, part = list[int](), list[int]()
    for i, name, role, email, account in rows:
        called = [name, role, name.replace(".", "/").rpartition("/")[2]]
        called = [text.casefold() for text in (called if term.field == "in" else [email, account])]
        if value in called:
            exact.append(i)
        if any(value in text for text in called):
            part.append(i)
    return exact or part or None


def _json(ids: Iterable[int]) -> str:
    return json.dumps(list(ids))


def _column(db: sqlite3.Connection, sql: str, values: Sequence[str]) -> list[int]:
    """The ids that a query selects in its first column."""
    return [row[0] for row in db.execute(sql, values)]
