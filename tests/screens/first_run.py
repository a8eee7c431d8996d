"""What the tests of the first run share: a mail server with TLS, and the fields of the screen."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from tests.screens.harness import settle
from tests.servers import Dovecot

ME = "me@home.example"
SECRET = "correct-horse-41"


@pytest.fixture(autouse=True)
def clock() -> None:
    """Here time goes on: certificates and syncs look at it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dovecot]:
    """A mail server with TLS, its authority trusted, and some mail in it."""
    with Dovecot(tls="tls") as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca))
        running.password = SECRET  # from the start: Dovecot rereads its file once a second
        running.add_user(ME, SECRET)
        sent = [mail(number, ME, f"p{number}@acme.example") for number in range(40)]
        running.append(ME, "Sent", [(raw, (), None) for raw in sent])
        yield running


def mail(number: int, sender: str, to: str) -> bytes:
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - number * 60))
    return (
        f"From: {sender}\r\nTo: Person {number} <{to}>\r\nSubject: Hello {number}\r\n"
        f"Message-ID: <{number}@home.example>\r\nDate: {when}\r\n\r\nHello.\r\n"
    ).encode()


def value(app: CrmmailApp, name: str) -> str:
    return setup(app).field(name).input.value


def setup(app: CrmmailApp) -> FirstRunScreen:
    assert isinstance(app.screen, FirstRunScreen)
    return app.screen


async def enter(pilot: Pilot[str], name: str, words: str) -> None:
    """Type into a field, in place of what is there."""
    assert isinstance(pilot.app.screen, FirstRunScreen)
    line = pilot.app.screen.field(name).input
    line.focus()
    line.value = ""
    await pilot.press(*words)
    await settle(pilot)
