"""An account on a server that fails, or answers oddly, as it is told to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from tests.conftest import Mailbox
from tests.fake_imap import Answer, Call, FakeImap
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.store.database import Store
from crmmail.sync.loop import Report, sync_once

BAD = 31
BODY = r"BODY\.PEEK\[\]\)"
HEADER = r"HEADER\.FIELDS"


def large(number: int) -> bytes:
    """A message of which only the text is fetched."""
    message = EmailMessage()
    message["From"], message["To"] = "Ann Lee <ann@acme.com>", ME
    message["Subject"], message["Message-ID"] = f"Plan {number}", f"<{number}@test>"
    message["Date"] = format_datetime(START.replace(day=number % 28 + 1))
    message.set_content(f"Here is plan {number}, at last. " * 20)
    message.add_attachment(b"%" * 90_000, maintype="application", subtype="pdf", filename="p.pdf")
    return message.as_bytes().replace(b"\n", b"\r\n")


LETTERS = [letter(number) for number in range(1, 51)] + [large(number) for number in range(51, 55)]


def asks(call: Call, uid: int) -> bool:
    """Whether a UID command names this UID."""
    sets = call.arguments.split()[0]
    ranges = (one.partition(":") for one in sets.split(","))
    return any(int(low) <= uid <= int(high or low) for low, _, high in ranges)


def at(uid: int, answer: str, what: str = BODY) -> dict[str, Answer]:
    """A server that answers so when that is asked of that message."""

    def script(call: Call) -> str | None:
        return answer if asks(call, uid) and re.search(what, call.arguments) else None

    return {"UID FETCH": script}


def always(answer: str, what: str = "") -> dict[str, Answer]:
    """A server that answers so whenever that is asked of any message."""
    return {"UID FETCH": lambda call: answer if re.search(what, call.arguments) else None}


Tamper = Callable[[bytes], bytes]


def of(uid: int, change: Tamper) -> Tamper:
    """Bend the FETCH answers of one message."""
    return lambda answer: change(answer) if re.search(rb"\bUID %d\b" % uid, answer) else answer


def no_data(what: bytes) -> Tamper:
    """Leave out the answers that have this item."""
    return lambda answer: b"" if b"FETCH" in answer[:20] and what in answer else answer


def put(pattern: bytes, replacement: bytes) -> Tamper:
    return lambda answer: re.sub(pattern, replacement, answer, count=1, flags=re.DOTALL)


@dataclass
class Unwell:
    """An account on a server that fails as it is told to."""

    store: Store
    mailbox: Mailbox
    folder: Path
    script: dict[str, Answer] = field(default_factory=dict)
    tamper: Tamper = bytes
    fake: FakeImap | None = None

    def sync(self, script: dict[str, Answer] | None = None, tamper: Tamper = bytes) -> Report:
        self.script.clear()
        self.script.update(script or {})
        self.tamper = tamper
        return sync_once(self.store)[0]

    def ends_well(self) -> None:
        """The server is well: after one run the store is as one that saw no fault."""
        report = self.sync()
        assert report.errors == []
        assert report.listed == report.stored + sum(report.skipped.values())
        fresh = Store(self.folder / "whole.db")
        connect(fresh, self.mailbox)
        sync(fresh)
        assert dumped(self.store) == dumped(fresh)
        fresh.close()

    def row(self, sql: str) -> tuple[object, ...]:
        found: tuple[object, ...] = self.store.read().execute(sql).fetchone()
        return found


@contextmanager
def behind_a_fake(store: Store, mailbox: Mailbox, folder: Path) -> Iterator[Unwell]:
    """The mailbox as an account of the store, with a scripted server before it."""
    made = Unwell(store, mailbox, folder)
    fake = FakeImap(made.script, before=mailbox.server, tamper=lambda answer: made.tamper(answer))
    with fake:
        made.fake = fake
        connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
        yield made
