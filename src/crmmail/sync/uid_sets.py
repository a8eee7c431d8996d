"""Sets of UIDs as IMAP commands have them: runs as ranges, in lines that every server takes."""

from __future__ import annotations

from collections.abc import Iterator

_OCTETS = 7_000
"""Of one set; servers need take no line over 8,192 (RFC 7162, 4)."""


def chunks(uids: list[int]) -> Iterator[list[int]]:
    """Split UIDs so that each set, with runs as ranges, fits in a command line."""
    chunk: list[int] = []
    octets = 0
    for uid in uids:
        if not chunk or uid != chunk[-1] + 1:
            octets += 2 * (len(str(uid)) + 1)
        if octets > _OCTETS:
            yield chunk
            chunk, octets = [], 2 * (len(str(uid)) + 1)
        chunk.append(uid)
    if chunk:
        yield chunk


def packed(uids: list[int]) -> str:
    """Ascending UIDs as a command has them."""
    ranges: list[str] = []
    start = last = uids[0]
    for uid in [*uids[1:], 0]:
        if uid != last + 1:
            ranges.append(f"{start}:{last}" if last > start else str(start))
            start = uid
        last = uid
    return ",".join(ranges)
