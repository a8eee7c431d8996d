"""The parts of a message that is there in full: bytes -> nodes and their contents.

fast-mail-parser reads nearly every message; the standard library, guarded, reads what it refuses;
what neither can take apart is read as one text.
"""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from email.message import Message
from typing import Any

from fast_mail_parser import ParseError, parse_email_tree

from crmmail.sync import charset, headers, params
from crmmail.sync.parts import DEEPEST, MOST_PARTS, Node, has_method, is_looked_into, number

_FALLBACK_LIMIT = 4_000_000
_MOST_LOOKS = 2_000_000
_ENCODING = "Content-Transfer-Encoding"
_KEPT = "X-Crmmail-Transfer-Encoding"  # where the standard library does not look
_KNOWN = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})
_NO_MIME = re.compile(r"[\s;,]")
_BAD_CONTENT = (ParseError, ValueError, LookupError, RecursionError, AttributeError, TypeError)
_TEXT_PART = re.compile(
    rb"^--([^\s][^\r\n]{0,100}?)[ \t]*\r?\n(?:[\w-]{1,40}:[^\n]{0,200}\n|[ \t][^\n]{0,200}\n){0,5}?"
    rb"Content-Type:\s{0,9}text/",
    re.MULTILINE | re.IGNORECASE,
)
_ANY_PART = re.compile(
    rb"^--([^\s][^\r\n]{0,100}?)[ \t]*\r?\nContent-", re.MULTILINE | re.IGNORECASE
)

Contents = Callable[[str], bytes]
"""The bytes of a section, without transfer encoding; raises KeyError if there is none."""


class Broken(ValueError):
    """What fast-mail-parser made of a message is wrong, or cannot be decoded."""


def parts_of(raw: bytes) -> tuple[Node, Contents]:
    """The root of a message's parts, and what each section holds."""
    try:
        return _Quick(raw).result()
    except (*_BAD_CONTENT, Broken):
        return slow_parts_of(raw)


def slow_parts_of(raw: bytes) -> tuple[Node, Contents]:
    """The same through the standard library, tolerant of any encoding, for at most 4 MB."""
    try:
        return _Slow(email.message_from_bytes(_affordable(raw))).result()
    except _BAD_CONTENT:
        body = raw[len(headers.block_of(raw)) :]
        node = Node("text/plain", "1", size=len(body))
        return node, lambda _: body


def _affordable(raw: bytes) -> bytes:
    """As much of a message as the standard library reads in bounded time.

    It looks at every line once for every multipart around it.
    """
    raw = raw[:_FALLBACK_LIMIT]
    most = _MOST_LOOKS // (raw.count(b"oundary") + 1)
    return raw if raw.count(b"\n") <= most else b"\n".join(raw.split(b"\n", most)[:most])


class _Quick:
    """A tree of fast-mail-parser."""

    def __init__(self, raw: bytes) -> None:
        self._left = MOST_PARTS
        self._found: dict[str, Any] = {}
        self._order: list[tuple[Node, Any]] = []
        self._boundaries: list[str] = []
        self._raw = raw
        self._is_clean = raw.isascii() and b"\x1b" not in raw
        self._root = self._node(parse_email_tree(raw, mode="lazy"), 0)

    def result(self) -> tuple[Node, Contents]:
        number(self._root)
        self._found = {node.section: part for node, part in self._order}
        return self._root, self._content

    def _node(self, part: Any, depth: int) -> Node:
        self._left -= 1
        mime = _NO_MIME.split(part.content_type.lower(), maxsplit=1)[0]
        node = Node(mime, size=part.encoded_size or 0)
        self._order.append((node, part))
        if depth:
            node.disposition = (part.disposition or "").lower()
            node.name = part.filename
            node.has_id = part.content_id is not None
        elif part.disposition:
            node.disposition, node.name = part.disposition.lower(), part.filename
        elif not mime.startswith("multipart/"):
            node.name = part.filename
        node.name = charset.words(node.name)
        if "\ufffd" in node.name:
            raise Broken("fast-mail-parser cannot read the name of a file.")
        if mime.startswith("text/") or "pkcs7" in mime:
            self._describe(node, part)
        elif node.is_container:
            self._check(part)
        if depth < DEEPEST:
            for child in part.children:
                if self._left <= 0:
                    break
                node.children.append(self._node(child, depth + 1))
        if mime == "message/rfc822" and part.children:
            node.subject = _first(part.children[0].headers, "subject") or (
                headers.read(part.content or b"").text("subject")
            )
        return node

    def _describe(self, node: Node, part: Any) -> None:
        node.params = params.of_header(_first(part.headers, "content-type"))
        if node.mime == "text/calendar":
            node.method = _has_method(node, lambda: part.content or b"")

    def _check(self, part: Any) -> None:
        """Refuse what fast-mail-parser cuts wrongly: a boundary that begins like another one."""
        boundary = params.of_header(_first(part.headers, "content-type")).get("boundary", "")
        if not part.children or any(
            boundary.startswith(other) or other.startswith(boundary) for other in self._boundaries
        ):
            raise Broken(f"The boundary {boundary!r} does not divide the message.")
        self._boundaries.append(boundary)

    def _content(self, section: str) -> bytes:
        if section.endswith(".HEADER"):
            message = self._found[section.removesuffix(".HEADER")].content or b""
            return headers.block_of(message)
        part = self._found[section]
        try:
            data: bytes = part.content or b""
        except ParseError as error:
            raise Broken(str(error)) from error
        encoding = _first(part.headers, _ENCODING.lower()).lower()
        if encoding == "quoted-printable" and not self._is_clean:
            if self._root.is_container:
                raise Broken("fast-mail-parser drops bytes that should not be in quoted-printable.")
            return charset.unpack(self._raw[len(headers.block_of(self._raw)) :], encoding)
        return data if encoding in _KNOWN else charset.unpack(data, encoding)


class _Slow:
    """A tree of the standard library, with multiparts divided where their boundary is wrong."""

    def __init__(self, message: Message) -> None:
        self._left = MOST_PARTS
        self._order: list[tuple[Node, Message]] = []
        self._root = self._node(message, 0)

    def result(self) -> tuple[Node, Contents]:
        number(self._root)
        found = {node.section: part for node, part in self._order}

        def content(section: str) -> bytes:
            if section.endswith(".HEADER"):
                return _fields(_inner(found[section.removesuffix(".HEADER")]))
            return _payload(found[section])

        return self._root, content

    def _node(self, part: Message, depth: int) -> Node:
        self._left -= 1
        mime = part.get_content_type()
        if mime.startswith("multipart/") and not part.is_multipart():
            part, mime = _divided(part, alone=depth == 0)
        node = Node(mime)
        self._order.append((node, part))
        node.params = params.of_header(_raw_field(part, "content-type"))
        node.disposition = (part.get_content_disposition() or "").lower()
        disposed = params.of_header(_raw_field(part, "content-disposition"))
        node.name = disposed.get("filename") or node.params.get("name", "")
        node.has_id = part.get("content-id") is not None
        node.size = len(_raw(part))
        node.method = mime == "text/calendar" and _has_method(node, lambda: _payload(part))
        if depth < DEEPEST and (node.is_container or mime == "message/rfc822"):
            for child in _children(part)[: max(0, self._left)]:
                node.children.append(self._node(child, depth + 1))
        if mime == "message/rfc822":
            node.subject = charset.words(str(_inner(part).get("subject", "")))
        return node


def _divided(part: Message, *, alone: bool) -> tuple[Message, str]:
    """A multipart that its boundary does not divide: by the one before its first text part; else,
    if it is `alone` the message, all of it as one text.
    """
    data = _raw(part)
    found = _TEXT_PART.search(data) or _ANY_PART.search(data)
    if found:
        boundary = found[1].replace(b'"', b"")
        mime = part.get_content_type()
        kind = b'Content-Type: %s; boundary="%s"\n\n' % (mime.encode("ascii", "replace"), boundary)
        message = email.message_from_bytes(kind + data)
        if message.is_multipart():
            return message, mime
    if not alone:
        return part, part.get_content_type()
    return part, "text/html" if data.lstrip()[:1] == b"<" else "text/plain"


def _has_method(node: Node, content: Callable[[], bytes]) -> bool:
    """Whether a calendar is an iMIP message (M6): by its header, or by what it says itself."""
    if node.params.get("method"):
        return True
    return is_looked_into(node) and has_method(content())


def _first(fields: dict[str, list[str]], name: str) -> str:
    for key, values in fields.items():
        if key.lower() == name and values:
            return values[0]
    return ""


def _raw_field(part: Message, name: str) -> str:
    """A field as it stands in the message, where the standard library would replace raw bytes."""
    return next((str(value) for key, value in part.raw_items() if key.lower() == name), "")


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if part.is_multipart() else []


def _inner(part: Message) -> Message:
    """The message that a part embeds."""
    return next(iter(_children(part)), Message())


def _fields(message: Message) -> bytes:
    lines = (f"{name}: {value}\n" for name, value in message.items())
    return "".join(lines).encode("utf-8", "surrogateescape")


def _raw(part: Message) -> bytes:
    """The bytes of a part in their transfer encoding."""
    if part.is_multipart():
        # The standard library makes messages of the groups of a delivery report.
        is_report = part.get_content_type() == "message/delivery-status"
        return b"\n".join(map(_fields, _children(part))) if is_report else b""
    if _ENCODING in part:
        part[_KEPT] = str(part[_ENCODING])
        del part[_ENCODING]
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _payload(part: Message) -> bytes:
    data = _raw(part)
    return charset.unpack(data, str(part.get(_KEPT, "")))
