"""The world of a walk (hand_walk.py): a store, its servers, and what chance chooses."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.dav_servers import CalDav
from tests.remote import Remote
from tests.sync.conftest import dumped

from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync.loop import sync_once

Undo: TypeAlias = Callable[[], object]
SECOND = "me@second.example"
SENDERS = (
    "Ann Lee <ann@acme.com>",
    "Ann <ann.lee@acme.com>",
    "Bo <bo@other.com>",
    "Col <col@home.example>",
    "News <news@paper.com>",
    "Info <info@shop.com>",
    "Dee <dee@fourth.com>",
    "Fay <fay@gmail.com>",
)


@dataclass
class Walk:
    """A store, its servers, and what chance chooses."""

    store: Store
    boxes: tuple[Remote, ...]
    dav: CalDav
    rnd: random.Random
    said: list[str] = field(default_factory=list)
    number: int = 0  # of letters, notes and names so far
    steps: int = 0

    def settle(self, store: Store | None = None, runs: int = 2) -> None:
        """Read the servers until nothing waits."""
        store = store or self.store
        before: list[str] = []
        for run in range(9):
            errors = [error for one in sync_once(store) for error in one.errors]
            now = dumped(store)
            if run + 1 >= runs and now == before and not errors:
                return
            before = now
        raise AssertionError(f"no rest: {errors}")

    def one(self, sql: str, *values: object) -> Any:
        """One row by chance, or None."""
        rows = self.store.read().execute(sql, values).fetchall()
        return self.rnd.choice(rows) if rows else None

    def record(self, *kinds: Kind) -> tuple[Kind, int] | None:
        """A record that is not deleted."""
        kind = self.rnd.choice(kinds or tuple(Kind))
        row = self.one(f"SELECT id FROM {kind.name.lower()} WHERE deleted_at = 0")
        return (kind, row[0]) if row else None
