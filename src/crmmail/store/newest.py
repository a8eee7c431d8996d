"""The newest records that have words in what they are known by (crmmail.store.names).

What is in few names is looked up, and sorted. What is in very many, as one letter is, is tested
along the list, newest first, which ends with the last one that is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from crmmail.store.kinds import Kind
from crmmail.store.names import Names, What, searched
from crmmail.store.records import TABLES
from crmmail.store.windows import are_many, packed

ORDER = "last_at DESC, name COLLATE NOCASE, id"
"""The order of the lists."""
_WALKED = 5_000  # records of a list that are looked at

_NAME = "EXISTS (SELECT 1 FROM search_names_content WHERE id = {key} AND instr(c0, {word}))"
_ADDRESS = """EXISTS (SELECT 1 FROM address a JOIN search_names_content n ON n.id = a.id * 8 + 4
              WHERE a.person_id = r.id AND instr(n.c0, {word}))"""
_OWN = _NAME.replace("{key}", "r.id * 8 + {kind}")
_COMPANY = _NAME.replace("{key}", "r.company_id * 8 + 2")
_CONTACT = _NAME.replace("{key}", "r.contact_id * 8 + 1")
_KNOWN_BY = {
    Kind.PERSON: (_OWN, _COMPANY, _ADDRESS),
    Kind.COMPANY: (_OWN,),
    Kind.OPPORTUNITY: (_OWN, _COMPANY, _CONTACT),
}
_COLUMNS = {
    Kind.PERSON: "id, company_id",
    Kind.COMPANY: "id",
    Kind.OPPORTUNITY: "id, company_id, contact_id",
}


@dataclass(slots=True)
class _Tests:
    """What is asked of each record along the list."""

    kind: Kind
    conditions: list[str] = field(default_factory=lambda: ["1"])
    values: list[str | int] = field(default_factory=list)

    def bind(self, value: str) -> str:
        """The name of a new parameter."""
        self.values.append(value)
        return f"?{len(self.values)}"

    def words(self, words: Sequence[str]) -> str:
        """Each of these words is there."""
        return " AND ".join(["1", *map(self._word, words)])

    def _word(self, word: str) -> str:
        name = self.bind(searched(word))
        some = (test.format(kind=int(self.kind), word=name) for test in _KNOWN_BY[self.kind])
        return f"({' OR '.join(some)})"


def newest(
    names: Names, kind: Kind, words: Sequence[str], refused: Sequence[Sequence[str]], limit: int
) -> list[int]:
    """The newest records that have each of these words, and of no refused group all."""
    common = [word for word in words if _is_tested(names, word)]
    few = [word for word in words if word not in common]
    found = names.records(What(kind), few) if few else None
    if not words or (few and not found):
        return []
    tests = _Tests(kind)
    tests.conditions.append(tests.words(common))
    for group in refused:
        if all(_is_tested(names, word) for word in group):
            tests.conditions.append(f"NOT ({tests.words(group)})")
        else:
            ids = tests.bind(json.dumps(list(names.records(What(kind), group))))
            tests.conditions.append(f"r.id NOT IN (SELECT value FROM json_each({ids}))")
    some = _along(names, tests, found, limit)
    if found is None and len(some) < limit and _is_long(names, kind):
        some += _along(names, tests, names.records(What(kind), common), limit)
    return list(dict.fromkeys(some))[:limit]


def _is_tested(names: Names, word: str) -> bool:
    """Whether a word is looked for in each name; where all its letters are ASCII, that is exact."""
    return word.isascii() and names.is_common(word)


def _is_long(names: Names, kind: Kind) -> bool:
    """Whether there are more records than are looked at."""
    sql = f"SELECT 1 FROM {TABLES[kind]} WHERE deleted_at = 0 LIMIT 1 OFFSET {_WALKED}"
    return names.db.execute(sql).fetchone() is not None


def _along(names: Names, tests: _Tests, found: set[int] | None, limit: int) -> list[int]:
    """The first in a list that pass the tests: of those found, or else of the newest ones."""
    among, most, values = "", _WALKED, tests.values
    if found is not None:
        plus = "+" if are_many(found, limit) else ""
        among, most = f"AND {plus}id IN (SELECT value FROM json_each(?{len(values) + 1}))", -1
        values = [*values, json.dumps(list(found))]
    sql = f"""SELECT json_group_array(id) FROM (
        SELECT id FROM (
            SELECT {_COLUMNS[tests.kind]} FROM {TABLES[tests.kind]}
            WHERE deleted_at = 0 {among} ORDER BY {ORDER} LIMIT {most}) r
        WHERE {" AND ".join(tests.conditions)} LIMIT {limit})"""
    return packed(names.db, sql, values)
