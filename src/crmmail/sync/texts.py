"""The text of messages: small ones whole, of large ones the parts that are text (rules.md V2).

What a server does not do in one way is asked in another: a part without its end cut off, then the
message whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from crmmail.sync.answers import Listed
from crmmail.sync.fetching import SMALL
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.message import Unreadable
from crmmail.sync.problems import BadAnswer, Fault, Problem
from crmmail.sync.structure import TextPart, TextPlan, plan

WHOLE_LIMIT = 8_000_000
"""Bytes of a message, or of a part, that are fetched whole if nothing less can be had."""

Text = bytes | tuple[TextPlan, dict[str, bytes]] | Problem
"""A message's text as it came: whole, or by parts; or why it did not."""


def fetch(mailbox: Mailbox, wanted: Sequence[Listed]) -> dict[int, Text]:
    """Fetch these messages of the open folder; without those that are gone.

    The level of the account has to allow it (V2). Raises Fault where no text can be had at all.
    """
    small = [one.uid for one in wanted if 0 < one.size <= SMALL]
    texts: dict[int, Text] = dict(mailbox.bodies(small)) if small else {}
    large = {one.uid: one.size for one in wanted if not 0 < one.size <= SMALL}
    if large:
        texts.update(_Large(mailbox, large).fetch())
    for text in texts.values():
        if isinstance(text, Fault):
            raise text
    return texts


def octets(found: TextPlan) -> int:
    """How large a message is, by what the server says of its parts."""
    texts = sum(part.size for part in found.parts)
    return texts + sum(part.size for part in found.attachments)


class _Large:
    def __init__(self, mailbox: Mailbox, sizes: dict[int, int]) -> None:
        """Sizes by UID; 0 is one that the server does not tell."""
        self._mailbox = mailbox
        self._sizes = sizes
        self._plans: dict[int, TextPlan] = {}
        self._payloads: dict[int, dict[str, bytes]] = defaultdict(dict)

    def fetch(self) -> dict[int, Text]:
        there: set[int] = set()
        undescribed: list[int] = []
        for uid, structure in self._mailbox.structures(list(self._sizes)).items():
            there.add(uid)
            try:
                if isinstance(structure, Problem):
                    raise Unreadable(str(structure))
                self._plans[uid] = plan(structure)
            except Unreadable:
                undescribed.append(uid)
        whole = [
            uid for uid in self._plans if not self._sizes[uid] and octets(self._plans[uid]) <= SMALL
        ]
        failed = self._by_parts(self._plans.keys() - set(whole))
        texts = self._beginnings(undescribed) | self._whole([*whole, *failed])
        for uid in there - texts.keys():
            texts[uid] = (self._plans[uid], self._payloads[uid])
        return texts

    def _by_parts(self, uids: Iterable[int]) -> set[int]:
        """Fetch the text parts; returns the UIDs of which one could not be had."""
        sharing: dict[str, dict[int, TextPart]] = defaultdict(dict)
        for uid in uids:
            for part in (*self._plans[uid].parts, *self._plans[uid].calendars):
                sharing[part.section][uid] = part
        failed: set[int] = set()
        for section, parts in sharing.items():
            left = self._section(section, parts, whole=self._mailbox.cuts_nothing)
            if left and not self._mailbox.cuts_nothing:
                few = {uid: one for uid, one in left.items() if one.size <= WHOLE_LIMIT}
                again = self._section(section, few, whole=True)
                if len(left) == len(parts) > len(again):
                    self._mailbox.cuts_nothing = True
                left = again | {uid: one for uid, one in left.items() if uid not in few}
            failed.update(left)
        return failed

    def _section(
        self, section: str, parts: dict[int, TextPart], *, whole: bool
    ) -> dict[int, TextPart]:
        """Fetch one part of messages; returns those that were not sent, or not with their text."""
        left = dict(parts)
        for uid, payload in self._mailbox.parts(list(parts), section, whole=whole).items():
            if isinstance(payload, bytes) and (payload or not parts[uid].size):
                self._payloads[uid][section] = payload
                del left[uid]
        return left

    def _beginnings(self, uids: list[int]) -> dict[int, Text]:
        """The beginning of messages whose structure is of no use."""
        texts: dict[int, Text] = {}
        if uids and not self._mailbox.cuts_nothing:
            found = self._mailbox.parts(uids, "")
            texts.update({uid: text for uid, text in found.items() if _is_text(text)})
        return self._whole([uid for uid in uids if uid not in texts]) | texts

    def _whole(self, uids: Iterable[int]) -> dict[int, Text]:
        """Messages whole, because nothing less can be had of them."""
        few = [uid for uid in uids if self._sizes[uid] <= WHOLE_LIMIT]
        texts: dict[int, Text] = dict(self._mailbox.bodies(few)) if few else {}
        for uid in set(uids).difference(few):
            texts[uid] = BadAnswer("The server sends no part of this large message by itself.")
        return texts


def _is_text(text: bytes | Problem) -> bool:
    return isinstance(text, bytes) and bool(text.strip())
