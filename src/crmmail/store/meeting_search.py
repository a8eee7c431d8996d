"""Looking up meetings: by words, by who comes, by when, by the records that they are on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from crmmail.store import windows
from crmmail.store.message_search import RECORDS, addresses_of, matching
from crmmail.store.names import Names, What
from crmmail.store.query import Query, Term

SAYING = {"text", "subject", "with", "from", "before", "after", *RECORDS}
"""The terms that say something of a meeting; one of any other says something of messages only."""
_MOST = 2_000  # meetings that are looked at to find the nearest
_FIND = """
    SELECT json_group_array(json_array(id, meeting, starts_at)) FROM (
        SELECT o.id AS id, m.id AS meeting, o.starts_at AS starts_at
        FROM meeting m JOIN occurrence o ON o.id = coalesce(
            (SELECT id FROM occurrence WHERE meeting_id = m.id AND ends_at > :now
             AND starts_at >= :low AND starts_at < :high ORDER BY starts_at LIMIT 1),
            (SELECT id FROM occurrence WHERE meeting_id = m.id
             AND starts_at >= :low AND starts_at < :high ORDER BY starts_at DESC LIMIT 1))
        WHERE {conditions} ORDER BY m.last_at DESC LIMIT :most)
"""


@dataclass(slots=True)
class _Plan:
    """How the meetings are found for which all terms are true."""

    conditions: list[str] = field(default_factory=lambda: ["1"])
    values: dict[str, str | int] = field(default_factory=dict)
    low: int = -(1 << 62)
    high: int = 1 << 62

    def bind(self, value: str | int) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def require(self, condition: str, *, negated: bool = False) -> None:
        self.conditions.append(f"NOT ({condition})" if negated else f"({condition})")


def find(names: Names, query: Query, limit: int, now: float) -> tuple[int, ...]:
    """The occurrences that a query finds, one of each meeting: those to come first, the next first.

    What is over follows, the latest first.
    """
    best: dict[int, tuple[int, int]] = {}
    for terms in query.alternatives:
        if all(term.field in SAYING for term in terms):
            for occurrence, meeting, at in _walk(names, terms, int(now)):
                best.setdefault(meeting, (at, occurrence))
    nearest = sorted(best.values(), key=lambda one: (one[0] < now, abs(one[0] - now), one[1]))
    return tuple(occurrence for _, occurrence in nearest[:limit])


def _walk(names: Names, terms: Sequence[Term], now: int) -> list[tuple[int, int, int]]:
    plan = _Plan()
    _words(names, plan, [term for term in terms if term.field in ("text", "subject")])
    for term in terms:
        _ADDING.get(term.field, _nothing)(names, plan, term)
    values = plan.values | {"now": now, "low": plan.low, "high": plan.high, "most": _MOST}
    sql = _FIND.format(conditions=" AND ".join(plan.conditions))
    return [(o, m, at) for o, m, at in windows.packed(names.db, sql, values)]


def _words(names: Names, plan: _Plan, terms: Sequence[Term]) -> None:
    """Words anywhere, or parts of three letters in the title."""
    words, wanted, refused = matching(terms, "title")
    index = "m.id IN (SELECT rowid FROM search_meetings WHERE search_meetings MATCH {})"
    if wanted:
        titles = plan.bind(_json(names.ids(What.MEETING, words)))
        parts = f"m.id IN (SELECT value FROM json_each({titles}))"
        plan.require(f"{index.format(plan.bind(wanted))} OR {parts}")
    if refused:
        plan.require(index.format(plan.bind(refused)), negated=True)


def _attendee(names: Names, plan: _Plan, term: Term) -> None:
    who = plan.bind(_json(addresses_of(names, term.value)))
    organizer = "AND organizer" if term.field == "from" else ""
    plan.require(
        f"""m.id IN (SELECT meeting_id FROM attendee
            WHERE address_id IN (SELECT value FROM json_each({who})) {organizer})""",
        negated=term.negated,
    )


def _record(names: Names, plan: _Plan, term: Term) -> None:
    what = RECORDS[term.field]
    ids = plan.bind(_json(names.records(what, term.value.split())))
    plan.require(
        f"""m.id IN (SELECT meeting_id FROM meeting_link WHERE kind = {int(what)} AND hand >= 0
            AND record_id IN (SELECT value FROM json_each({ids})))""",
        negated=term.negated,
    )


def _bound(_names: Names, plan: _Plan, term: Term) -> None:
    if (term.field == "before") != term.negated:
        plan.high = min(plan.high, term.at)
    else:
        plan.low = max(plan.low, term.at)


def _nothing(_names: Names, _plan: _Plan, _term: Term) -> None:
    """Words are looked up together."""


_ADDING: dict[str, Callable[[Names, _Plan, Term], None]] = {
    "with": _attendee,
    "from": _attendee,
    "before": _bound,
    "after": _bound,
    **dict.fromkeys(RECORDS, _record),
}


def by_title(db: sqlite3.Connection, words: str, limit: int, now: float) -> tuple[int, ...]:
    """The occurrences of the meetings with all these words in their titles, the nearest first."""
    terms = tuple(Term("subject", word, prefix=True) for word in words.split())
    return find(Names(db), Query((terms,)), limit, now) if terms else ()


def _json(ids: Iterable[int]) -> str:
    return json.dumps(list(ids))
