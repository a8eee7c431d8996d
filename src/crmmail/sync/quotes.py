"""Which lines of a message are quoted history, by one bounded pass over its lines.

Only spans are reported; the text keeps every line. What is forwarded is news to its reader and is
not counted as quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from crmmail.sync import quote_words
from crmmail.text import one_line

_LONGEST = 300  # longer lines are never tried: nothing that stands above a quote is longer
_TRIES = 3_000  # lines that are looked at closely in one message
_PREVIEW = 200


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_OPENING = re.compile(rf"\W{{0,3}}(?:\d|(?:{_any(quote_words.OPENINGS)})(?!\w))", re.IGNORECASE)
_COLON = re.compile(r"[:：]\W{0,2}\Z")
_WHEN = re.compile(r"\d[\d.:/年-]*\d|@")
_WHEN_SURELY = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}")
_DASHED = re.compile(
    rf"[\s*|]{{0,3}}[-_]{{2,}}+ ?(?:{_any(quote_words.ORIGINAL)}) ?[-_]{{2,}}", re.IGNORECASE
)
_FORWARD_WORDS = _any(quote_words.FORWARDED)
_FORWARDED = re.compile(
    rf"[\s*|]{{0,3}}+(?:[-=_]{{2,}}+.{{0,30}}(?:{_FORWARD_WORDS}).{{0,30}}[-=_:]"
    rf"|.{{0,30}}(?:{_FORWARD_WORDS}).{{0,30}}:\s*\Z)",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*+[_\u2500]{10,}+\s*\Z")
_LABEL = re.compile(
    r"[\s*]{0,6}(?:"
    + "|".join(f"(?P<{kind}>{_any(words)})" for kind, words in quote_words.LABELS.items())
    + r")[\s*]{0,3}[:：]",
    re.IGNORECASE,
)
_TARGET = re.compile(r"\s?<(?:https?://|mailto:)[^\s<>]*>")
_LINK = re.compile(r"\bhttps?://([^\s<>/?#]*)[^\s<>]*")
_DECORATION = re.compile(r"[-=_*#~+]{3,}")

Span = tuple[int, int]


def scan(text: str) -> tuple[Span, ...]:
    """Spans [start, end) of lines that are quoted; none if nothing else would be left."""
    lines = text.split("\n")
    spans = _merged(_Scan(lines).spans(), lines)
    return spans if any(line.strip() for line in _unquoted(lines, spans)) else ()


def preview(text: str, spans: Sequence[Span]) -> str:
    """The first words that were written for this message: no quotes, no signature, no links."""
    own = _unquoted(text.split("\n"), spans)
    return _gist(own) or _gist(text.replace("-- \n", "").split("\n"))


class _Scan:
    """One pass over the lines of a message."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._found: list[Span] = []
        self._forwarded = False
        self._tries = _TRIES

    def spans(self) -> list[Span]:
        """Where quotes begin and end, in order."""
        at, written = 0, False  # written: whether anything of one's own stands above
        while at < len(self._lines):
            line = self._lines[at]
            end = self._quote_from(at, line, written) if 0 < len(line) <= _LONGEST else at
            if end == at:
                written = written or bool(line.strip())
                end = at + 1
            at = end
        return self._found

    def _quote_from(self, at: int, line: str, written: bool) -> int:
        """The end of the quote that begins here; `at` if none does."""
        if _is_quoted(line):
            return self._run(at)
        last = line.rstrip()[-1:]
        if self._tries <= 0 or not (":" in line or "：" in line or last in "-_\u2500="):
            return at
        self._tries -= 1
        if _FORWARDED.match(line):
            self._forwarded = True
        elif _DASHED.match(line) or (_RULE.match(line) and self._header_block(at + 1, 2)):
            return self._rest(at)
        elif last in ":：>*" and (quote := self._attribution(at, written)):
            self._found.append(quote)
            return quote[1]
        elif self._header_block(at, 3):
            return self._forwarded_block(at) if self._forwarded else self._rest(at)
        return at

    def _run(self, at: int) -> int:
        """Lines that begin with ">", and the blank lines between them."""
        end = at + 1
        for index in range(at + 1, len(self._lines)):
            if _is_quoted(self._lines[index]):
                end = index + 1
            elif self._lines[index].strip():
                break
        self._found.append((at, end))
        return end

    def _rest(self, at: int) -> int:
        self._found.append((at, len(self._lines)))
        return len(self._lines)

    def _attribution(self, at: int, written: bool) -> Span | None:
        """The line, or up to three, that say who wrote, if they end here.

        Without ">" below, the rest of the message belongs to them, if their form is beyond doubt.
        """
        if not _COLON.search(self._lines[at]):
            return None
        above_quote = self._quoted_below(at)
        joined = ""
        for start in range(at, max(-1, at - 3), -1):
            line = self._lines[start]
            if not line.strip() or len(line) > _LONGEST or _is_quoted(line):
                break
            joined = f"{line} {joined}"
            if not _OPENING.match(line) or not _names_writer(joined):
                continue
            if above_quote and _WHEN.search(joined):
                return start, at + 1
            if _WHEN_SURELY.search(joined):
                return (start, len(self._lines)) if written else (start, at + 1)
        line = self._lines[at]
        loosely = _names_writer(line) or ("@" in line and _WHEN_SURELY.search(line))
        return (at, at + 1) if above_quote and loosely else None

    def _quoted_below(self, at: int) -> bool:
        for line in self._lines[at + 1 : at + 4]:
            if line.strip():
                return _is_quoted(line)
        return False

    def _header_block(self, at: int, least: int) -> bool:
        """Whether From:, Sent:, To:, Subject: (so many kinds of them) stand here together."""
        kinds: list[str] = []
        for line in self._lines[at : at + 8]:
            if not line.strip():
                if kinds:
                    break
                continue
            label = _LABEL.match(line) if len(line) <= _LONGEST else None
            if label and label.lastgroup and label.lastgroup not in kinds:
                kinds.append(label.lastgroup)
            if not kinds:
                return False
        return "from" in kinds[:2] and len(kinds) >= least

    def _forwarded_block(self, at: int) -> int:
        """Step over the header lines of a forwarded message: they are no quote."""
        self._forwarded = False
        end = at
        while end < len(self._lines) and self._lines[end].strip():
            end += 1
        return end


def _names_writer(line: str) -> bool:
    lowered = line.lower()
    return any(verb in lowered for verb in quote_words.VERBS)


def _is_quoted(line: str) -> bool:
    return line.startswith((">", " >", "  >", "   >"))


def _merged(spans: list[Span], lines: Sequence[str]) -> tuple[Span, ...]:
    """Spans that touch, or have only blank lines between them, as one."""
    out: list[Span] = []
    for start, end in spans:
        if out and (start <= out[-1][1] or not any(map(str.strip, lines[out[-1][1] : start]))):
            out[-1] = (min(out[-1][0], start), max(out[-1][1], end))
        else:
            out.append((start, end))
    return tuple(out)


def _unquoted(lines: Sequence[str], spans: Sequence[Span]) -> list[str]:
    own: list[str] = []
    at = 0
    for start, end in spans:
        own += lines[at:start]
        at = end
    return own + list(lines[at:])


def _gist(lines: Sequence[str]) -> str:
    words: list[str] = []
    length = 0
    for line in lines:
        if line == "-- " or length > 2 * _PREVIEW:
            break
        words.append(line[: 4 * _PREVIEW].lstrip("> "))
        length += len(line.strip())
    text = _DECORATION.sub(" ", _LINK.sub(r"\1", _TARGET.sub("", " ".join(words))))
    return one_line(text, 1_000)[:_PREVIEW].strip()
