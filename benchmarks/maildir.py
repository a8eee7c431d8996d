"""Put a generated mailbox straight into a Dovecot user's Maildir: many times faster than APPEND."""

from __future__ import annotations

import os
from pathlib import Path

from imapclient import imap_utf7
from tests.servers import Dovecot

from benchmarks.generator import Delivery, Mailbox

_LETTERS = {"\\Seen": "S", "\\Answered": "R", "\\Flagged": "F", "\\Draft": "D", "\\Deleted": "T"}


class WrongCountError(Exception):
    """The server does not list what was written."""


def fill(server: Dovecot, user: str, box: Mailbox) -> int:
    """Give a user this mailbox and check it through IMAP; returns the bytes of all messages."""
    server.add_user(user)
    with server.client(user) as client:
        for folder in box.folders:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.select_folder(folder)  # "auto = create" makes the directory only now
    size, written = 0, dict.fromkeys(box.folders, 0)
    for number, delivery in enumerate(box.deliveries()):
        _deliver(server, user, delivery, number)
        size += len(delivery.raw)
        written[delivery.folder] += 1
    _give_away(server.dir / "mail")
    _check(server, user, written)
    return size


def _deliver(server: Dovecot, user: str, delivery: Delivery, number: int) -> None:
    """One file, named as Dovecot's own delivery names it: when, serial, sizes, flags."""
    folder = imap_utf7.encode(delivery.folder).decode("ascii").replace("/", ".")
    data = delivery.raw.replace(b"\r\n", b"\n")
    flags = "".join(sorted(_LETTERS[flag] for flag in delivery.flags))
    name = f"{delivery.internaldate}.M{number:06}P1.crmmail"
    sizes = f",S={len(data)},W={len(delivery.raw)}"
    path = server.maildir(user, folder) / "cur" / f"{name}{sizes}:2,{flags}"
    path.write_bytes(data)
    os.utime(path, (delivery.internaldate, delivery.internaldate))


def _give_away(mail: Path) -> None:
    """As root: the files belong to whom Dovecot reads mail as."""
    owner = mail.stat()
    if os.getuid() == owner.st_uid:
        return
    for folder, _, names in os.walk(mail):
        for name in names:
            os.chown(Path(folder) / name, owner.st_uid, owner.st_gid)


def _check(server: Dovecot, user: str, written: dict[str, int]) -> None:
    with server.client(user) as client:
        for folder, count in written.items():
            listed = client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"]
            if listed != count:
                raise WrongCountError(f"{folder}: wrote {count} messages, the server has {listed}")
