"""Finding the calendars that belong to a mailbox, when an account is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crmmail.accounts import providers
from crmmail.addresses import domain_of
from crmmail.errors import CrmmailError
from crmmail.secrecy import masked
from crmmail.text import one_line

if TYPE_CHECKING:
    from crmmail.sync.homes import Home as Home

# By mail server; {} stands for the address. Google and Microsoft take no password for calendars.
_PROVIDERS = {
    "imap.mail.yahoo.com": "https://caldav.calendar.yahoo.com/",
    "imap.mail.me.com": "https://caldav.icloud.com/",
    "imap.fastmail.com": "https://caldav.fastmail.com/dav/",
    "imap.gmx.net": "https://caldav.gmx.net/begenda/dav/{}/",
    "imap.web.de": "https://caldav.web.de/begenda/dav/{}/",
    "imap.mailbox.org": "https://dav.mailbox.org/caldav/",
    "posteo.de": "https://posteo.de:8443/",
    "imap.yandex.com": "https://caldav.yandex.ru/",
    "mail.runbox.com": "https://dav.runbox.com/",
    "imap.migadu.com": "https://cdav.migadu.com/",
}
_LONGEST = 2_000  # characters of an address on the web
_NEVER = ("example", "invalid", "local", "localhost", "test")  # top levels without servers


def address(typed: str) -> str:
    """The address of a server as a person types it, or an error in words."""
    url = typed.strip() if "://" in typed else f"https://{typed.strip()}"
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise CrmmailError(
            "The address of a calendar server must not contain a user name or a password.",
            "Leave out everything before the @. crmmail asks for both separately.",
        )
    if not _is_web(url):
        raise CrmmailError(
            f"{one_line(masked(typed), 100)!r} is not the address of a calendar server.",
            "Example: https://cal.example.org/",
        )
    return url


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    if len(url) > _LONGEST or not url.isprintable() or any(c.isspace() for c in url):
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc


def of_provider(email: str, host: str = "") -> str:
    """Where the provider of an address, or of its mail server, keeps its calendars; "" unknown."""
    provider = providers.known(email)
    return _PROVIDERS.get(provider.host if provider else host, "").format(email)


def find(email: str, password: str, username: str = "", host: str = "", url: str = "") -> Home:
    """The calendars of an address: at a URL, at its provider, or where its domain says (RFC 6764).

    `username` and `host` are the mailbox's. Raises a Problem when there are none.
    """
    known = url or of_provider(email, host)
    if not known and domain_of(email).rpartition(".")[2] in _NEVER:
        raise CrmmailError(f"No calendar server is known for {email}.", "Give its address.")
    from crmmail.sync import homes  # its HTTP library takes 0.2 s to import

    users = dict.fromkeys((username or email, email))
    if known and not url:  # providers want the whole address, whatever their mail servers want
        users = dict.fromkeys((email, username or email))
    return homes.discover(email, [known] if known else [], list(users), password, only=bool(url))


def look(email: str, password: str, username: str = "", host: str = "") -> Home | str:
    """As find(), or in words why there are none: a mailbox without calendars is no error."""
    try:
        return find(email, password, username, host)
    except CrmmailError as problem:
        return str(problem)
