"""The first import: all folders at once by date, newest first, in steps that grow (S2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

from crmmail.sync import correspondents
from crmmail.sync.ahead import Ahead
from crmmail.sync.intake import Intake
from crmmail.sync.rules import Rules
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow

FIRST = 50
"""Messages of each folder that are taken to begin with."""
_LARGEST = 1_500
"""Messages that are taken at a time later on."""


@dataclass(slots=True)
class _Turn:
    row: FolderRow
    uids: list[int]  # ascending, still to be taken
    reached: float = float("inf")  # when the oldest taken so far was received


class Backfill:
    """Takes what lies below the folders' floors. Killed at any moment, it goes on from there."""

    def __init__(
        self, session: Session, intake: Intake, judged_by: Rules, admit: Callable[[], None]
    ) -> None:
        self._session = session
        self._rules = judged_by
        self._intake = intake
        self._admit = admit

    def run(
        self, rows: Iterable[FolderRow], sent: str, until: float, stopping: Callable[[], bool]
    ) -> bool:
        """Import the rows' older mail; returns whether all of it is in.

        `sent` names the folder of sent mail: read ahead for the roles that I wrote to (M5), or
        their mail would only come once the import has reached what I wrote.
        """
        turns = [turn for row in rows if row.floor > 1 and (turn := self._begin(row))]
        if not turns:
            return True
        self._announce()
        if self._session.sent_ahead is None:
            self._session.sent_ahead = next((t.uids[:] for t in turns if t.row.name == sent), [])
        unread = self._session.sent_ahead
        step = FIRST
        with closing(Ahead(self._session.mailbox, sent, unread, self._rules)) as ahead:
            while turns:
                if stopping() or time.monotonic() > until:
                    return False
                turn = max(turns, key=lambda one: one.reached)
                if turn.reached != float("inf"):
                    step = min(step + 2 * FIRST, _LARGEST)
                if not self._take(turn, step):
                    turns.remove(turn)
                if self._written(ahead.found()):
                    self._admit()
        return True

    def _begin(self, row: FolderRow) -> _Turn | None:
        with self._session.apart(row.name):
            self._session.examine(row.name)
            return _Turn(row, self._session.mailbox.uids(1, row.floor))
        return None

    def _take(self, turn: _Turn, step: int) -> bool:
        """Take the next step of a folder; returns whether there is more of it."""
        with self._session.apart(turn.row.name):
            self._session.examine(turn.row.name)
            uids = turn.uids[-step:]
            del turn.uids[-step:]
            if self._intake.take(turn.row.id, uids, backfill=True):
                self._admit()
            turn.reached = self._intake.reached
            self._session.tell_bytes()
            if turn.uids:
                return True
            with self._session.store.write("state") as (db, _):
                db.execute("UPDATE folder SET floor = 1 WHERE id = ?", [turn.row.id])
        return False

    def _written(self, roles: set[str]) -> int:
        """Note to which roles I wrote; returns how many messages of the ledger that lets in."""
        if not roles:
            return 0
        with self._session.store.write("ledger") as (db, _):
            return correspondents.mark_written(db, roles, self._rules)

    def _announce(self) -> None:
        """Say in the store that an import is under way, and how much there is to do."""
        with self._session.store.write("state") as (db, _):
            db.execute(
                """UPDATE sync_state SET state = 'importing', done = counted.done,
                       total = max(counted.done, counted.total),
                       started_at = CASE WHEN started_at THEN started_at ELSE ?1 END
                   FROM (SELECT ifnull(sum(messages), 0) AS total, ifnull(sum(
                             (SELECT count(*) FROM placement WHERE folder_id = folder.id)
                           + (SELECT count(*) FROM skipped WHERE folder_id = folder.id)), 0) AS done
                         FROM folder WHERE account_id = ?2 AND selected AND selectable) AS counted
                   WHERE account_id = ?2""",
                [int(time.time()), self._session.account_id],
            )
