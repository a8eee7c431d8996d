"""The flags that a folder's messages have now: the answer is checked before it is believed (S3).

With CONDSTORE only the flags that changed are asked for. An answer that leaves a message out looks
like one from a folder in which less has changed, so that the flag would be wrong for good.
"""

from __future__ import annotations

from crmmail.sync import upkeep
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.narrowing import LeftOut
from crmmail.sync.problems import BadAnswer, Problem
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow


def update(session: Session, row: FolderRow, modseq: int, *, left: bool) -> None:
    """Take over the flags of the open folder: all, or those that changed since it was compared.

    `modseq` is what it has reached; `left` tells that messages have gone, which raises that too.
    Raises BadAnswer where the server does not tell all flags.
    """
    if 0 < row.modseq <= modseq:
        changed = _changed(session.mailbox, row, modseq, left=left)
        if changed is not None:
            upkeep.set_flags(session.store, row.id, changed)
            return
    _update_all(session, row)


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


def _update_all(session: Session, row: FolderRow) -> None:
    """Ask for all flags; those that the answer leaves out are asked for once more.

    Where the server fails at a message, its flags stay as they are.
    """
    told = session.mailbox.flags(1, row.uidnext)
    left_out = 0
    if missing := upkeep.readable_uids(session.store.read(), row.id) - told.keys():
        for uid, one in session.mailbox.flags_of(sorted(missing)).items():
            left_out += isinstance(one, LeftOut)
            if not isinstance(one, Problem):
                told[uid] = one
    upkeep.set_flags(session.store, row.id, told)
    if left_out:
        raise BadAnswer(f"The server does not tell the flags of {left_out:,} of its messages.")
