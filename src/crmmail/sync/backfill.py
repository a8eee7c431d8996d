"""The first import: all folders at once by date, newest first, in steps that grow (S2).

One thread speaks with the server, and says which folder is next; who called writes what comes of
it. So neither waits for the other, also where one folder ends and the next begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from crmmail import __version__
from crmmail.sync import correspondents, listing, suspects, upkeep
from crmmail.sync.ahead import Ahead
from crmmail.sync.intake import Intake, Load
from crmmail.sync.pipe import Pipe
from crmmail.sync.rules import Rules, hold
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow

FIRST = 25
"""Messages of a folder that are taken to begin with; then twice as many each time."""
_LARGEST = 1_500
_EVER = float("inf")
Write = Callable[[], object]
"""What is to be done to the store, by the thread that writes."""


@dataclass(slots=True)
class _Turn:
    row: FolderRow
    uids: list[int] | None = None  # ascending, still to be taken; None before the server was asked
    reached: float = _EVER  # when the oldest taken so far was received
    step: int = FIRST

    def next(self) -> list[int]:
        """The UIDs of the next step, which are no longer to be taken."""
        uids = self.uids or []
        self.uids, taken = uids[: -self.step], uids[-self.step :]
        self.step = min(2 * self.step, _LARGEST)
        return taken


class Backfill:
    """Takes what lies below the folders' floors. Killed at any moment, it goes on from there."""

    def __init__(self, session: Session, intake: Intake, judged_by: Rules) -> None:
        self._session = session
        self._store = session.store
        self._rules = judged_by
        self._intake = intake
        self._let_in = True  # whether the ledger may have let something in that is to be fetched
        self._admitting = False

    def run(
        self, rows: Iterable[FolderRow], sent: str, until: float, stopping: Callable[[], bool]
    ) -> bool:
        """Import the rows' older mail; returns whether all of it is in.

        `sent` names the folder of sent mail: read ahead for the roles that I wrote to (M5), or
        their mail would only come once the import has reached what I wrote.
        """
        turns = [_Turn(row) for row in rows if row.floor > 1]
        if not turns:
            return True
        self._announce()
        ahead = self._read_ahead(turns, sent)
        steps = self._writes(turns, {"INBOX", sent}, until)
        with closing(ahead), Pipe(steps, self._session.mailbox.abort) as writes:
            for write in writes:
                if stopping():
                    return False
                write()
                self._note(ahead.found())
                self._session.sent_ahead = ahead.below
        return not turns

    def admit(self) -> None:
        """Fetch what the ledger lets in (M9), and try again what a newer crmmail may read (M8)."""
        self._let_in = True
        while self._let_in:
            if not self._waiting():  # mostly: a thread would cost more than all else of a pass
                self._let_in = False
                return
            with Pipe(self._admissions(), self._session.mailbox.abort) as writes:
                for write in writes:
                    write()

    def retry(self, before: int) -> None:
        """Try again what could not be read, if it was not tried since `before` (ms) (M8)."""
        store, account = self._store, self._session.account_id
        for name, folder_id, uids in suspects.due(store.read(), account, before, upkeep.now_ms()):
            with self._session.apart(name):
                self._session.examine(name)
                self._intake.take(folder_id, uids)

    def _waiting(self) -> list[tuple[str, int, list[int]]]:
        db = self._store.read()
        return upkeep.waiting(db, self._session.account_id, f"[{__version__}]")

    # -- on the network's side -----------------------------------------------------------------

    def _writes(self, turns: list[_Turn], at_once: set[str], until: float) -> Iterator[Write]:
        """A step of the folder that has come the least far back, again and again.

        `turns` is left with what was not finished in time.
        """
        while turns and time.monotonic() <= until:
            turn = max(turns, key=lambda one: one.reached)
            failed = True
            with self._session.apart(turn.row.name):
                yield from self._step(turn, at_once)
                failed = False
            if failed or not turn.uids:
                turns.remove(turn)
            yield from self._admissions()

    def _step(self, turn: _Turn, at_once: set[str]) -> Iterator[Write]:
        """Some messages of a folder; at first sight, unless it is one of those that are taken at
        once, only how new its mail is.
        """
        mailbox, folder_id = self._session.mailbox, turn.row.id
        self._session.examine(turn.row.name)
        if turn.uids is None:
            turn.uids = listing.older(self._session, turn.row)
            if turn.uids and turn.row.name not in at_once:
                self._intake.remember(folder_id)
                turn.reached = mailbox.received_at(turn.uids[-1])
                return
        for load in self._intake.loads(folder_id, turn.next()):
            for one in load.fetched[-1:]:
                turn.reached = one.listed.received_at
            yield partial(self._save, folder_id, load, load.floor)
        if not turn.uids:
            yield partial(self._finish, folder_id)
        yield self._session.tell_bytes

    def _admissions(self) -> Iterator[Write]:
        """Fetch what the ledger lets in, unless that is on its way already."""
        if not self._let_in or self._admitting:
            return
        self._let_in, self._admitting = False, True
        for name, folder_id, uids in self._waiting():
            with self._session.apart(name):
                self._session.examine(name)
                for load in self._intake.loads(folder_id, uids):
                    yield partial(self._save, folder_id, load, None)
                yield partial(upkeep.stop_waiting, self._store, folder_id, uids)
        yield self._admitted

    # -- on the store's side -------------------------------------------------------------------

    def _save(self, folder_id: int, load: Load, floor: int | None) -> None:
        if self._intake.save(folder_id, load, floor):
            self._let_in = True

    def _finish(self, folder_id: int) -> None:
        with self._store.write("state") as (db, _):
            db.execute("UPDATE folder SET floor = 1 WHERE id = ?", [folder_id])

    def _admitted(self) -> None:
        self._admitting = False

    def _read_ahead(self, turns: Iterable[_Turn], sent: str) -> Ahead:
        """Begin with, or go on with, reading the addresses of sent mail."""
        session = self._session
        if session.sent_ahead is None:
            session.sent_ahead = next((t.row.floor for t in turns if t.row.name == sent), 1)
        return Ahead(session.mailbox, sent, session.sent_ahead, self._rules)

    def _note(self, roles: set[str]) -> None:
        """Note to which roles I wrote (M5)."""
        if roles:
            with self._store.write("ledger") as (db, _):
                hold(db, self._rules)
                if correspondents.mark_written(db, roles, self._rules):
                    self._let_in = True

    def _announce(self) -> None:
        """Say in the store that an import is under way, and how much there is to do."""
        with self._store.write("state") as (db, _):
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
