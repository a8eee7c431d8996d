"""One pass over one account: folders, news, vanished messages, flags, import, ledger, orphans."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crmmail import __version__
from crmmail.store.database import Store
from crmmail.sync import rejudge, rules, upkeep
from crmmail.sync.answers import FolderInfo
from crmmail.sync.intake import LISTING, Intake
from crmmail.sync.mailbox import Login, Mailbox
from crmmail.sync.problems import BadAnswer, Problem
from crmmail.sync.upkeep import FolderRow

FIRST = 150
"""Messages of a folder that are taken before the next folder's turn, at the start of an import."""
_BREATH = 20.0
"""Seconds of import after which news are looked for again."""
_EAGER = ("inbox", "sent")


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What signing in needs to know."""

    id: int
    email: str
    host: str
    port: int
    security: str
    username: str
    secret: str
    paused: bool


def account_rows(store: Store) -> list[AccountRow]:
    """Every account, in the order in which they were added."""
    rows = store.read().execute(
        """SELECT id, email, host, port, security, username, secret, paused FROM account
           ORDER BY id"""
    )
    return [AccountRow(*row) for row in rows]


def sign_in(account: AccountRow) -> Mailbox:
    """Connect to an account's server with the password from where it is kept."""
    from crmmail.accounts import credentials  # keyring is slow to import

    return Mailbox(
        Login(
            account.host,
            account.port,
            account.security,
            account.username or account.email,
            credentials.password(account),
        )
    )


class AccountSync:
    """The passes of one account over one connection; what went wrong with single folders is in
    `errors`, in words."""

    def __init__(self, store: Store, account_id: int, mailbox: Mailbox) -> None:
        self.errors: list[str] = []
        self._store = store
        self._account_id = account_id
        self._mailbox = mailbox
        self._open = ""
        self._reported = 0

    def run(self, seconds: float = float("inf"), stopping: Callable[[], bool] = bool) -> bool:
        """Do a pass; returns whether it is complete.

        News of all folders come first; then the import goes on for so many seconds. An incomplete
        pass is to be continued by the next.
        """
        self.errors = []
        started = upkeep.now_ms()
        until = time.monotonic() + seconds
        listed = {info.name: info for info in self._folders()}
        rows = upkeep.reconcile_folders(self._store, self._account_id, list(listed.values()))
        judged_by = rules.load(self._store.read(), self._account_id)
        rejudge.apply(self._store, judged_by, stopping)
        intake = Intake(self._store, self._mailbox, judged_by)
        for name, row in self._in_order(rows, listed):
            with self._apart(name):
                self._news(intake, row, listed[name])
            if stopping():
                return False
        if not self._import(intake, listed, until, stopping):
            return False
        rows = upkeep.folder_rows(self._store.read(), self._account_id)
        for name, row in rows.items():
            with self._apart(name):
                self._compare(intake, row, listed[name])
        self._admit(intake)
        self._tell_bytes()
        if upkeep.has_orphans(self._store.read()):
            while upkeep.bury_orphans(self._store, started):
                pass
        return True

    def settle(self, stopping: Callable[[], bool] = bool) -> None:
        """Pass until nothing is left to do: no import, and no orphan (M12) that waits for proof."""
        for _ in range(3):
            while not self.run(_BREATH, stopping):
                if stopping():
                    return
            if not upkeep.has_orphans(self._store.read()):
                return

    def wait(self, seconds: float, ear: socket.socket) -> None:
        """Wait until INBOX has news, the time is over, or `ear` is readable."""
        self._examine("INBOX")
        self._mailbox.wait(seconds, ear)

    # -- the steps of a pass ---------------------------------------------------------------------

    def _folders(self) -> list[FolderInfo]:
        listed = self._mailbox.folders()
        if not any(info.role == "inbox" for info in listed):
            raise Problem("The server lists no INBOX.", "Its answer is not trusted; trying again.")
        return listed

    def _in_order(
        self, rows: dict[str, FolderRow], listed: dict[str, FolderInfo]
    ) -> Iterator[tuple[str, FolderRow]]:
        """INBOX and Sent first: they are what somebody waits for."""
        yield from sorted(rows.items(), key=lambda entry: listed[entry[0]].role not in _EAGER)

    def _news(self, intake: Intake, row: FolderRow, info: FolderInfo) -> None:
        """Take what arrived above the cursor; start over when the folder is another one (S4)."""
        if row.uidvalidity and row.uidvalidity == info.uidvalidity and row.uidnext == info.uidnext:
            return
        told = info.uidnext and info.uidvalidity
        info = self._examine(row.name, info) if told else self._mailbox.examine(row.name)
        self._open = row.name
        if row.uidvalidity != info.uidvalidity:
            upkeep.begin(self._store, row.id, info)
            return
        if info.uidnext > row.uidnext:
            intake.take(row.id, self._mailbox.uids(row.uidnext, info.uidnext))
            with self._store.write() as (db, _):
                db.execute(
                    "UPDATE folder SET uidnext = max(uidnext, ?) WHERE id = ?",
                    [info.uidnext, row.id],
                )

    def _import(
        self,
        intake: Intake,
        listed: dict[str, FolderInfo],
        until: float,
        stopping: Callable[[], bool],
    ) -> bool:
        """Take the older mail of all folders in turns, newest first (S2)."""
        rows = upkeep.folder_rows(self._store.read(), self._account_id)
        turns = [
            _Turn(row, self._remaining(row))
            for _, row in self._in_order(rows, listed)
            if row.floor > 1
        ]
        if turns:
            self._announce()
        step = FIRST
        while turns := [turn for turn in turns if turn.uids is not None]:
            for turn in turns:
                if stopping() or time.monotonic() > until:
                    return False
                with self._apart(turn.row.name, turn):
                    self._take_turn(intake, turn, step)
            step = min(step * 2, LISTING * 4)
        return True

    def _remaining(self, row: FolderRow) -> list[int] | None:
        with self._apart(row.name):
            self._examine(row.name)
            return self._mailbox.uids(1, row.floor)
        return None

    def _take_turn(self, intake: Intake, turn: _Turn, step: int) -> None:
        assert turn.uids is not None  # noqa: S101 - turns without UIDs were taken out
        self._examine(turn.row.name)
        uids = turn.uids[-step:]
        del turn.uids[-step:]
        intake.take(turn.row.id, uids, backfill=True)
        self._tell_bytes()
        if not turn.uids:
            turn.uids = None
            with self._store.write("state") as (db, _):
                db.execute("UPDATE folder SET floor = 1 WHERE id = ?", [turn.row.id])

    def _admit(self, intake: Intake) -> None:
        """Fetch what the ledger lets in (M9), and try again what a newer crmmail may read (M8)."""
        while True:
            waiting = (
                self._store.read()
                .execute(
                    """SELECT folder.name, folder.id, json_group_array(skipped.uid) FROM folder
                   JOIN skipped ON skipped.folder_id = folder.id
                   WHERE folder.account_id = ?1 AND (skipped.readmit
                       OR (reason = 'unreadable' AND instr(detail, ?2) = 0))
                   GROUP BY folder.id""",
                    [self._account_id, f"[{__version__}]"],
                )
                .fetchall()
            )
            admitted = 0
            for name, folder_id, packed in waiting:
                with self._apart(name):
                    self._examine(name)
                    uids = [int(uid) for uid in packed.strip("[]").split(",")]
                    admitted += intake.take(folder_id, uids)
                    self._settle_ledger(folder_id, uids)
            if not admitted:
                return

    def _settle_ledger(self, folder_id: int, uids: list[int]) -> None:
        """What is still waiting after its turn was not there any more: the comparison finds it."""
        with self._store.write() as (db, _):
            db.executemany(
                "UPDATE skipped SET readmit = 0 WHERE folder_id = ? AND uid = ?",
                [(folder_id, uid) for uid in uids],
            )

    def _compare(self, intake: Intake, row: FolderRow, info: FolderInfo) -> None:
        """Find what vanished, what came late, and flags that changed."""
        have = upkeep.count_local(self._store.read(), row.id)
        fingerprint = info.modseq
        if have != info.messages:
            current = self._examine(row.name, info)
            there = set(self._mailbox.uids(1, row.uidnext))
            here = upkeep.local_uids(self._store.read(), row.id)
            if here - there:
                upkeep.vanish(self._store, row.id, here - there)
            if there - here:
                intake.take(row.id, sorted(there - here))
            upkeep.count_again(self._store, row.id)
            info = current
        if row.modseq != fingerprint:
            self._examine(row.name)
            since = row.modseq if self._mailbox.has_modseq else 0
            flags = self._mailbox.flags(1, row.uidnext, since)
            upkeep.set_flags(self._store, row.id, flags, fingerprint)

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
                [int(time.time()), self._account_id],
            )

    # -- inside ----------------------------------------------------------------------------------

    def _examine(self, name: str, info: FolderInfo | None = None) -> FolderInfo:
        """Open a folder unless it is open; `info` is what LIST-STATUS told of it."""
        if self._open == name and info is not None:
            return info
        if self._open != name:
            self._open = ""
            info = self._mailbox.examine(name)
            self._open = name
        return info or FolderInfo(name, "", True)

    @contextmanager
    def _apart(self, name: str, turn: _Turn | None = None) -> Iterator[None]:
        """One bad folder never stops the others (S5)."""
        try:
            yield
        except BadAnswer as problem:
            self.errors.append(f"{name}: {problem}")
            self._open = ""
            if turn is not None:
                turn.uids = None

    def _tell_bytes(self) -> None:
        fresh, self._reported = self._mailbox.received - self._reported, self._mailbox.received
        with self._store.write() as (db, _):
            db.execute(
                "UPDATE sync_state SET bytes_received = bytes_received + ? WHERE account_id = ?",
                [fresh, self._account_id],
            )


@dataclass(slots=True)
class _Turn:
    row: FolderRow
    uids: list[int] | None  # ascending, still to be taken; None when the folder is done
