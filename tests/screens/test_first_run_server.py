"""The first run: where the server is found, and whether it proves who it is."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest

from crmmail.accounts import discovery
from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.question import QuestionScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.text import pairs
from tests.accounts.test_credentials import Memory
from tests.net import Names
from tests.screens.first_run import ME, SECRET, clock, enter, server, setup, value
from tests.screens.harness import press, settle, text, until
from tests.servers import Dovecot

__all__ = ["clock", "server"]


async def test_a_server_that_cannot_prove_its_name(
    empty_store: Store, server: Dovecot, keyring_here: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "password", SECRET)
        await enter(pilot, "server", f"localhost:{server.port}")
        await pilot.press("f5")
        await until(pilot, lambda: "did not prove who it is" in text(app))
    assert server.logins() == [ME]


@pytest.fixture
def found_by_dns(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """The DNS tells where the mail of home.example is: at this machine, which is a stranger."""
    here = [f"0 0 {server.port} localhost."]
    with Names({("SRV", "_imaps._tcp.home.example."): here}) as names:
        network = replace(discovery.NETWORK, resolver=names.resolver)
        monkeypatch.setattr(discovery, "NETWORK", network)
        yield names


async def test_an_address_and_a_password_are_all_that_it_takes(
    empty_store: Store, server: Dovecot, keyring_here: Memory, found_by_dns: Names
) -> None:
    """The server is found, shown and agreed to; the wrong password first."""
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 30), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press(*ME, "enter")
        await until(pilot, lambda: "Found in the DNS of home.example" in text(app))
        assert value(app, "server") == f"localhost:{server.port}"
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: "press enter again" in text(app))
        assert "auth failed" not in server.output()
        await pilot.press("enter")
        await until(pilot, lambda: "refused the sign-in" in text(app))
        assert app.focused is setup(app).field("password").input
        await enter(pilot, "password", SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
    [row] = accounts.all_accounts(empty_store.read())
    assert (row.host, row.security, row.pin) == ("localhost", "tls", "")


async def test_enter_waits_for_the_search(
    empty_store: Store, server: Dovecot, keyring_here: Memory, found_by_dns: Names
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "password", SECRET)
        await enter(pilot, "email", ME)
        await pilot.press("f5")
        await until(pilot, lambda: "press enter again" in text(app))
        await pilot.press("f5")
        await until(pilot, lambda: "Signed in" in text(app))


async def test_where_nothing_is_found_the_usual_name_stays(
    empty_store: Store, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await pilot.press(*ME, "enter")
        await until(pilot, lambda: "Nothing tells where its mail is" in text(app))
        assert value(app, "server") == "imap.home.example:993"
        await enter(pilot, "server", "mail.home.example")
        assert "Nothing tells where its mail is" not in text(app)


async def test_a_server_of_ones_own_is_trusted_by_its_fingerprint(
    empty_store: Store, server: Dovecot, keyring_here: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "password", SECRET)
        await enter(pilot, "server", f"localhost:{server.port}")
        await press(pilot, "f7")  # there is nothing to trust yet
        await pilot.press("f5")
        await until(pilot, lambda: "compare this, then trust it" in " ".join(text(app).split()))
        assert server.logins() == [ME]
        der = ssl.PEM_cert_to_DER_cert((server.dir / "cert.pem").read_text())
        pin = hashlib.sha256(der).hexdigest()
        assert ":".join(re.findall("..", pin.upper())) in "".join(text(app).split())
        await pilot.press("f7")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
    assert accounts.all_accounts(empty_store.read())[0].pin == pin


def is_untrusted(store: Store) -> bool:
    """Whether the sync has met another certificate than the one that was trusted."""
    return accounts.states(store.read())[0].state == "untrusted"


def with_another_certificate(store: Store, server: Dovecot) -> tuple[str, str]:
    """Add an account that trusts another certificate; returns that one and the server's own."""
    der = ssl.PEM_cert_to_DER_cert((server.dir / "cert.pem").read_text())
    old, new = "0a" * 32, hashlib.sha256(der).hexdigest()
    accounts.add(
        store, ME, host="localhost", port=server.port, secret="env:MY_MAIL", pin=old,
        policy="sent_and_received",
    )  # fmt: skip
    return old, new


async def test_a_key_compares_the_certificate_of_a_server_with_the_one_that_was_trusted(
    empty_store: Store, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MAIL", SECRET)
    old, new = with_another_certificate(empty_store, server)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✗" in text(app) and is_untrusted(empty_store))
        await pilot.press("f8")
        await until(pilot, lambda: "Shown now" in text(app))
        shown = "".join(text(app).split())
        assert shown.index(":".join(["0A"] * 32)) < shown.index(pairs(new))
        assert "somebody may be in between" in " ".join(text(app).split())
        assert "password is missing" not in text(app)
        assert server.logins() == [ME]
        assert accounts.all_accounts(empty_store.read())[0].pin == old
        await pilot.press("f7")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
        assert "f8" not in text(app)
    [row] = accounts.all_accounts(empty_store.read())
    assert (row.pin, row.secret) == (new, "env:MY_MAIL")


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_a_changed_certificate_that_is_not_all_on_the_screen_is_trusted_after_a_question(
    empty_store: Store, server: Dovecot, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setenv("MY_MAIL", SECRET)
    old, new = with_another_certificate(empty_store, server)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 14)) as pilot:
        await until(pilot, lambda: "✗" in text(app) and is_untrusted(empty_store))
        await pilot.press("f8")
        await until(pilot, lambda: "Shown now" in text(app))
        setup(app).field("username").input.focus()
        await settle(pilot)
        await until(pilot, lambda: pairs(old)[:40] not in text(app))
        await press(pilot, "f7")
        assert isinstance(app.screen, QuestionScreen)
        asked = re.sub(r"[\s│]", "", text(app))
        assert asked.index(pairs(old)) < asked.index(pairs(new))
        assert "Somebody may be in between" in text(app)
        assert server.logins() == [ME]  # of the fixture, which put mail there
        await press(pilot, answer)
        if answer == "y":
            await until(pilot, lambda: "Signed in" in text(app))
    assert server.logins() == ([ME, ME] if answer == "y" else [ME])


async def test_a_first_certificate_that_is_scrolled_away_is_trusted_after_a_question(
    empty_store: Store, server: Dovecot, keyring_here: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    der = ssl.PEM_cert_to_DER_cert((server.dir / "cert.pem").read_text())
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 12)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "password", SECRET)
        await enter(pilot, "server", f"localhost:{server.port}")
        await pilot.press("f5")
        await until(pilot, lambda: "f7 Trust it" in text(app))
        setup(app).query_one("#setup").scroll_home(animate=False)
        await settle(pilot)
        await press(pilot, "f7")
        assert isinstance(app.screen, QuestionScreen)
        asked = re.sub(r"[\s│]", "", text(app))
        assert pairs(hashlib.sha256(der).hexdigest()) in asked
        assert "Trusted so far" not in text(app)
        await press(pilot, "n")
    assert server.logins() == [ME]  # of the fixture, which put mail there
