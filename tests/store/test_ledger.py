"""The ledger (rules.md M)."""

from __future__ import annotations

import json

import pytest

from crmmail.store import ledger

from .conftest import NOON, Filler, World


@pytest.fixture
def skipped(fill: Filler, world: World) -> World:
    """Three skipped messages in two accounts."""
    facts = json.dumps({"people": [["from", "N", "news@x.example"], ["to", "", "joann@y.example"]]})
    fill.skip(
        world.inbox,
        "group",
        "List-Id",
        message_id="n1@x.example",
        sent_at=NOON,
        subject="Weekly NEWS",
        sender="news@x.example",
        size=10,
        facts=facts,
    )
    fill.skip(world.inbox, "draft", sent_at=NOON + 1, subject="Half")
    other = fill.folder(fill.account("me@other.example"))
    fill.skip(other, "group", "role", sent_at=NOON + 2, subject="Other", sender="info@z.example")
    fill.folder(world.account, "Junk", selected=False, messages=9)
    return world


def test_by_reason(fill: Filler, skipped: World) -> None:
    assert ledger.by_reason(fill.db) == {"draft": 1, "folder": 9, "group": 2}
    assert ledger.by_reason(fill.db, skipped.account) == {"draft": 1, "folder": 9, "group": 1}


def test_rows_newest_first(fill: Filler, skipped: World) -> None:
    subjects = [row.subject for row in ledger.rows(fill.db)]
    assert subjects == ["Other", "Half", "Weekly NEWS"]
    assert [row.subject for row in ledger.rows(fill.db, reason="group", limit=1)] == ["Other"]
    (row,) = ledger.rows(fill.db, reason="group", email="me@home.example")
    assert (row.email, row.folder, row.reason, row.detail, row.message_id, row.size) == (
        "me@home.example",
        "INBOX",
        "group",
        "List-Id",
        "n1@x.example",
        10,
    )


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("News@X.example", ["Weekly NEWS"]),
        ("<n1@x.example>", ["Weekly NEWS"]),
        ("joann@y.example", ["Weekly NEWS"]),
        ("ann@y.example", []),
        ("weekly", ["Weekly NEWS"]),
        ("HALF", ["Half"]),
        ("news weekly", ["Weekly NEWS"]),
        ("<>", []),
        ("%", []),
        ("  ", []),
    ],
)
def test_find(fill: Filler, skipped: World, query: str, subjects: list[str]) -> None:
    assert [row.subject for row in ledger.find(fill.db, query)] == subjects


@pytest.mark.parametrize(
    ("reason", "detail", "words"),
    [
        ("group", "List-Id", "M5: a mailing list (List-Id header)"),
        ("group", "Precedence: bulk", "M5: bulk mail (Precedence: bulk)"),
        ("group", "role", "M5: sent from a role address that you have never written to"),
        ("group", "", "M5: group mail"),
        ("blocked", "@x.example", "M3: somebody in it is on the blocklist (@x.example)"),
        ("folder", "", "M1: the folder is not synced"),
        ("unreadable", "no header", "M8: it could not be read (no header)"),
        ("something new", "", "something new"),
    ],
)
def test_each_reason_has_words_and_a_rule(reason: str, detail: str, words: str) -> None:
    assert ledger.describe(reason, detail) == words
