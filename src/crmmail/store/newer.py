"""Whether the newest daily backup has more than a whole store that takes the place."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from crmmail.store import copies, daily, handmade
from crmmail.store.database import Store
from crmmail.store.handmade import Document
from crmmail.store.trouble import StoreError


@dataclass(frozen=True, slots=True)
class Newer:
    """A daily backup that was made after a whole copy of the store."""

    path: Path
    made_at: int
    document: Document

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each part it has."""
        return {part: len(self.document[part]) for part in handmade.COUNTED}

    def kept(self) -> Path:
        """Where it is when a restore or a rebuild has taken the place of the store."""
        saved = daily.saved_as(self.path)
        return saved if saved.exists() else self.path

    def lacking(self, store: Path) -> dict[str, int]:
        """How many rows of each part it has that a store has not, or not so."""
        with closing(Store(store)) as opened:
            there = handmade.collect(opened.read(), 0)
        return {part: len(_rows(self.document, part) - _rows(there, part)) for part in _PARTS}


_PARTS = tuple(part for part in handmade.COUNTED if part != "accounts")  # a sync changes them


def than(copy: Path, store: Path) -> Newer | None:
    """The newest daily backup, where it is newer than a whole copy of the store; else None."""
    made = {one.path: one.made_at for one in copies.made(store)}
    with suppress(OSError, StoreError):
        at = made.get(copy.absolute()) or int(copy.stat().st_mtime)
        if (found := daily.newest_whole(store)) is not None and found[1]["made_at"] > at:
            return Newer(found[0], int(found[1]["made_at"]), found[1])
    return None


def _rows(document: Document, part: str) -> set[str]:
    return {json.dumps(row, sort_keys=True) for row in document[part]}
