"""Sent mail's addresses, read ahead of the import over a connection of their own (rules.md M5).

Mail from `info@…` enters when I ever wrote there, and the letter may lie years back. What this
finds only lets such mail in sooner: the import itself learns the same when it gets there.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Sequence

from crmmail.addresses import ROLES, is_role
from crmmail.store.kinds import Flag
from crmmail.sync import correspondents
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.message import parse_header
from crmmail.sync.rules import Rules

log = logging.getLogger(__name__)

STEP = 2_000
_A_ROLE = re.compile(rb"\b(?:%s)(?:\+[^@\s]*)?@" % "|".join(ROLES).encode(), re.IGNORECASE)


class Ahead:
    """Reads on in a thread of its own until it is closed; it never touches the store."""

    def __init__(self, mailbox: Mailbox, folder: str, below: int, judged_by: Rules) -> None:
        """Read what `folder` has below that UID, the newest first."""
        self.below = below
        """What was found so far is of mail from this UID on: another can go on below it."""
        self._mailbox = mailbox
        self._folder = folder
        self._rules = judged_by
        self._read: queue.SimpleQueue[tuple[int, set[str]]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._other: Mailbox | None = None
        if folder and below > 1:
            threading.Thread(target=self._run, name="crmmail-ahead", daemon=True).start()

    def found(self) -> set[str]:
        """The role addresses found since the last call, written to by me."""
        roles: set[str] = set()
        while not self._read.empty():
            self.below, more = self._read.get()
            roles |= more
        return roles

    def close(self) -> None:
        """Stop; a command under way is cut."""
        self._stop.set()
        if (other := self._other) is not None:
            other.abort()

    def _run(self) -> None:
        below = self.below
        try:
            other = self._other = self._mailbox.again()
        except Exception as problem:  # too many connections, say
            log.info("sent mail is not read ahead: %s", problem)
            self._read.put((1, set()))
            return
        try:
            other.examine(self._folder)
            uids = other.uids(1, below)
            while uids and not self._stop.is_set():
                roles = written_roles(other, uids[-STEP:], self._rules)
                self._read.put((uids[-STEP:][0], roles))
                del uids[-STEP:]
        except Exception as problem:  # the import learns it all the same, only later
            if not self._stop.is_set():
                log.info("sent mail is not read ahead any more: %s", problem)
                self._read.put((1, set()))
        finally:
            other.close()


def written_roles(mailbox: Mailbox, uids: Sequence[int], judged_by: Rules) -> set[str]:
    """The role addresses that these messages of the open folder show me to have written to."""
    found: set[str] = set()
    for flags, header in mailbox.addresses(uids, _A_ROLE):  # hardly any
        if not flags & Flag.DRAFT:
            found.update(correspondents.recipients(parse_header(header, 0), judged_by))
    return {address for address in found if is_role(address.partition("@")[0])}
