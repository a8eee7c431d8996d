"""What a link or an image of HTML mail says in plain text."""

from __future__ import annotations

import re

from crmmail.addresses import ascii_domain

_LONGEST = 1_000
_HOST = re.compile(r"(https?://)(?:[^/?#@]*@)?([^/?#:]*)", re.IGNORECASE)
_PLAIN = re.compile(r"^(?:https?://|mailto:)?(?:www\.)?", re.IGNORECASE)
_FILE = re.compile(
    r"\S+\.(?:png|jpe?g|gif|bmp|webp|svg)$|(?:spacer|image|img|logo|banner|pixel|bullet)$|\W*$",
    re.IGNORECASE,
)


def suffix(label: str, href: str) -> str:
    """` <target>` where the label does not show the target itself; "" for what is no web link."""
    href = "".join(href.split()).replace("<", "%3C").replace(">", "%3E")
    href = f"https:{href}" if href.startswith("//") else href
    scheme = href[:8].lower()
    if not label or not scheme.startswith(("http://", "https://", "mailto:")):
        return ""
    if scheme.startswith("mailto:"):
        href = href.partition("?")[0]
        return "" if href[7:].lower() in label.lower() else f" <{href}>"
    if _bare(label) == _bare(href):
        return ""
    found = _HOST.match(href)
    if found is None or not found[2]:
        return ""
    if not found[2].isascii():
        href = found[1] + ascii_domain(found[2]) + href[found.end() :]
    return f" <{href}>" if len(href) <= _LONGEST else f" <{href[: found.end()]}/…>"


def alt_text(alt: str) -> str:
    """What an image says, if that is more than its file name."""
    alt = " ".join(alt[:500].split())
    return "" if _FILE.match(alt) else alt


def _bare(url: str) -> str:
    return _PLAIN.sub("", url.strip()).rstrip("/").casefold()
