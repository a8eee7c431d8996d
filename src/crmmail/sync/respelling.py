"""Which row of the store is which folder of the server: the name on the wire says so (M15)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress

from imapclient.imap_utf7 import decode as decode_utf7

from crmmail.sync.answers import FolderInfo
from crmmail.sync.folder_names import key


def respell(db: sqlite3.Connection, account_id: int, listed: Sequence[FolderInfo]) -> None:
    """Give the rows of listed folders the names that these have now; no row is made or deleted.

    Rows from before the names on the wire were kept are found by the name that they had then. What
    a folder was under another UIDVALIDITY goes with it.
    """
    rows = db.execute("SELECT name, wire FROM folder WHERE account_id = ?", [account_id])
    have = {name: bytes(wire) for name, wire in rows}
    by_wire = {key(wire): name for name, wire in have.items() if wire}
    wanted: dict[str, tuple[str, bytes]] = {}
    for info in listed:
        known = by_wire.get(key(info.wire))
        for name in (info.name, *_once_shown(info.wire)):
            if known is None and have.get(name) == b"":
                known = name
        if known is not None:
            wanted.setdefault(known, (info.name, info.wire))
    names = {info.name for info in listed}
    for name in (have.keys() & names) - wanted.keys():  # its name goes to who bears it now
        wanted[name] = (f"{name} ({repr(have[name])[2:-1] or 'not listed'})", have[name])
    changed = [(old, *new) for old, new in wanted.items() if (old, have[old]) != new]
    if changed:
        _rename(db, account_id, changed)


def _rename(
    db: sqlite3.Connection, account_id: int, changed: Sequence[tuple[str, str, bytes]]
) -> None:
    """Names may change places: all are put aside first."""
    db.executemany(
        "UPDATE folder SET name = char(7) || name WHERE account_id = ? AND name = ?",
        [(account_id, old) for old, *_ in changed],
    )
    db.executemany(
        "UPDATE folder SET name = ?, wire = ? WHERE account_id = ? AND name = char(7) || ?",
        [(new, wire, account_id, old) for old, new, wire in changed],
    )


def _once_shown(wire: bytes) -> list[str]:
    """What a folder was called before crmmail kept its name on the wire."""
    with suppress(ValueError):
        return [str(decode_utf7(wire))]
    return []
