"""Secrets stay out of what is said: a server's refusal may repeat the password it was given.

Whoever learns a secret tells `remember`; whoever passes on what a server said asks `redacted`.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import quote, quote_plus

LEFT_OUT = "its words are left out, because they repeat a password or a token"
_WHOLE = 4
"""A secret this short counts only where it stands as a word of its own."""
_RUN = 6
"""So many characters of a secret in a row tell too much of it."""
_FOLDERS = 8  # above a file, of which an error may be
_CODE = re.compile(r"\[[A-Z][A-Z-]{2,31}\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,60}:|")
_guard = threading.Lock()
_runs: set[str] = set()
_words: set[str] = set()
_known: set[str] = set()


def remember(*secrets: str) -> None:
    """From now on none of these is passed on, nor its usual encodings."""
    for secret in secrets:
        with _guard:
            if not secret or secret in _known:
                continue
            _known.add(secret)
            for form in _forms(secret):
                if len(form) < _WHOLE:
                    _words.add(form)
                else:
                    size = min(_RUN, len(form))
                    _runs.update(form[at : at + size] for at in range(len(form) - size + 1))


def redacted(said: str) -> str:
    """What a server said; when that repeats a secret, its response code and why no more."""
    if not tells(said):
        return said
    codes = [code for code in _CODE.findall(said) if not tells(code)]
    return " ".join([*codes[:1], f"({LEFT_OUT})"])


def masked(value: str) -> str:
    """A typed value that is repeated, without the user and the password of
    `https://user:password@host`: all up to the last @ may belong to them.
    """
    owner, at, host = value.rpartition("@")
    scheme, slashes, _ = owner.partition("//")
    if slashes and _SCHEME.fullmatch(scheme):
        return f"{scheme}{slashes}…{at}{host}"
    return f"…{at}{host}" if ":" in owner or slashes else value


def masked_words(text: str) -> str:
    """A sentence that is repeated, with each of its words `masked`."""
    return " ".join(map(masked, text.split(" ")))


def without_typed(said: str, typed: Iterable[str]) -> str:
    """What an error says, with `masked` for each of these words that it repeats."""
    for word in typed:
        value = word.partition("=")[2] if word.startswith("--") else word
        path = PurePath(value)  # of several / in a row it has one
        for one in (value, *map(str, (path, *path.parents[:_FOLDERS]))):
            if one and (shown := masked(one)) != one:
                written = shown.replace("\\", r"\\")
                said = re.sub(re.escape(one), written, said, flags=re.IGNORECASE)
    return said


def tells(said: str) -> bool:
    """Whether a text repeats a secret, or much of one."""
    if not _known:
        return False
    return any(map(_repeats, {said.casefold(), said.casefold().replace("\ufffd", "")}))


def _repeats(said: str) -> bool:
    """Whether a text in small letters does; what could not be decoded may stand in between."""
    for size in range(_WHOLE, _RUN + 1):
        if any(said[at : at + size] in _runs for at in range(len(said) - size + 1)):
            return True
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) for word in _words.copy())


def _forms(secret: str) -> set[str]:
    """The ways in which a secret may come back, in small letters."""
    raw = secret.encode("utf-8", "surrogateescape")
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    forms = {secret, escaped, quote(raw), quote_plus(raw), raw.hex(), repr(secret)[1:-1]}
    forms |= {repr(raw)[2:-1], raw.decode("latin-1"), raw.decode("utf-8", "replace")}
    forms |= {
        secret.encode("ascii", "replace").decode(),
        secret.encode("utf-7", "replace").decode(),
    }
    for before in range(3):  # base64 of it, wherever it stands in what was encoded
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        shared_end = 1 if (before + len(raw)) % 3 else 0
        inner = coded[(0, 2, 3)[before] : len(coded) - shared_end]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {form.casefold() for form in forms if form}
