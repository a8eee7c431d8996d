"""Folders as the server names them, and as a person reads them (rules.md M15).

A name is decoded for the eye only. Back to the server go the very bytes that it sent: many write
names that no encoder would write so (a bare &, raw UTF-8, UTF-7 in several runs).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imapclient.imap_utf7 import encode as encode_utf7

from crmmail.sync.answers import is_closed, is_credible, number
from crmmail.text import one_line

_NAME = rb'"(?:[^"\\]|\\.)*"'
_LIST = re.compile(
    rb"\s*(?:\((?P<flags>[^()]*)\)|NIL)\s+"
    rb"(?P<delimiter>" + _NAME + rb"|[^\s\"]+)\s+"
    rb"(?:(?P<name>" + _NAME + rb')(?:\s.*)?|(?P<bare>[^\s"].*?)(?:\s{1,9}\(.*)?\s{0,9})\Z',
    re.DOTALL,  # RFC 5258 has more after the name
)
_STATUS = re.compile(
    rb"\s*(?P<name>"
    + _NAME
    + rb'|[^\s"].*?)\s{1,9}\((?P<counts>[^()]*(?:\([^()]*\)[^()]*)*)\)\s*\Z',
    re.DOTALL,
)
_COUNT = re.compile(rb"([A-Za-z]{1,40}) (\d+)")
_LITERAL = re.compile(rb"\{\d+\+?\}\Z")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder as a LIST answer has it: `wire` is its name as the server spells it."""

    wire: bytes
    flags: tuple[bytes, ...]
    delimiter: bytes


def listed(pieces: Iterable[Any]) -> tuple[list[Entry], list[bytes]]:
    """The folders of LIST answers, each once, and the lines that cannot be read."""
    found: dict[bytes, Entry] = {}
    unread: list[bytes] = []
    for line in _lines(pieces):
        if not (match := _LIST.match(line)):
            unread.append(line)
            continue
        flags, delimiter, name, bare = match.group("flags", "delimiter", "name", "bare")
        wire = _plain(name or bare)
        split = b"" if delimiter.upper() == b"NIL" else _plain(delimiter)
        entry = Entry(wire, tuple((flags or b"").split()), split)
        found[key(wire)] = _joined(found.get(key(wire), entry), entry)
    return list(found.values()), unread


def _joined(one: Entry, other: Entry) -> Entry:
    """A folder that is listed twice: it can be opened if one of the lines says so."""
    flags = dict.fromkeys((*one.flags, *other.flags))
    if not (is_closed(one.flags) and is_closed(other.flags)):
        flags = {flag: None for flag in flags if not is_closed([flag])}
    return replace(one, flags=tuple(flags))


def counted(pieces: Iterable[Any]) -> dict[bytes, dict[bytes, int]]:
    """The counts of STATUS answers, by `key` of the folder; what is not a number is left out."""
    found: dict[bytes, dict[bytes, int]] = {}
    for line in _lines(pieces):
        if match := _STATUS.match(line):
            counts = {name.upper(): number(told) for name, told in _COUNT.findall(match["counts"])}
            found.setdefault(key(_plain(match["name"])), {}).update(counts)
    return {name: counts for name, counts in found.items() if _is_credible(counts)}


def _is_credible(counts: dict[bytes, int]) -> bool:
    return b"MESSAGES" in counts and all(is_credible(*one) for one in counts.items())


def key(wire: bytes) -> bytes:
    """By what a folder is known: its name, but INBOX in whatever letters is one (RFC 9051, 5.1)."""
    return b"INBOX" if wire.upper() == b"INBOX" else wire


def wire_of(shown: str) -> bytes:
    """How the server spells a name of which only the shown form is known: as the RFC says."""
    return bytes(encode_utf7(shown))


def shown(entries: Sequence[Entry]) -> dict[bytes, str]:
    """What to call each folder, by `wire`: readable, safe to draw, and no two alike.

    Of two that read alike, the one that is spelled as the RFC says has the plain name.
    """
    names: dict[bytes, str] = {}
    taken: set[str] = set()
    ranked = sorted(entries, key=lambda one: (not _is_canonical(one.wire), one.wire))
    for entry in ranked:
        spelled = repr(entry.wire)[2:-1]
        name = one_line(decoded(entry.wire)) or spelled
        if name in taken:
            name = f"{name} ({spelled})"
        names[entry.wire] = name
        taken.add(name)
    return names


def decoded(wire: bytes) -> str:
    """A name as a person reads it; what is not encoded as it should be is left as it is."""
    if wire.upper() == b"INBOX":
        return "INBOX"
    if wire.isascii():
        return _SHIFTED.sub(lambda found: _unshifted(found[1], found[0]), wire.decode("ascii"))
    try:
        return wire.decode("utf-8")
    except UnicodeDecodeError:
        return wire.decode("latin-1")


def _unshifted(coded: str, whole: str) -> str:
    if not coded:
        return "&"
    padded = coded.replace(",", "/") + "=" * (-len(coded) % 4)
    try:
        return binascii.a2b_base64(padded).decode("utf-16-be")
    except ValueError:  # binascii.Error and UnicodeDecodeError are
        return whole


def _is_canonical(wire: bytes) -> bool:
    """Whether an encoder would write the shown name so."""
    try:
        return bool(encode_utf7(one_line(decoded(wire))) == wire)
    except ValueError:
        return False


def _lines(pieces: Iterable[Any]) -> Iterator[bytes]:
    """imaplib's pieces as whole lines, each literal in quotes."""
    line, goes_on = b"", False
    for piece in pieces:
        if isinstance(piece, tuple):
            line += _LITERAL.sub(b"", piece[0]) + _quoted(piece[1])
            goes_on = True
            continue
        line += piece or b""
        if goes_on or line:
            yield line
        line, goes_on = b"", False


def _quoted(value: bytes) -> bytes:
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _plain(name: bytes) -> bytes:
    if name.startswith(b'"'):
        return re.sub(rb"\\(.)", rb"\1", name[1:-1], flags=re.DOTALL)
    return name
