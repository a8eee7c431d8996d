"""Which parts of a message are its text, which its attachments: the choices of a good mail reader.

Works on a bare tree of parts, so that a message that is there in full and one of which only the
structure is known (structure.py) are read alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from crmmail.text import one_line

MOST_PARTS = 500
DEEPEST = 50
STUB_SIZE = 600
"""A text/plain part below this size may be no more than "your program cannot show HTML"."""
_TEXT = frozenset("text/plain text/html text/enriched text/richtext text/markdown text".split())
_REPORTS = ("message/delivery-status", "text/rfc822-headers", "message/feedback-report")
_SIGNATURES = frozenset(
    "application/pgp-signature application/pkcs7-signature application/x-pkcs7-signature".split()
)
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "message/rfc822": ".eml",
    "application/pgp-signature": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
}
_NAMELESS = {
    "message/delivery-status": "delivery-status",
    "message/disposition-notification": "receipt",
    "text/rfc822-headers": "headers.txt",
    "application/ms-tnef": "winmail.dat",
}
_UNSAFE_NAME = re.compile(r"[\\/]+")
_NAME_LIMIT = 200
_CALENDAR_LIMIT = 262_144
_METHOD = re.compile(rb"^METHOD[;:]", re.MULTILINE | re.IGNORECASE)
ENCRYPTED = "This message is encrypted, so that crmmail cannot read it."
OPAQUE = "This message is signed in a form (S/MIME, opaque) that crmmail cannot read."


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment, listed; where it lies in the message and how it is packed, to open it by."""

    name: str
    mime: str
    size: int
    inline: bool
    section: str = field(default="", compare=False)
    encoding: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part that belongs to the readable text.

    With `instead_of` it stands in for the part of that section if that one says nothing.
    """

    section: str
    mime: str
    charset: str = ""
    encoding: str = ""
    flowed: bool = False
    delsp: bool = False
    size: int = 0
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """What to fetch of a message to read it, and what else it has."""

    parts: tuple[TextPart, ...]
    attachments: tuple[Part, ...]
    invitation: bool
    note: str = ""
    """What to say if there is no text."""
    calendars: tuple[TextPart, ...] = ()
    """Parts whose text has to say whether this is an invitation."""

    @property
    def says_nothing(self) -> bool:
        """Whether no part was found, or only text parts without a byte."""
        return not (self.attachments or self.note or any(part.size for part in self.parts))


@dataclass(slots=True)
class Node:
    """One part of a message, as headers or a BODYSTRUCTURE describe it; names in lower case."""

    mime: str
    section: str = ""
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    name: str = ""
    encoding: str = ""
    size: int = 0
    has_id: bool = False
    subject: str = ""
    method: bool = False
    may_have_method: bool = False
    children: list[Node] = field(default_factory=list)

    @property
    def is_container(self) -> bool:
        """Whether it only holds other parts."""
        return self.mime.startswith("multipart/")


def choose(root: Node) -> TextPlan:
    """The text parts of a message in reading order, and its attachments in message order."""
    chooser = _Chooser()
    chooser.visit(root)
    texts = chooser.texts or chooser.last_resort()
    calendars = () if chooser.invitation else tuple(chooser.calendars)
    return TextPlan(
        tuple(texts), tuple(chooser.attachments), chooser.invitation, chooser.note, calendars
    )


def is_looked_into(calendar: Node) -> bool:
    """Whether a calendar without METHOD in its header may be an invitation by its text (M6)."""
    return calendar.disposition != "attachment" and calendar.size < _CALENDAR_LIMIT


def has_method(text: bytes) -> bool:
    """Whether a calendar's text says that it is an iMIP message."""
    return bool(_METHOD.search(text))


def number(node: Node, prefix: str = "", depth: int = 0) -> None:
    """Give every part the section number that IMAP has for it (RFC 3501, 6.4.5)."""
    node.section = node.section or prefix or "1"
    if depth > DEEPEST:
        return
    outer = f"{prefix}." if prefix else ""
    for place, child in enumerate(node.children, 1):
        inside_message = node.mime == "message/rfc822"
        if not inside_message:
            number(child, f"{outer}{place}", depth + 1)
        elif child.is_container:
            child.section = f"{node.section}.TEXT"
            number(child, node.section, depth + 1)
        else:
            number(child, f"{node.section}.1", depth + 1)


class _Chooser:
    """Walks the parts in order."""

    def __init__(self) -> None:
        self.texts: list[TextPart] = []
        self.attachments: list[Part] = []
        self.calendars: list[TextPart] = []
        self.invitation = False
        self.note = ""
        self._named: list[TextPart] = []
        self._reports: list[Node] = []
        self._messages: list[Node] = []

    def visit(self, node: Node, depth: int = 0, *, related: bool = False) -> None:
        if depth > DEEPEST:
            return
        self._invited(node)
        match node.mime:
            case "multipart/alternative":
                self._alternative(node, depth)
            case "multipart/related":
                self._related(node, depth)
            case _ if node.is_container:
                self.note = self.note or (ENCRYPTED if node.mime.endswith("/encrypted") else "")
                for child in node.children:
                    self.visit(child, depth + 1)
            case _:
                self._leaf(node, related=related, alone=depth == 0)

    def _invited(self, node: Node) -> None:
        self.invitation = self.invitation or node.method
        if node.may_have_method:
            self.calendars.append(_text_part(node))

    def _leaf(self, node: Node, *, related: bool, alone: bool) -> None:
        textual = node.mime in _TEXT
        shown = textual and node.disposition != "attachment" and not (related and node.has_id)
        if shown and not node.name:
            self.texts.append(_text_part(node))
            return
        if textual:
            if not self.texts and (shown or alone):
                self._named.append(_text_part(node))
            if alone and shown:
                return
        elif node.mime == "message/rfc822":
            self._messages.append(node)
        elif node.mime in _REPORTS:
            self._reports.append(node)
        elif node.mime in _SMIME:
            signed = "signed" in node.params.get("smime-type", "")
            self.note = self.note or (OPAQUE if signed else ENCRYPTED)
        self.attachments.append(_listed(node, related=related))

    def _alternative(self, node: Node, depth: int) -> None:
        """The same text in several forms: plain where it says enough, else HTML."""
        branches: list[_Chooser] = []
        for child in node.children:
            branch = _Chooser()
            leaf = not child.is_container and child.mime.startswith("text/")
            if leaf and child.mime not in _TEXT:
                branch._invited(child)
            elif leaf and child.disposition != "attachment":
                branch.texts.append(_text_part(child))
            else:
                branch.visit(child, depth + 1)
            branches.append(branch)
            self.attachments += branch.attachments
            self.calendars += branch.calendars
            self.invitation = self.invitation or branch.invitation
            self.note = self.note or branch.note
            self._reports += branch._reports
            self._messages += branch._messages
            self._named += branch._named
        self.texts += _best([branch.texts for branch in branches if branch.texts])

    def _related(self, node: Node, depth: int) -> None:
        """A root, and what it shows: the root is read, the rest is listed."""
        textual = [one for one in node.children if one.children or one.mime in _TEXT]
        root = textual[0] if textual else None
        for child in node.children:
            self.visit(child, depth + 1, related=child is not root)

    def last_resort(self, depth: int = 0) -> list[TextPart]:
        """What there is to read in a message without a text of its own."""
        if self._named:
            return self._named[:1]
        if self._messages and not self.note and depth < 3:
            message, inner = self._messages[0], _Chooser()
            for child in message.children:
                inner.visit(child, 1)
            heading = TextPart(f"{message.section}.HEADER", "text/rfc822-headers")
            return [heading, *(inner.texts or inner.last_resort(depth + 1))]
        return [_text_part(node) for node in self._reports[:2]]


def _best(branches: list[list[TextPart]]) -> list[TextPart]:
    plain = [texts for texts in branches if all(one.mime == "text/plain" for one in texts)]
    html = [texts for texts in branches if texts not in plain]
    full = [texts for texts in plain if sum(one.size for one in texts) > 2]
    if not full:
        return (html or plain or [[]])[-1]
    chosen = full[0]
    if html and sum(one.size for one in chosen) < STUB_SIZE:
        stand_ins = [replace(one, instead_of=chosen[0].section) for one in html[-1]]
        return [*chosen, *stand_ins]
    return chosen


def _text_part(node: Node) -> TextPart:
    params = node.params
    return TextPart(
        node.section,
        "text/plain" if node.mime == "text" else node.mime,
        params.get("charset", ""),
        node.encoding,
        params.get("format", "").lower() == "flowed",
        params.get("delsp", "").lower() == "yes",
        node.size,
    )


def _listed(node: Node, *, related: bool) -> Part:
    picture = node.mime.startswith("image/") and node.has_id
    inline = node.disposition != "attachment" and (related or picture)
    return Part(
        safe_name(node),
        one_line(node.mime, 100),
        node.size,
        inline or node.mime in _SIGNATURES,
        node.section,
        node.encoding,
    )


def safe_name(node: Node) -> str:
    """A file name without a path, leading dots or anything that a terminal would obey."""
    name = node.name
    if not name and node.subject and node.mime == "message/rfc822":
        name = _UNSAFE_NAME.sub("-", node.subject)[:100] + ".eml"
    last = _UNSAFE_NAME.split(one_line(name, 2_000).rstrip("/\\ "))[-1]
    name = last.lstrip(".- ").strip()
    if len(name) > _NAME_LIMIT:
        stem, dot, extension = name.rpartition(".")
        keep = f"{dot}{extension}" if stem and len(extension) < 10 else ""
        name = name[: _NAME_LIMIT - len(keep)] + keep
    return name or _nameless(node.mime)


def _nameless(mime: str) -> str:
    if mime in _NAMELESS:
        return _NAMELESS[mime]
    kind = mime.partition("/")[0]
    stem = {"message": "message", "image": "image", "audio": "audio", "video": "video"}.get(kind)
    return (stem or "attachment") + _EXTENSIONS.get(mime, "")
