"""The first run: an account in one screen, against a real server; or the demo."""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import keyring
import pytest
from textual.pilot import Pilot

from crmmail import settings
from crmmail.accounts import discovery
from crmmail.app import DEMO, CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store import accounts, calendars
from crmmail.store.database import Store
from crmmail.sync.loop import sync_once
from crmmail.text import pairs
from tests.accounts.test_credentials import Memory
from tests.browser import visit
from tests.dav_servers import Radicale
from tests.net import Names
from tests.oauth2 import AuthorizationServer
from tests.screens.harness import press, settle, text, until
from tests.servers import Dovecot

ME = "me@home.example"
SECRET = "correct-horse-41"


@pytest.fixture(autouse=True)
def clock() -> None:
    """Here time goes on: certificates and syncs look at it."""


@pytest.fixture
def keyring_here() -> Iterator[Memory]:
    """A machine with a keyring."""
    before = keyring.core._keyring_backend
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.core._keyring_backend = before


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


@pytest.mark.parametrize(
    ("email", "host", "username"),
    [
        ("ann@gmail.com", "imap.gmail.com:993", "ann@gmail.com"),
        ("ann@icloud.com", "imap.mail.me.com:993", "ann"),
        ("ann@work.example", "imap.work.example:993", "ann@work.example"),
        ("Ann@GMX.de", "imap.gmx.net:993", "ann@gmx.de"),
        ("ann@proton.me", "127.0.0.1:1143", "ann@proton.me"),
    ],
)
async def test_the_address_fills_in_the_server(
    empty_store: Store, email: str, host: str, username: str
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", email)
        assert (value(app, "server"), value(app, "username")) == (host, username)


async def test_the_arrows_go_from_field_to_field_where_there_is_no_room_for_all(
    empty_store: Store, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 10)) as pilot:
        app.action_add_account()
        await settle(pilot)
        for key, name in (("down", "password"), ("down", "server"), ("up", "password")):
            await press(pilot, key)
            assert app.focused is setup(app).field(name).input


async def test_what_was_typed_is_not_filled_over(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "server", "mail.example:143")
        await enter(pilot, "email", "ann@gmail.com")
        assert value(app, "server") == "mail.example:143"
        assert value(app, "username") == "ann@gmail.com"


async def test_what_a_provider_wants_is_told(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", "ann@gmail.com")
        assert "Google wants an app password" in text(app)
        await enter(pilot, "email", "ann@outlook.com")
        assert "only a sign-in in the browser" in " ".join(text(app).split())
        await enter(pilot, "email", "ann@work.example")
        assert "browser" not in text(app)


async def test_wrong_password_then_right_then_people(
    empty_store: Store, server: Dovecot, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", "wrong")
        assert "wrong" not in text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "refused the sign-in" in text(app))
        assert app.focused is setup(app).field("password").input
        assert accounts.all_accounts(empty_store.read()) == []
        assert keyring_here.kept == {}
        await enter(pilot, "password", SECRET)
        assert "refused" not in text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "Signed in" in text(app))
        assert "40  Sent  (sent)" in text(app)
        assert accounts.all_accounts(empty_store.read()) == []
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        await until(pilot, lambda: "Person 3" in text(app))
        [row] = accounts.all_accounts(empty_store.read())
        assert (row.security, row.secret, row.username) == ("tls", "keyring:", ME)
        assert keyring_here.kept == {("crmmail", ME): SECRET}
    assert SECRET.encode() not in b"".join(
        path.read_bytes() for path in empty_store.path.parent.glob("crmmail.db*")
    )


async def test_without_a_keyring_a_variable_or_a_command_will_do(
    empty_store: Store, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MAIL", SECRET)
    keyring.core._keyring_backend = None
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await until(pilot, lambda: "no usable keyring" in " ".join(text(app).split()))
        assert not setup(app).field("password").display
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await press(pilot, "f5")
        assert "Say where the password comes from" in text(app)
        await enter(pilot, "variable", "NOT_SET_ANYWHERE")
        await pilot.press("f5")
        await until(pilot, lambda: "NOT_SET_ANYWHERE is not set" in text(app))
        await enter(pilot, "variable", "MY_MAIL")
        await pilot.press("f5")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
        [row] = accounts.all_accounts(empty_store.read())
        assert row.secret == "env:MY_MAIL"


@pytest.mark.parametrize(
    ("field", "words", "told"),
    [
        ("email", "ann", "This is no e-mail address"),
        ("email", "ann@tutanota.com", "Tuta has no IMAP: crmmail cannot read it."),
        ("server", "a b:993", "This is no server"),
        ("server", "imap.example:99999", "is no port"),
        ("server", "127.0.0.1:1", "takes no connection on this port"),
        ("server", "no-such-host.invalid:993", "is not known here"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(
    empty_store: Store, keyring_here: Memory, field: str, words: str, told: str
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "password", "x")
        await enter(pilot, field, words)
        await pilot.press("f5")
        await until(pilot, lambda: told in text(app))
        assert app.focused is setup(app).field(field).input
        assert setup(app).field(field).has_class("-wrong")


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


async def test_a_key_compares_the_certificate_of_a_server_with_the_one_that_was_trusted(
    empty_store: Store, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MAIL", SECRET)
    der = ssl.PEM_cert_to_DER_cert((server.dir / "cert.pem").read_text())
    old, new = "0a" * 32, hashlib.sha256(der).hexdigest()
    accounts.add(
        empty_store, ME, host="localhost", port=server.port, secret="env:MY_MAIL", pin=old,
        policy="sent_and_received",
    )  # fmt: skip
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "f8 Sign in again" in text(app))
        assert accounts.states(empty_store.read())[0].state == "untrusted"
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


def stopped(store: Store, server: Dovecot, secret: str, **more: object) -> None:
    """An account whose server has refused it twice."""
    accounts.add(
        store,
        ME,
        host=server.host,
        port=server.port,
        secret=secret,
        **more,  # type: ignore[arg-type]
    )
    with store.write("state") as (db, _):
        db.execute("UPDATE sync_state SET state = 'stopped', error = 'The password is wrong.'")


async def test_a_key_signs_in_again_where_the_server_refused(
    empty_store: Store, server: Dovecot, keyring_here: Memory
) -> None:
    keyring_here.set_password("crmmail", ME, "old")
    stopped(empty_store, server, "keyring:")
    with empty_store.write("accounts") as (db, _):
        db.execute("UPDATE account SET host = 'localhost'")
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "f8 Sign in again" in text(app))
        await press(pilot, "f8")
        assert setup(app).field("email").input.disabled
        assert value(app, "server") == f"localhost:{server.port}"
        await pilot.press(*SECRET, "enter")
        await until(pilot, lambda: "Signed in" in text(app))
        assert "Enter keeps it so" in text(app)
        assert keyring_here.kept == {("crmmail", ME): "old"}
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        assert keyring_here.kept == {("crmmail", ME): SECRET}
        await until(pilot, lambda: "f8" not in text(app))
    assert accounts.states(empty_store.read())[0].error == ""
    assert len(accounts.all_accounts(empty_store.read())) == 1


async def test_a_permission_taken_back_is_given_again_in_the_browser(
    empty_store: Store, keyring_here: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AuthorizationServer(ME) as issuer, issuer.dovecot() as server:
        server.add_user(ME)
        settings.config_path().write_text(issuer.config())
        stopped(empty_store, server, "oauth:mock", security="none")
        app = CrmmailApp(empty_store, sync=False)
        monkeypatch.setattr(app, "open_url", visit)
        async with app.run_test(size=(100, 40)) as pilot:
            await until(pilot, lambda: "f8 Sign in again" in text(app))
            await press(pilot, "f8", "f5")
            await until(pilot, lambda: "Signed in" in text(app))
            assert keyring_here.kept == {}
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        assert list(keyring_here.kept) == [("crmmail", f"oauth {ME}")]
        assert issuer.tokens == ["authorization_code"]
        assert sync_once(empty_store)[0].errors == []


async def test_microsoft_without_a_client_id_says_how_to_get_one(
    empty_store: Store, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", "ann@outlook.com")
        await pilot.press("f5")
        await until(pilot, lambda: "docs/sign-in.md" in " ".join(text(app).split()))


async def test_later_and_again_from_the_palette(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        app.action_add_account()
        await settle(pilot)
        assert isinstance(app.screen, FirstRunScreen)


async def test_the_demo_instead(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        assert "Try the demo" in text(app)
        await pilot.press("f6")
        await pilot.pause()
    assert app.return_value == DEMO


async def test_the_demo_is_for_those_without_an_account(store: Store) -> None:
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_add_account()
        await settle(pilot)
        assert "Try the demo" not in text(app)
        await press(pilot, "f6")
        assert isinstance(app.screen, FirstRunScreen)


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), "crmmail-dark"), ((160, 48), "crmmail-light")]
)
def test_picture(
    snap_compare: Callable[..., bool],
    empty_store: Store,
    keyring_here: Memory,
    size: tuple[int, int],
    theme: str,
) -> None:
    async def drive(pilot: Pilot[str]) -> None:
        pilot.app.theme = theme
        await until(pilot, lambda: isinstance(pilot.app.screen, FirstRunScreen))
        await enter(pilot, "email", "ann@gmail.com")
        await press(pilot, "f5")

    app = CrmmailApp(empty_store, sync=True)
    assert snap_compare(app, terminal_size=size, run_before=drive)


async def test_with_an_account_the_lists_come_first(store: Store) -> None:
    app = CrmmailApp(store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)


async def test_calendars_behind_the_same_password_are_shown_and_kept(
    empty_store: Store,
    server: Dovecot,
    keyring_here: Memory,
    radicale: Radicale,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from crmmail.accounts import calendars as finding

    radicale.user, radicale.password = ME, SECRET
    (radicale.dir / "users").write_text(f"{ME}:{SECRET}\n", "utf-8")
    radicale.make("work", "Work")
    monkeypatch.setattr(finding, "of_provider", lambda *_: radicale.url)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "1 calendar: Work" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        [row] = accounts.all_accounts(empty_store.read())
        assert row.caldav_url.startswith(radicale.url)
        assert [one.name for one in calendars.rows(empty_store.read())] == ["Work"]


@pytest.mark.parametrize(
    ("behind", "why"),
    [
        ("nothing", f"No calendar server is known for {ME}."),
        ("another password", "refused the sign-in to the calendar."),
        ("an empty home", "lists no calendar at this address."),
    ],
)
async def test_why_no_calendars_were_found_is_told_when_a_mailbox_is_added_and_later(
    empty_store: Store,
    server: Dovecot,
    keyring_here: Memory,
    radicale: Radicale,
    monkeypatch: pytest.MonkeyPatch,
    behind: str,
    why: str,
) -> None:
    from crmmail.accounts import calendars as finding

    if behind == "an empty home":
        (radicale.dir / "users").write_text(f"{ME}:{SECRET}\n", "utf-8")
    if behind != "nothing":
        monkeypatch.setattr(finding, "of_provider", lambda *_: radicale.url)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_add_account()
        await settle(pilot)
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "Signed in" in text(app))
        said = " ".join(text(app).split())
        assert why in said[said.index("No calendars: ") :]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        assert accounts.states(empty_store.read())[0].calendar_error == ""
        await press(pilot, "comma")
        assert "No calendars were found: " in text(app)
        assert why in text(app)
        assert f"crmmail account set {ME} --caldav https://" in text(app)
        accounts.set_calendars(empty_store, ME, radicale.url)
        await until(pilot, lambda: "No calendars were found" not in text(app))
