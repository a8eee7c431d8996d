"""Who was forgotten and who was let in again: what a store and its backups say of that."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crmmail.store import address_book, forgetting, records
from crmmail.store.database import Store


@dataclass(frozen=True, slots=True)
class Said:
    """The digests of addresses that are forgotten, and of those that were and are not any more."""

    forgotten: frozenset[str] = frozenset()
    remembered: frozenset[str] = frozenset()

    @staticmethod
    def by(db: sqlite3.Connection) -> Said:
        """What a store says, also one of an older version."""
        return Said(forgetting.digests(db), forgetting.remembered(db))

    @staticmethod
    def in_(document: dict[str, Any]) -> Said:
        """What a backup of what was made by hand says."""
        return Said(frozenset(document["forgotten"]), frozenset(document.get("remembered", ())))

    def after(self, older: Said) -> Said:
        """Both together: where they differ, this one holds."""
        return Said(
            self.forgotten | (older.forgotten - self.remembered),
            self.remembered | (older.remembered - self.forgotten),
        )

    def over(self, document: dict[str, Any]) -> dict[str, Any]:
        """A document in which this holds, of which it may know less."""
        both = self.after(Said.in_(document))
        return document | {
            "forgotten": sorted(both.forgotten),
            "remembered": sorted(both.remembered),
        }


def remember(store: Store, typed: str) -> None:
    """Let an address's mail and meetings in again: the next sync fetches them.

    That it was is written down: older backups still say that it is forgotten.
    """
    address = address_book.parse(typed)
    with store.write("ledger") as (db, _):
        said = Said.by(db)
        own = forgetting.digests_of(address, said.forgotten | said.remembered)
        if not own & said.forgotten:
            raise records.RecordError(f"{address} was not forgotten.", "Nothing was changed.")
        _let_in(db, own)


def hold(db: sqlite3.Connection, said: Said) -> None:
    """Let a store say what is said elsewhere, over what it says itself."""
    _let_in(db, said.remembered)
    db.executemany("DELETE FROM remembered WHERE digest = ?", [(one,) for one in said.forgotten])
    db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", [(one,) for one in said.forgotten])


def add(db: sqlite3.Connection, said: Said) -> None:
    """Let a store say what is said in an older place too; where they differ, the store holds."""
    hold(db, Said.by(db).after(said))


def _let_in(db: sqlite3.Connection, digests: Iterable[str]) -> None:
    """Take digests away; what was kept out because of one of them is looked at again."""
    gone = 0
    for one in digests:
        gone += db.execute("DELETE FROM forgotten WHERE digest = ?", [one]).rowcount
        db.execute("INSERT OR IGNORE INTO remembered VALUES (?, ?)", [one, int(time.time())])
    if gone:
        db.execute("UPDATE skipped SET readmit = 1 WHERE reason = 'forgotten'")
        db.execute("UPDATE calendar_object SET etag = '' WHERE reason = 'forgotten'")
        db.execute("UPDATE calendar SET sync_token = '', ctag = ''")
