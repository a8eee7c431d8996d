"""Which UIDs a folder has: one command, whatever the numbers and however many (rules.md S7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imapclient import IMAPClient

from crmmail.sync import wire

HIGHEST = 0xFFFF_FFFF
"""No UID is higher (RFC 9051, 9)."""
_MOST = 20_000_000  # messages of one folder that can be believed
_ALL = re.compile(rb"\bALL ([\d:,]+)", re.IGNORECASE)
_UID = re.compile(rb"(\d+) \(UID (\d+)\)", re.IGNORECASE)
_SET = re.compile(rb"\d{1,10}(?::\d{1,10})?(?:,\d{1,10}(?::\d{1,10})?)*")
_COUNT = re.compile(rb"\bCOUNT (\d+)", re.IGNORECASE)


def between(client: IMAPClient, can: set[str], low: int, high: int) -> list[int]:
    """The UIDs of the open folder from `low` up to and excluding `high`, ascending."""
    criterion = f"{low}:{min(high - 1, HIGHEST)}"
    told = None
    if "ESEARCH" in can:
        told = _ranges(client, criterion)
        if told is None:
            can.discard("ESEARCH")  # advertised, then refused or only half done
    if told is None:
        told = found(client, criterion)
    return sorted({uid for uid in told if low <= uid < high})


def found(client: IMAPClient, criterion: str) -> list[int]:
    """The UIDs that a plain SEARCH finds, as the server lists them."""
    wire.taken(client, "SEARCH")
    wire.accept(*wire.ask(client, b"UID SEARCH UID", criterion.encode()))
    told: list[int] = []
    for line in wire.taken(client, "SEARCH"):
        told += map(int, line.partition(b"(")[0].split())  # RFC 7162 may add "(MODSEQ n)"
    return told


def counted(client: IMAPClient, can: set[str], criterion: str) -> int | None:
    """How many UIDs a SEARCH finds; None if the server does not tell."""
    packs = "ESEARCH" in can
    words = b"UID SEARCH RETURN (COUNT) UID" if packs else b"UID SEARCH UID"
    wire.taken(client, "ESEARCH")
    wire.taken(client, "SEARCH")
    kind, _ = wire.ask(client, words, criterion.encode())
    told = wire.taken(client, "ESEARCH" if packs else "SEARCH")
    if kind != "OK" or not told:
        return None
    if not packs:
        return sum(len(line.partition(b"(")[0].split()) for line in told)
    said = b" ".join(one for one in told if isinstance(one, bytes))
    count = _COUNT.search(said)
    if count is None or (int(count[1]) == 0 and b"MODSEQ" in said):  # told of what was found
        return None
    return int(count[1])


def expunged(client: IMAPClient) -> int:
    """How many messages have left the open folder, as the server told since this was last asked."""
    left = len(wire.taken(client, "EXPUNGE"))
    for line in wire.taken(client, "VANISHED"):  # RFC 7162
        if isinstance(line, bytes) and _SET.fullmatch(line):
            left += sum(1 for _ in _unpacked(line, _MOST))
    return left


def of_number(client: IMAPClient, number: int) -> int:
    """The UID of a message of the open folder by its number; 0 if the server does not tell.

    Courier finds nothing for `UID SEARCH UID *`.
    """
    wire.taken(client, "FETCH")
    wire.accept(*wire.ask(client, b"FETCH", b"%d (UID)" % number))
    told = (_UID.match(one) for one in wire.taken(client, "FETCH") if isinstance(one, bytes))
    return max((int(one[2]) for one in told if one and int(one[1]) == number), default=0)


def _ranges(client: IMAPClient, criterion: str) -> list[int] | None:
    """The UIDs as ESEARCH (RFC 4731) packs them; None when the answer cannot be relied on."""
    wire.taken(client, "ESEARCH")
    wire.taken(client, "SEARCH")
    kind, _ = wire.ask(client, b"UID SEARCH RETURN (ALL COUNT) UID", criterion.encode())
    said = b" ".join(one for one in wire.taken(client, "ESEARCH") if isinstance(one, bytes))
    count = _COUNT.search(said)
    if kind != "OK" or count is None or int(count[1]) > _MOST:
        return None
    told = [uid for sets in _ALL.findall(said) for uid in _unpacked(sets, int(count[1]))]
    return told if len(told) == int(count[1]) else None


def _unpacked(sets: bytes, limit: int) -> Iterator[int]:
    """The numbers of a set, at most one more than `limit`: a range may span all UIDs there are."""
    left = limit + 1
    for one in sets.split(b","):
        first, _, last = one.partition(b":")
        low, high = sorted((int(first), int(last or first)))
        yield from range(low, min(high + 1, low + left))
        left -= high - low + 1
        if left <= 0:
            return
