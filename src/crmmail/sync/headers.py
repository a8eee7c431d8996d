"""The header block of a message: fields, mailboxes, ids, dates.

fast-mail-parser reads nearly every block; where it may have missed or misread something, the raw
field is read again by our own bounded readers. A damaged field costs that field, not the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from fast_mail_parser import ParseError, parse_email

from crmmail import addresses
from crmmail.sync import addresslist, charset
from crmmail.text import one_line

LIMIT = 262_144
"""How much of a header block is read, in bytes."""
_FIELD_LIMIT = 65_536
_MOST_WORDS = 1_000  # encoded words; more take fast-mail-parser quadratic time
_DAY = 86_400
_YEAR_1990 = 631_152_000
_YEAR_2100 = 4_102_444_800
_REFS = 50

_BLANK_LINE = re.compile(rb"\n\r?\n")
_MBOX_LINE = re.compile(rb"\A(?:\xef\xbb\xbf|\s)*(?:>?From [^\r\n]*\r?\n)?")
_LONE_CR = re.compile(rb"\r(?!\n)")
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_FIELD_START = re.compile(rb"^[!-9;-~]+[ \t]*:", re.MULTILINE)
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_ID = re.compile(r"<([^<>]{1,2000})>")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]{1,60})", re.IGNORECASE)
_WORD_CHARSET = re.compile(r"=\?([\w.:-]{1,40})\?[bq]\?", re.IGNORECASE)
_METHOD = re.compile(r";\s*method\s*=\s*\"?[a-z]", re.IGNORECASE)


@dataclass(slots=True)
class Fields:
    """A header block that was read; names are in lower case."""

    block: bytes
    mail: Any = None
    decoded: dict[str, list[str]] = field(default_factory=dict)
    _raw: dict[str, list[str]] | None = None

    def text(self, name: str) -> str:
        """The first field of that name, decoded; "" if there is none."""
        if name in self.decoded:
            value = self.decoded[name][0]
            if "=?" not in value and "\ufffd" not in value:
                return value
        return charset.words(next(iter(self.raw(name)), ""))

    def raw(self, name: str) -> list[str]:
        """Every field of that name, unfolded, with its encoded words as they are."""
        if self._raw is None:
            self._raw = _split(self.block)
        return self._raw.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self.decoded or (self.mail is None and bool(self.raw(name)))

    def mailboxes(self, name: str) -> Iterator[tuple[str, str]]:
        """(name, address) of every mailbox of a header, the address in normal() form."""
        if self.mail is not None:
            if name not in self.decoded:
                return iter(())
            if (quick := self._quickly(name)) is not None:
                return iter(quick)
        found = addresslist.mailboxes(", ".join(self.raw(name)))
        return (
            (display, address)
            for display, written in found
            if (address := addresses.normal(written))
        )

    def _quickly(self, name: str) -> list[tuple[str, str]] | None:
        """What fast-mail-parser made of it, unless some of it is missing or in doubt."""
        value, *more = self.decoded[name]
        if more or "(" in value or "\\" in value or "=?" in value or "\ufffd" in value:
            return None
        found = self.mail.from_ if name == "from" else getattr(self.mail, name.replace("-", "_"))
        if name == "from":
            found = [found] if found else []
        normal = addresses.normal
        pairs = [
            (one.display_name or "", normal(one.address)) for one in found if " " not in one.address
        ]
        sure = len(pairs) == value.count("@") and all(address for _, address in pairs)
        return pairs if sure else None


def read(raw: bytes) -> Fields:
    """Read the header block at the beginning of `raw`; never raises."""
    block = block_of(raw)
    if block.count(b"=?") > _MOST_WORDS or not (block.isascii() or _is_utf8(block)):
        return Fields(block)
    try:
        mail = parse_email(block, mode="metadata")
        values = mail.headers
    except ParseError:
        return Fields(block)
    decoded: dict[str, list[str]] = {}
    count = 0
    for name, texts in values.items():
        decoded.setdefault(name.lower(), []).extend(texts)
        count += len(texts)
    if count != len(_FIELD_START.findall(block)) or (count > 1 and _has_huge_field(block)):
        return Fields(block)
    return Fields(block, mail, decoded)


def block_of(raw: bytes) -> bytes:
    """The header block: up to the first blank line, without an mbox line, at most LIMIT bytes."""
    raw = straightened(raw[:LIMIT])
    end = _BLANK_LINE.search(raw)
    return raw[: end.start() + 1] if end else raw


def straightened(raw: bytes) -> bytes:
    """A message without mbox line or blank lines before it, its lines ended in the usual way."""
    start = _MBOX_LINE.match(raw)
    if start is not None and start.end():
        raw = raw[start.end() :]
    return _LONE_CR.sub(b"\n", raw) if b"\r" in raw and _LONE_CR.search(raw[:LIMIT]) else raw


def message_id(fields: Fields) -> str:
    """The Message-ID without its brackets; "" if there is none."""
    value = fields.text("message-id")
    found = _ID.search(value)
    return _clean_id(found[1] if found else value.partition("(")[0])


def references(fields: Fields, own_id: str, people: set[str]) -> tuple[str, ...]:
    """T1: the ids of References, then of In-Reply-To, oldest first, at most the last 50."""
    ids = _ids(fields.text("references")) if "references" in fields else []
    if "in-reply-to" in fields:
        ids += _reply_id(fields.text("in-reply-to"))
    if not ids:
        return ()
    unique = dict.fromkeys(one for one in ids if one and one != own_id and one not in people)
    return tuple(unique)[-_REFS:]


def sent_at(fields: Fields, received_at: int) -> int:
    """When the message was written, if its Date is believable, else when it was received."""
    written = _written_at(fields)
    latest = received_at + _DAY if received_at > 0 else _YEAR_2100
    return written if _YEAR_1990 <= written <= latest else received_at


def sign(fields: Fields) -> str:
    """M5: the header that marks group mail, "" if none does."""
    for name in ("List-Id", "List-Unsubscribe", "List-Post"):
        if name.lower() in fields:
            return name
    if "precedence" in fields:
        precedence = _token(fields.text("precedence"))
        if precedence in ("bulk", "list", "junk"):
            return f"Precedence: {precedence}"
    if "auto-submitted" in fields:
        automatic = _token(fields.text("auto-submitted"))
        if automatic != "no":
            return f"Auto-Submitted: {automatic or 'yes'}"
    return ""


def is_invitation(fields: Fields) -> bool:
    """M6, as far as the outermost Content-Type tells."""
    if "content-type" not in fields:
        return False
    value = fields.text("content-type")
    return value.lstrip().lower().startswith("text/calendar") and bool(_METHOD.search(value))


def _split(block: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    fields = [(name.decode("ascii").lower(), value) for name, value in _FIELD.findall(block)]
    hint = _charset_of(fields)
    for name, value in fields:
        text = charset.decode_header(value[:_FIELD_LIMIT], hint)
        found.setdefault(name, []).append(_FOLD.sub("", text).strip())
    return found


def _charset_of(fields: list[tuple[str, bytes]]) -> str:
    """The charset of raw 8-bit fields: the one named beside them, else the likely one."""
    types = b"".join(value[:2_000] for name, value in fields if name == "content-type")
    for pattern, data in (
        (_CHARSET, types),
        (_WORD_CHARSET, b" ".join(value for _, value in fields)),
    ):
        if named := pattern.search(data[:_FIELD_LIMIT].decode("latin-1")):
            return named[1]
    foreign = b" ".join(value for _, value in fields if not value.isascii())
    return "" if _is_utf8(foreign) else charset.likely(foreign)


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_huge_field(block: bytes) -> bool:
    return len(block) > _FIELD_LIMIT and any(
        len(value) > _FIELD_LIMIT for _, value in _FIELD.findall(block)
    )


def _clean_id(text: str) -> str:
    return one_line("".join(text.split()).strip("<>"), 500)


def _ids(value: str) -> list[str]:
    """The ids of a field: what stands in <>, or bare words with an "@" when nothing does."""
    found = _ID.findall(value)[-2 * _REFS :]
    if not found and "<" not in value:
        words = value.split()[-2 * _REFS :]
        found = words if all("@" in word for word in words) else []
    return [_clean_id(one) for one in found]


def _reply_id(value: str) -> list[str]:
    """Old mail writes sentences into In-Reply-To, with the sender's address in <> before the id."""
    ids = _ids(value)
    rest = _ID.sub("", value) if "<" in value else ""
    if any(letter.isalpha() for letter in rest) and ids:
        last = ids[-1]
        return [last] if any(letter.isdigit() for letter in last) else []
    return ids


def _written_at(fields: Fields) -> int:
    """Seconds since 1970, 0 for a Date that cannot be read."""
    try:
        moment = fields.mail.date_parsed if fields.mail is not None else None
    except (ValueError, OverflowError):
        return 0
    return int(moment.timestamp()) if moment is not None else _date(fields.text("date"))


def _date(text: str) -> int:
    try:
        parsed = parsedate_tz(text[:100])
        return mktime_tz(parsed) if parsed else 0
    except (ValueError, OverflowError, IndexError, TypeError):
        return 0


def _token(value: str) -> str:
    return one_line(value.partition(";")[0].partition("(")[0], 40).lower()
