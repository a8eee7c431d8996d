"""Which folders' flags are to be read though no number of the server says that they changed (S3).

Without CONDSTORE no number tells of each change. A server with it may count wrongly: HIGHESTMODSEQ
never moves, or not with every change. Once that is seen, the account is read as if the server had
no CONDSTORE, for a month.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from crmmail.sync.answers import FolderInfo
from crmmail.sync.problems import BadAnswer
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow

_AGAIN = 3_600.0
"""Seconds after which flags are read again, where no number tells of their changes."""
_WEEK, _MONTH = 7 * 86_400, 30 * 86_400
_AT_ONCE = 5
"""Folders whose flags are all read in one pass because that was not done for a week."""
log = logging.getLogger(__name__)


class Doubts:
    """The doubted folders of one account, over the passes of one connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told = set[str]()  # the server has said in passing that flags changed
        self._doubted = set[str]()
        self._due = 0.0  # when flags are read again, by the monotonic clock
        (at,) = (
            session.store.read()
            .execute(
                "SELECT ifnull(max(miscounts_at), 0) FROM sync_state WHERE account_id = ?",
                [session.account_id],
            )
            .fetchone()
        )
        if 0 <= time.time() - at < _MONTH:
            session.mailbox.do_not_count_changes()

    def begin(self, listed: dict[str, FolderInfo], rows: list[FolderRow], told: str = "") -> None:
        """Begin a pass: what the server lists is compared with what it said before.

        Where that shows that it counts wrongly, its counts of changes are taken out of `listed`.
        `told` names the folder of which it has said in passing that flags changed.
        """
        if self._counts and any(self._stands_still(row, listed[row.name]) for row in rows):
            self.distrust()
            for info in listed.values():
                listed[info.name] = replace(info, modseq=min(-1 - info.unseen, 0))
        self._told |= {
            row.name
            for row in rows
            if row.name == told and (not self._counts or row.modseq == listed[told].modseq)
        }
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _AGAIN
            if not self._counts:
                self._doubted |= {row.name for row in rows}
            elif _all_alike(
                listed.values()
            ):  # what is read for the first time comes with its flags
                self._doubted |= {row.name for row in rows if row.floor == 1}
        if self._counts:
            self._doubted |= {row.name for row in rows if _unseen_moved(row, listed[row.name])}
            self._doubted |= set(_long_unread(row for row in rows if listed[row.name].messages))

    def __contains__(self, name: str) -> bool:
        return name in self._told or name in self._doubted

    @property
    def names(self) -> set[str]:
        """The doubted folders."""
        return self._told | self._doubted

    def is_told(self, name: str) -> bool:
        """Whether the server has said that flags of the folder changed, and not which."""
        return name in self._told

    def read(self, name: str, *, all_read: bool) -> None:
        """The flags of a folder were read: of the newest messages, or of all."""
        self._doubted.discard(name)
        if all_read:
            self._told.discard(name)

    def distrust(self) -> None:
        """From now on do without the server's counts of changes."""
        session = self._session
        log.info("account %d: the server does not count all changes of flags", session.account_id)
        session.mailbox.do_not_count_changes()
        session.miscounts = False
        with session.store.write() as (db, _):
            db.execute(
                "UPDATE sync_state SET miscounts_at = ? WHERE account_id = ?",
                [int(time.time()), session.account_id],
            )
            db.execute("UPDATE folder SET flags_at = 0 WHERE account_id = ?", [session.account_id])
        self._due = 0.0

    @property
    def _counts(self) -> bool:
        return self._session.mailbox.has_modseq

    def _stands_still(self, row: FolderRow, info: FolderInfo) -> bool:
        """Whether mail has come and HIGHESTMODSEQ has not moved, as it must (RFC 7162, 3.1.2.1).

        STATUS may be late: EXAMINE, which new mail needs in any case, must say the same.
        """
        if not (row.uidvalidity == info.uidvalidity and row.modseq == info.modseq > 0):
            return False
        with suppress(BadAnswer):
            return 0 < row.uidnext < info.uidnext and (
                self._session.examine_again(row.name).modseq == row.modseq
            )
        return False


def _unseen_moved(row: FolderRow, info: FolderInfo) -> bool:
    return (
        row.modseq == info.modseq
        and -1 not in (row.unseen, info.unseen)
        and (row.unseen != info.unseen)
    )


def _all_alike(listed: Iterable[FolderInfo]) -> bool:
    """Whether HIGHESTMODSEQ is one number in all folders that have mail: few servers count so."""
    told = [info.modseq for info in listed if info.messages and info.modseq > 0]
    return len(set(told)) == 1 and (len(told) > 1 or told == [1])


def _long_unread(rows: Iterable[FolderRow]) -> list[str]:
    """Some of the folders that are read whole and whose flags were not all read for a week."""
    now = time.time()
    due = [row for row in rows if row.floor == 1 and not 0 <= now - row.flags_at < _WEEK]
    return [row.name for row in sorted(due, key=lambda row: row.flags_at)[:_AT_ONCE]]
