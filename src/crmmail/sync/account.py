"""One pass over one account: folders, news, import, vanished messages, flags, ledger, orphans."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from crmmail.store import levels
from crmmail.store.database import Store
from crmmail.sync import (
    believing,
    known_folders,
    listing,
    progress,
    reflagging,
    rejudge,
    rules,
    suspects,
    taking_back,
    upkeep,
)
from crmmail.sync.answers import FolderInfo
from crmmail.sync.backfill import Backfill
from crmmail.sync.believing import LIST, Looks
from crmmail.sync.doubts import Doubts
from crmmail.sync.intake import Intake
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.problems import BadAnswer, Problem
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow

_BREATH = 20.0
"""Seconds of import after which news are looked for again."""
_STEP = 300
"""Messages that are fetched again at a time (V3)."""
_PATIENCE = 86_400_000
"""For how many milliseconds what was moved may lie in a folder that cannot be read (M12)."""
_EAGER = ("inbox", "sent")
log = logging.getLogger(__name__)


class AccountSync:
    """The passes of one account over one connection."""

    def __init__(
        self, store: Store, account_id: int, mailbox: Mailbox, looks: Looks | None = None
    ) -> None:
        self._store = store
        self._looks = looks or Looks()
        self._account_id = account_id
        self._session = Session(store, account_id, mailbox)
        self._mailbox = mailbox
        self._doubts = Doubts(self._session)
        self._told = 0  # the UIDNEXT of INBOX that began the last pass out of turn

    @property
    def errors(self) -> list[str]:
        """What went wrong with single folders in the last pass, in words."""
        return self._session.errors

    def settle(self, stopping: Callable[[], bool] = bool) -> None:
        """Pass until nothing is left to do: no import, and no orphan (M12) that waits for proof.

        Then each message that the server lists is in the store or in the skip list, or there is an
        error.
        """
        started, accounted = upkeep.now_ms(), False
        upkeep.want_again(self._store, self._account_id)
        while not accounted:
            for _ in range(3):
                while not self.run(_BREATH, stopping):
                    if stopping():
                        return
                if not upkeep.has_orphans(self._store.read()):
                    break
            with suppress(rules.Moved):
                waited = self._orphans_wait()
                self._account_for(started)
                accounted = not waited or self._orphans_wait()
        levels.wipe(self._store)

    def run(self, seconds: float = float("inf"), stopping: Callable[[], bool] = bool) -> bool:
        """Do a pass; returns whether it is complete.

        News of all folders come first; then the import goes on for so many seconds. An incomplete
        pass is to be continued by the next: so is one under which the rules have changed.
        """
        try:
            return self._pass(seconds, stopping)
        except rules.Moved:
            log.info("account %d: the rules have changed; the pass begins anew", self._account_id)
            return False

    def _pass(self, seconds: float, stopping: Callable[[], bool]) -> bool:
        self._session.errors, self._session.failed, self._session.cut = [], set(), None
        started = upkeep.now_ms()
        until = time.monotonic() + seconds
        listed = {info.name: info for info in self._folders()}
        expunged = self._mailbox.expunged()
        judged_by = rules.load(self._store.read(), self._account_id)
        told = self._session.reflagged()
        known_folders.reconcile(
            self._store,
            self._account_id,
            [*listed.values()],
            self._looks,
            whole=not self._mailbox.unlisted,
        )
        rejudge.apply(self._store, judged_by, stopping)
        intake = Intake(self._store, self._mailbox, judged_by)
        self._count(listed)
        before = self._rows(listed)
        self._doubts.begin(listed, before, told)
        for row in before:
            with self._session.apart(row.name):
                self._news(intake, row, listed[row.name])
            if stopping():
                return False
        backfill = Backfill(self._session, intake, judged_by)
        sent = next((name for name, info in listed.items() if info.role == "sent"), "")
        if not backfill.run(self._rows(listed), sent, until, stopping):
            return False
        self._compare_changed(intake, before, listed)
        if self._session.miscounts:
            self._doubts.distrust()
            return False
        for name in self._session.failed:
            del expunged[name]
        self._mailbox.drop_expunged(expunged)
        backfill.admit()
        if not self._raise(intake, until, stopping):
            return False
        self._let_go(started)
        taking_back.run(self._store, stopping)
        return True

    def _let_go(self, started: int) -> None:
        """At the end of a pass let go of what it has found nowhere (M12)."""
        self._session.tell_bytes()
        self._session.errors += known_folders.settle(
            self._store, self._account_id, self._looks, self._session.failed
        )
        if upkeep.has_orphans(self._store.read()):
            hidden = upkeep.may_hide(self._store.read(), self._account_id)
            patience = _PATIENCE if hidden or self._session.errors else 0
            while upkeep.bury_orphans(self._store, started - patience):
                pass

    def _orphans_wait(self) -> bool:
        """Whether messages without a place stay, as they may lie where this pass saw nothing."""
        db = self._store.read()
        return upkeep.has_orphans(db) and upkeep.may_hide(db, self._account_id)

    def _account_for(self, started: int) -> None:
        if self._session.cut and not self._mailbox.sent_something:
            raise self._session.cut
        judged_by = rules.load(self._store.read(), self._account_id)
        intake = Intake(self._store, self._mailbox, judged_by)
        Backfill(self._session, intake, judged_by).retry(started)
        suspects.tell(self._session)
        suspects.account_for(self._session)

    def wait(
        self, seconds: float, ear: socket.socket, woken: Callable[[], object] | None = None
    ) -> None:
        """Wait until INBOX has news, the time is over, or `ear` is readable (`woken` is called).

        What came since the pass looked, the server does not tell of in IDLE: it is in the counts.
        """
        uidnext = self._session.examine_again("INBOX").uidnext
        known = self._known_uidnext()
        if known and uidnext not in (self._told, *known):
            self._told = uidnext  # once: a server may count in its own way
            return
        self._mailbox.wait(seconds, ear, woken)

    def _known_uidnext(self) -> list[int]:
        rows = upkeep.folder_rows(self._store.read(), self._account_id)
        return [row.uidnext for row in rows if row.name == "INBOX"]

    # -- the steps of a pass ---------------------------------------------------------------------

    def _folders(self) -> list[FolderInfo]:
        listed = self._mailbox.folders()
        if count := self._mailbox.unlisted:
            self._session.errors.append(
                f"The server's list of folders cannot be read in {count} of its lines."
            )
        if not any(info.role == "inbox" for info in listed):
            raise Problem("The server lists no INBOX.", "Its answer is not trusted.")
        return listed

    def _count(self, listed: dict[str, FolderInfo]) -> None:
        """Open the folders whose counts the server did not tell, for what that tells.

        One that cannot be opened is left out of this pass. One that is new here and said to be
        empty is opened too, if that can be done: a wrong count would leave its mail out.
        """
        for row in upkeep.folder_rows(self._store.read(), self._account_id):
            told = listed[row.name]
            if not told.counted or not (row.uidvalidity or told.messages):
                with suppress(BadAnswer) if told.counted else self._session.apart(row.name):
                    seen = self._session.examine_again(row.name)
                    modseq = seen.modseq if self._mailbox.has_modseq else row.modseq
                    listed[row.name] = replace(seen, role=told.role, modseq=modseq, counted=True)
                    upkeep.counted(self._store, row.id, seen.messages)

    def _rows(self, listed: dict[str, FolderInfo]) -> list[FolderRow]:
        """The folders to be read, INBOX and Sent first: they are what somebody waits for."""
        rows = [
            row
            for row in upkeep.folder_rows(self._store.read(), self._account_id)
            if listed[row.name].counted
        ]
        return sorted(rows, key=lambda row: listed[row.name].role not in _EAGER)

    def _news(self, intake: Intake, row: FolderRow, info: FolderInfo) -> None:
        """Take what arrived above the cursor; start over when the folder is another one (S4)."""
        if row.uidvalidity and row.uidvalidity == info.uidvalidity and row.uidnext == info.uidnext:
            return
        if not (info.uidnext and info.uidvalidity) or row.uidvalidity not in (0, info.uidvalidity):
            info = self._session.examine_again(row.name)
        elif row.uidvalidity:  # of a folder that nothing is known of, the counts say enough
            info = self._session.examine(row.name, info)
        if row.uidvalidity != (info.uidvalidity or row.uidvalidity or 1):
            known_folders.begin(self._store, row, info)
            return
        if info.uidnext > row.uidnext:
            intake.take(row.id, listing.news(self._session, row, info))
            with self._store.write() as (db, _):
                db.execute(
                    "UPDATE folder SET uidnext = max(uidnext, ?) WHERE id = ?",
                    [info.uidnext, row.id],
                )

    def _compare_changed(
        self, intake: Intake, before: list[FolderRow], listed: dict[str, FolderInfo]
    ) -> None:
        """Compare each folder that was not as it is listed, `before` its news were taken."""
        changed = {row.name for row in before if row.floor > 1 or row.differs(listed[row.name])}
        changed |= {row.name for row in before if row.doubted}
        changed |= self._doubts.names
        for row in self._rows(listed):
            if row.name in changed and row.floor <= 1:
                with self._session.apart(row.name):
                    self._compare(intake, row, listed[row.name])

    def _compare(self, intake: Intake, row: FolderRow, info: FolderInfo) -> None:
        """Find what vanished, what came late, and flags that changed."""
        here = before = upkeep.count_local(self._store.read(), row.id)
        if row.doubted or here != info.messages:
            self._compare_lists(intake, row, info)
            here = upkeep.count_local(self._store.read(), row.id)
        modseq = info.modseq
        if row.modseq != modseq or not modseq or row.name in self._doubts:
            modseq = min(modseq, self._session.examine(row.name).modseq or modseq)
            intake.remember(row.id)
            left, told = before > info.messages, self._doubts.is_told(row.name)
            all_read = reflagging.update(
                self._session, row, modseq, info.unseen, left=left, told=told
            )
            self._doubts.read(row.name, all_read=all_read)
        if row.name in self._session.failed or row.uidnext < info.uidnext:
            modseq = row.modseq  # its mail is not here yet: both numbers move together (S11)
        upkeep.compared(self._store, row.id, modseq, here, info.unseen)

    def _compare_lists(self, intake: Intake, row: FolderRow, info: FolderInfo) -> None:
        """Take in what is missing here; take out what the server does not have any more (M12)."""
        found = listing.all_of(self._session, row, info)
        told = self._mailbox.take_expunged(row.name)
        here = upkeep.local_uids(self._store.read(), row.id)
        with self._store.write("state") as (db, change):
            if found.agreed:
                gone = here - found.uids
                gone = believing.leaving(db, self._looks, row.id, gone, told=told, sure=found.sure)
                upkeep.take_out(db, change, row.id, gone)
                believing.withdraw(db, [row.id], LIST)
            else:
                believing.confirmed(db, self._looks, row.id, LIST)
        if late := [uid for uid in found.uids - here if uid < row.uidnext]:
            intake.take(row.id, sorted(late))
        if not found.agreed:
            raise BadAnswer(
                f"The server counts {found.messages:,} messages and lists {len(found.uids):,}. "
                "Nothing is taken for deleted until both agree."
            )

    def _raise(self, intake: Intake, until: float, stopping: Callable[[], bool]) -> bool:
        """Fetch what a raised level allows, newest first (V3); returns whether all is there."""
        first = True
        while batch := upkeep.wanted(self._store.read(), self._account_id, _STEP):
            if first:
                progress.begin(self._store, self._account_id, upkeep.COUNT_WANTED)
                first = False
            if stopping() or time.monotonic() > until:
                return False
            for name, folder_id, uids in batch:
                with self._session.apart(name):
                    self._session.examine(name)
                    intake.take(folder_id, uids)
                upkeep.stop_waiting(self._store, folder_id, uids)
            self._session.tell_bytes()
        progress.end(self._store, self._account_id)
        return True
