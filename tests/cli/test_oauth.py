"""Signing in with tokens: a real authorization server, and a Dovecot that asks it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import keyring
import pytest

from crmmail import settings
from crmmail.accounts import credentials, issuers, oauth
from crmmail.accounts.credentials import SecretError
from crmmail.accounts.issuers import OAuthError
from crmmail.cli.next_step import hint_of
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync.loop import Loop, sync_once
from tests.accounts.own_keyring import memory, store
from tests.accounts.test_credentials import Memory
from tests.browser import visit as browser
from tests.cli.conftest import Cli
from tests.oauth2 import AuthorizationServer
from tests.patience import PATIENCE, until
from tests.servers import Dovecot

__all__ = ["memory", "store"]
ME = "me@home.example"


@dataclass(frozen=True, slots=True)
class Login:
    """As much of an account as its token needs."""

    email: str = ME
    secret: str = "oauth:mock"


@pytest.fixture(scope="module")
def running() -> Iterator[AuthorizationServer]:
    with AuthorizationServer(ME) as server:
        yield server


@pytest.fixture
def server(running: AuthorizationServer) -> AuthorizationServer:
    """The authorization server, known to config.toml."""
    running.tell("allow")
    running.count_anew()
    settings.config_path().write_text(running.config())
    return running


@pytest.fixture(scope="module")
def dovecot_of(running: AuthorizationServer) -> Iterator[Dovecot]:
    with running.dovecot() as dovecot:
        dovecot.add_user(ME)
        dovecot.append(ME, "INBOX", [(b"Subject: x\r\n\r\nhello\r\n", (), None)])
        yield dovecot


def signed_in(name: str = "mock") -> oauth.Tokens:
    tokens = oauth.in_browser(issuers.issuer(name), ME, browser, seconds=PATIENCE)
    oauth.hold(ME, tokens)
    oauth.keep(ME)
    return tokens


def test_in_the_browser_with_pkce(server: AuthorizationServer, memory: Memory) -> None:
    urls: list[str] = []

    def show(url: str) -> None:
        urls.append(url)
        browser(url)

    tokens = oauth.in_browser(issuers.issuer("mock"), ME, show, seconds=PATIENCE)
    oauth.hold(ME, tokens)
    oauth.keep(ME)
    [asked] = [parse_qs(urlsplit(url).query) for url in urls]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 32
    assert asked["redirect_uri"][0].startswith("http://127.0.0.1:")
    assert asked["login_hint"] == [ME]
    assert server.tokens == ["authorization_code"]
    assert memory.kept == {("crmmail", f"oauth {ME}"): tokens.refresh}
    assert oauth.token(Login()) == tokens.access
    assert tokens.access not in repr(tokens)


def test_a_token_is_renewed_when_it_ends_and_the_new_refresh_token_is_kept(
    server: AuthorizationServer, memory: Memory
) -> None:
    first = signed_in()
    oauth._cache[ME] = replace(first, expires_at=time.time() + 30)  # too late for a long command
    assert oauth.token(Login())
    assert server.tokens == ["authorization_code", "refresh_token"]
    [kept] = memory.kept.values()
    assert kept != first.refresh
    oauth._cache.clear()  # another start of crmmail
    assert oauth.token(Login())
    assert server.tokens[1:] == ["refresh_token"] * 2


def test_one_refresh_at_a_time(server: AuthorizationServer) -> None:
    signed_in()
    oauth._cache.clear()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(oauth.token(Login()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert server.tokens == ["authorization_code", "refresh_token"]


def test_a_revoked_permission_says_what_to_do(server: AuthorizationServer) -> None:
    signed_in()
    server.tell("revoke")
    with pytest.raises(oauth.Revoked, match="Token has been revoked") as caught:
        oauth.token(Login(), anew=True)
    assert caught.value.hint == "The permission was taken back, or has ended."


def test_an_authorization_server_that_is_away_is_no_revocation(
    server: AuthorizationServer,
) -> None:
    signed_in()
    settings.config_path().write_text(server.config().replace(server.url, "http://127.0.0.1:1"))
    with pytest.raises(Exception, match="cannot be reached") as caught:
        oauth.token(Login(), anew=True)
    assert not isinstance(caught.value, oauth.Revoked)


def test_dovecot_lets_the_token_in_until_it_is_revoked_and_again_after_a_reconnect(
    server: AuthorizationServer,
    dovecot_of: Dovecot,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webbrowser.open", browser)
    where = ("--imap", f"{dovecot_of.host}:{dovecot_of.port}", "--security", "none")
    added = cli("account", "add", ME, *where, "--oauth", "mock")
    assert added.code == 0, added.err
    assert "Sign in at mock in the browser" in added.err
    assert "Signed in: 6 folders, 1 messages." in added.err
    assert cli("account", "list", "--json").json[0]["password"] == "sign-in at mock"
    assert cli("sync").code == 0
    server.tell("expire")  # the server ends the token before its time
    server.count_anew()
    assert cli("account", "test", ME).code == 0
    assert server.tokens == ["refresh_token"]
    server.tell("revoke")
    refused = cli("account", "test", ME)
    assert refused.code == 5
    assert "does not let crmmail in any more" in refused.err
    assert "crmmail account reconnect" in refused.err
    server.tell("allow")
    again = cli("account", "reconnect", ME)
    assert again.code == 0, again.err
    assert cli("sync").code == 0
    assert cli("doctor").out.count("sign-in at mock; signed in to") == 1
    for file in filter(Path.is_file, settings.data_dir().rglob("*")):
        assert oauth._cache[ME].refresh.encode() not in file.read_bytes()
    assert cli("account", "remove", ME, "--yes").code == 0
    assert keyring.get_keyring().kept == {}  # type: ignore[attr-defined]


def test_oauthbearer_where_that_is_all_there_is(
    server: AuthorizationServer, tmp_path_factory: pytest.TempPathFactory, store: Store
) -> None:
    signed_in()
    with server.dovecot() as dovecot:
        config = dovecot.dir / "dovecot.conf"
        dovecot.stop()
        config.write_text(config.read_text().replace("plain xoauth2 oauthbearer", "oauthbearer"))
        dovecot.start()
        accounts.add(
            store, ME, host=dovecot.host, port=dovecot.port, security="none", secret="oauth:mock"
        )
        assert sync_once(store)[0].errors == []
        server.tell("revoke")
        [error] = sync_once(store)[0].errors
        assert "does not let crmmail in any more" in error


def test_the_sync_stops_at_a_revocation_and_goes_on_after_a_reconnect(
    server: AuthorizationServer, dovecot_of: Dovecot, store: Store
) -> None:
    """The app's loop: two refusals stop the account with a banner; a new sign-in wakes it."""
    signed_in()
    accounts.add(
        store, ME, host=dovecot_of.host, port=dovecot_of.port, security="none", secret="oauth:mock"
    )
    server.tell("revoke")
    oauth._cache.clear()
    loop = Loop(store)
    loop.start()
    try:
        state = reached(store, lambda state: state.state == "stopped")
        assert "does not let crmmail in any more" in state.error
        assert state.hint == "The permission was taken back, or has ended."
        assert hint_of(state).endswith(f"Sign in again: crmmail account reconnect {ME}")
        server.tell("allow")
        signed_in()
        accounts.set_login(store, ME)
        reached(store, lambda state: state.last_success > 0)
    finally:
        loop.stop(timeout=PATIENCE)


def reached(store: Store, true: Callable[[accounts.StateRow], bool]) -> accounts.StateRow:
    """The account's state, when that is true of it."""

    def state() -> accounts.StateRow | None:
        [row] = accounts.states(store.read())
        return row if true(row) else None

    return until(state, lambda: accounts.states(store.read()))


def test_google_and_microsoft_want_a_name_of_the_users_own() -> None:
    with pytest.raises(OAuthError, match="no name of its own at Google") as caught:
        issuers.issuer("google")
    assert "docs/sign-in.md" in caught.value.hint
    settings.config_path().write_text('[oauth.microsoft]\nclient_id = "mine"\n')
    found = issuers.issuer("microsoft")
    assert (found.client_id, found.redirect_host) == ("mine", "localhost")
    assert "offline_access" in found.scope
    assert not issuers.is_usable("google")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[oauth.mine]\nclient_id = "x"\n', "does not say authorize_url"),
        (
            '[oauth.google]\nclient_id = "x"\ntoken_url = "http://example.org/"\n',
            "must begin with https",
        ),
    ],
)
def test_an_issuer_that_cannot_be_used(config: str, said: str) -> None:
    settings.config_path().write_text(config)
    with pytest.raises(OAuthError, match=said):
        issuers.issuer(config.partition(".")[2].partition("]")[0])


def test_without_a_keyring_nobody_signs_in_in_vain(server: AuthorizationServer, cli: Cli) -> None:
    from keyring.backends import fail

    keyring.set_keyring(fail.Keyring())
    refused = cli("account", "add", ME, "--imap", "127.0.0.1:1", "--oauth", "mock")
    assert refused.code == 1
    assert "no usable keyring" in refused.err
    assert server.tokens == []
    with pytest.raises(SecretError):
        credentials.from_keyring(f"oauth {ME}", ME)
