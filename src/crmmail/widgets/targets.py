"""Links in a text: what they say, where they really go, and what is odd about that."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from crmmail import web_links
from crmmail.addresses import ascii_domain, normal, site

_URL = re.compile(
    r"<?\b(?:[a-z][a-z0-9+.-]{1,30}://|www\.|mailto:|tel:(?=[+(\d])|(?:java|vb)script:|file:/"
    r"|data:(?=(?:[\w.+-]{1,80}/[\w.+-]{1,80})?[;,]))[^\s<>\"“”«»]+>?",
    re.IGNORECASE,
)
_HOST = re.compile(r"^(https?://)(?:([^/?#@]*)@)?(\[[^\]]*\]|[^/?#:]*)", re.IGNORECASE)
_NAMED = re.compile(r"(?<![@\w.-])(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w@.-]*@)(?!\w)")
_BREAK = re.compile(r"[.!?:;|]\s+|\s[–—·•-]\s+")
_IP = re.compile(r"\d+(?:\.\d+){0,3}|\[.*\]|0x[0-9a-f]+")
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_LABEL = 80  # characters of a label
_MOST = 500  # links of a text


@dataclass(frozen=True, slots=True)
class Target:
    """A link: its label ("" when it shows itself), where it goes, and warnings in words.

    `domain` is the part of `url` that somebody had to register.
    """

    label: str
    url: str
    domain: str
    warnings: tuple[str, ...]
    whole: bool = True  # False when the mail's target was too long to be kept
    refused: str = ""  # why it is not opened


def targets(text: str) -> list[Target]:
    """The links of a text, each target once with each label, in their order."""
    found = (target for line in text.split("\n") for target in _of_line(line))
    unique = dict.fromkeys(target for _, target in zip(range(_MOST), found, strict=False))
    return list(unique)


def _of_line(line: str) -> Iterator[Target]:
    end = 0  # of the link before
    matches = list(_URL.finditer(line))
    for position, match in enumerate(matches):
        following = matches[position + 1] if position + 1 < len(matches) else None
        if (
            following
            and following.group()[0] == "<"
            and not line[match.end() : following.start()].strip()
        ):
            continue  # what a link shows for another one
        before = line[end : match.start()]
        in_angles = match.group()[0] == "<" and match.group()[-1] == ">"
        end = match.end()
        target = _target(match.group().strip("<>"), _label(before) if in_angles else "")
        if target is not None:
            yield target


def _label(before: str) -> str:
    """What stands before a link's target: its label is the last part of it."""
    before = before.rstrip()
    if not before:
        return ""
    return _BREAK.split(before)[-1].strip(" >*#([").strip()[-_LABEL:]


def _target(url: str, label: str) -> Target | None:
    url = _without_end(url)
    if url.lower().startswith("www."):
        url = "https://" + url
    whole = not url.endswith("…")
    if web_links.scheme(url) not in ("http", "https", "mailto"):
        why = web_links.refusal(url)
        return Target(label, url, "", (why,) if why else (), whole, why)
    if url[:7].lower() == "mailto:":
        address = normal(url[7:].partition("?")[0])
        if not address:
            return None
        host = address.rpartition("@")[2]
        return Target(label, f"mailto:{address}", site(host), _warnings(host, "", ""), whole)
    found = _HOST.match(url)
    if found is None or not found[3]:
        return None
    scheme, user, shown = found[1].lower(), found[2] or "", found[3]
    host = shown.lower() if shown.startswith("[") else ascii_domain(shown)
    at = f"{user}@" if user else ""
    url = f"{scheme}{at}{host}{url[found.end() :]}"
    domain = host if _IP.fullmatch(host) else site(host)
    return Target(label, url, domain, _warnings(host, user, label), whole)


def _without_end(url: str) -> str:
    """A link without the punctuation of the sentence around it."""
    while url:
        last = url[-1]
        opening = _BRACKETS.get(last)
        if last in ".,;:!?'\"’*" or (opening and url.count(opening) < url.count(last)):
            url = url[:-1]
        else:
            break
    return url


def _warnings(host: str, user: str, label: str) -> tuple[str, ...]:
    found = []
    if _IP.fullmatch(host):
        found.append("goes to a bare number, not to a name")
    name = readable(host)
    if name != host:
        scripts = _scripts(name)
        mixed = f", {' and '.join(sorted(scripts))} letters mixed" if len(scripts) > 1 else ""
        found.append(f"its name reads {name}{mixed}")
    if user:
        found.append(f"“{user[:40]}” before the @ is not where it goes")
    named = {site(ascii_domain(one)) for one in _NAMED.findall(label)}
    if named and site(host) not in named:
        found.append(f"says {', '.join(sorted(named))}, goes elsewhere")
    return tuple(found)


def readable(host: str) -> str:
    """A host with its xn-- parts in their letters."""
    if "xn--" not in host:
        return host
    import idna

    parts = []
    for part in host.split("."):
        try:
            parts.append(idna.decode(part) if part.startswith("xn--") else part)
        except idna.IDNAError:
            parts.append(part)
    return ".".join(parts)


def _scripts(name: str) -> set[str]:
    """The scripts of the letters of a name, as Unicode names them."""
    letters = (c for c in name if c.isalpha())
    return {unicodedata.name(c, "unknown").partition(" ")[0].capitalize() for c in letters}
