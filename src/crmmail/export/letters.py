"""Messages as they were sent, for other mail programs: an mbox, or a file a message.

They come from the servers, a folder at a time. One that no server gives is written from what the
store has of it, and says so in a header.
"""

from __future__ import annotations

import mailbox
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from pathlib import Path

from crmmail import own_files
from crmmail.store import messages
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.store.messages import MessageRow, Person

REBUILT = "X-Crmmail-Rebuilt"
"""A header of messages that are not as they were sent: why."""
_HEADERS = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "reply_to": "Reply-To"}
Progress = Callable[[int, int], None]
Add = Callable[[int, bytes], object]


@dataclass(frozen=True, slots=True)
class Written:
    """How many messages were written, how many of them from the store, and what went wrong."""

    messages: int
    rebuilt: int
    errors: tuple[str, ...]


def to_mbox(store: Store, path: Path, *, offline: bool, progress: Progress) -> Written:
    """Write every message to a new mbox file (RFC 4155)."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    box = mailbox.mbox(path)
    try:
        return _write(store, lambda _, raw: box.add(raw), offline, progress)
    finally:
        box.close()


def to_files(store: Store, folder: Path, *, offline: bool, progress: Progress) -> Written:
    """Write every message to a file of its own, named by its day and id; known ones anew."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(message_id: int, raw: bytes) -> None:
        day = datetime.fromtimestamp(message_id >> 20, UTC).strftime("%Y-%m-%d")
        own_files.put(folder / f"{day}-{message_id}.eml", raw)

    return _write(store, add, offline, progress)


def _write(store: Store, add: Add, offline: bool, progress: Progress) -> Written:
    db = store.read()
    missing = {
        message_id: "not on a server" if level == Level.EVERYTHING else "its text is not kept"
        for message_id, level in db.execute("SELECT id, level FROM message")
    }
    total, errors = len(missing), dict[str, None]()
    if not offline:
        from crmmail.sync import opening

        for message_id, raw in opening.sources(store):
            if message_id not in missing:  # it came while this went on
                continue
            if isinstance(raw, bytes):
                add(message_id, raw)
                del missing[message_id]
                progress(total - len(missing), total)
            else:
                missing[message_id] = str(raw)
                errors[str(raw)] = None
    for message_id, why in sorted(missing.items()):
        if (row := messages.get(db, message_id)) is not None:
            add(message_id, rebuild(row, messages.text(db, message_id).text, why))
    progress(total, total)
    return Written(total, len(missing), tuple(errors))


def rebuild(row: MessageRow, text: str, why: str) -> bytes:
    """What the store has of a message, in the shape of one."""
    found = MIMEText(text, "plain", "utf-8")
    found["Message-ID"] = f"<{row.message_id}>"
    found["Date"] = format_datetime(datetime.fromtimestamp(row.sent_at, UTC))
    for role, name in _HEADERS.items():
        if people := [_address(one) for one in row.participants if one.role == role]:
            found[name] = ", ".join(people)
    if row.subject:
        found["Subject"] = Header(row.subject, "utf-8").encode()
    found[REBUILT] = why
    return found.as_bytes()


def _address(person: Person) -> str:
    """An address with its name; formataddr knows no address of other letters (RFC 6532)."""
    return formataddr((person.name, person.address)) if person.address.isascii() else person.address
