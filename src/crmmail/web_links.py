"""Which links are opened and kept: those of the web, of mail and of the telephone (rules.md A8).

A link of another scheme may start a program, read a file or run a script in the browser.
"""

from __future__ import annotations

import re

from crmmail.errors import CrmmailError
from crmmail.text import block, one_line

SCHEMES = ("http", "https", "mailto", "tel")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,60}):(?!\d+(?:/|$))", re.IGNORECASE)
_WEB = re.compile(r"https?://[^/?#@\s]", re.IGNORECASE)
_BARE = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?(?:[/?#]\S*)?")
_LINK = re.compile(
    r"(?:about|blob|cid|chrome|data|file|filesystem|ftps?|https?|intent|jar|jscript|javascript"
    r"|ldaps?|livescript|mailto|mhtml|mocha|ms-[a-z-]+|nfs|resource|sftp|shell|smb|ssh|telnet"
    r"|vbscript|view-source|vnc|wss?):|[a-z][a-z0-9+.-]*:[/\\]{2}",
    re.IGNORECASE,
)
"""What a link begins with. A label of a phone number ends with a colon too, as in `Fax: 030 1`."""
_LONGEST = 200  # characters of a phone number
_ALLOWED = ", ".join(SCHEMES[:-1]) + f" and {SCHEMES[-1]}"


def scheme(url: str) -> str:
    """What a link begins with, in small letters; "" where it has no scheme, as `acme.example`."""
    found = _SCHEME.match(url.strip())
    return found[1].lower() if found else ""


def refusal(url: str) -> str:
    """Why a link is not opened, as a sentence; "" where it is."""
    found = scheme(url)
    if not found:
        return "It does not say what kind of link it is: it is not opened."
    if found not in SCHEMES:
        return f"crmmail opens {_ALLOWED} links. This one is {found}: it is not opened."
    if found.startswith("http") and not _WEB.match(url.strip()):
        return "It names no server: it is not opened."
    return ""


def kept(typed: str) -> str:
    """The links of a record, one a line, made safe. Raises CrmmailError where one is not kept."""
    lines = [line.strip() for line in block(typed).split("\n")]
    for line in filter(None, lines):
        if " " in line or not (_BARE.fullmatch(line) if not scheme(line) else not refusal(line)):
            raise CrmmailError(
                f"{one_line(line, 60)!r} is not a link that crmmail keeps.",
                f"One a line, without spaces: {_ALLOWED} links, or as acme.example/about.",
            )
    return "\n".join(lines)


def phone(typed: str) -> str:
    """A phone number that somebody typed, made safe, with all that they wrote about it.

    Raises CrmmailError for a link, and for a text without a digit.
    """
    number = one_line(typed)
    if number[:4].lower() == "tel:":
        number = number[4:].strip()
    if one_line(typed) and (
        len(number) > _LONGEST
        or _LINK.match(number)
        or not any(character.isdecimal() for character in number)
    ):
        raise CrmmailError(
            f"{one_line(typed, 60)!r} is not a phone number.", "Example: +49 30 1234-56 ext. 7"
        )
    return number
