"""A mailbox as another mail program changes it, on any make of server.

One contract for all: what a server has no command for (MOVE, UID EXPUNGE) is done with others.
Folders are named as "Clients/North" everywhere; `path` says how the server spells that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from imapclient import IMAPClient

from tests.patience import until
from tests.servers import PASSWORD, Appended, ImapServer

SPECIAL = ("Sent", "Drafts", "Junk", "Trash", "Archive")


@dataclass
class Remote:
    """One user's mailbox, which has the usual folders from the beginning."""

    server: ImapServer
    user: str
    password: str = PASSWORD

    def __post_init__(self) -> None:
        self.host, self.port = self.server.host, self.server.port
        with self.client() as client:
            self._prefix, self.delimiter = "", "/"
            if client.has_capability("NAMESPACE"):
                personal = client.namespace().personal
                self._prefix, self.delimiter = personal[0] if personal else ("", "/")
            for name in SPECIAL:
                if not client.folder_exists(self.path(name)):
                    client.create_folder(self.path(name))

    def path(self, name: str) -> str:
        """A folder's name as the server spells it."""
        if name == "INBOX":
            return name
        return self._prefix + name.replace("/", self.delimiter)

    def plain(self, path: str) -> str:
        """What `path` was made of."""
        return path.removeprefix(self._prefix).replace(self.delimiter, "/")

    def client(self) -> IMAPClient:
        """A logged-in read-write client."""
        return self.server.client(self.user, self.password)

    def capabilities(self) -> list[str]:
        """What the server can do once somebody has signed in."""
        with self.client() as client:
            return sorted(item.decode() for item in client.capabilities())

    def append(self, folder: str, *messages: bytes | Appended) -> None:
        """Add messages, bare bytes or with flags and internal date."""
        full: list[Appended] = [(m, (), None) if isinstance(m, bytes) else m for m in messages]
        self.server.append(self.user, self.path(folder), full)

    def uids(self, folder: str) -> list[int]:
        """The UIDs that a folder holds."""
        with self._opened(folder) as client:
            return sorted(client.search())

    def uidvalidity(self, folder: str) -> int:
        """A folder's UIDVALIDITY."""
        with self.client() as client:
            return int(client.folder_status(self.path(folder), ["UIDVALIDITY"])[b"UIDVALIDITY"])

    def expunge(self, folder: str, uids: Sequence[int]) -> None:
        """Delete messages for good."""
        with self._opened(folder) as client:
            _expunge(client, uids)

    def move(self, uids: Sequence[int], source: str, target: str) -> None:
        """Put messages into another folder, which gives them other UIDs."""
        with self._opened(source) as client:
            if client.has_capability("MOVE"):
                client.move(uids, self.path(target))
            else:
                client.copy(uids, self.path(target))
                _expunge(client, uids)

    def flag(self, folder: str, uids: Sequence[int], *flags: str) -> None:
        """Set the flags of messages: these and no others."""
        with self._opened(folder) as client:
            client.set_flags(uids, flags)

    def create(self, folder: str) -> None:
        """Make a folder."""
        with self.client() as client:
            client.create_folder(self.path(folder))

    def delete(self, folder: str) -> None:
        """Delete a folder with what is in it."""
        with self.client() as client:
            client.delete_folder(self.path(folder))

    def rename(self, folder: str, new: str) -> None:
        """Give a folder another name."""
        with self.client() as client:
            client.rename_folder(self.path(folder), self.path(new))

    def renew(self, folder: str) -> None:
        """Give a folder another UIDVALIDITY and the messages that it had.

        It is deleted and made again, which every server can; as most count in seconds, until the
        number is another one.
        """
        before = self.uidvalidity(folder)
        with self._opened(folder) as client:
            uids = sorted(client.search())
            found = client.fetch(uids, ["FLAGS", "BODY.PEEK[]"]) if uids else {}
        kept = [
            (one[b"BODY[]"], [flag for flag in one[b"FLAGS"] if flag != b"\\Recent"], None)
            for one in (found[uid] for uid in uids)
        ]

        def renewed() -> bool:
            self.delete(folder)
            self.create(folder)
            return self.uidvalidity(folder) != before or time.sleep(0.2) is not None

        until(renewed, lambda: f"{folder} keeps the UIDVALIDITY {before}")
        self.append(folder, *kept)

    @contextmanager
    def _opened(self, folder: str) -> Iterator[IMAPClient]:
        with self.client() as client:
            client.select_folder(self.path(folder))
            yield client


def _expunge(client: IMAPClient, uids: Sequence[int]) -> None:
    client.add_flags(uids, ["\\Deleted"])
    client.expunge(uids) if client.has_capability("UIDPLUS") else client.expunge()
