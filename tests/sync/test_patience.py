"""A thread that waits for the user goes on although its state cannot be written (S5)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.patience import PATIENCE, until

from crmmail.store.database import Store
from crmmail.store.trouble import MovedError
from crmmail.sync.patience import Patience
from crmmail.sync.problems import Asking, Problem, Refused


class Fails(Patience):
    """Fails each time, and can write no state."""

    def __init__(self, store: Store, problem: Problem, unwritten: Exception) -> None:
        self._store, self._problem, self._unwritten = store, problem, unwritten
        self.tries = 0
        super().__init__("crmmail-test")

    def _work(self) -> None:
        self.tries += 1
        raise self._problem

    def _tell(self, words: str, hint: str, state: str, next_try: int) -> None:
        raise self._unwritten

    def is_tried_again(self) -> bool:
        """Wake it, as `ctrl+r` does; whether it goes on after it was refused twice in a row."""
        self.wake()
        return self.tries > 4


FULL = sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize(
    ("problem", "unwritten", "said"),
    [
        pytest.param(Refused("no"), FULL, "full", id="refused, full disk"),
        pytest.param(Asking("not typed"), FULL, "full", id="asking, full disk"),
        pytest.param(Refused("no"), MovedError(Path("gone.db")), "gone.db", id="refused, moved"),
    ],
)
def test_a_state_that_cannot_be_written_does_not_end_the_thread(
    store: Store, problem: Problem, unwritten: Exception, said: str
) -> None:
    worker = Fails(store, problem, unwritten)
    try:
        until(worker.is_tried_again, lambda: f"{worker.tries} tries")
        assert said in str(store.trouble)
    finally:
        worker.stop()
        worker.thread.join(PATIENCE)
    assert not worker.thread.is_alive()
