"""The language of the search: what is understood, what is complained of, nothing that fails."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmmail.store.query import OPERATORS, Term, parse
from tests.bounded import bounded

NOW = time.mktime((2026, 3, 14, 9, 26, 0, 0, 0, -1))


def at(year: int, month: int, day: int) -> int:
    """Midnight, as everybody's clock has it."""
    return int(time.mktime((year, month, day, 0, 0, 0, 0, 0, -1)))


def short(term: Term) -> str:
    """A term, to be compared: -field:"value"*"""
    value = f'"{term.value}"' if term.phrase else term.value
    return f"{'-' * term.negated}{term.field}:{value}{'*' * term.prefix}"


def read(text: str, partial: bool = False) -> list[str]:
    """The alternatives of a query, each on one line."""
    query = parse(text, partial=partial, now=NOW)
    assert query.problems == ()
    return [" ".join(map(short, terms)) for terms in query.alternatives]


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("", []),
        ("  .,- ", []),
        ("offer", ["text:offer"]),
        ("new press", ["text:new text:press"]),
        ('"new press" x', ['text:"new press" text:x']),
        ('"new pre', ['text:"new pre"*']),
        ("off* x", ["text:off* text:x"]),
        ("-draft offer", ["-text:draft text:offer"]),
        ("NOT draft offer", ["-text:draft text:offer"]),
        ("twenty-one a - b", ["text:twenty-one text:a text:b"]),
        ("a OR b", ["text:a", "text:b"]),
        ("a b OR c d", ["text:a text:b text:d", "text:a text:c text:d"]),
        ("a OR b OR c", ["text:a", "text:b", "text:c"]),
        ("a AND b or c", ["text:a text:b text:or text:c"]),
        ("OR a OR", ["text:a"]),
        ("(a OR b) (c OR d)", [f"text:{x} text:{y}" for x in "ab" for y in "cd"]),
        ("a OR (b c)", ["text:a", "text:b text:c"]),
        ("-(a OR b) c", ["-text:a -text:b text:c"]),
        ("-(a b)", ["-text:a", "-text:b"]),
        ("(a OR b", ["text:a", "text:b"]),
        ("a) b ()", ["text:a text:b"]),
        ("from:ann TO:me cc:x with:y", ["from:ann to:me cc:x with:y"]),
        ('-from:"Ann Lee"', ["-from:Ann Lee"]),
        ("subject:offer subject:", ["subject:offer"]),
        ('subject:"new press"', ['subject:"new press"']),
        ("company:acme person:ann opportunity:x", ["company:acme person:ann opportunity:x"]),
        ("is:unread is:Starred is:sent", ["unread: starred: sent:"]),
        ("has:attachment filename:pdf", ["attachment: filename:pdf"]),
        (
            "in:archive folder:x account:me@home.example",
            ["in:archive in:x account:me@home.example"],
        ),
        ("http://x.example 12:30 re:zero", ["text:http://x.example text:12:30 text:re:zero"]),
        ('say:"hello you"', ['text:"say:hello you"']),
        ("a a", ["text:a"]),
    ],
)
def test_what_is_understood(text: str, alternatives: list[str]) -> None:
    if text.endswith("subject:"):
        query = parse(text, partial=False)
        assert query.problems == ("subject: wants a word",)
        text = text.removesuffix("subject:")
    assert read(text) == alternatives


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("off", ["text:off*"]),
        ("off ", ["text:off"]),
        ("new pre", ["text:new text:pre*"]),
        ('"new press"', ['text:"new press"']),
        ("subject:off", ["subject:off*"]),
        ("-off", ["-text:off"]),
        ("a OR b", ["text:a", "text:b*"]),
        ("from:an", ["from:an"]),
    ],
)
def test_of_the_word_that_is_typed_the_beginning_is_enough(
    text: str, alternatives: list[str]
) -> None:
    assert read(text, partial=True) == alternatives


@pytest.mark.parametrize(
    ("text", "field", "when"),
    [
        ("after:2026-01-31", "after", at(2026, 1, 31)),
        ("since after:2026/1/3", "after", at(2026, 1, 3)),
        ("newer:2026-02", "after", at(2026, 2, 1)),
        ("before:2025", "before", at(2025, 1, 1)),
        ("older:today", "before", at(2026, 3, 14)),
        ("before:Yesterday", "before", at(2026, 3, 13)),
        ("older_than:2d", "before", int(NOW) - 2 * 86_400),
        ("newer_than:3W", "after", int(NOW) - 21 * 86_400),
        ("newer_than:1y", "after", int(NOW) - 365 * 86_400),
    ],
)
def test_dates(text: str, field: str, when: int) -> None:
    *_, term = parse(text, now=NOW).alternatives[0]
    assert (term.field, term.at) == (field, when)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("before:soon", "before: wants a date such as 2026-03-31"),
        ("after:2026-02-30", "after: wants a date such as 2026-03-31"),
        ("after:2026-13-01", "after: wants a date such as 2026-03-31"),
        ("older_than:soon", "older_than: wants a number and d, w, m or y, such as 2w"),
        ("is:blue", "is: wants unread, read, starred, answered or sent"),
        ("has:fun", "has: wants attachment"),
        ("from:", "from: wants a name or an address"),
        ("in:", "in: wants a name"),
        ("form:ann", "form: is no operator; from: is one"),
        ("subjet:offer", "subjet: is no operator; subject: is one"),
    ],
)
def test_a_wrong_piece_is_named_and_left_out(text: str, problem: str) -> None:
    query = parse(f"offer {text} OR press", partial=False, now=NOW)
    assert query.problems == (problem,)
    assert [list(map(short, terms)) for terms in query.alternatives] == [
        ["text:offer", "text:press"]
    ]


def test_what_is_too_much_is_said() -> None:
    many = parse(" ".join(f"w{number}" for number in range(100)))
    assert len(many.alternatives[0]) == 40
    assert many.problems == ("too long: only the first 40 words are looked for",)
    wide = parse(" ".join(f"(a{number} OR b{number})" for number in range(10)))
    assert len(wide.alternatives) == 16
    assert wide.problems == ("too many ORs: only 16 combinations are looked for",)


def test_every_operator_that_is_offered_is_understood() -> None:
    for example, _ in OPERATORS:
        assert parse(example).problems == ()
        assert parse(example).alternatives


PIECES = st.sampled_from(
    [
        *"\"'()-:* ",
        "OR",
        "NOT",
        "AND",
        "from:",
        "subject:",
        "before:",
        "is:",
        "2026-02-31",
        "9" * 30,
    ]
)


@settings(max_examples=500)
@given(text=st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=60).map("".join))
def test_nothing_typed_is_an_error(text: str) -> None:
    for partial in (True, False):
        query = parse(text, partial=partial, now=NOW)
        assert len(query.alternatives) <= 16
        assert all(terms for terms in query.alternatives)
        assert all(problem.isprintable() for problem in query.problems)


@pytest.mark.parametrize("text", ["(" * 100_000, "-" * 100_000, "a OR " * 50_000, '"' * 9_999])
def test_long_ones_are_read_at_once(text: str) -> None:
    with bounded():
        parse(text)
