"""Which name a person or a company gets from mail (rules.md C4, C5)."""

from __future__ import annotations

import re
from contextlib import suppress

from crmmail.text import one_line

_QUOTES = " \t'\"`´‘’“”„«»"
# What senders and lists hang behind a name: (via Docs), [External], via Forms, :group
_TAG = re.compile(r"(?:\s*[(\[][^()\[\]]*[)\]]|\s*:\S*|\s+via\s.*)\s*$", re.IGNORECASE)
_COMPANY = re.compile(
    r"(?:inc|llc|llp|ltd|limited|corp|company|gmbh|sarl|srl|spa|ltda|plc|pty|pvt|s\.a|s\.p\.a|s\.r\.l"
    r"|s\.r\.o|b\.v|n\.v|k\.k|e\.v|sp\. z o\.o)\.?(?:[\s,&].*)?"
    r"|(?:co|ag|kg|ohg|se|sa|sas|bv|nv|ab|as|a/s|aps|oy|kk|sl|lda|a\.s|kft|doo|ooo|ev)\.?",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|ph\.?d|m\.?d|mba|esq|cpa|msc|bsc)\.?", re.IGNORECASE)
_DOTTED = re.compile(r"[^\W\d_]{2,}(?:\.[^\W\d_]{2,})+")


def usable_name(display_name: str) -> bool:
    """Whether a display name can serve as a person's name: not empty, and no address."""
    bare = display_name.strip(_QUOTES)
    return "@" not in bare and any(letter.isalnum() for letter in bare)


def person_name(display_name: str, address: str) -> str:
    """C4: the display name with "Last, First" inverted, else what the local part says."""
    if not usable_name(display_name):
        return _from_local_part(address)
    name = one_line(display_name, 200).strip(_QUOTES)
    without = _TAG.sub("", name).strip(_QUOTES + ",;")
    name = without if usable_name(without) else name
    return _capitalised(name) if _DOTTED.fullmatch(name) else _inverted(name)


def _inverted(name: str) -> str:
    last, _, first = (part.strip() for part in name.partition(","))
    if not last or not first or _COMPANY.fullmatch(first):
        return name.strip(" ,")
    if _SUFFIX.fullmatch(first):
        return f"{last} {first}"
    given, _, suffix = (part.strip() for part in first.partition(","))
    return " ".join(part for part in (given, last, suffix) if part)


def _from_local_part(address: str) -> str:
    local = address.partition("@")[0].partition("+")[0]
    return one_line(_capitalised(local), 200) or address


def _capitalised(dotted: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in dotted.split(".") if word)


def company_name(site: str) -> str:
    """The name of a company known by its registrable domain only (C5): "acme.co.uk" is Acme."""
    label = site.partition(".")[0]
    if label.startswith("xn--"):
        with suppress(UnicodeError):
            label = label.encode("ascii").decode("idna")
    return label[:1].upper() + label[1:]
