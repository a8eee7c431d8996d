"""A thread that waits for the user goes on although its state cannot be written (S5)."""

from __future__ import annotations

import sqlite3

import pytest
from tests.patience import PATIENCE, until

from crmmail.store.database import Store
from crmmail.sync.patience import Patience
from crmmail.sync.problems import Asking, Problem, Refused


class Fails(Patience):
    """Fails each time, and can write no state."""

    def __init__(self, store: Store, problem: Problem) -> None:
        self._store, self._problem, self.tries = store, problem, 0
        super().__init__("crmmail-test")

    def _work(self) -> None:
        self.tries += 1
        raise self._problem

    def _tell(self, words: str, hint: str, state: str, next_try: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    def is_tried_again(self) -> bool:
        """Wake it, as `ctrl+r` does; whether it goes on after it was refused twice in a row."""
        self.wake()
        return self.tries > 4


@pytest.mark.parametrize("problem", [Refused("no"), Asking("not typed")], ids=["refused", "asking"])
def test_a_state_that_cannot_be_written_does_not_end_the_thread(
    store: Store, problem: Problem
) -> None:
    worker = Fails(store, problem)
    try:
        until(worker.is_tried_again, lambda: f"{worker.tries} tries")
        assert "full" in str(store.trouble)
    finally:
        worker.stop()
        worker.thread.join(PATIENCE)
    assert not worker.thread.is_alive()
