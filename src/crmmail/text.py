"""Making foreign text safe, once, before it is stored.

A terminal obeys control characters wherever they come from, and reads right-to-left marks
across a whole line. Mail is written by strangers, so nothing of that kind may reach the store.
"""

from __future__ import annotations

import json
import re
from functools import cache

# C0, DEL and C1 controls; surrogates; bidi marks, embeddings and isolates; soft hyphen, zero-width
# and other invisible format characters that hide text; line and paragraph separators; tags;
# private use. ZWNJ and ZWJ stay: Persian and emoji need them.
_FORMAT = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"
_CONTROLS = "\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff"
_UNSAFE = f"[\n\u2028\u2029{_CONTROLS}{_FORMAT}{_PRIVATE}]"
_UNSAFE_BUT_NEWLINE = f"[{_CONTROLS}{_FORMAT}{_PRIVATE}]"
_UNSAFE_TO_PRINT = f"[\u2028\u2029\x00-\x08{_CONTROLS[3:]}{_FORMAT}{_PRIVATE}]"  # a tab is not
_NO_SPACES = (
    "[\u0e00-\u0eff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)
_SPACES = re.compile(r"[ \t\r\n\u2028\u2029\x0b\x0c\x85]+")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_compiled = cache(re.compile)  # takes 4 ms for those above: not before the first paint
_STARTS = r"\x90\x98\x9d-\x9f"
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, a cursor that moves
    rf"|(?:\x1b[\]PX^_]|[{_STARTS}])[^\x07\x1b{_STARTS}\x9c]*(?:\x07|\x1b\\|\x9c)"  # links, titles
    r"|\x1b[ -/]+[0-~]"  # character sets
)
_LAYOUT = str.maketrans("", "", "\n\t")
_RARE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"


def one_line(text: str, limit: int = 1_000) -> str:
    """Return at most `limit` characters of text as one line that is safe to draw."""
    if text.isascii() and text.isprintable():  # most are, and need none of the patterns
        return " ".join(text[: limit * 2].split())[:limit]
    return _compiled(_UNSAFE).sub("", _SPACES.sub(" ", text[: limit * 2])).strip()[:limit]


def block(text: str, limit: int = 1_000_000) -> str:
    """Return text of several lines, with tabs as spaces, that is safe to draw."""
    raw = text[:limit]
    text = raw.replace("\r\n", "\n")
    if any(end in text for end in _RARE_ENDS):
        text = _LINE_ENDS.sub("\n", raw)
    text = text.expandtabs(8)
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return _compiled(_UNSAFE_BUT_NEWLINE).sub("", text)


def without_sequences(text: str) -> str:
    """Return text without whole sequences for a terminal (ECMA-48), as copied output has them."""
    if "\x1b" not in text and text.isascii():
        return text
    return _compiled(_SEQUENCE).sub("", text)


def printable(text: str) -> str:
    """Return text as it may go to a terminal: with tabs and line ends, without what it obeys."""
    if text.isascii() and text.translate(_LAYOUT).isprintable():
        return text
    return _compiled(_UNSAFE_TO_PRINT).sub("", text.replace("\r\n", "\n"))


def in_json(document: str) -> str:
    """A JSON document that says the same, with what a terminal would obey as \\u escapes."""
    if document.isascii() and document.translate(_LAYOUT).isprintable():
        return document
    unsafe: re.Pattern[str] = _compiled(_UNSAFE_TO_PRINT)
    return unsafe.sub(lambda found: json.dumps(found[0])[1:-1], document)


def has_no_spaces(text: str) -> bool:
    """Whether text is in a script that puts no spaces between words, such as Chinese or Thai."""
    return bool(_compiled(_NO_SPACES).search(text))


def pairs(fingerprint: str) -> str:
    """A fingerprint as OpenSSL prints it, to be compared by eye."""
    return ":".join(re.findall("..", fingerprint.upper()))
