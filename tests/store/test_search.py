"""Search: words of messages, names of records."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmmail.store import opportunities, search
from crmmail.store.kinds import Kind

from .conftest import Filler, World

HOSTILE = [
    '"',
    '""',
    '"unclosed',
    "'",
    "offer'; DROP TABLE message; --",
    "AND",
    "OR NOT",
    "NEAR(a b)",
    "offer NEAR visit",
    "subject:offer",
    "{subject} : x",
    "a*b*",
    "*",
    "(((",
    ")",
    "^offer",
    "- + ~ !",
    "offer\x00visit",
    "\ud800",
    "ﷺ 🙂 ²",
    "a" * 100_000,
    " ".join(f"w{n}" for n in range(300)),
]


def found(fill: Filler, text: str) -> list[int]:
    """The threads of the messages that are found, in their order."""
    return list(dict.fromkeys(fill.thread_of(i) for i in search.find(fill.db, text)))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("offer", ["first"]),
        ("OFF", ["first"]),
        ("anna@acme.com", ["second", "first"]),
        ("acme", ["second", "first"]),
        ("gruße", ["third"]),
        ("schöne grü", ["third"]),
        ("offer visit", []),
        ("visit you", ["second"]),
        ("schö grüße", []),
        ("", []),
        (" .,- ", []),
    ],
)
def test_words(fill: Filler, world: World, text: str, names: list[str]) -> None:
    assert found(fill, text) == [getattr(world, name) for name in names]


def test_newest_first_and_limited(fill: Filler, world: World) -> None:
    ids = search.find(fill.db, "me@home.example")
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 4
    assert search.find(fill.db, "me@home.example", limit=2) == ids[:2]


def test_one_column(fill: Filler, world: World) -> None:
    assert len(search.find(fill.db, "thanks")) == 1
    assert search.find(fill.db, "thanks", column="subject") == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_typed_is_an_error(fill: Filler, world: World, text: str) -> None:
    assert isinstance(search.find(fill.db, text), list)
    assert isinstance(search.find(fill.db, text, column="subject"), list)
    assert isinstance(search.find_records(fill.db, text), list)


@settings(max_examples=300)
@given(text=st.text(alphabet=st.one_of(st.sampled_from("\"'*^(){}:-+ANDORNEAR "), st.characters())))
def test_no_text_is_an_error(fill: Filler, text: str) -> None:
    assert search.find(fill.db, text) == []


def test_records_by_name_address_and_domain(fill: Filler, world: World) -> None:
    deal = opportunities.add(fill.store, "Annex", company_id=world.zoll)
    records = search.find_records(fill.db, "ann")
    assert [(one.kind, one.record_id, one.detail) for one in records] == [
        (Kind.PERSON, world.anna, "anna@acme.com"),
        (Kind.OPPORTUNITY, deal, "Zoll"),
    ]
    records = search.find_records(fill.db, "zoll.eu")
    assert [(one.kind, one.name, one.detail) for one in records] == [
        (Kind.COMPANY, "Zoll", "zoll.de, zoll.eu"),
        (Kind.PERSON, "Zoë Ärmel", "zoe@zoll.de"),
    ]
    assert search.find_records(fill.db, "  ") == []
