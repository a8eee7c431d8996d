"""An account whose server refused: a key signs in again, with a password or in the browser."""

from __future__ import annotations

import pytest

from crmmail import settings
from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync.loop import sync_once
from tests.accounts.test_credentials import Memory
from tests.browser import visit
from tests.oauth2 import AuthorizationServer
from tests.screens.first_run import ME, SECRET, clock, enter, server, setup, value
from tests.screens.harness import press, text, until
from tests.servers import Dovecot

__all__ = ["clock", "server"]


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
