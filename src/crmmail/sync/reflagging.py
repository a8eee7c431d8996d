"""The flags that a folder's messages have now: the answer is checked before it is believed (S3).

With CONDSTORE only the flags that changed are asked for. An answer that leaves a message out looks
like one from a folder in which less has changed, so that the flag would be wrong for good.

Without it no number tells what changed, and the flags of 100,000 messages are 5 MB: those of the
newest messages are read often, those of all others seldom.
"""

from __future__ import annotations

import time

from crmmail.sync import upkeep
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.narrowing import LeftOut
from crmmail.sync.problems import BadAnswer, Problem
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow

NEWEST = 1_000
"""Messages of a folder whose flags are read whenever some may have changed."""
_HOUR, _DAY = 3_600, 86_400


def update(session: Session, row: FolderRow, modseq: int, *, left: bool, told: bool) -> bool:
    """Take over the flags of the open folder that changed; returns whether all were looked at.

    `modseq` is what it has reached; `left` tells that messages have gone, which raises that too.
    `told`: the server has said that flags changed, and not which. Raises BadAnswer where the server
    does not tell all flags.
    """
    if modseq <= 0:
        return _update_some(session, row, modseq, told=told)
    if 0 < row.modseq <= modseq:
        changed = _changed(session.mailbox, row, modseq, left=left)
        if changed is not None:
            upkeep.set_flags(session.store, row.id, changed)
            return True
    _update_all(session, row, 1, row.uidnext)
    return True


def _update_some(session: Session, row: FolderRow, unread: int, *, told: bool) -> bool:
    """Take over the flags of the newest messages, and of all where that is due.

    That is once a day, where the count of unread messages does not agree, and, when the server has
    told of a change, once an hour.
    """
    db = session.store.read()
    low = upkeep.newest(db, row.id, NEWEST)
    _update_all(session, row, low, row.uidnext)
    now = int(time.time())
    fresh = 0 <= now - row.flags_at < (_HOUR if told else _DAY)
    agrees = unread in (0, row.modseq) or upkeep.unread(db, row.id) == -1 - unread
    if low > 1 and fresh and agrees:
        return False
    _update_all(session, row, 1, low)
    with session.store.write() as (writer, _):
        writer.execute("UPDATE folder SET flags_at = ? WHERE id = ?", [now, row.id])
    return True


def _changed(mailbox: Mailbox, row: FolderRow, modseq: int, *, left: bool) -> dict[int, int] | None:
    """The flags that changed; None where the server leaves some out, by its own count.

    Where it does not count, the message with the highest MODSEQ must be there.
    """
    count = mailbox.count_changed(1, row.uidnext, row.modseq)
    if count == 0 and left:
        return {}
    changed = mailbox.changed(1, row.uidnext, row.modseq)
    if changed is None or (
        changed.highest < modseq if count is None else len(changed.flags) < count
    ):
        return None
    return changed.flags


def _update_all(session: Session, row: FolderRow, low: int, high: int) -> None:
    """Ask for the flags of UIDs from `low` up to and excluding `high`; those that the answer leaves
    out are asked for once more.

    Where the server fails at a message, its flags stay as they are.
    """
    told = session.mailbox.flags(low, high)
    left_out = 0
    if missing := upkeep.readable_uids(session.store.read(), row.id, low, high) - told.keys():
        for uid, one in session.mailbox.flags_of(sorted(missing)).items():
            left_out += isinstance(one, LeftOut)
            if not isinstance(one, Problem):
                told[uid] = one
    upkeep.set_flags(session.store, row.id, told)
    if left_out:
        raise BadAnswer(f"The server does not tell the flags of {left_out:,} of its messages.")
