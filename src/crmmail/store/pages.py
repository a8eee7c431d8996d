"""Rows read from the pages of a damaged SQLite file itself, without the way to them.

Where the root of a table or its list is overwritten, SQLite reads nothing of it, though most of its
pages may be whole. Each page that holds rows is read here, wherever it lies; which table it is of,
the shape of its rows tells. Pages that are free or behind the end are left out: what was deleted
does not come back. Where the first page does not say which are free, the pages of that list are
known by their shape; what only an overwritten page of it names cannot be told from what was there.
The format: sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Value = int | float | str | bytes | None

_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER = 0x0D, 0x0A, 0x02
_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
_WAL = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_DAMAGE = (IndexError, ValueError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class Leaf:
    """The rows of one page; of a table with rowids each begins with its number."""

    has_rowids: bool
    rows: list[tuple[Value, ...]]


class Pages:
    """A database file with what its log has of it."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            length = file.seek(0, 2)
            empty: bytes | mmap.mmap = b""
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if length else empty
        (size,) = struct.unpack(">H", self._data[16:18].ljust(2, b"\0"))
        size = 65_536 if size == 1 else size
        is_sane = size >= 512 and not size & (size - 1)
        self._size = size if is_sane else 4_096
        self._logged: dict[int, bytes] = {}
        self._count = 0
        log = path.with_name(f"{path.name}-wal")
        if log.exists():
            self._read_log(log.read_bytes())
        self._count = self._count or self._told() or -(-len(self._data) // self._size)

    @property
    def version(self) -> int:
        """The schema's number, as the first page says it."""
        first = self._page(1)
        return int(struct.unpack_from(">I", first, 60)[0]) if len(first) >= _HEADER else 0

    def leaves(self) -> Iterator[Leaf]:
        """Each page with rows that can be read as a whole."""
        free = self._free()
        for number in range(1, self._count + 1):
            if number in free:
                continue
            try:
                leaf = self._leaf(number)
            except _DAMAGE:
                continue
            if leaf is not None and leaf.rows:
                yield leaf

    def _told(self) -> int:
        """How many pages belong to the file, as its header says; 0 where that cannot be relied on.

        What lies behind them was cut off, as by VACUUM, and is no row any more.
        """
        header = self._data[:_HEADER]
        if len(header) < _HEADER or header[24:28] != header[92:96]:
            return 0
        (count,) = struct.unpack_from(">I", header, 28)
        return int(count) if 0 < count * self._size <= len(self._data) else 0

    def _page(self, number: int) -> bytes:
        found = self._logged.get(number)
        return found or self._data[(number - 1) * self._size : number * self._size]

    def _read_log(self, log: bytes) -> None:
        """Take the newest pages of transactions that were committed, and the size of the last."""
        if len(log) < _WAL.size:
            return
        _, _, size, _, *salt = _WAL.unpack_from(log)[:6]
        pending: dict[int, bytes] = {}
        for at in range(_WAL.size, len(log) - _FRAME.size - size + 1, _FRAME.size + size):
            number, commit, *salts, _, _ = _FRAME.unpack_from(log, at)
            if size != self._size or salts != salt or not number:
                return
            pending[number] = log[at + _FRAME.size : at + _FRAME.size + size]
            if commit:
                self._logged |= pending
                self._count, pending = commit, {}

    def _free(self) -> set[int]:
        """The pages that nothing is in; where the list of them is broken, also by their look."""
        first = self._page(1)
        found: set[int] = set()
        if len(first) >= _HEADER:
            (trunk, told) = struct.unpack_from(">2I", first, 32)
            while 0 < trunk <= self._count and trunk not in found:
                following, listed = self._trunk(trunk) or (0, ())
                found.update((trunk, *listed))
                trunk = following
            if first.startswith(_MAGIC) and len(found) == told:
                return found
        for number in range(2, self._count + 1):
            found.update((self._trunk(number) or (0, ()))[1])
        return found

    def _trunk(self, number: int) -> tuple[int, tuple[int, ...]] | None:
        """What a page of the list of free pages says: the next one, and which pages are free.

        None for a page that cannot be one. A row's page has a number in its first byte that no
        store has pages for, and text that did not fit into one has no NUL.
        """
        page = self._page(number)
        if len(page) < self._size:
            return None
        following, count = struct.unpack_from(">2I", page)
        if following > self._count or count > self._size // 4 - 2:
            return None
        listed = struct.unpack_from(f">{count}I", page, 8)
        is_sane = all(1 < one <= self._count and one != number for one in listed)
        return (following, listed) if is_sane and len(set(listed)) == count else None

    def _leaf(self, number: int) -> Leaf | None:
        page = self._page(number)
        start = _HEADER if number == 1 else 0
        if len(page) < self._size or page[start] not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER):
            return None
        kind = page[start]
        (count,) = struct.unpack_from(">H", page, start + 3)
        begin = start + (12 if kind == _INDEX_INNER else 8)
        cells = struct.unpack_from(f">{count}H", page, begin)
        if any(one < begin + 2 * count for one in cells):
            raise ValueError(number)
        rows = []
        for one in cells:
            with suppress(*_DAMAGE):  # what did not fit into the page may be overwritten
                rows.append(self._cell(page, kind, one))
        return Leaf(kind == _TABLE_LEAF, rows)

    def _cell(self, page: bytes, kind: int, at: int) -> tuple[Value, ...]:
        if kind == _INDEX_INNER:
            at += 4
        size, at = _varint(page, at)
        rowid: tuple[int, ...] = ()
        if kind == _TABLE_LEAF:
            number, at = _varint(page, at)
            rowid = (number - (1 << 64) if number >> 63 else number,)
        return (*rowid, *_record(self._payload(page, kind, size, at)))

    def _payload(self, page: bytes, kind: int, size: int, at: int) -> bytes:
        """The bytes of a row, with those that did not fit into its page."""
        usable = self._size
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= most:
            local = page[at : at + size]
            following = 0
        else:
            least = (usable - 12) * 32 // 255 - 23
            held = least + (size - least) % (usable - 4)
            held = held if held <= most else least
            local = page[at : at + held]
            (following,) = struct.unpack_from(">I", page, at + held)
        pieces, length = [local], len(local)
        while length < size:
            if not 0 < following <= self._count or len(pieces) > self._count:
                raise ValueError(following)
            more = self._page(following)
            (following,) = struct.unpack_from(">I", more)
            pieces.append(more[4 : 4 + size - length])
            length += len(pieces[-1])
        return b"".join(pieces)


def _record(payload: bytes) -> Iterator[Value]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    for kind in kinds:
        size = _SIZES[kind] if kind in _SIZES else (kind - 12) // 2
        part = payload[at : at + size]
        if len(part) < size or kind in (10, 11):
            raise ValueError(kind)
        yield _value(kind, part)
        at += size


def _value(kind: int, part: bytes) -> Value:
    if kind == 0:
        return None
    if kind == 7:
        return float(struct.unpack(">d", part)[0])
    if kind in (8, 9):
        return kind - 8
    if kind < 7:
        return int.from_bytes(part, "big", signed=True)
    return part.decode("utf-8") if kind % 2 else part


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(9):
        byte = data[at + number]
        if number == 8:
            return (value << 8) | byte, at + 9
        value = (value << 7) | (byte & 0x7F)
        if not byte & 0x80:
            return value, at + number + 1
    raise ValueError(at)
