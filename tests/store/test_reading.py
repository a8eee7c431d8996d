"""A query that another thread runs is ended when its answer is no longer wanted."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from crmmail.store.database import Store
from crmmail.store.reading import Reading
from tests.patience import PATIENCE

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def endless(db: sqlite3.Connection, begun: threading.Event) -> Callable[[], object]:
    def read() -> object:
        db.set_progress_handler(begun.set, 1_000)
        return db.execute(ENDLESS).fetchone()

    return read


def test_a_query_ends_and_its_thread_reads_on(store: Store) -> None:
    reading, begun = Reading(), threading.Event()
    with ThreadPoolExecutor(1) as thread:
        db = thread.submit(store.read).result()
        answer = thread.submit(reading.run, db, endless(db, begun))
        assert begun.wait(PATIENCE)
        reading.end()
        assert answer.result(PATIENCE) is None
        reading.end()
        assert thread.submit(Reading().run, db, lambda: len(db.execute("SELECT 1").fetchall()))


def test_what_is_ended_before_it_begins_reads_nothing(store: Store) -> None:
    reading = Reading()
    reading.end()
    assert reading.run(store.read(), lambda: pytest.fail("it was read")) is None


def test_a_problem_that_is_no_interruption_is_told(store: Store) -> None:
    db = store.read()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        Reading().run(db, lambda: db.execute("SELECT 1 FROM nowhere"))
