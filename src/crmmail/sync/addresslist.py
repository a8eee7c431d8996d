"""Address headers as strangers write them -> (name, address) pairs, in linear time.

Tolerant where the meaning is plain (unquoted dots, missing commas, routes, comments, groups) and
silent where it is not: of `alice@example.org)bob@x` no address is made (CVE-2023-27043).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from crmmail.sync import charset

_MOST_TOKENS = 40_000
_TOKEN = re.compile(
    r"""(?P<encoded>=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=)
      | "(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+){0,300}+)"
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
    _end: int = -1  # of the last word, in the header

    def add(self, token: re.Match[str]) -> None:
        """Take the next token, unless it is a separator."""
        kind, value = token.lastgroup, token[0]
        if kind == "angle":
            self.angle = _route_removed(token["angle"])
        elif kind == "mark":
            self.broken = self.broken or value == ")"
        elif kind != "space" and value != '"':
            value = _ESCAPED.sub(r"\1", token["quoted"]) if kind == "quoted" else value
            if self.words and token.start() == self._end:
                self.words[-1] += value
            elif self.words and kind == "encoded" and self.words[-1].endswith("?="):
                self.words[-1] += f" {value}"
            else:
                self.words.append(value)
            self._end = token.end()

    def finish(self) -> tuple[str, str] | None:
        """Its name and address; None if there is no address beyond doubt."""
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
    tokens = list(islice(_TOKEN.finditer(text), _MOST_TOKENS))
    comments = _comments(tokens)
    box = _Mailbox()
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if close := comments.get(at):
            box.comment.append(text[token.end() : tokens[close].start()])
            at = close
        elif _begins_another(box, token):
            if token[0] != ":" and (mailbox := box.finish()):
                yield mailbox
            box = _Mailbox()
            box.add(token)
        else:
            box.add(token)
        at += 1
    if mailbox := box.finish():
        yield mailbox


def _comments(tokens: Sequence[re.Match[str]]) -> dict[int, int]:
    """Where comments begin and end; parentheses without a partner are none."""
    opened: list[int] = []
    found: dict[int, int] = {}
    for at, token in enumerate(tokens):
        if token[0] == "(":
            opened.append(at)
        elif token[0] == ")" and opened:
            found[opened.pop()] = at
    return found


def _begins_another(box: _Mailbox, token: re.Match[str]) -> bool:
    """Whether a mailbox ends here: at a separator, or behind <…> where a comma is missing."""
    if token.lastgroup == "mark":
        return token[0] in ",;:"
    return box.angle is not None and token.lastgroup != "space"


def _route_removed(angle: str) -> str:
    """`@relay:user@host` -> `user@host`, `"odd..name"@host` -> `odd..name@host`."""
    angle = angle.strip()
    if angle.startswith("@"):
        angle = angle.rpartition(":")[2]
    angle = angle.removeprefix("mailto:").removeprefix("MAILTO:")
    return angle[1:].replace('"@', "@", 1) if angle.startswith('"') else angle
