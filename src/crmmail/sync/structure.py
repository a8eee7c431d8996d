"""BODYSTRUCTURE -> what to fetch of a large message, and its attachments.

Servers differ in what they send (fields missing, NIL for anything, subtypes in any case), so every
field may be absent or of another kind here. Only a structure without any part is refused.
"""

from __future__ import annotations

import re
from typing import Any

from crmmail.sync import charset, params
from crmmail.sync.answers import LARGEST
from crmmail.sync.message import Unreadable
from crmmail.sync.parts import (
    DEEPEST,
    MOST_PARTS,
    Node,
    TextPart,
    TextPlan,
    choose,
    is_looked_into,
    number,
)

__all__ = ["TextPart", "TextPlan", "Unreadable", "plan"]

_DISPOSITION = re.compile(rb"\s*(inline|attachment)\s*(?:;|$)", re.IGNORECASE)


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
        own = _params(_at(data, 2))
        disposition, its_params = _disposition(data[7:])
        size = _at(data, 6)
        node = Node(
            mime,
            params=own,
            disposition=disposition,
            name=its_params.get("filename") or own.get("name") or "",
            encoding=_word(data, 5),
            size=size if isinstance(size, int) and 0 <= size < LARGEST else 0,
            has_id=bool(_at(data, 3)),
            method=mime == "text/calendar" and bool(own.get("method")),
        )
        if mime == "text/calendar" and not node.method:
            node.may_have_method = is_looked_into(node)
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
    return charset.words(charset.decode_header(value)) if isinstance(value, bytes) else ""


def _disposition(fields: Any) -> tuple[str, dict[str, str]]:
    """The one field that looks like (kind, params), wherever the server put it."""
    for one in fields:
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], bytes):
            if one[1] is None or isinstance(one[1], tuple):
                return _word(one, 0), _params(one[1])
        elif isinstance(one, bytes) and (found := _DISPOSITION.match(one)):
            # Some servers give the field as it is in the message, or its first word.
            return found[1].decode("ascii").lower(), params.of_header(_raw(one))
    return "", {}


def _params(data: Any) -> dict[str, str]:
    if not isinstance(data, (tuple, list)):
        return {}
    return params.of_pairs(
        (name.decode("latin-1").lower(), _raw(value))
        for name, value in zip(data[::2], data[1::2], strict=False)
        if isinstance(name, bytes) and isinstance(value, (bytes, int))
    )


def _raw(value: bytes | int) -> str:
    # imapclient makes numbers of what looks like one.
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
