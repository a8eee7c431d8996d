"""LIST, STATUS and EXAMINE: the folders of an account and their counts (rules.md S3)."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterable

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from crmmail.sync import folder_names, folders, wire
from crmmail.sync.answers import GARBAGE, FolderInfo, fingerprint, is_closed, opened
from crmmail.sync.folder_names import Entry
from crmmail.sync.problems import BadAnswer, in_words
from crmmail.sync.uids import HIGHEST

_COUNTS = "MESSAGES UIDNEXT UIDVALIDITY"
_CLOSED = re.compile(r"\[(?:NOPERM|NONEXISTENT)\]", re.IGNORECASE)
"""What refuses STATUS for good (RFC 5530)."""


class FolderList:
    """What a server's folders are called, by what it has listed so far."""

    def __init__(self) -> None:
        self._client: IMAPClient = None
        self._can: set[str] = set()
        self._counts_changes = False
        self._spelled: dict[str, bytes] = {}
        self.unread: list[bytes] = []
        """Lines of the last LIST that cannot be read: there are more folders than it seems."""

    def use(self, client: IMAPClient, can: set[str]) -> None:
        """Ask over this connection, whose server has these capabilities."""
        self._client, self._can = client, can

    def folders(self, *, counts_changes: bool) -> list[FolderInfo]:
        """Every folder with its counts; `counts_changes`: HIGHESTMODSEQ is one of them."""
        self._counts_changes = counts_changes
        items = f"{_COUNTS} HIGHESTMODSEQ" if counts_changes else _COUNTS
        return self._counted(f"{items} UNSEEN".encode())

    def _counted(self, items: bytes) -> list[FolderInfo]:
        if "LIST-STATUS" in self._can:
            try:
                return self._list_status(items)
            except (IMAPClientError, imaplib.IMAP4.error, *GARBAGE) as problem:
                if isinstance(problem, imaplib.IMAP4.abort):
                    raise
                self._can.discard("LIST-STATUS")  # advertised, then refused
        entries, names = self._entries(b'""', b'"*"')
        return [self._with_status(one, names[one.wire], items) for one in entries]

    def examine(self, name: str, spelled: bytes = b"") -> dict[bytes, int]:
        """Open a folder, read only; returns the numbers that the server told of it.

        `spelled` is its name on the wire, where that is known from an earlier LIST.
        """
        imap = self._client._imap
        imap.untagged_responses = {}
        imap.is_readonly = True
        imap.state = "AUTH"  # whatever was open is closed
        spelled = spelled or self._wire(name)
        wire.accept(*wire.ask(self._client, b"EXAMINE", wire.string(spelled)))
        imap.state = "SELECTED"
        return opened(imap.untagged_responses)

    def count(self, name: str) -> int:
        """How many messages a folder has, as STATUS tells; -1 if it does not."""
        try:
            with in_words():
                counts = self._status(self._wire(name), b"MESSAGES")
        except BadAnswer:
            return -1
        return counts.get(b"MESSAGES", -1)

    def spelled_like(self, other: FolderList) -> None:
        """Take over what another connection to the same account has learnt."""
        self._spelled = other._spelled

    def _wire(self, name: str) -> bytes:
        return self._spelled.get(name) or folder_names.wire_of(name)

    def _list_status(self, items: bytes) -> list[FolderInfo]:
        wants = b"STATUS (" + items + b")"
        if "SPECIAL-USE" in self._can:
            wants = b"SPECIAL-USE " + wants
        wire.taken(self._client, "STATUS")
        entries, names = self._entries(b'""', b'"*"', b"RETURN", b"(" + wants + b")")
        counts = folder_names.counted(wire.taken(self._client, "STATUS"))
        return [
            self._info(one, names[one.wire], one.flags, counts.get(folder_names.key(one.wire), {}))
            for one in entries
        ]

    def _entries(self, *words: bytes) -> tuple[list[Entry], dict[bytes, str]]:
        """What LIST answers, and what to call each of that."""
        wire.taken(self._client, "LIST")
        wire.accept(*wire.ask(self._client, b"LIST", *words))
        entries, self.unread = folder_names.listed(wire.taken(self._client, "LIST"))
        names = folder_names.shown(entries)
        self._spelled.update({name: spelled for spelled, name in names.items()})
        return entries, names

    def _with_status(self, entry: Entry, name: str, items: bytes) -> FolderInfo:
        if is_closed(entry.flags):
            return self._info(entry, name, entry.flags, {})
        try:
            with in_words():
                counts = self._status(entry.wire, items)
        except BadAnswer as problem:  # once, it says nothing of the folder: EXAMINE tells
            if _CLOSED.search(str(problem)):
                return self._info(entry, name, (*entry.flags, b"\\Noselect"), {})
            counts = {}
        return self._info(entry, name, entry.flags, counts)

    def _status(self, spelled: bytes, items: bytes) -> dict[bytes, int]:
        wire.taken(self._client, "STATUS")
        words = (b"STATUS", wire.string(spelled), b"(" + items + b")")
        wire.accept(*wire.ask(self._client, *words))
        counts = folder_names.counted(wire.taken(self._client, "STATUS"))
        return counts.get(folder_names.key(spelled), {})

    def _info(
        self, entry: Entry, name: str, flags: Iterable[bytes], counts: dict[bytes, int]
    ) -> FolderInfo:
        words = tuple(flag.decode("ascii", "replace") for flag in flags)
        delimiter = entry.delimiter.decode("ascii", "replace")
        closed = is_closed(flags)
        unseen = counts.get(b"UNSEEN", -1)
        modseq = counts.get(b"HIGHESTMODSEQ") if self._counts_changes else None
        return FolderInfo(
            name,
            folders.role(folder_names.decoded(entry.wire), words, delimiter),
            not closed,
            counts.get(b"MESSAGES", 0),
            counts.get(b"UIDNEXT", 0),
            counts.get(b"UIDVALIDITY", 0),
            fingerprint(modseq, None if self._counts_changes else unseen),
            unseen if unseen <= HIGHEST else -1,
            counted=b"MESSAGES" in counts or closed,
            wire=entry.wire,
        )
