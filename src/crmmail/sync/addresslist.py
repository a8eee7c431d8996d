"""Address headers as strangers write them -> (name, address) pairs, in linear time.

Tolerant where the meaning is plain (unquoted dots, missing commas, routes, comments, groups) and
silent where it is not: of `alice@example.org)bob@x` no address is made (CVE-2023-27043).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from crmmail.sync import charset

_MOST_TOKENS = 40_000
_TOKEN = re.compile(
    r"""(?P<encoded>=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | <(?P<angle>[^<>]*)>
      | (?P<mark>[,;:()<>])
      | (?P<word>(?:[^\s",;:()<>=]|=(?!\?))+)
      | (?P<space>\s+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class _Mailbox:
    """One entry of the list while its tokens come in."""

    words: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    angle: str | None = None
    broken: bool = False

    def finish(self) -> tuple[str, str] | None:
        if self.broken:
            return None
        if self.angle is not None:
            name, address = " ".join(self.words), self.angle
        else:
            name, address = self._bare()
        if "@" not in address:
            return None
        name = charset.words(name or "".join(self.comment)).strip()
        return name, address

    def _bare(self) -> tuple[str, str]:
        """The one word with an "@" is the address; what stands before it is the name."""
        if [word for word in self.words if word.startswith("@") or word.endswith("@")]:
            return "", "".join(self.words)
        found = [word for word in self.words if "@" in word]
        if len(found) != 1:
            return "", ""
        return " ".join(word for word in self.words if word != found[0]), found[0]


def mailboxes(text: str) -> Iterator[tuple[str, str]]:
    """Display name and address of each mailbox of a header, encoded words decoded.

    Addresses come as they stand, not yet in the form in which addresses are compared.
    """
    balanced = text.count("(") == text.count(")")
    box = _Mailbox()
    depth = 0
    last_end = -1
    for number, token in enumerate(_TOKEN.finditer(text)):
        kind, value = token.lastgroup, token[0]
        if number > _MOST_TOKENS:
            break
        if depth or (balanced and value == "("):
            depth += (value == "(") - (value == ")")
            if depth > 1 or value != "(":
                box.comment.append(value if depth else "")
        elif value in (",", ";", ":"):
            if value != ":" and (mailbox := box.finish()):
                yield mailbox
            box = _Mailbox()
        elif kind == "mark":
            box.broken = box.broken or value == ")"
        elif kind != "space":
            if box.angle is not None:  # a comma is missing
                if mailbox := box.finish():
                    yield mailbox
                box = _Mailbox()
            _add(box, kind, token, glued=token.start() == last_end)
            last_end = token.end()
    if mailbox := box.finish():
        yield mailbox


def _add(box: _Mailbox, kind: str | None, token: re.Match[str], *, glued: bool) -> None:
    if kind == "angle":
        box.angle = _route_removed(token["angle"])
        return
    value = _ESCAPED.sub(r"\1", token["quoted"]) if kind == "quoted" else token[0]
    if value == '"':
        return
    if glued and box.words:
        box.words[-1] += value
    elif kind == "encoded" and box.words and box.words[-1].endswith("?="):
        box.words[-1] += " " + value
    else:
        box.words.append(value)


def _route_removed(angle: str) -> str:
    """`@relay:user@host` -> `user@host`, `"odd..name"@host` -> `odd..name@host`."""
    angle = angle.strip()
    if angle.startswith("@"):
        angle = angle.rpartition(":")[2]
    angle = angle.removeprefix("mailto:").removeprefix("MAILTO:")
    return angle[1:].replace('"@', "@", 1) if angle.startswith('"') else angle
