"""One session with a CalDAV server, read only: the one file that knows caldav and its HTTP.

Of caldav it takes the sign-in, the throttling and the discovery; its calendar objects parse every
event in full as they are fetched, which takes ten times as long as all the rest.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import niquests
from caldav.davclient import DAVClient
from caldav.lib import error
from lxml import etree

from crmmail import __version__, secrecy, settings
from crmmail.addresses import site
from crmmail.errors import CrmmailError
from crmmail.sync import multistatus
from crmmail.sync.multistatus import Multistatus
from crmmail.sync.problems import BadAnswer, Denied, Problem, Refused, Unsafe, said

_LOOK_UP = 5  # seconds for a domain's .well-known, for which somebody waits
_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PATIENCE = 60.0  # seconds, where a server asks to slow down and does not say how long


@dataclass(frozen=True, slots=True)
class DavLogin:
    """Where and as whom to sign in."""

    url: str
    username: str
    password: str = field(repr=False)


class Fault(BadAnswer):
    """The server answered one request with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Dav:
    """A session. Every method raises a Problem that a person can read."""

    def __init__(self, login: DavLogin) -> None:
        secrecy.remember(login.password)
        self._login = login
        self.received = 0
        self._check(login.url)
        limits = settings.timeouts()
        timeout: Any = (limits.connect, limits.read)  # niquests takes two, and caldav hands them on
        with in_words(*_place(login.url)):
            self._client = DAVClient(
                login.url,
                username=login.username,
                password=login.password,
                timeout=timeout,
                ssl_verify_cert=_authorities(),
                enable_rfc6764=False,
                headers={"User-Agent": f"crmmail/{__version__}"},
            )
        session: Any = self._client.session
        session.request = partial(session.request, allow_redirects=False)  # followed here

    def propfind(self, url: str, *names: str, depth: int = 0) -> Multistatus:
        """Properties of a resource, and with depth 1 of what lies in it."""
        return self._ask("PROPFIND", url, multistatus.propfind(*names), depth)

    def report(self, url: str, body: str, depth: int = 0) -> Multistatus:
        """The answer to a REPORT."""
        return self._ask("REPORT", url, body, depth)

    def get(self, url: str) -> tuple[str, str]:
        """A resource's ETag and text."""
        response, _ = self._send("GET", url, "", {})
        text = response.raw
        return response.headers.get("ETag", ""), text if isinstance(text, str) else ""

    def close(self) -> None:
        """End the session; from any thread."""
        with suppress(Exception):  # a pool in use may complain of anything
            self._client.close()

    def _ask(self, method: str, url: str, body: str, depth: int) -> Multistatus:
        headers = {"Depth": str(depth), "Content-Type": "application/xml; charset=utf-8"}
        response, final = self._send(method, url, _DECLARATION + body, headers)
        if response.tree is None or response.tree.tag != multistatus.tag("d:multistatus"):
            raise BadAnswer(
                f"{_host(final)} does not answer as a CalDAV server does.", "Check its address."
            )
        return multistatus.read(final, response.tree)

    def _send(self, method: str, url: str, body: str, headers: dict[str, str]) -> tuple[Any, str]:
        """A request and where it ended; redirects keep the method and the body."""
        for _ in range(_HOPS):
            self._check(url)
            with in_words(*_place(url), self._login.username):
                response = self._client.request(url, method, body, headers)
                self.received += len(response._raw or "")
            if response.status not in _REDIRECTS:
                if response.status >= 400:
                    raise Fault(response.status, _said(url, response.status))
                return response, url
            url = onward(url, response.headers.get("Location", ""))
        raise BadAnswer(f"{_host(url)} sends from one address to the next, without an end.")

    def _check(self, url: str) -> None:
        """Let the password go where it belongs only: there, and never in the clear on the way."""
        here, there = urlsplit(self._login.url), urlsplit(url)
        if there.scheme not in ("https", "http") or not there.hostname:
            named = (
                "What the server gave as an address"
                if secrecy.tells(url)
                else repr(secrecy.masked(url))
            )
            raise Problem(f"{named} is not one of a server.", "It begins with https://")
        if there.scheme == "http" and here.scheme != "http":
            raise Unsafe(f"{there.hostname} wants to go on without encryption. Nothing was sent.")
        if site(there.hostname) != site(here.hostname or ""):
            raise Unsafe(
                f"{here.hostname} sends on to {there.hostname}, which is somebody else's.",
                f"If that is right, give its address: --caldav https://{there.hostname}/",
            )


def _authorities() -> str | bool:
    """Whom to believe: as mail does, those that this machine trusts and those in SSL_CERT_FILE.

    REQUESTS_CA_BUNDLE, which other programs for the web have, counts as well.
    """
    own = list[str]()
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        with suppress(OSError, UnicodeDecodeError):
            own.append(Path(os.environ.get(name, "")).read_text("utf-8"))
    if not own:
        return True
    import wassima  # niquests takes this machine's authorities from it

    return "\n".join((wassima.generate_ca_bundle(), *dict.fromkeys(own)))


_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def onward(url: str, href: str) -> str:
    """Where a server sends from `url`, without the user and the password that it may name."""
    try:
        parts = urlsplit(urljoin(url, href))
        parts.port  # noqa: B018 - raises where it is none
    except ValueError as problem:
        raise BadAnswer(f"{_host(url)} gives an address that cannot be read.") from problem
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_private(url: str) -> bool:
    """Whether what is sent there stays secret: encrypted, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def look_up(email: str) -> str:
    """The CalDAV address that a domain publishes (RFC 6764: SRV, TXT, .well-known), or ""."""
    from caldav.discovery import discover_caldav  # only set-up needs it, and its DNS library

    with in_words(email.rpartition("@")[2]):
        believed: Any = _authorities()  # the page is asked for with niquests, which takes text too
        found = discover_caldav(email, timeout=_LOOK_UP, require_tls=True, ssl_verify_cert=believed)
    return found.url if found else ""


@contextmanager
def in_words(host: str, port: int = 443, user: str = "") -> Iterator[None]:
    """Turn what caldav, niquests and lxml raise into a Problem with words for a person."""
    try:
        yield
    except CrmmailError:
        raise
    except error.RateLimitError as problem:
        wait = min(problem.retry_after_seconds or _PATIENCE, 3600)
        raise Problem(f"{host} asks to slow down.", wait=wait) from problem
    except error.AuthorizationError as problem:
        if problem.status == 403:
            raise Fault(403, _said(host, 403)) from problem
        of_whom = f" of {user}" if user else ""
        raise Denied(f"{host} refused the sign-in to the calendar{of_whom}.") from problem
    except NotImplementedError as problem:
        raise Refused(
            f"{host} takes no password for its calendars.", "It may take OAuth sign-in only."
        ) from problem
    except etree.XMLSyntaxError as problem:
        raise BadAnswer(f"The answer of {host} cannot be read: {said(problem)}") from problem
    except niquests.exceptions.RequestException as problem:
        raise _connection(host, port, problem) from problem
    except error.DAVError as problem:
        raise BadAnswer(f"{host} said: {said(problem.reason)}") from problem
    except UnicodeError as problem:
        words = "The password or the user name has a character that cannot be sent."
        raise Refused(words, "Set it again, in UTF-8.") from problem
    except OSError as problem:
        raise Problem(
            f"{host} cannot be reached: {said(problem)}", "Check the network."
        ) from problem


def _connection(host: str, port: int, problem: niquests.exceptions.RequestException) -> Problem:
    said = str(problem)
    if isinstance(problem, niquests.exceptions.SSLError) or "certificate" in said.lower():
        if "certificate" in said.lower() or "hostname" in said.lower():
            return Unsafe(
                f"{host} did not prove who it is.", "Check the server's name. Nothing was sent."
            )
        return Problem(
            f"{host} does not speak TLS on port {port}.", "Check the address and its port."
        )
    if isinstance(problem, niquests.exceptions.Timeout):
        return Problem(
            f"{host} did not answer on port {port} in time.",
            "Check the address, its port, and the network: a firewall may be in between.",
        )
    if "NameResolution" in said or "getaddrinfo" in said or "resolve" in said:
        return Problem(f"{host} is not known here.", "Check its name, and the network.")
    if "refused" in said:
        return Problem(
            f"{host} takes no connection on port {port}.", "Check the address and its port."
        )
    if isinstance(problem, niquests.exceptions.InvalidURL | niquests.exceptions.InvalidSchema):
        return Problem(f"{host} is not the address of a server.", "It begins with https://")
    return Problem(f"The connection to {host} was cut.", "Try again; check the network.")


def _said(url: str, status: int) -> str:
    """An HTTP status in words."""
    host = _host(url)
    if status in (404, 410):
        return f"{host} has nothing at this address ({status})."
    if status == 403:
        return f"{host} does not let this account read it (403)."
    if status in (405, 501):
        return f"{host} does not answer as a CalDAV server does ({status})."
    if status >= 500:
        return f"{host} has trouble of its own ({status})."
    return f"{host} did not take the request ({status})."


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return _host(url), parts.port or (80 if parts.scheme == "http" else 443)


def _host(url: str) -> str:
    return urlsplit(url).hostname or url or "The server"
