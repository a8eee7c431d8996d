"""The flags that a folder's messages have now: the answer is checked before it is believed (S3).

With CONDSTORE only the flags that changed are asked for. An answer that leaves a message out looks
like one from a folder in which less has changed, so that the flag would be wrong for good.

Without it no number tells what changed, and the flags of 100,000 messages are 5 MB: those of the
newest messages are read often, those of all others seldom. So it is where the number does not move
(`doubts.py`).
"""

from __future__ import annotations

import json
import time

from crmmail.sync import upkeep
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.narrowing import LeftOut
from crmmail.sync.problems import BadAnswer, Problem
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow

NEWEST = 1_000
"""Messages of a folder whose flags are read whenever some may have changed."""
_HOUR, _DAY, _WEEK = 3_600, 86_400, 7 * 86_400


def update(
    session: Session, row: FolderRow, modseq: int, unseen: int, *, left: bool, told: bool
) -> bool:
    """Take over the flags of the open folder that changed; returns whether all were looked at.

    `modseq` is what it has reached; `left` tells that messages have gone, which raises that too.
    `unseen` is how many are unread on the server, if it is known. `told`: the server has said that
    flags changed, and not which. Raises BadAnswer where the server does not tell all flags.
    """
    if modseq <= 0:
        count = -1 if modseq in (0, row.modseq) else unseen
        return _update_some(session, row, count, _HOUR if told else _DAY)[0]
    if row.modseq == modseq:
        return _look(session, row, unseen, told=told)
    if 0 < row.modseq <= modseq:
        changed = _changed(session.mailbox, row, modseq, left=left)
        if changed is not None:
            upkeep.set_flags(session.store, row.id, changed)
            return True
    _update_all(session, row, 1, row.uidnext)
    return True


def _look(session: Session, row: FolderRow, unseen: int, *, told: bool) -> bool:
    """Read flags of a folder whose HIGHESTMODSEQ is what it was.

    Where some are others now, and it still is, the server does not count all changes. A flag that
    an earlier pass could not read proves nothing: the number has moved for it by then.
    """
    count = -1 if unseen == row.unseen else unseen
    all_read, changed = _update_some(session, row, count, _HOUR if told else _WEEK)
    if changed and session.examine_again(row.name).modseq == row.modseq:
        session.miscounts = True
    return all_read


def _update_some(session: Session, row: FolderRow, unseen: int, lasts: int) -> tuple[bool, int]:
    """Take over the flags of the newest messages, and of all where that is due.

    That is after so many seconds, and where not as many as `unseen` are unread here; below 0 it is
    not counted. Returns whether all were read, and how many messages had other flags here.
    """
    low = upkeep.newest(session.store.read(), row.id, NEWEST)
    changed = _update_all(session, row, low, row.uidnext)
    now = int(time.time())
    agrees = unseen < 0 or upkeep.unread(session.store.read(), row.id) == unseen
    if low > 1 and 0 <= now - row.flags_at < lasts and agrees:
        return False, changed
    changed += _update_all(session, row, 1, low)
    with session.store.write() as (writer, _):
        writer.execute("UPDATE folder SET flags_at = ? WHERE id = ?", [now, row.id])
    return True, changed


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


def _update_all(session: Session, row: FolderRow, low: int, high: int) -> int:
    """Ask for the flags of UIDs from `low` up to and excluding `high`; those that the answer leaves
    out are asked for once more. Returns how many messages had other flags here, without those whose
    flags could not be read before.

    Where the server fails at a message, its flags stay as they are.
    """
    told = session.mailbox.flags(low, high)
    left_out, failed, before = 0, set[int](), _failed_before(session, row)
    if missing := upkeep.readable_uids(session.store.read(), row.id, low, high) - told.keys():
        for uid, one in session.mailbox.flags_of(sorted(missing)).items():
            left_out += isinstance(one, LeftOut)
            if isinstance(one, Problem):
                failed.add(uid)
            else:
                told[uid] = one
    late = {uid: told.pop(uid) for uid in before & told.keys()}
    upkeep.set_flags(session.store, row.id, late)
    changed = upkeep.set_flags(session.store, row.id, told)
    if (now := before - late.keys() | failed) != before:
        _note_failed(session, row, now)
    if left_out:
        raise BadAnswer(f"The server does not tell the flags of {left_out:,} of its messages.")
    return changed


def _failed_before(session: Session, row: FolderRow) -> set[int]:
    """The messages of a folder whose flags the server failed to send when they were last asked."""
    found = session.store.read().execute("SELECT flags_failed FROM folder WHERE id = ?", [row.id])
    (packed,) = found.fetchone() or ("",)
    return set(json.loads(packed or "[]"))


def _note_failed(session: Session, row: FolderRow, uids: set[int]) -> None:
    with session.store.write() as (db, _):
        db.execute(
            "UPDATE folder SET flags_failed = ? WHERE id = ?",
            [json.dumps(sorted(uids)) if uids else "", row.id],
        )
