"""Which messages a folder has: the server's list, checked against its own numbers (M12)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from crmmail.sync import upkeep
from crmmail.sync.answers import FolderInfo
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.problems import BadAnswer
from crmmail.sync.session import Session
from crmmail.sync.upkeep import FolderRow


@dataclass(frozen=True, slots=True)
class Found:
    """The UIDs that the server lists; `messages` is how many it counts in the same folder."""

    uids: frozenset[int]
    messages: int
    agreed: bool  # so many are listed as are counted
    sure: bool  # and what else the server tells fits too: a message not listed is not there


def news(session: Session, row: FolderRow, info: FolderInfo) -> list[int]:
    """The UIDs that the open folder has had since UIDNEXT was the row's.

    Where as many messages have come as UIDs were given, each of these is one. Where SEARCH leaves
    some out, FETCH is asked too: they were deleted, or the answer is short.
    """
    low, high = row.uidnext, info.uidnext
    if high - low == info.messages - upkeep.count_local(session.store.read(), row.id):
        return [*range(low, high)]
    found = session.mailbox.uids(low, high)
    if len(found) >= high - low:
        return found
    return sorted({*found, *_fetched(session.mailbox, low, high)})


def older(session: Session, row: FolderRow) -> list[int]:
    """The UIDs below a folder's floor; the folder is open."""
    found = session.mailbox.uids(1, row.floor)
    expected = session.opened.messages - upkeep.count_local(session.store.read(), row.id)
    if len(found) >= expected:
        return found
    return sorted({*found, *_fetched(session.mailbox, 1, row.floor)})


def all_of(session: Session, row: FolderRow, told: FolderInfo) -> Found:
    """What a folder has; `told` is how the server listed it in this pass.

    Where the numbers do not agree they are asked for once more: something may just have changed.
    """
    here = upkeep.local_uids(session.store.read(), row.id)
    found = _look(session, row, told, here)
    return found if found.agreed and found.sure else _look(session, row, told, here)


def _look(session: Session, row: FolderRow, told: FolderInfo, here: Iterable[int]) -> Found:
    info = session.examine_again(row.name)
    top = max(row.uidnext, info.uidnext)
    uids = set(session.mailbox.uids(1, top))
    if len(uids) != info.messages:
        fetched = _fetched(session.mailbox, 1, top)
        uids = fetched if len(fetched) == info.messages else uids | fetched
    agreed = len(uids) == info.messages and info.uidvalidity in (0, row.uidvalidity)
    sure = agreed and (not told.uidnext or info.uidnext >= row.uidnext)
    if sure and told.messages != info.messages and not uids.issuperset(here):
        sure = session.mailbox.count(row.name) == info.messages
    return Found(frozenset(uids), info.messages, agreed, sure)


def _fetched(mailbox: Mailbox, low: int, high: int) -> set[int]:
    """The UIDs that FETCH tells of; none where the server does not want to."""
    with suppress(BadAnswer):
        return set(mailbox.flags(low, high))
    return set()
