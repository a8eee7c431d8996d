"""The XML in which domains and Thunderbird's list say where mail is read (autoconfig)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from crmmail.accounts import providers
from crmmail.accounts.providers import Provider
from crmmail.text import one_line

_SECURITY = {"SSL": "tls", "STARTTLS": "starttls"}  # "plain" is not for passwords


def imap_server(xml: bytes, email: str) -> tuple[Provider, str] | None:
    """The first IMAP server with encryption that a file names, and who signs in; or None."""
    from defusedxml import DefusedXmlException, ElementTree

    try:
        root = ElementTree.fromstring(xml, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    name = one_line(root.findtext("emailProvider/displayShortName") or "", 40)
    found = [s for s in _servers(root, email) if s is not None]
    # Some list STARTTLS before TLS, for old programs' sake.
    found.sort(key=lambda server: server[0].security != "tls")
    for provider, username in found:
        return replace(provider, name=provider.name or name), username
    return None


def _servers(root: Element, email: str) -> Iterator[tuple[Provider, str] | None]:
    for server in root.iterfind("emailProvider/incomingServer"):
        if server.get("type") == "imap":
            yield _server(server, email)


def _server(server: Element, email: str) -> tuple[Provider, str] | None:
    host = _filled(server.findtext("hostname"), email).lower().rstrip(".")
    port, security = server.findtext("port", "").strip(), server.findtext("socketType", "").strip()
    if not (is_host(host) and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        return None
    if security not in _SECURITY:
        return None
    known = providers.by_server(host)
    methods = {(one.text or "").strip() for one in server.iterfind("authentication")}
    provider = replace(
        known or Provider("", host), host=host, port=int(port), security=_SECURITY[security]
    )
    if methods == {"OAuth2"}:
        provider = replace(provider, oauth_only=True)
    return provider, _filled(server.findtext("username"), email) or email


def is_host(name: str) -> bool:
    """Whether a string can be a host's name."""
    return (
        0 < len(name) <= 253
        and name.isascii()
        and all(part and all(c.isalnum() or c in "-_" for c in part) for part in name.split("."))
    )


def _filled(text: str | None, email: str) -> str:
    local, _, domain = email.rpartition("@")
    words = one_line((text or "").strip(), 320)
    for name, value in (("ADDRESS", email), ("LOCALPART", local), ("DOMAIN", domain)):
        words = words.replace(f"%EMAIL{name}%", value)
    return words
