"""What is asked of a CalDAV server, and what it answers: the XML of RFC 4918, 4791 and 6578."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.sax.saxutils import escape

_SPACES = {
    "d": "DAV:",
    "c": "urn:ietf:params:xml:ns:caldav",
    "s": "http://calendarserver.org/ns/",
    "a": "http://apple.com/ns/ical/",
}
_XMLNS = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in _SPACES.items())
_PLAIN = "/-._~!$&'()*+,;=:@"  # need no escape in a path (RFC 3986)
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_STATUS = re.compile(r"\s(\d{3})\b")
_OK = range(200, 300)


def tag(name: str) -> str:
    """The full name of "d:href" and the like, as lxml spells it."""
    prefix, _, local = name.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says of one resource: its path, a status, and the properties it has."""

    href: str  # as canonical() spells it
    status: int
    props: dict[str, Any]

    def text(self, name: str) -> str:
        """A property's text, "" without it."""
        found = self.props.get(tag(name))
        return "" if found is None else (found.text or "").strip()

    def hrefs(self, name: str) -> list[str]:
        """The addresses that a property holds, as the server spells them."""
        found = self.props.get(tag(name))
        return [] if found is None else list(_texts(found.iter(tag("d:href"))))

    def has(self, name: str, child: str) -> bool:
        """Whether a property holds an element, as a calendar's resourcetype does."""
        found = self.props.get(tag(name))
        return found is not None and found.find(tag(child)) is not None


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A server's answers, where they came from, and the token that goes on from here."""

    url: str  # that answered, after redirects
    answers: list[Answer]
    sync_token: str = ""


def read(url: str, tree: Any) -> Multistatus:
    """The answers in a parsed multistatus document."""
    found = [one for response in tree.iterfind(tag("d:response")) for one in _answers(response)]
    token = tree.findtext(tag("d:sync-token")) or ""
    return Multistatus(url, found, token.strip())


def canonical(href: str) -> str:
    """A resource's path in one spelling, whatever the server escapes today."""
    try:
        path = urlsplit(href).path if "//" in href[:8] else href
    except ValueError:  # its host is not a host
        path = "/" + href.partition("//")[2].partition("/")[2]
    return quote(_ESCAPE.sub(_plain, path), safe=f"{_PLAIN}%")


def address(url: str, path: str) -> str:
    """Where a resource is that a server at `url` told of. A path may begin with two slashes."""
    if path.startswith("//"):
        return urlsplit(url)._replace(path=path, query="", fragment="").geturl()
    return urljoin(url, path)


def propfind(*names: str) -> str:
    """Ask for properties."""
    return f"<d:propfind {_XMLNS}><d:prop>{_elements(names)}</d:prop></d:propfind>"


def sync_collection(token: str) -> str:
    """Ask what changed since a token (RFC 6578)."""
    return (
        f"<d:sync-collection {_XMLNS}><d:sync-token>{escape(token)}</d:sync-token>"
        "<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )


def multiget(hrefs: Iterable[str]) -> str:
    """Ask for resources, whole."""
    wanted = "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
    return (
        f"<c:calendar-multiget {_XMLNS}><d:prop><d:getetag/><c:calendar-data/></d:prop>"
        f"{wanted}</c:calendar-multiget>"
    )


def _answers(response: Any) -> Iterator[Answer]:
    """One response; a bare status may speak of several resources."""
    status = _code(response.findtext(tag("d:status")))
    props: dict[str, Any] = {}
    for stated in response.iterfind(tag("d:propstat")):
        if _code(stated.findtext(tag("d:status"))) in _OK:
            props.update((prop.tag, prop) for held in stated.iter(tag("d:prop")) for prop in held)
    for href in _texts(response.iterfind(tag("d:href"))):
        yield Answer(canonical(href), status, props)


def _texts(elements: Iterable[Any]) -> Iterator[str]:
    return (text for one in elements if (text := (one.text or "").strip()))


def _elements(names: Iterable[str]) -> str:
    return "".join(f"<{name}/>" for name in names)


def _code(line: str | None) -> int:
    """The number in "HTTP/1.1 404 Not Found"; 200 where nothing is said."""
    found = _STATUS.search(line or "")
    return int(found[1]) if found else 200


def _plain(found: re.Match[str]) -> str:
    sign = chr(int(found[1], 16))
    plain = sign.isascii() and (sign.isalnum() or sign in _PLAIN[1:])
    return sign if plain else found[0].upper()
