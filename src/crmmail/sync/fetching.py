"""The FETCH commands of a connection, and what they answer, message by message."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from imapclient import IMAPClient

from crmmail.sync import uid_sets
from crmmail.sync.answers import Listed, epoch, flags_of, listed, literal, matching, parsed
from crmmail.sync.message import HEADER_FIELDS
from crmmail.sync.problems import BadAnswer, Problem, in_words
from crmmail.sync.wire import accept

SMALL = 64_000
"""Messages up to this many bytes are fetched whole."""
TEXT_LIMIT = 262_144
"""How much of one text part of a larger message is fetched, in bytes."""
_ADDRESSES = "(UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO CC BCC)])"


class Fetching:
    """What a signed-in connection can fetch of the folder that is open."""

    _client: IMAPClient
    _can: set[str]

    def received_at(self, uid: int) -> float:
        """When a message came to the server, in seconds since 1970; "now" if it does not tell."""
        for _, answer in self._fetch([uid], "(UID INTERNALDATE)"):
            if not isinstance(answer, Problem):
                return epoch(answer.get(b"INTERNALDATE"))
        return time.time()

    def headers(
        self, uids: Sequence[int], fields: Sequence[str] = HEADER_FIELDS
    ) -> dict[int, Listed | Problem]:
        """List these messages. One that the server cannot list is given with its problem (M8)."""
        names = " ".join(name.upper() for name in fields)
        items = f"(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({names})])"
        if "X-GM-EXT-1" in self._can:
            items = f"(X-GM-THRID {items[1:]}"
        elif "OBJECTID" in self._can:
            items = f"(THREADID {items[1:]}"
        return {
            uid: answer if isinstance(answer, Problem) else listed(uid, answer)
            for uid, answer in self._fetch(uids, items)
        }

    def addresses(
        self, uids: Sequence[int], wanted: re.Pattern[bytes]
    ) -> Iterator[tuple[int, bytes]]:
        """Flags, and the header lines of who wrote to whom, of those in which `wanted` is found.

        Nothing else: each further item makes the server open more of its files.
        """
        for uid, answer in self._fetch(uids, _ADDRESSES, wanted):
            if not isinstance(answer, Problem) and isinstance(one := listed(uid, answer), Listed):
                yield one.flags, one.header

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes | Problem]:
        """These messages whole, as sent."""
        return {
            uid: answer if isinstance(answer, Problem) else literal(answer, b"BODY[]")
            for uid, answer in self._fetch(uids, "(UID BODY.PEEK[])")
        }

    def structures(self, uids: Sequence[int]) -> dict[int, Any | Problem]:
        """The BODYSTRUCTURE of these messages, as imapclient parses it."""
        return {
            uid: answer if isinstance(answer, Problem) else answer.get(b"BODYSTRUCTURE")
            for uid, answer in self._fetch(uids, "(UID BODYSTRUCTURE)")
        }

    def parts(self, uids: Sequence[int], section: str) -> dict[int, bytes | Problem]:
        """The beginning of one part of each of these messages, as encoded."""
        items = f"(UID BODY.PEEK[{section}]<0.{TEXT_LIMIT}>)"
        return {
            uid: answer
            if isinstance(answer, Problem)
            else literal(answer, f"BODY[{section}]<0>".encode())
            for uid, answer in self._fetch(uids, items)
        }

    def part(self, uid: int, section: str) -> bytes | Problem:
        """One part of a message, whole, as encoded."""
        items = f"(UID BODY.PEEK[{section}])"
        for _, answer in self._fetch([uid], items):
            return answer if isinstance(answer, Problem) else literal(answer, b"BODY[")
        return BadAnswer("The server does not have this message any more.")

    def head(self, uid: int) -> bytes | Problem:
        """The beginning of a message, where its structure is of no use."""
        return self.parts([uid], "")[uid]

    def flags(self, low: int, high: int, since: int = 0) -> dict[int, int]:
        """The flags of UIDs from `low` up to and excluding `high`: Flag by UID.

        `since` is a MODSEQ (RFC 7162): then only of messages that changed after it.
        """
        if high <= low:
            return {}
        changed = [f"(CHANGEDSINCE {since})"] if since else []
        with in_words():
            self._client._imap.untagged_responses.pop("FETCH", None)
            kind, data = self._client._imap.uid(
                "FETCH", f"{low}:{high - 1}", "(UID FLAGS)", *changed
            )
            accept(kind, data)
            answers = parsed(data)
        return {
            uid: flags_of(answer[b"FLAGS"])
            for uid, answer in answers.items()
            if low <= uid < high and b"FLAGS" in answer
        }

    def _fetch(
        self, uids: Sequence[int], items: str, wanted: re.Pattern[bytes] | None = None
    ) -> Iterator[tuple[int, dict[bytes, Any] | Problem]]:
        """FETCH by UID; a batch that fails is halved until the one bad message is alone (S5)."""
        for chunk in uid_sets.chunks(sorted(uids)):
            yield from self._fetch_chunk(chunk, items, wanted)

    def _fetch_chunk(
        self, uids: list[int], items: str, wanted: re.Pattern[bytes] | None = None
    ) -> Iterator[tuple[int, dict[bytes, Any] | Problem]]:
        try:
            with in_words():
                self._client._imap.untagged_responses.pop("FETCH", None)
                kind, data = self._client._imap.uid("FETCH", uid_sets.packed(uids), items)
                accept(kind, data)
                answers = parsed(data if wanted is None else matching(data, wanted))
        except BadAnswer as problem:
            if len(uids) == 1:
                yield uids[0], problem
                return
            middle = len(uids) // 2
            yield from self._fetch_chunk(uids[:middle], items, wanted)
            yield from self._fetch_chunk(uids[middle:], items, wanted)
            return
        for uid in uids:
            if uid in answers:
                yield uid, answers[uid]
