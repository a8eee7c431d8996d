"""What an account signed in with leaves the keyring with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from keyring.errors import PasswordDeleteError

from crmmail import sign_up
from crmmail.accounts import credentials, leaving, oauth
from crmmail.accounts.oauth import Tokens
from crmmail.errors import CrmmailError
from crmmail.screens.account_settings import remove
from crmmail.screens.signing_up import Entry
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.accounts.own_keyring import memory, store
from tests.accounts.test_credentials import Login, Memory

__all__ = ["memory", "store"]
ME = "me@home.example"
TOKENS = Tokens("access", 9e12, "refresh")
PASSWORD, TOKEN = ("crmmail", ME), ("crmmail", f"oauth {ME}")
COMMAND = 'command:"pass x"'


def sign_in(secret: str) -> None:
    """Keep what a reference stands for."""
    if secret.startswith("oauth:"):
        oauth.hold(ME, TOKENS)
        oauth.keep(ME)
    elif secret == "keyring:":
        credentials.keep(ME, "s3cret")


def account(store: Store, secret: str) -> accounts.AccountRow:
    """An account that signs in so."""
    sign_in(secret)
    login = {"host": "h.example", "port": 993, "security": "tls", "username": ME}
    accounts.add(store, ME, **login, secret=secret)  # type: ignore[arg-type]
    found = accounts.get(store.read(), ME)
    assert found is not None
    return found


@pytest.mark.parametrize("secret", ["keyring:", "oauth:google"])
def test_an_account_that_is_removed_in_the_app_leaves_nothing_in_the_keyring(
    secret: str, store: Store, memory: Memory
) -> None:
    found = account(store, secret)
    assert memory.kept
    remove(store, found)
    assert memory.kept == {}
    assert accounts.get(store.read(), ME) is None
    assert ME not in oauth._cache


def entry(**values: str) -> Entry:
    """What the form of the app says."""
    return Entry(ME, "h.example", 993, "tls", ME, **{"password": "", **values})  # type: ignore[arg-type]


NOW: tuple[tuple[Mapping[str, Any], set[tuple[str, str]]], ...] = (
    ({"password": "new"}, {PASSWORD}),
    ({"command": "echo x"}, set()),
    ({"variable": "MAIL"}, set()),
    ({"oauth": "google"}, {TOKEN}),
)


@pytest.mark.parametrize("before", ["keyring:", "oauth:google", "oauth:work"])
@pytest.mark.parametrize(("now", "left"), NOW)
def test_an_account_that_signs_in_otherwise_keeps_only_what_it_uses(
    before: str,
    now: Mapping[str, Any],
    left: set[tuple[str, str]],
    store: Store,
    memory: Memory,
) -> None:
    account(store, before)
    oauth.hold(ME, Tokens("access", 9e12, "newer"))
    sign_up._save(store, entry(known=True, **now), "")  # type: ignore[arg-type]
    assert set(memory.kept) == left
    assert memory.kept.get(TOKEN, "newer") == "newer"


@pytest.mark.parametrize(("now", "left"), [NOW[0], NOW[3]])
def test_an_account_that_is_added_again_finds_no_older_secret(
    now: Mapping[str, Any], left: set[tuple[str, str]], store: Store, memory: Memory
) -> None:
    memory.kept = {PASSWORD: "older", TOKEN: "older"}
    oauth.hold(ME, TOKENS)
    sign_up._save(store, entry(**now), "")
    assert set(memory.kept) == left
    assert "older" not in memory.kept.values()


def test_a_keyring_that_no_account_uses_is_not_asked(memory: Memory) -> None:
    memory.kept = {PASSWORD: "of another program's making"}
    leaving.forget(ME, COMMAND, "env:MAIL")
    assert memory.kept


def test_a_keyring_that_refuses_is_told_with_the_entry_that_is_left(
    store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = account(store, "oauth:google")

    def refuse(*_: str) -> None:
        raise PasswordDeleteError("locked")

    monkeypatch.setattr(memory, "delete_password", refuse)
    with pytest.raises(CrmmailError, match="may still be in the keyring") as caught:
        remove(store, found)
    assert f'"oauth {ME}"' in caught.value.hint
    assert accounts.get(store.read(), ME) is None


def test_a_token_that_is_renewed_while_its_account_is_removed_does_not_stay(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in("oauth:google")
    oauth._cache.clear()
    asked, answered = threading.Event(), threading.Event()

    def renewed(*_: object) -> Tokens:
        asked.set()
        answered.wait()
        return Tokens("access", 9e12, "rotated")

    monkeypatch.setattr(oauth, "_refreshed", renewed)
    monkeypatch.setattr(oauth, "issuer", str)
    threads = _started(
        lambda: oauth.token(Login(ME, "oauth:google")),
        lambda: (asked.wait(), leaving.forget(ME, "oauth:google")),
    )
    asked.wait()
    answered.set()
    for thread in threads:
        thread.join()
    assert memory.kept == {}
    assert ME not in oauth._cache


def _started(*works: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    return threads
