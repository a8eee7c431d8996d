"""Windows: one query, one row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmmail.store import companies, messages, opportunities, people, threads, windows
from crmmail.store.kinds import Kind

from .conftest import Filler, World

READS: dict[str, Callable[[Filler, World], object]] = {
    "people": lambda f, w: people.rows(f.db, [w.anna, w.zoe]),
    "companies": lambda f, w: companies.rows(f.db, [w.acme, w.zoll]),
    "opportunities": lambda f, w: opportunities.rows(f.db, [1]),
    "threads": lambda f, w: threads.rows(f.db, [w.first, w.second], Kind.PERSON, w.anna),
    "messages": lambda f, w: messages.of_thread(f.db, w.first),
    "people view": lambda f, w: people.view(f.db, "name", match="a"),
    "a record's threads": lambda f, w: threads.of_record(f.db, Kind.PERSON, w.anna),
    "newest threads": lambda f, w: threads.newest(f.db),
}


@pytest.mark.parametrize("what", READS)
def test_a_window_is_one_query_of_one_row(fill: Filler, world: World, what: str) -> None:
    """A thread that parses mail can interrupt the reader once, not once a row."""
    queries: list[str] = []
    fill.db.set_trace_callback(queries.append)
    assert READS[what](fill, world) is not None
    fill.db.set_trace_callback(None)
    (query,) = queries
    assert query.lstrip().startswith("SELECT json_group_array(")
    assert len(fill.db.execute(query).fetchall()) == 1


def test_a_window_keeps_the_order_and_leaves_out_what_is_gone(fill: Filler) -> None:
    sql = "SELECT json_group_array(json_array(value, 'x')) FROM json_each(?) WHERE value < 9"
    assert windows.window(fill.db, sql, [3, 99, 1, 3]) == [[3, "x"], [1, "x"], [3, "x"]]


def test_a_snapshot_holds_and_ends(fill: Filler) -> None:
    with windows.snapshot(fill.db):
        assert people.view(fill.db).tolist() == []
        anna = fill.person("Anna")
        with windows.snapshot(fill.db):
            assert people.view(fill.db).tolist() == []
        assert people.view(fill.db).tolist() == []
    assert people.view(fill.db).tolist() == [anna]
