"""The language of the search: what somebody typed, as terms that the store can look up.

    offer -draft "new press" from:ann to:me after:2026-01-31 (visit OR call)

Nothing typed is an error: a piece that cannot be understood is named in `problems` and left out.
As in Gmail, OR stands between its two neighbours, and everything else must be true at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product

from crmmail.text import one_line

OPERATORS = (
    ("from:ann", "sent by; also to: cc: with:, and me for oneself"),
    ("subject:offer", "in the subject"),
    ("person:ann", "on a record; also company: opportunity:"),
    ("after:2026-01-31", "since that day; also before:, yesterday, 2026-01"),
    ("newer_than:3w", "in the last d, w, m or y; also older_than:2d"),
    ("has:attachment", "with a file; also filename:pdf"),
    ("is:unread", "also read, starred, answered, sent"),
    ("in:archive", "in a folder; also account:"),
    ('"new press" -draft', "these words in a row; without that one"),
    ("visit OR call", "one of the two"),
)
"""An example of each operator and what it does, for those who ask."""

_NAMES = "from to cc with subject company person opportunity filename in account".split()
_DATES = ("before", "after")
_AGES = ("older_than", "newer_than")
_STATES = ("unread", "read", "starred", "answered", "sent")
_ALIASES = {"newer": "after", "older": "before", "folder": "in"}
_KNOWN = {*_NAMES, *_DATES, *_AGES, "is", "has", *_ALIASES}
_WANTS = {
    "is": "wants unread, read, starred, answered or sent",
    "has": "wants attachment",
    **dict.fromkeys(_NAMES, "wants a name"),
    **dict.fromkeys(("from", "to", "cc", "with"), "wants a name or an address"),
    "subject": "wants a word",
    **dict.fromkeys(_DATES, "wants a date such as 2026-03-31"),
    **dict.fromkeys(_AGES, "wants a number and d, w, m or y, such as 2w"),
}
_UNITS = {"d": 1, "w": 7, "m": 30, "y": 365}
_DAY = 86_400

_LENGTH = 1_000  # characters that are read
_TERMS = 40
_DEPTH = 10  # of parentheses
_ALTERNATIVES = 16

_TOKEN = re.compile(
    r"""
    \s*(?: (?P<open> -?\( ) | (?P<close> \) )
    | (?P<no> - (?=[^\s)]) )?
      (?: (?P<name> [A-Za-z_]+ ) : (?! // ) )?
      (?: "(?P<quoted> [^"]* ) (?P<end> "? ) | (?P<word> [^\s"()]* ) )
    )""",
    re.VERBOSE,
)
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_AGE = re.compile(r"(\d{1,4})([dwmy])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must be true of a message, or with `negated` must not be.

    `field` is "text" or the name of an operator; an "is:" has the state as its field, dates are
    "before" and "after" with `at` in seconds. Of a `prefix` the beginning of a word is enough.
    """

    field: str
    value: str = ""
    at: int = 0
    phrase: bool = False
    prefix: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked: terms that must all be true, in one of several alternatives."""

    alternatives: tuple[tuple[Term, ...], ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Group:
    """Nodes that must all be true, or of which one must be."""

    nodes: tuple[_Node, ...]
    every: bool


_Node = Term | _Group


def parse(text: str, *, partial: bool = True, now: float | None = None) -> Query:
    """Read a query. With `partial` the last word is still being typed: its beginning is enough."""
    reader = _Reader(one_line(text, _LENGTH), time.time() if now is None else now)
    node = reader.all()
    if partial and not text[-1:].isspace():
        node = _partial(node)
    alternatives = _alternatives(node)
    if len(alternatives) > _ALTERNATIVES:
        reader.complain(f"too many ORs: only {_ALTERNATIVES} combinations are looked for")
    kept = tuple(alternative for alternative in alternatives[:_ALTERNATIVES] if alternative)
    return Query(kept, tuple(dict.fromkeys(reader.problems)))


class _Reader:
    """Reads one query from left to right."""

    def __init__(self, text: str, now: float) -> None:
        self._text = text
        self._at = 0
        self._now = now
        self._terms = 0
        self._depth = 0
        self.problems: list[str] = []

    def complain(self, problem: str) -> None:
        """Say what is wrong with the query."""
        self.problems.append(problem)

    def all(self) -> _Group:
        """Everything up to the end, or to the parenthesis that closes."""
        units: list[_Node] = []
        either = negated = False  # whether an OR, a NOT came just before
        left = False  # whether what stands before an OR was understood
        while (found := self._next()) is not None:
            node, word = found
            if word == ")":
                break
            if word in ("OR", "NOT", "AND"):
                either = either or (word == "OR" and left)
                negated = negated != (word == "NOT")
                continue
            if node is None:
                either = negated = left = False
                continue
            node = _negate(node) if negated else node
            if either:
                node = _either(units.pop(), node)
            units.append(node)
            either, negated, left = False, False, True
        return _Group(tuple(units), every=True)

    def _next(self) -> tuple[_Node | None, str] | None:
        """The next node, or a word that is none; None at the end."""
        match = _TOKEN.match(self._text, self._at)
        if match is None or self._at >= len(self._text):
            return None
        self._at = max(match.end(), self._at + 1)
        if opening := match["open"]:
            return self._group(opening), ""
        if match["close"]:
            return None, ")" if self._depth else ""
        word = match["word"] or ""
        if word in ("OR", "AND", "NOT") and not (match["no"] or match["name"]):
            return None, word
        self._terms += 1
        if self._terms > _TERMS:
            self.complain(f"too long: only the first {_TERMS} words are looked for")
            return None, ""
        term = self._term(match)
        return (replace(term, negated=True) if term and match["no"] else term), ""

    def _group(self, opening: str) -> _Node | None:
        if self._depth >= _DEPTH:
            return None
        self._depth += 1
        group = self.all()
        self._depth -= 1
        return _negate(group) if opening.startswith("-") else group

    def _term(self, match: re.Match[str]) -> Term | None:
        name, word, quoted = match["name"] or "", match["word"] or "", match["quoted"]
        field = _ALIASES.get(name.lower(), name.lower())
        value = word if quoted is None else quoted
        if not name or field not in _KNOWN:
            if name and value and self._misspelt(name):
                return None
            field, value = "text", f"{name}:{value}" if name else value
        term = self._operator(field, value.strip(), quoted is not None)
        if term is None or quoted is None or match["end"]:
            return term
        return replace(term, prefix=True)  # a phrase that is still being typed

    def _misspelt(self, name: str) -> bool:
        """Whether an unknown name before a colon was meant for an operator."""
        close = get_close_matches(name.lower(), _KNOWN, n=1, cutoff=0.75)
        if close:
            self.complain(f"{name}: is no operator; {close[0]}: is one")
        return bool(close)

    def _operator(self, field: str, value: str, phrase: bool) -> Term | None:
        term: Term | None = None
        if field in _DATES:
            at = day(value, self._now)
            term = None if at is None else Term(field, value, at)
        elif field in _AGES:
            seconds = _age(value)
            edge = "before" if field == "older_than" else "after"
            term = None if seconds is None else Term(edge, value, int(self._now) - seconds)
        elif field == "is":
            term = Term(value.lower()) if value.lower() in _STATES else None
        elif field == "has":
            term = Term("attachment") if value.lower() in ("attachment", "attachments") else None
        elif field in ("text", "subject"):
            term = _words(field, value, phrase)
            if term is None and field == "text":
                return None
        elif value:
            term = Term(field, value)
        if term is None:
            self.complain(f"{field}: {_WANTS[field]}")
        return term


def _words(field: str, value: str, phrase: bool) -> Term | None:
    """Words to look for in messages; None where there are none."""
    prefix = not phrase and value.endswith("*")
    value = value.strip().strip("*") if prefix else value.strip()
    if not any(character.isalnum() for character in value):
        return None
    return Term(field, value, phrase=phrase, prefix=prefix)


def day(value: str, now: float) -> int | None:
    """The first second of a day, month or year, in local time."""
    today = time.localtime(now)
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if (word := value.lower()) in days:
        return _midnight(today.tm_year, today.tm_mon, today.tm_mday + days[word])
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    at = _midnight(year, month, day)
    # mktime() takes February 30 for March 2: nobody means that.
    if at is None or time.localtime(at)[:3] != (year, month, day):
        return None
    return at


def _midnight(year: int, month: int, day: int) -> int | None:
    try:
        return int(time.mktime((year, month, day, 0, 0, 0, 0, 0, -1)))
    except (OverflowError, ValueError):
        return None


def _age(value: str) -> int | None:
    found = _AGE.fullmatch(value)
    return int(found[1]) * _UNITS[found[2].lower()] * _DAY if found else None


def _either(one: _Node, other: _Node) -> _Group:
    before = one.nodes if isinstance(one, _Group) and not one.every else (one,)
    return _Group((*before, other), every=False)


def _negate(node: _Node) -> _Node:
    if isinstance(node, Term):
        return replace(node, negated=not node.negated)
    return _Group(tuple(map(_negate, node.nodes)), every=not node.every)


def _partial(node: _Group) -> _Group:
    """The last word of a query, while it is typed, as a beginning."""
    if not node.nodes:
        return node
    *before, last = node.nodes
    if isinstance(last, _Group):
        last = _partial(last)
    elif last.field in ("text", "subject") and not last.phrase and not last.negated:
        last = replace(last, prefix=True)
    return replace(node, nodes=(*before, last))


def _alternatives(node: _Node) -> list[tuple[Term, ...]]:
    """The terms that must be true together, once for each way in which the node can be true.

    One more than is used at most, so that nested ORs stay cheap.
    """
    if isinstance(node, Term):
        return [(node,)]
    parts = [found for one in node.nodes if (found := _alternatives(one)) and found != [()]]
    if not node.every:
        return _few(alternative for part in parts for alternative in part)
    combined: list[tuple[Term, ...]] = [()]
    for part in parts:
        combined = _few((*before, *after) for before, after in product(combined, part))
    return combined


def _few(alternatives: Iterable[tuple[Term, ...]]) -> list[tuple[Term, ...]]:
    found = dict.fromkeys(tuple(dict.fromkeys(one)) for one in alternatives)
    return list(found)[: _ALTERNATIVES + 1]
