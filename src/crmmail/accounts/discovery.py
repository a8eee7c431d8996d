"""Where an address's mail is, found out from the address alone.

A provider of the table is known without a question to anybody. Else everything is asked at once:
the domain itself (autoconfig), Thunderbird's list (ISPDB), the DNS (SRV, RFC 6186 and 8314; MX) and
the names that most servers have. What did not come over a verified line, and leads to somebody
else's server, is a suggestion that the user has to confirm: a password would go there.
"""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crmmail import addresses
from crmmail.accounts import autoconfig, providers, web
from crmmail.accounts.providers import Provider

if TYPE_CHECKING:
    from dns.resolver import Resolver

log = logging.getLogger(__name__)

SECONDS = 5.0
"""How long the search may take, all in all."""
_GUESSES = (("imap.", 993), ("mail.", 993), ("", 993), ("imap.", 143), ("mail.", 143))


@dataclass(frozen=True, slots=True)
class Found:
    """A server, who signs in there, and how we know."""

    provider: Provider
    username: str
    origin: str
    """In words, to follow "found"."""
    sure: bool = True
    """False: to be confirmed before a password is sent."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where to ask. Addresses take {domain} and {email}; a resolver of None is the machine's."""

    autoconfig: tuple[str, ...] = (
        "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={email}",
        "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )
    ispdb: str = "https://autoconfig.thunderbird.net/v1.1/{domain}"
    unencrypted: tuple[str, ...] = ("http://autoconfig.{domain}/mail/config-v1.1.xml",)
    resolver: Resolver | None = None
    connect: Callable[..., socket.socket] = socket.create_connection


NETWORK = Network()
"""The real one."""


def find(email: str, network: Network | None = None) -> Iterator[Found]:
    """Ever better answers, as they come; the last one is the best. There may be none."""
    if (known := providers.known(email)) is not None:
        yield Found(known, known.username(email), f"in the list of providers: {known.name}")
        return
    asked = _Search(email, addresses.domain_of(email), network or NETWORK, SECONDS)
    yield from asked.run()


class _Search:
    """One address's search: a thread for each source, the best source first."""

    def __init__(self, email: str, domain: str, network: Network, seconds: float) -> None:
        self._email, self._domain, self._network = email, domain, network
        self._end = time.monotonic() + seconds
        self._answers = queue.SimpleQueue[tuple[int, Found | None]]()

    def run(self) -> Iterator[Found]:
        sources = (self._own, self._listed, self._services, self._exchanger, self._unencrypted)
        waiting = dict(enumerate((*sources, self._guess)))
        for rank, source in waiting.items():
            threading.Thread(
                target=self._ask, args=(rank, source), name="crmmail-discovery", daemon=True
            ).start()
        best = len(waiting)
        while any(rank < best for rank in waiting):
            with suppress(queue.Empty):
                rank, found = self._answers.get(timeout=max(self._left(), 0.01))
                del waiting[rank]
                if found is not None and rank < best:
                    best = rank
                    yield found
            if self._left() <= 0:
                return

    def _left(self) -> float:
        return self._end - time.monotonic()

    def _ask(self, rank: int, source: Callable[[], Found | None]) -> None:
        found = None
        try:
            found = source()
        except Exception as problem:  # no answer is what most sources have; a thread must not die
            log.debug("discovery, source %d: %s", rank, problem)
        self._answers.put((rank, found))

    # -- the sources, best first ------------------------------------------------------------

    def _own(self) -> Found | None:
        return self._from_files(self._network.autoconfig, f"in the settings of {self._domain}")

    def _listed(self, domain: str = "") -> Found | None:
        origin = "in Thunderbird's list of providers"
        return self._from_files((self._network.ispdb,), origin, domain)

    def _services(self) -> Found | None:
        """SRV records: encrypted from the first byte if there is a choice (RFC 8314)."""
        for service, security in (("_imaps", "tls"), ("_imap", "starttls")):
            for _, _, port, host in sorted(self._dns(f"{service}._tcp.{self._domain}", "SRV")):
                if autoconfig.is_host(host) and port:
                    known = providers.by_server(host)
                    server = known or Provider("", host, port, security)
                    return self._by_dns(server, f"in the DNS of {self._domain}")
        return None

    def _exchanger(self) -> Found | None:
        """Who takes the domain's mail in, mostly gives it out too."""
        for _, host in sorted(self._dns(self._domain, "MX")):
            if (known := providers.by_exchanger(host)) is not None:
                origin = f"in the DNS: {known.name} takes the mail of {self._domain}"
                return Found(known, known.username(self._email), origin)
            site = addresses.site(host)
            if site != addresses.site(self._domain) and (found := self._listed(site)):
                origin = f"in the DNS: {site} takes the mail of {self._domain}"
                return Found(found.provider, found.username, origin, sure=False)
        return None

    def _unencrypted(self) -> Found | None:
        origin = f"in the settings of {self._domain}, over a line that others can change"
        found = self._from_files(self._network.unencrypted, origin)
        return found and self._by_dns(found.provider, origin, found.username)

    def _guess(self) -> Found | None:
        """The first of the usual names that takes a connection."""
        doors = [_Door(self, name + self._domain, port) for name, port in _GUESSES]
        for door in doors:
            door.thread.join(max(self._left() - 1, 0))  # in time to be heard
            if door.open:
                security = "tls" if door.port == 993 else "starttls"
                server = Provider("", door.host, door.port, security)
                return self._by_dns(server, "by its name, a guess")
        return None

    # -- how they are asked -----------------------------------------------------------------

    def _from_files(self, urls: tuple[str, ...], origin: str, domain: str = "") -> Found | None:
        for url in urls:
            with suppress(web.WebError):
                xml = web.fetch(
                    url.format(domain=domain or self._domain, email=quote(self._email)),
                    max(self._left(), 0.1),
                )
                if (found := autoconfig.imap_server(xml, self._email)) is not None:
                    return Found(*found, origin)
        return None

    def _by_dns(self, server: Provider, origin: str, username: str = "") -> Found:
        """What anybody on the way could have said: sure only where the name is the domain's own,
        because then the certificate proves it."""
        sure = addresses.site(server.host) == addresses.site(self._domain)
        return Found(server, username or server.username(self._email), origin, sure)

    def _dns(self, name: str, kind: str) -> list[tuple[Any, ...]]:
        """Records as tuples that sort by preference, with the host last."""
        import dns.exception
        import dns.resolver

        resolver = self._network.resolver or dns.resolver.get_default_resolver()
        try:
            answer = resolver.resolve(name, kind, lifetime=max(self._left(), 0.1))
        except dns.exception.DNSException:
            return []
        hosts = [(r, (r.target if kind == "SRV" else r.exchange).to_text(True)) for r in answer]
        if kind == "SRV":
            return [(r.priority, -r.weight, r.port, host.lower()) for r, host in hosts]
        return [(r.preference, host.lower()) for r, host in hosts]

    def connects(self, host: str, port: int) -> bool:
        """Whether somebody listens there."""
        try:
            with self._network.connect((host, port), max(self._left(), 0.1)):
                return True
        except OSError:
            return False


class _Door:
    """One address that is tried beside the others."""

    def __init__(self, search: _Search, host: str, port: int) -> None:
        self.host, self.port, self.open = host, port, False
        self.thread = threading.Thread(target=self._knock, args=(search,), daemon=True)
        self.thread.start()

    def _knock(self, search: _Search) -> None:
        self.open = search.connects(self.host, self.port)
