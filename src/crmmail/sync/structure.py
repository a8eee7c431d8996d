"""BODYSTRUCTURE -> what to fetch of a large message, and its attachments.

Servers differ in what they send (fields missing, NIL for anything, subtypes in any case), so every
field may be absent or of another kind here. Only a structure without any part is refused.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from crmmail.sync import charset
from crmmail.sync.message import Unreadable
from crmmail.sync.parts import DEEPEST, MOST_PARTS, Node, TextPart, TextPlan, choose, number

__all__ = ["TextPart", "TextPlan", "Unreadable", "plan"]

_CONTINUED = re.compile(r"(.+?)\*(\d*)(\*?)")


def plan(bodystructure: Any) -> TextPlan:
    """Plan the reading of a message from its BODYSTRUCTURE as imapclient parses it.

    Raises Unreadable when it describes no part, or only empty ones: the whole message tells more.
    """
    root = _Reader().node(bodystructure, 0)
    if root is not None:
        number(root)
        found = choose(root)
        if not (root.is_container and found.says_nothing):
            return found
    raise Unreadable("The server's description of the message has no parts.")


class _Reader:
    """Makes nodes of nested tuples, up to so many."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def node(self, data: Any, depth: int) -> Node | None:
        """One part; None for what is none."""
        self._left -= 1
        if not isinstance(data, (tuple, list)) or not data or depth > DEEPEST or self._left < 0:
            return None
        if isinstance(data[0], list):
            return self._multipart(data[0], data[1:], depth)
        if isinstance(data[0], tuple):
            end = next((at for at, one in enumerate(data) if not isinstance(one, tuple)), len(data))
            return self._multipart(data[:end], data[end:], depth)
        kind, subtype = _word(data, 0), _word(data, 1)
        if not kind and not subtype:
            return None
        return self._single(data, f"{kind or 'application'}/{subtype or 'octet-stream'}", depth)

    def _multipart(self, parts: Any, rest: Any, depth: int) -> Node | None:
        children = [one for one in (self.node(part, depth + 1) for part in parts) if one]
        if not children:
            return None
        return Node(f"multipart/{_word(rest, 0) or 'mixed'}", children=children)

    def _single(self, data: Any, mime: str, depth: int) -> Node:
        params = _params(_at(data, 2))
        disposition, its_params = _disposition(data[7:])
        size = _at(data, 6)
        node = Node(
            mime,
            params=params,
            disposition=disposition,
            name=its_params.get("filename") or params.get("name") or "",
            encoding=_word(data, 5),
            size=size if isinstance(size, int) else 0,
            has_id=bool(_at(data, 3)),
            method=mime == "text/calendar" and bool(params.get("method")),
        )
        envelope, body = _at(data, 7), _at(data, 8)
        if mime == "message/rfc822" and isinstance(envelope, tuple) and len(envelope) > 1:
            node.subject = _text(envelope[1])
            inner = self.node(body, depth + 1)
            node.children = [inner] if inner else []
        return node


def _at(data: Any, place: int) -> Any:
    return data[place] if len(data) > place else None


def _word(data: Any, place: int) -> str:
    value = _at(data, place)
    return value.decode("latin-1").strip().lower() if isinstance(value, bytes) else ""


def _text(value: Any) -> str:
    if isinstance(value, int):  # imapclient makes numbers of what looks like one
        return str(value)
    return charset.words(charset.decode_header(value)) if isinstance(value, bytes) else ""


def _disposition(fields: Any) -> tuple[str, dict[str, str]]:
    """The one field that looks like (kind, params), wherever the server put it."""
    for one in fields:
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], bytes):
            if one[1] is None or isinstance(one[1], tuple):
                return _word(one, 0), _params(one[1])
        elif isinstance(one, bytes) and one.lower() in (b"inline", b"attachment"):
            return one.decode("ascii").lower(), {}
    return "", {}


def _params(data: Any) -> dict[str, str]:
    """Parameters by name, continuations (RFC 2231) joined."""
    params: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bytes, bool]]] = {}
    if not isinstance(data, (tuple, list)):
        return params
    for name, value in zip(data[::2], data[1::2], strict=False):
        key = name.decode("latin-1").lower() if isinstance(name, bytes) else ""
        if "*" in key and isinstance(value, bytes) and (found := _CONTINUED.fullmatch(key)):
            extended = bool(found[3]) or not found[2]
            place = int(found[2]) if found[2] and len(found[2]) < 5 else 0
            pieces.setdefault(found[1], []).append((place, value, extended))
        elif key:
            params.setdefault(key, _text(value))
    for key, found_pieces in pieces.items():
        params[key] = _joined(sorted(found_pieces))
    return params


def _joined(pieces: list[tuple[int, bytes, bool]]) -> str:
    _, first, extended = pieces[0]
    named = b""
    if extended and first.count(b"'") >= 2:
        named, _, first = first.split(b"'", 2)
    values = [(first, extended), *((value, more) for _, value, more in pieces[1:])]
    data = b"".join(unquote_to_bytes(value) if more else value for value, more in values)
    return charset.decode(data, named.decode("latin-1"))
