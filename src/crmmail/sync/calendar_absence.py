"""What a calendar server does not list any more, and when that is believed (rules.md K8, M12).

As with mail, much that is absent waits until later runs say the same: a server's bad minute looks
the same as a deletion.
"""

from __future__ import annotations

import json
import time
from collections.abc import Set
from dataclasses import dataclass

from crmmail.store.database import Store
from crmmail.sync.believing import RUNS, Looks, is_little

_KIND = "calendar"


@dataclass(frozen=True, slots=True)
class Absence:
    """Which resources are to leave now, how many wait, and how many runs have missed those."""

    leaving: frozenset[str]
    waiting: int = 0
    runs: int = 0

    @property
    def words(self) -> str:
        """What is to be said of those that wait."""
        what = "one of its meetings" if self.waiting == 1 else f"{self.waiting:,} of its meetings"
        return f"The server does not list {what} any more. {_until(self.runs)}"


def judge(
    store: Store, looks: Looks, calendar_id: int, gone: Set[str], of: int, *, sure: bool
) -> Absence:
    """Decide on resources that are not listed, of a calendar which has so many here.

    More than half of them leave only when several runs in a row have missed them; so do all where
    the server was not `sure` that there are no such resources.
    """
    waited, _, _ = _noted(store, calendar_id)
    if waited - gone:  # some are there again: what was said was wrong
        withdraw(store, calendar_id)
        waited = set()
    if not waited and (not gone or (sure and is_little(len(gone), of))):
        return Absence(frozenset(gone))
    runs = _count(store, looks, calendar_id, gone)
    waited, _, _ = _noted(store, calendar_id)
    if runs < RUNS:
        return Absence(frozenset(), len(gone), runs)
    withdraw(store, calendar_id)
    return Absence(frozenset(gone & waited))


def is_gone(store: Store, looks: Looks, calendar_id: int, url: str) -> int:
    """Count that a calendar is not there; returns in how many runs it was not, 0 for enough."""
    runs = _count(store, looks, calendar_id, {url})
    return 0 if runs >= RUNS else runs


def words_of_calendar(runs: int) -> str:
    """What is to be said of a calendar that is not there."""
    return f"The server does not have this calendar any more. {_until(runs)}"


def withdraw(store: Store, calendar_id: int) -> None:
    """What was missed is there: a later time is the first again."""
    with store.write() as (db, _):
        db.execute("UPDATE calendar SET missing = '', missing_runs = 0 WHERE id = ?", [calendar_id])


def _until(runs: int) -> str:
    return f"All stay here until {RUNS} runs in a row say the same ({runs} of {RUNS})."


def _noted(store: Store, calendar_id: int) -> tuple[set[str], int, int]:
    row = (
        store.read()
        .execute(
            "SELECT missing, missing_runs, missing_at FROM calendar WHERE id = ?", [calendar_id]
        )
        .fetchone()
    )
    missing, runs, at = row or ("", 0, 0)
    return set(json.loads(missing or "[]")), runs, at


def _count(store: Store, looks: Looks, calendar_id: int, gone: Set[str]) -> int:
    """Note that these are missed; returns in how many runs in a row they were."""
    waited, runs, at = _noted(store, calendar_id)
    now = int(time.time())
    again = bool(waited) and waited <= gone
    if not looks.counts(calendar_id, _KIND, at if again else 0, now) and again:
        return runs
    runs = runs + 1 if again else 1
    said = json.dumps(sorted(waited if again else gone))
    with store.write() as (db, _):
        db.execute(
            "UPDATE calendar SET missing = ?, missing_runs = ?, missing_at = ? WHERE id = ?",
            [said, runs, now, calendar_id],
        )
    return runs
