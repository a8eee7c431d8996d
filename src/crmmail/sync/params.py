"""Parameters of Content-Type and Content-Disposition, joined and decoded (RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from crmmail.sync import charset

_LIMIT = 4_000
_PARAM = re.compile(r";\s*([^\s=;\"]{1,60})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"?|([^;\"]*))", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"\\])")
_CONTINUED = re.compile(r"(.+?)\*(\d{0,4})(\*?)")
_NAMES = ("name", "filename")  # whose values may hold spaces without being quoted


def of_header(value: str) -> dict[str, str]:
    """The parameters of a field, names in lower case; raw bytes in it as surrogates."""
    pairs: list[tuple[str, str]] = []
    for found in _PARAM.finditer(value[:_LIMIT]):
        key, quoted, bare = found[1].lower(), found[2], found[3]
        if quoted is not None:
            text = _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
        else:
            text = bare.strip() if key in _NAMES else (bare.split() or [""])[0]
        pairs.append((key, text))
    return of_pairs(pairs)


def of_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters by name; of a name that comes twice the first counts."""
    params: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, str, bool]]] = {}
    for key, value in pairs:
        if "*" in key and (found := _CONTINUED.fullmatch(key)):
            extended = bool(found[3]) or not found[2]
            pieces.setdefault(found[1], []).append((int(found[2] or 0), value, extended))
        elif key not in params:
            params[key] = _plain(value)
    for key, found_pieces in pieces.items():
        params[key] = _joined(sorted(found_pieces))
    return params


def _plain(value: str) -> str:
    if value.isascii():
        return charset.words(value)
    return charset.words(charset.decode_header(_bytes(value)))


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _joined(pieces: list[tuple[int, str, bool]]) -> str:
    """`utf-8'en'%e2%82%ac` and its further pieces as one text."""
    _, first, extended = pieces[0]
    named = ""
    if extended and first.count("'") >= 2:
        named, _, first = first.split("'", 2)
    values = [(first, extended), *((value, more) for _, value, more in pieces[1:])]
    data = b"".join(unquote_to_bytes(_bytes(one)) if more else _bytes(one) for one, more in values)
    return charset.decode(data, named)
