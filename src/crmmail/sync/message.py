"""Bytes of a message -> what crmmail stores of it. The dataclasses here are the shape of mail
everywhere else; that it is MIME stays in this file and its helpers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice

from crmmail.mail_names import person_name, usable_name
from crmmail.store.kinds import MADE_UP
from crmmail.sync import charset, flowed, headers, html, quotes, tree
from crmmail.sync.parts import Part, TextPart, TextPlan, choose, has_method
from crmmail.sync.subjects import base_subject
from crmmail.text import block, one_line

__all__ = [
    "HEADER_FIELDS",
    "NO_TEXT",
    "Body",
    "Header",
    "Part",
    "Participant",
    "Unreadable",
    "base_subject",
    "body_of",
    "parse_body",
    "parse_header",
    "person_name",
    "usable_name",
]

HEADER_FIELDS = (
    "Date",
    "From",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "Precedence",
    "Auto-Submitted",
    "Content-Type",
)
TEXT_LIMIT = 262_144
"""Bytes of readable text kept of one message."""
_CUT = "[The rest of this message is not shown: it is too long.]"
_ROLES = ("from", "to", "cc", "bcc", "reply-to")
_MOST_PEOPLE = 500
_STUB_WORDS = ("html", "browser", "view this", "view it", "webversion", "online")


class Unreadable(ValueError):
    """Nothing at all of a message can be read (M8)."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One address of one header, the name safe to draw, the address in normal() form."""

    role: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Header:
    """What the rules judge on; made of the header block alone."""

    message_id: str
    refs: tuple[str, ...]
    sent_at: int
    subject: str
    participants: tuple[Participant, ...]
    sign: str
    invitation: int  # M6: 1, or 2 when only the text tells
    size: int = 0


@dataclass(frozen=True, slots=True)
class Body:
    """What a message says, and what hangs on it."""

    text: str
    preview: str
    quotes: tuple[tuple[int, int], ...]
    attachments: tuple[Part, ...]
    invitation: bool


NO_TEXT = Body("", "", (), (), invitation=False)
"""What is kept of a message whose text is not asked for (V2)."""


def parse_header(raw: bytes, received_at: int, size: int = 0) -> Header:
    """Read a header block, or some fields of one. Never raises: what is damaged stays empty."""
    fields = headers.read(raw)
    subject = one_line(fields.text("subject"))
    people = _participants(fields)
    own_id = headers.message_id(fields) or _made_up_id(fields, people, subject, received_at)
    return Header(
        own_id,
        headers.references(fields, own_id, {one.address for one in people}),
        headers.sent_at(fields, received_at),
        subject,
        people,
        headers.sign(fields),
        headers.is_invitation(fields),
        size,
    )


def parse_body(raw: bytes) -> Body:
    """Read a whole message. Raises Unreadable when it is empty."""
    raw = headers.straightened(raw)
    if not raw.strip():
        raise Unreadable("The server sent an empty message.")
    root, content = tree.parts_of(raw)
    plan = choose(root)
    try:
        payloads = {part.section: content(part.section) for part in plan.parts}
    except tree.Broken:
        root, content = tree.slow_parts_of(raw)
        plan = choose(root)
        payloads = {part.section: content(part.section) for part in plan.parts}
    return _body(plan, payloads)


def body_of(plan: TextPlan, payloads: dict[str, bytes]) -> Body:
    """Read a message from the parts that were fetched of it, as the server sent them.

    Parts may be missing or cut off.
    """
    unpacked = {
        part.section: charset.unpack(payloads[part.section], part.encoding)
        for part in (*plan.parts, *plan.calendars)
        if part.section in payloads
    }
    if any(has_method(unpacked.get(part.section, b"")) for part in plan.calendars):
        plan = replace(plan, invitation=True)
    cut = any(part.size > len(payloads.get(part.section, b"")) >= TEXT_LIMIT for part in plan.parts)
    return _body(plan, unpacked, cut=cut)


def _body(plan: TextPlan, payloads: dict[str, bytes], *, cut: bool = False) -> Body:
    texts: list[str] = []
    said: dict[str, str] = {}
    for part in plan.parts:
        if part.section not in payloads:
            continue
        text = _readable(part, payloads[part.section]).strip("\n")
        if part.instead_of:
            if not _is_stub(said.get(part.instead_of, "")) or not text.strip():
                continue
            texts = [one for one in texts if one is not said.get(part.instead_of)]
        said[part.section] = text
        if text.strip():
            texts.append(text)
    text = _shortened("\n\n".join(texts) or plan.note, cut=cut)
    spans = quotes.scan(text)
    return Body(text, quotes.preview(text, spans), spans, plan.attachments, plan.invitation)


def _readable(part: TextPart, data: bytes) -> str:
    match part.mime:
        case "text/html" | "text/enriched" | "text/richtext":
            text = html.to_text(charset.decode_html(data[: html.LIMIT], part.charset))
        case "text/rfc822-headers":
            return _heading(data)
        case _:
            text = charset.decode(data[: 2 * TEXT_LIMIT], part.charset)
            if part.flowed:
                text = flowed.unflow(text.replace("\r\n", "\n"), delsp=part.delsp)
    return "\n".join(_right_trimmed(line) for line in block(text).split("\n"))


def _right_trimmed(line: str) -> str:
    return "-- " if line in ("-- ", "--") else line.rstrip()


def _heading(data: bytes) -> str:
    """The header of an embedded message, as a reader would show it."""
    fields = headers.read(data)
    shown = [
        (name, one_line(fields.text(name.lower()), 500))
        for name in ("From", "To", "Cc", "Date", "Subject")
    ]
    return "\n".join(f"{name}: {value}" for name, value in shown if value)


def _is_stub(text: str) -> bool:
    """Whether a plain text only says that there is HTML, or nothing."""
    words = text.lower()
    return len(words) < 400 and (
        not any(letter.isalnum() for letter in words) or any(word in words for word in _STUB_WORDS)
    )


def _shortened(text: str, *, cut: bool) -> str:
    if len(text) > TEXT_LIMIT // 4:
        data = text.encode("utf-8")
        if len(data) > TEXT_LIMIT:
            cut = True
            text = (
                data[: TEXT_LIMIT - 100].decode("utf-8", "ignore").rpartition("\n")[0]
                or text[: TEXT_LIMIT // 4]
            )
    return f"{text}\n\n{_CUT}" if cut else text


def _participants(fields: headers.Fields) -> tuple[Participant, ...]:
    found: dict[tuple[str, str], Participant] = {}
    for field_name in _ROLES:
        if field_name not in fields:
            continue
        role = field_name.replace("-", "_")
        for name, address in islice(fields.mailboxes(field_name), 4 * _MOST_PEOPLE):
            if (role, address) in found or (role == "reply_to" and ("from", address) in found):
                continue
            found[role, address] = Participant(role, _display_name(name, address), address)
            if len(found) == _MOST_PEOPLE:
                return tuple(found.values())
    return tuple(found.values())


def _display_name(name: str, address: str) -> str:
    if not name:
        return ""
    name = one_line(name, 200).strip(" '\"")
    return "" if name.lower() == address else name


def _made_up_id(
    fields: headers.Fields, people: tuple[Participant, ...], subject: str, received_at: int
) -> str:
    """M11: the same for every copy of a message that has no Message-ID."""
    date = one_line(fields.text("date")) or str(received_at)
    senders = sorted({one.address for one in people if one.role == "from"})
    recipients = sorted({one.address for one in people if one.role in ("to", "cc")})
    text = "\n".join((date, *senders, "", *recipients, "", subject))
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest() + MADE_UP
