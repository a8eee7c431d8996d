"""What an IMAP server answers, as plain dataclasses: FETCH, LIST and STATUS (RFC 9051, 7)."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_fetch_response

from crmmail.store.kinds import Flag
from crmmail.sync.problems import BadAnswer, said

GARBAGE = (
    ProtocolError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    MemoryError,
    AssertionError,
)
"""What imapclient raises on an answer that it cannot read."""
_FLAGS = {
    b"\\seen": Flag.SEEN,
    b"\\flagged": Flag.FLAGGED,
    b"\\answered": Flag.ANSWERED,
    b"\\draft": Flag.DRAFT,
    b"\\deleted": Flag.DELETED,
}


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """A folder as the server lists it. Counts are 0 where it does not say."""

    name: str
    role: str
    selectable: bool
    messages: int = 0
    uidnext: int = 0
    uidvalidity: int = 0
    modseq: int = 0  # see `fingerprint`
    unseen: int = -1  # messages without \Seen; below 0 where the server does not say
    counted: bool = True  # whether the server told the counts when it listed the folder
    wire: bytes = b""  # the name as the server spells it


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as the server lists it: its header block, nothing of its text."""

    uid: int
    flags: int
    received_at: int
    size: int  # 0 where the server does not say, or not credibly
    header: bytes
    provider_thread: str = ""


class Headless(BadAnswer):
    """A message was listed without its header block."""


_ATTRIBUTE = re.compile(
    rb"""(UID|RFC822\.SIZE|X-GM-THRID|MODSEQ)\ \(?(\d{1,20})\)?
    |(FLAGS)\ \(([^)]*)\)
    |(INTERNALDATE)\ "([^"]*)"
    |(THREADID)\ (NIL|\([^)]*\))
    |(BODY\[[^\]]*\](?:<\d+>)?)\ \{(\d+)\}""",
    re.VERBOSE,
)
_START = re.compile(rb"\d+ \(")
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_PEEK = re.compile(rb"^BODY\.PEEK\[")
_LITERAL_8 = re.compile(rb"~(\{\d+\})$")
LARGEST = 1 << 40
"""No message has this many bytes, whatever a server says."""
_DIGITS = 20
_LAST_UID = 0xFFFF_FFFF
_LIMITS = {
    b"MESSAGES": _LAST_UID,
    b"EXISTS": _LAST_UID,
    b"UIDNEXT": _LAST_UID + 1,
    b"UIDVALIDITY": (1 << 63) - 1,
}
LAST_MODSEQ = (1 << 63) - 1


@dataclass(slots=True)
class Answers:
    """FETCH answers by UID, and why others cannot be read; one that tells no UID is under 0."""

    read: dict[int, dict[bytes, Any]] = field(default_factory=dict)
    unreadable: dict[int, BadAnswer] = field(default_factory=dict)


def parsed(data: Iterable[Any]) -> Answers:
    """Read FETCH answers. Lines without a UID are the server's own news, and left out."""
    answers, contradicted = Answers(), set[int]()
    for group in _groups(data):
        answer = _quick(group)
        if answer is None:
            try:
                answer = _slow(group)
            except BadAnswer as problem:
                answers.unreadable[_uid_of(group)] = problem
                continue
        if isinstance(uid := answer.get(b"UID"), int):
            known = answers.read.setdefault(uid, {})
            if known and _contradicts(known, answer):
                contradicted.add(uid)
            known.update(answer)
    for uid in contradicted:  # which of them is its own, nobody knows
        del answers.read[uid]
        answers.unreadable[uid] = BadAnswer("The server sent two texts for one message.")
    return answers


def _contradicts(one: dict[bytes, Any], other: dict[bytes, Any]) -> bool:
    """Whether two answers for a message have different texts of it."""
    same = (name for name in one.keys() & other.keys() if name.startswith(b"BODY"))
    return any(one[name] != other[name] for name in same)


def _uid_of(group: list[Any]) -> int:
    """The UID of an answer that cannot be read; 0 where not even that can."""
    for piece in group:
        if found := _UID.search(piece[0] if isinstance(piece, tuple) else piece):
            return int(found[1])
    return 0


def matching(data: list[Any], wanted: re.Pattern[bytes]) -> Iterator[Any]:
    """The answers in whose literal the pattern is found: a look is far less than a parse."""
    found = True
    for piece in data:
        if isinstance(piece, tuple):
            found = wanted.search(piece[1]) is not None
        if found:
            yield piece


def _groups(data: Iterable[Any]) -> Iterator[list[Any]]:
    """imaplib's pieces, message by message."""
    group: list[Any] = []
    for piece in data:
        if piece is None:
            continue
        if isinstance(piece, tuple) and piece[0].endswith(b"}"):
            piece = (_LITERAL_8.sub(rb"\1", piece[0]), *piece[1:])
        if group and _START.match(piece[0] if isinstance(piece, tuple) else piece):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _quick(group: list[Any]) -> dict[bytes, Any] | None:
    """Read the usual shapes 10 times faster than the full parser; None for any other."""
    literal = None
    line = group[0]
    if isinstance(line, tuple):
        line, literal = line
        if len(group) != 2 or group[1] != b")":
            return None
    elif len(group) != 1:
        return None
    start = _START.match(line)
    place = start.end() if start else 0
    answer: dict[bytes, Any] = {}
    while found := _ATTRIBUTE.match(line, place):
        name, value = (one for one in found.groups() if one is not None)
        if name == b"FLAGS":
            answer[name] = tuple(value.split())
        elif name.startswith(b"BODY["):
            answer[name] = literal
        elif name in (b"INTERNALDATE", b"THREADID"):
            answer[name] = value
        else:
            answer[name] = number(value)
        place = found.end()
        if line[place : place + 1] != b" ":
            break
        place += 1
    end = b"" if literal is not None else b")"
    return answer if line[place:] == end else None


def _slow(group: list[Any]) -> dict[bytes, Any]:
    try:
        answers = parse_fetch_response(group, normalise_times=False, uid_is_key=False)
        answer: dict[bytes, Any] = next(iter(answers.values()), {})
        return {_PEEK.sub(b"BODY[", name): value for name, value in answer.items()}
    except GARBAGE as problem:
        raise BadAnswer(f"The server's answer cannot be read: {said(problem)}") from problem


def literal(answer: dict[bytes, Any], *names: bytes) -> bytes:
    """The data item of the first of these names that is there. Raises BadAnswer without one."""
    for name in names:
        if isinstance(value := answer.get(name), bytes):
            return value
    if any(name in answer for name in names):
        raise BadAnswer("The server sent NIL for the text of the message.")
    raise BadAnswer("The server sent the message without its text.")


def listed(uid: int, answer: dict[bytes, Any]) -> Listed:
    """A message as its FETCH answer lists it. Raises Headless when that has no header."""
    header = next((value for key, value in answer.items() if key.startswith(b"BODY[HEADER")), None)
    if not isinstance(header, bytes):
        raise Headless("The server listed the message without its header.")
    if not header.strip():
        raise Headless("The server sent an empty header for the message.")
    return described(uid, answer, header)


def described(uid: int, answer: dict[bytes, Any], header: bytes) -> Listed:
    """A message as its FETCH answer lists it, with this header."""
    thread = answer.get(b"X-GM-THRID") or answer.get(b"THREADID") or ""
    if isinstance(thread, tuple):
        thread = thread[0] if thread else ""
    if isinstance(thread, bytes):
        thread = thread.strip(b"()").decode("ascii", "replace").replace("NIL", "")
    flags = answer.get(b"FLAGS")
    return Listed(
        uid,
        flags_of(flags if isinstance(flags, tuple) else ()),
        epoch(answer.get(b"INTERNALDATE")),
        _size(answer.get(b"RFC822.SIZE")),
        header,
        str(thread),
    )


def _size(told: Any) -> int:
    """RFC822.SIZE, or 0 for what no message can have."""
    return told if isinstance(told, int) and 0 < told < LARGEST else 0


def flags_of(names: Iterable[Any]) -> int:
    """Flag for the names of flags; what is no name is none that we know."""
    known = {_FLAGS.get(name.lower(), 0) for name in names if isinstance(name, bytes)}
    return sum(known)


_DATE = re.compile(rb"\s*(\d+)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_DAY = 86_400
_MONTHS = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}


def epoch(date: Any) -> int:
    """An INTERNALDATE in seconds since 1970; now, when the server gives none or an absurd one."""
    if isinstance(date, bytes) and (found := _DATE.match(date)):
        day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
        number = _MONTHS.get(month.lower(), 1)
        away = (int(hours) * 60 + int(minutes)) * (-60 if sign == b"-" else 60)
        moment = (int(year), number, int(day), int(hour), int(minute), int(second))
        with suppress(ValueError, OverflowError):  # no such date
            return _past(calendar.timegm(moment) - away)
    if hasattr(date, "timestamp"):
        with suppress(ValueError, OverflowError):
            return _past(int(date.timestamp()))
    return int(time.time())


def _past(moment: int) -> int:
    """A moment, or now for one that is far ahead."""
    now = int(time.time())
    return max(0, moment) if moment < now + _DAY else now


def is_closed(flags: Iterable[bytes]) -> bool:
    return bool({flag.lower() for flag in flags} & {b"\\noselect", b"\\nonexistent"})


def fingerprint(modseq: Any, unseen: Any = None) -> int:
    """A number that changes with flags: HIGHESTMODSEQ where that is one (RFC 7162, 3.1.2), else
    one below 0 made of the count of unseen; 0 where the server tells neither.

    The last number there is could not change any more.
    """
    if isinstance(modseq, int) and 0 < modseq < LAST_MODSEQ:
        return modseq
    return -1 - unseen if isinstance(unseen, int) and 0 <= unseen < LARGEST else 0


def number(digits: bytes) -> int:
    """What digits say; -1 for more of them than any number of IMAP has."""
    return int(digits) if len(digits) <= _DIGITS else -1


def is_credible(name: bytes, count: int) -> bool:
    """Whether a server can mean this number of a folder (RFC 9051, 9)."""
    return 0 <= count <= _LIMITS.get(name, count)


def opened(responses: dict[str, list[Any]]) -> dict[bytes, int]:
    """The numbers that EXAMINE answers, without those that are none or cannot be true."""
    numbers: dict[bytes, int] = {}
    for name in (b"EXISTS", b"UIDNEXT", b"UIDVALIDITY", b"HIGHESTMODSEQ"):
        for value in responses.get(name.decode()) or ():
            if isinstance(value, bytes) and value.isdigit() and is_credible(name, number(value)):
                numbers[name] = number(value)
    return numbers
