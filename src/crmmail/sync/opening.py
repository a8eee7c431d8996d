"""Fetching what stayed on the server until somebody opens it: an attachment, a raw source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from crmmail.errors import MissingError
from crmmail.store import levels, messages
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.sync import charset
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.problems import Problem
from crmmail.sync.session import account_rows, sign_in
from crmmail.sync.structure import plan


class NotThereError(Problem, MissingError):
    """No such message or attachment is known."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An attachment's bytes, decoded, with a name that is safe for a file."""

    name: str
    mime: str
    data: bytes


def attachment(store: Store, message_id: int, position: int) -> Opened:
    """Fetch one attachment of a message; positions are those of the attachment table.

    Raises a Problem in words when it cannot be had.
    """
    with _opened(store, message_id) as (mailbox, uid):
        structure = mailbox.structures([uid]).get(uid)
        if structure is None or isinstance(structure, Problem):
            raise structure or Problem("The server does not have this message any more.")
        parts = plan(structure).attachments
        if not 0 <= position < len(parts):
            raise NotThereError("The message has no such attachment.")
        part = parts[position]
        data = mailbox.part(uid, part.section)
        if isinstance(data, Problem):
            raise data
    return Opened(part.name, part.mime, charset.unpack(data, part.encoding))


def source(store: Store, message_id: int) -> bytes:
    """Fetch a message as it was sent. Raises a Problem in words."""
    with _opened(store, message_id) as (mailbox, uid):
        raw = mailbox.bodies([uid]).get(uid)
    if not isinstance(raw, bytes):
        raise raw or Problem("The server does not have this message any more.")
    return raw


@contextmanager
def _opened(store: Store, message_id: int) -> Iterator[tuple[Mailbox, int]]:
    """A connection of its own, with a folder open in which the message lies."""
    row = (
        store.read()
        .execute(
            """SELECT folder.account_id, folder.name, wire, folder.uidvalidity, placement.uid
               FROM placement JOIN folder ON folder.id = placement.folder_id
               JOIN account ON account.id = folder.account_id
               WHERE placement.message_id = ? ORDER BY mail_level DESC, folder.former, EXISTS (
                   SELECT 1 FROM unconfirmed WHERE folder_id = folder.id AND kind = 'folder'),
               folder.id LIMIT 1""",
            [message_id],
        )
        .fetchone()
    )
    if row is None:
        if messages.thread_of(store.read(), message_id) is None:
            raise NotThereError(
                f"There is no message {message_id}.",
                "Its number is in: crmmail thread show ID",
            )
        raise Problem("No server has this message any more.")
    if levels.of_message(store.read(), message_id) < Level.EVERYTHING:
        raise Problem(
            "The text of this message stays on the server: its account does not keep texts.",
            "Its visibility says so (crmmail account set EMAIL --visibility everything).",
        )
    account_id, folder, spelled, uidvalidity, uid = row
    account = next(one for one in account_rows(store) if one.id == account_id)
    mailbox = sign_in(account)
    try:
        if mailbox.examine(folder, spelled).uidvalidity not in (0, uidvalidity):
            raise Problem(f"{folder} was rebuilt on the server.", "Sync, then try again.")
        yield mailbox, uid
    finally:
        mailbox.close()


def sources(store: Store, batch: int = 50) -> Iterator[tuple[int, bytes | Problem]]:
    """Every stored message as it was sent, by account and folder: (message.id, bytes or why not).

    Those whose texts may not be here (V2) are left out.
    A connection an account. One that fails is told once for each message that it held.
    """
    for account in account_rows(store):
        held = _held(store, account.id)
        try:
            with closing(sign_in(account)) as mailbox:
                while held:
                    folder, places = held.popitem()
                    yield from _fetched(mailbox, folder, places, batch)
        except Problem as problem:
            left = [message for places in held.values() for message in places.values()]
            yield from ((message, problem) for message in left)


def _fetched(
    mailbox: Mailbox, folder: _Folder, places: dict[int, int], batch: int
) -> Iterator[tuple[int, bytes | Problem]]:
    gone = Problem("The server does not have this message any more.")
    uidvalidity = mailbox.examine(folder.name, folder.wire).uidvalidity
    if uidvalidity not in (0, folder.uidvalidity):
        yield from ((message, gone) for message in places.values())
        return
    uids = sorted(places)
    for start in range(0, len(uids), batch):
        found = mailbox.bodies(uids[start : start + batch])
        for uid in uids[start : start + batch]:
            yield places[uid], found.get(uid) or gone


class _Folder(NamedTuple):
    name: str
    wire: bytes
    uidvalidity: int


def _held(store: Store, account_id: int) -> dict[_Folder, dict[int, int]]:
    """Where an account holds messages that no account before it does: folder -> UID -> id."""
    held: dict[_Folder, dict[int, int]] = {}
    rows = store.read().execute(
        """SELECT name, wire, uidvalidity, uid, message_id FROM (
               SELECT folder.account_id, folder.name, wire, folder.uidvalidity, placement.uid,
                      placement.message_id, min(folder.id) FROM placement
               JOIN folder ON folder.id = placement.folder_id
               JOIN account ON account.id = folder.account_id
               JOIN message ON message.id = placement.message_id
               WHERE message.level = 2 AND account.mail_level = 2
               GROUP BY placement.message_id)
           WHERE account_id = ? ORDER BY name, uid""",
        [account_id],
    )
    for name, wire, uidvalidity, uid, message in rows:
        held.setdefault(_Folder(name, wire, uidvalidity), {})[uid] = message
    return held
