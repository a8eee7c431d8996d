"""A server that lies for a run, before a real one."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.conftest import Mailbox
from tests.fake_imap import Call, FakeImap
from tests.sync.conftest import connect
from tests.sync.letters import START, letter

from crmmail.store.database import Store
from crmmail.sync.loop import Report, sync_once


def numbered(number: int) -> EmailMessage:
    """A letter, most of them an answer to the one before."""
    return letter(number, refs=f"<{number - 1}@test>" if number % 5 else "")


@dataclass
class Liar:
    """A server that answers well until `edits` bend its lines, or `script` answers in its place."""

    store: Store
    edits: list[tuple[bytes, bytes]] = field(default_factory=list)
    packs: bool = False  # it has ESEARCH
    script: dict[str, str] = field(default_factory=dict)
    idling: threading.Event = field(default_factory=threading.Event)

    def tamper(self, answer: bytes) -> bytes:
        if not self.packs:
            answer = answer.replace(b" ESEARCH", b"")
        for wrong in self.edits:
            answer = re.sub(*wrong, answer)
        return answer

    def says(self, call: Call) -> str | None:
        if call.name == "IDLE":
            self.idling.set()
        return self.script.get(call.name)

    def sync(self, *edits: tuple[bytes, bytes], **script: str) -> Report:
        """One run in which the server lies so: UID_SEARCH="NO …" is what it says to that."""
        self.edits = list(edits)
        self.script = {name.replace("_", " "): answer for name, answer in script.items()}
        (report,) = sync_once(self.store)
        assert report.errors or report.listed == report.stored + sum(report.skipped.values())
        return report

    def texts(self) -> set[str]:
        """The Message-IDs that are here with their text, wherever they lie or not."""
        rows = self.store.read().execute(
            """SELECT message.message_id FROM message
               JOIN message_text ON message_text.message_id = message.id WHERE text != ''"""
        )
        return {mid for (mid,) in rows}

    def held(self) -> set[str]:
        """The Message-IDs that are here with their text."""
        rows = self.store.read().execute(
            """SELECT message.message_id FROM message
               JOIN message_text ON message_text.message_id = message.id
               JOIN placement ON placement.message_id = message.id WHERE text != ''"""
        )
        return {mid for (mid,) in rows}


def delete(mailbox: Mailbox, folder: str, count: int) -> None:
    """Delete the first so many messages of a folder on the server."""
    with mailbox.client() as client:
        client.select_folder(folder)
        client.delete_messages(client.search()[:count])
        client.expunge()


@contextmanager
def lying(store: Store, mailbox: Mailbox, **folders: range) -> Iterator[Liar]:
    """A mailbox whose folders have the letters of these numbers, read once without a lie."""
    for name, numbers in folders.items():
        mailbox.append(name, *[(numbered(number), (), START) for number in numbers])
    with before(store, mailbox) as liar:
        assert liar.sync().errors == []
        assert len(liar.held()) == sum(map(len, folders.values()))
        yield liar


@contextmanager
def before(store: Store, mailbox: Mailbox) -> Iterator[Liar]:
    """An account at a server that can lie, before that of the mailbox."""
    liar = Liar(store)
    names = ["LIST", "STATUS", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE"]
    commands = dict.fromkeys(names, liar.says)
    with FakeImap(commands, before=mailbox.server, tamper=liar.tamper) as fake:
        connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
        yield liar
