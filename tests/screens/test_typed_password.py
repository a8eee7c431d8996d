"""Without a keyring the app asks for a password after its first picture, and keeps it nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from crmmail.accounts import typed
from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.password import PasswordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.screens.first_run import ME, SECRET, clock, enter, server, setup
from tests.screens.harness import press, settle, text, until
from tests.servers import Dovecot

__all__ = ["clock", "server"]


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    typed._held.clear()
    yield
    typed._held.clear()
    typed.ask_here()


def words(app: CrmmailApp) -> str:
    return " ".join(text(app).replace("│", " ").split())


def add(store: Store, server: Dovecot, email: str = ME) -> None:
    accounts.add(
        store, email, host="localhost", port=server.port, security="tls", username=ME, secret="ask:"
    )


def holds(folder: Path, secret: str) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return any(secret.encode() in path.read_bytes() for path in files)


async def test_it_is_asked_for_again_with_the_servers_answer_until_it_is_right(
    empty_store: Store, server: Dovecot
) -> None:
    add(empty_store, server)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PasswordScreen))
        assert f"Password of {ME}" in text(app)
        await press(pilot, "enter", *"wrong-one")
        assert "wrong-one" not in text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "refused the sign-in of me@home.example" in words(app))
        assert isinstance(app.screen, PasswordScreen)
        await press(pilot, *SECRET, "enter")
        await until(pilot, lambda: "Person 3" in text(app))
        await until(pilot, lambda: "up to date" in text(app))
        assert isinstance(app.screen, RecordsScreen)
        assert "refused" not in text(app)
    assert not holds(empty_store.path.parent, SECRET)
    assert not holds(empty_store.path.parent, "wrong-one")


async def test_later_waits_and_a_key_asks(empty_store: Store, server: Dovecot) -> None:
    add(empty_store, server)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, PasswordScreen))
        await press(pilot, "escape")
        await until(pilot, lambda: "has not been typed yet" in words(app))
        assert isinstance(app.screen, RecordsScreen)
        assert "f8 asks for the password" in words(app)
        await press(pilot, "comma")
        await until(pilot, lambda: "waits for its password" in text(app))
        assert "f8 asks for the password" in words(app)
        await press(pilot, "f8")
        assert isinstance(app.screen, PasswordScreen)
        await press(pilot, *SECRET, "enter")
        await until(pilot, lambda: "up to date" in text(app))
        assert "f8" not in text(app)


async def test_each_account_that_needs_one_is_asked_for(
    empty_store: Store, server: Dovecot
) -> None:
    add(empty_store, server)
    add(empty_store, server, "two@home.example")
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: f"Password of {ME}" in text(app))
        await press(pilot, *SECRET, "enter")
        await until(pilot, lambda: "Password of two@home.example" in text(app))
        await press(pilot, *SECRET, "enter")
        found = lambda: {one.state for one in accounts.states(empty_store.read())}  # noqa: E731
        await until(pilot, lambda: found() == {"watching"})


async def test_a_paused_account_and_a_demo_ask_for_nothing(
    empty_store: Store, server: Dovecot
) -> None:
    add(empty_store, server)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)


async def test_the_first_mailbox_takes_a_password_for_this_run(
    empty_store: Store, server: Dovecot
) -> None:
    keyring.core._keyring_backend = None
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await until(pilot, lambda: "for this run only" in words(app))
        assert "no usable keyring" in words(app)
        for name in ("password", "command", "variable"):
            assert setup(app).field(name).display
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", "wrong-one")
        await pilot.press("f5")
        await until(pilot, lambda: "refused the sign-in" in words(app))
        assert app.focused is setup(app).field("password").input
        await enter(pilot, "password", SECRET)
        await pilot.press("f5")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
        assert [one.secret for one in accounts.all_accounts(empty_store.read())] == ["ask:"]
    assert not holds(empty_store.path.parent, SECRET)


async def test_f8_shows_where_the_password_comes_from_and_takes_one_for_this_run(
    empty_store: Store, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.core._keyring_backend = None
    monkeypatch.setenv("ANN_MAIL", "wrong")
    accounts.add(
        empty_store,
        ME,
        host="localhost",
        port=server.port,
        security="tls",
        username=ME,
        secret="env:ANN_MAIL",
    )
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await until(pilot, lambda: "f8 signs in again" in words(app))
        await press(pilot, "f8")
        await until(pilot, lambda: "for this run only" in words(app))
        assert setup(app).field("variable").input.value == "ANN_MAIL"
        assert "MAIL_PASSWORD" not in text(app)
        await pilot.press("f5")
        await until(pilot, lambda: setup(app).field("variable").has_class("-wrong"))
        assert app.focused is setup(app).field("variable").input
        await enter(pilot, "password", SECRET)
        await pilot.press("f5")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
        assert [one.secret for one in accounts.all_accounts(empty_store.read())] == ["ask:"]


async def test_a_missing_variable_is_told_with_its_name_and_the_key(
    empty_store: Store, server: Dovecot
) -> None:
    accounts.add(
        empty_store, ME, host="localhost", port=server.port, security="tls", secret="env:ANN_MAIL"
    )
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(160, 30)) as pilot:
        await until(pilot, lambda: "ANN_MAIL is not set" in words(app))
        assert "f8 signs in again" in words(app)
        assert "crmmail account" not in words(app)
        await press(pilot, "f8")
        assert setup(app).field("variable").input.value == "ANN_MAIL"
