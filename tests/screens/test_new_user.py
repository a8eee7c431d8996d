"""A new user with a server of his own: an address and a password bring mail and meetings."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
import trustme

from crmmail.accounts import discovery
from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.dav_proxy import DavProxy
from tests.dav_servers import Radicale
from tests.net import Names
from tests.screens.first_run import SECRET, enter, mail
from tests.screens.harness import text, until
from tests.servers import Dovecot

ME = "me@kontor.internal"
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:1@kontor.internal
DTSTAMP:20260101T000000Z
DTSTART:{start}
DURATION:PT1H
SUMMARY:The new press
ORGANIZER:mailto:me@kontor.internal
ATTENDEE;CN=Person 3:mailto:p3@acme.example
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(autouse=True)
def clock() -> None:
    """Here time goes on: certificates and syncs look at it."""


@dataclass(frozen=True, slots=True)
class House:
    """A small office's servers."""

    mail: Dovecot
    calendars: DavProxy


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Dovecot and Radicale with certificates of the house's own authority, told by its DNS."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    dovecot = Dovecot(tls="tls")
    own = authority.issue_cert("mail.kontor.internal", "localhost", "127.0.0.1")
    own.private_key_pem.write_to_path(dovecot.dir / "key.pem")
    own.cert_chain_pems[0].write_to_path(dovecot.dir / "cert.pem")
    authority.cert_pem.write_to_path(dovecot.ca)
    dovecot.password = SECRET
    radicale = Radicale()
    radicale.user, radicale.password = ME, SECRET
    (radicale.dir / "users").write_text(f"{ME}:{SECRET}\n", "utf-8")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("cal.kontor.internal").configure_cert(context)
    with dovecot, radicale, DavProxy(radicale, context) as proxy:
        dovecot.add_user(ME, SECRET)
        sent = [mail(number, ME, f"p{number}@acme.example") for number in range(9)]
        dovecot.append(ME, "Sent", [(raw, (), None) for raw in sent])
        radicale.make("work")
        start = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y%m%dT090000Z")
        radicale.put("work", "1.ics", EVENT.format(start=start).replace("\n", "\r\n"))
        records = {
            ("SRV", "_imaps._tcp.kontor.internal."): [f"0 0 {dovecot.port} mail.kontor.internal."],
            ("SRV", "_caldavs._tcp.kontor.internal."): [f"0 0 {proxy.port} cal.kontor.internal."],
        }
        with Names(records) as names:
            monkeypatch.setattr(dns.resolver, "default_resolver", names.resolver)
            network = replace(discovery.NETWORK, resolver=None)
            monkeypatch.setattr(discovery, "NETWORK", network)
            monkeypatch.setattr(socket, "getaddrinfo", at_home(socket.getaddrinfo))
            yield House(dovecot, proxy)


def at_home(real: Any) -> Any:
    """The names of the house lead to this machine."""

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        inside = isinstance(host, str) and host.endswith("kontor.internal")
        return real("127.0.0.1" if inside else host, *rest, **more)

    return getaddrinfo


async def test_mail_and_meetings_from_an_address_and_a_password(
    empty_store: Store, house: House, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(100, 32), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press(*ME, "enter")
        await until(pilot, lambda: "Found in the DNS of kontor.internal" in text(app))
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: "refused the sign-in" in text(app))
        assert accounts.all_accounts(empty_store.read()) == []
        await enter(pilot, "password", SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "Signed in" in text(app))
        assert "1 calendar: " in text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
        await until(pilot, lambda: meetings(empty_store) == ["The new press"])
    [row] = accounts.all_accounts(empty_store.read())
    assert (row.host, row.security, row.username) == ("mail.kontor.internal", "tls", ME)
    assert row.caldav_url.startswith("https://cal.kontor.internal")
    assert keyring_here.kept == {("crmmail", ME): SECRET}
    for file in empty_store.path.parent.glob(f"{empty_store.path.name}*"):
        assert SECRET.encode() not in file.read_bytes()


def meetings(store: Store) -> list[str]:
    return [title for (title,) in store.read().execute("SELECT title FROM meeting")]
