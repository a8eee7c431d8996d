"""search: groups, operators, exit codes, on a store that a real sync has filled."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_reading_commands import on_terminal

pytestmark = pytest.mark.usefixtures("filled")


def test_records_and_threads_are_found_together(cli: Cli) -> None:
    found = cli("search", "acme", "--json").json
    assert sorted(one["name"] for one in found["people"]) == ["Ann Lee", "Carl"]
    assert [one["name"] for one in found["companies"]] == ["Acme"]
    assert [one["subject"] for one in found["threads"]] == ["Offer for the new press"]
    assert found["problems"] == []


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("press", ["Offer for the new press"]),
        ("pres", ["Offer for the new press"]),  # a part of a word, in the subject
        ("offe thanks", []),
        ("offe* thanks", ["Offer for the new press"]),
        ("from:bob", ["[/foo] [b]Grüße[/b] aus Köln"]),
        ("gruße koln", ["[/foo] [b]Grüße[/b] aus Köln"]),
        ("from:me has:attachment", []),
        ("has:attachment filename:pdf", ["Offer for the new press"]),
        ("to:carl OR from:bob", ["[/foo] [b]Grüße[/b] aus Köln", "Offer for the new press"]),
        ("in:sent before:2026-03-05", ["Offer for the new press"]),
        ("offer after:2026-04-01", []),
    ],
)
def test_operators(cli: Cli, query: str, subjects: list[str]) -> None:
    found = cli("search", query, "--json")
    assert [one["subject"] for one in found.json["threads"]] == subjects
    assert found.code == (0 if subjects else 3)


def test_the_message_that_fits_is_named_with_where_the_words_are(cli: Cli) -> None:
    [thread] = cli("search", "thanks", "--json").json["threads"]
    message = cli("thread", "show", thread["id"], "--json").json["messages"][1]
    assert thread["message"] == message["id"]
    assert thread["sent_at"] == message["sent_at"] == "2026-03-04T09:00:00Z"
    [[start, end]] = thread["matches"]
    assert thread["snippet"][start:end] == "Thanks"


def test_words_need_no_quotes(cli: Cli) -> None:
    assert cli("search", "from:ann", "offer", "--json").json["query"] == "from:ann offer"
    assert cli("search", "--limit", "1", "--", "offer", "-zzz").code == 0


def test_a_line_a_result_in_a_pipe_and_a_table_on_a_terminal(cli: Cli) -> None:
    lines = [line.split("\t") for line in cli("search", "acme").out.splitlines()]
    assert sorted(line[0] for line in lines) == ["company", "person", "person", "thread"]
    assert ["person", "Ann Lee", "ann@acme.example"] in [[a, d, e] for a, _, _, d, e in lines]
    assert "[/foo] [b]Grüße[/b] aus Köln" in on_terminal("search", "grüße")


def test_the_limit_is_each_group_s(cli: Cli) -> None:
    found = cli("search", "acme", "--limit", "1", "--json").json
    assert [len(found[group]) for group in ("people", "companies", "threads")] == [1, 1, 1]


def test_a_wrong_piece_is_named_and_the_rest_is_found(cli: Cli) -> None:
    outcome = cli("search", "press before:soon in:nowhere")
    assert outcome.code == 0
    assert "before: wants a date such as 2026-03-31" in outcome.err
    assert "there is no folder nowhere" in outcome.err
    assert "Offer for the new press" in outcome.out


@pytest.mark.parametrize("query", ["zzz", '"', "in:nowhere"])
def test_nothing_found_is_code_3(cli: Cli, query: str) -> None:
    outcome = cli("search", query)
    assert (outcome.code, outcome.out) == (3, "")
    assert f"Nothing matches {query!r}" in outcome.err
    assert cli("search", query, "--json").json["threads"] == []


def test_a_query_without_a_word_is_code_2(cli: Cli) -> None:
    outcome = cli("search", " ")
    assert (outcome.code, outcome.out) == (2, "")
    assert "QUERY: a value is missing." in outcome.err


def test_help_lists_the_operators(cli: Cli) -> None:
    shown = cli("search", "--help").out
    assert all(operator in shown for operator in ("from:", "newer_than:", "has:attachment"))
