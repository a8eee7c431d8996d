"""Passwords: from the keyring, from a command, from the environment, and never anywhere else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked

from crmmail.accounts import credentials
from crmmail.accounts.credentials import SecretError

PYTHON = sys.executable


@dataclass(frozen=True, slots=True)
class Login:
    """As much of an account as its password needs."""

    email: str = "ann@example.org"
    secret: str = "keyring:"


class Memory(KeyringBackend):
    """A keyring for the length of a test."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Plain(Memory):
    """What keyrings.alt installs itself as: passwords in a readable file."""

    priority = 0.5  # type: ignore[assignment]


class Locked(Memory):
    """A keyring whose owner closed the window that asks for its password."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")


class Slow(Memory):
    """A keyring whose window nobody sees, until a test is over."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.over.wait()
        return "late"


@pytest.fixture(autouse=True)
def own_keyring() -> Iterator[None]:
    """No test touches the keyring of whoever runs it."""
    before = keyring.core._keyring_backend
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.core._keyring_backend = before


def script(folder: Path, body: str) -> str:
    """A password command that runs `body` in Python."""
    file = folder / "password command.py"
    file.write_text(body, "utf-8")
    return credentials.command_reference(f"{PYTHON} '{file}'")


def test_the_keyring_gives_back_what_it_was_given() -> None:
    backend = Memory()
    keyring.set_keyring(backend)
    reference = credentials.keep("ann@example.org", "s3cret ü")
    assert reference == "keyring:"
    assert backend.kept == {("crmmail", "ann@example.org"): "s3cret ü"}
    assert credentials.password(Login(secret=reference)) == "s3cret ü"


def test_forgetting_empties_the_keyring_and_may_be_repeated() -> None:
    backend = Memory()
    keyring.set_keyring(backend)
    credentials.keep("ann@example.org", "s3cret")
    credentials.forget("ann@example.org", "keyring:")
    credentials.forget("ann@example.org", "keyring:")
    assert backend.kept == {}


def test_forgetting_a_command_asks_no_keyring() -> None:
    credentials.forget("ann@example.org", "env:NAME")  # fail.Keyring would raise


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring(), Plain()])
def test_a_keyring_that_keeps_no_secret_is_refused(backend: KeyringBackend) -> None:
    keyring.set_keyring(backend)
    with pytest.raises(SecretError, match="no usable keyring") as caught:
        credentials.keep("ann@example.org", "s3cret")
    assert "--password-command" in caught.value.hint
    assert "--password-env" in caught.value.hint
    assert getattr(backend, "kept", {}) == {}


def test_a_plain_file_is_refused_however_it_was_chosen() -> None:
    kind = type("EncryptedKeyring", (Memory,), {"__module__": "keyrings.alt.file", "priority": 9})
    keyring.set_keyring(kind())
    with pytest.raises(SecretError, match="no usable keyring"):
        credentials.password(Login())


def test_in_a_chain_only_the_members_that_keep_secrets_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, real = Plain(), Memory()
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, real])
    keyring.set_keyring(chainer.ChainerBackend())
    credentials.keep("ann@example.org", "s3cret")
    assert plain.kept == {}
    assert credentials.password(Login()) == "s3cret"


def test_a_password_that_is_not_there_says_how_to_enter_it() -> None:
    keyring.set_keyring(Memory())
    with pytest.raises(SecretError, match=r"no password for ann@example\.org") as caught:
        credentials.password(Login())
    assert "--password-command" in caught.value.hint


def test_a_locked_keyring_is_told_in_words() -> None:
    keyring.set_keyring(Locked())
    with pytest.raises(SecretError, match="Failed to unlock the collection"):
        credentials.password(Login())


def test_a_keyring_that_does_not_answer_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(credentials, "_KEYRING_SECONDS", 0.2)
    monkeypatch.setattr(credentials, "_PATIENCE", 0.1)
    monkeypatch.setattr(credentials, "waiting", lambda: told.append("waiting"))
    slow = Slow()
    monkeypatch.setattr(credentials, "keyring_backends", lambda: [slow])  # found in good time
    with pytest.raises(SecretError, match="did not answer") as caught:
        credentials.password(Login())
    slow.over.set()
    assert "Unlock it" in caught.value.hint
    assert told == ["waiting"]


def test_a_broken_keyring_setting_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "nowhere.at.all.Keyring")
    with pytest.raises(SecretError, match="The keyring refused"):
        credentials.keyring_backends()


def test_the_environment_gives_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    reference = credentials.environment_reference("MAIL_PASSWORD")
    assert reference == "env:MAIL_PASSWORD"
    assert credentials.password(Login(secret=reference)) == "s3cret"


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_variable_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    if value is not None:
        monkeypatch.setenv("MAIL_PASSWORD", value)
    with pytest.raises(SecretError, match="MAIL_PASSWORD is not set") as caught:
        credentials.password(Login(secret="env:MAIL_PASSWORD"))
    assert "--password-command" in caught.value.hint


@pytest.mark.parametrize("name", ["", "A=B", "hunter 2!"])
def test_a_name_that_no_variable_can_have_is_not_repeated(name: str) -> None:
    with pytest.raises(SecretError) as caught:
        credentials.environment_reference(name)
    assert str(caught.value) == "That is not the name of an environment variable."


def test_an_account_without_a_reference_is_told_apart() -> None:
    with pytest.raises(SecretError, match="No password is set"):
        credentials.password(Login(secret=""))


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("keyring:", "keyring"),
        ("env:NAME", "environment variable NAME"),
        ('command:"pass show x"', "command pass"),
        ('command:"GPG=hunter2 gpg -d ~/x | head -1"', "command gpg"),
        ('command:"~/bin/pw $(cat x)"', "command ~/bin/pw"),
        ('command:"\'hunter2 "', "command"),
        ('command:"$(hunter2)"', "command"),
        ("", "none"),
    ],
)
def test_references_are_described_in_words(secret: str, words: str) -> None:
    assert credentials.describe(secret) == words
