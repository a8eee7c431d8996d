"""Where passwords come from: the system keyring, a password command, an environment variable.

The store keeps a reference only: "keyring:", 'command:"pass show x"' or "env:NAME".
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from crmmail import secrecy
from crmmail.accounts import password_command, typed
from crmmail.accounts.secret_error import OTHER_WAYS, SecretError
from crmmail.text import one_line

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_T = TypeVar("_T")

__all__ = ["SecretError"]

_SERVICE = "crmmail"
KEYRING = "keyring:"
OAUTH = "oauth:"
"""Begins the reference of a sign-in with tokens, which `accounts.oauth` knows how to use."""
_COMMAND = "command:"
_ENVIRONMENT = "env:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A locked keyring blocks until somebody answers its window, which may never be seen.
_KEYRING_SECONDS = 20.0
_PATIENCE = 1.5
# Backends that keep passwords readable on the disk, ask on the terminal, or keep nothing.
_REFUSED = ("keyrings.alt.", "keyring.backends.fail.", "keyring.backends.null.")


waiting: Callable[[], object] = bool
"""Called when the keyring takes its time, for the user may have to unlock it."""


class HasSecret(Protocol):
    """What an account must say to be given its password."""

    @property
    def email(self) -> str: ...

    @property
    def secret(self) -> str: ...


def password(account: HasSecret) -> str:
    """The password that the account's reference stands for. Never empty; raises SecretError."""
    found = _password(account)
    secrecy.remember(found)
    return found


def _password(account: HasSecret) -> str:
    secret = account.secret
    if secret == KEYRING:
        return from_keyring(account.email, account.email)
    if secret.startswith(_COMMAND):
        return password_command.password(_command(secret))
    if secret.startswith(_ENVIRONMENT):
        return _from_environment(secret.removeprefix(_ENVIRONMENT))
    if secret == typed.ASK:
        return typed.password(account.email)
    raise SecretError(f"No password is set for {account.email}.", OTHER_WAYS)


def keep(name: str, secret: str) -> str:
    """Put a secret into the system keyring, mostly by its address; returns the reference."""
    secrecy.remember(secret)
    backend = keyring_backends()[0]
    _in_time(partial(backend.set_password, _SERVICE, name, secret))
    return KEYRING


def forget(email: str, secret: str) -> None:
    """Take a password out of the system keyring, if that is where it is."""
    if secret != KEYRING:
        return
    for backend in keyring_backends():
        if _in_time(partial(backend.get_password, _SERVICE, email)) is not None:
            _in_time(partial(backend.delete_password, _SERVICE, email))


def command_reference(command: str) -> str:
    """The reference for a password command as a person types it. A shell runs it."""
    if not command.strip() or "\0" in command:
        raise SecretError("The password command is empty.", 'Example: "pass show mail/work".')
    return _COMMAND + json.dumps(command.strip(), ensure_ascii=False)


def environment_reference(name: str) -> str:
    """The reference for a password in an environment variable."""
    if not _VARIABLE.fullmatch(name):  # not repeated in the message: it may be the password itself
        raise SecretError(
            "That is not the name of an environment variable.",
            "Give the variable's name, not the password: --password-env MAIL_PASSWORD",
        )
    return _ENVIRONMENT + name


def variable_of(secret: str) -> str:
    """The environment variable that a reference names; "" for another reference."""
    return secret.removeprefix(_ENVIRONMENT) if secret.startswith(_ENVIRONMENT) else ""


def command_of(secret: str) -> str:
    """The password command of a reference; "" for another reference."""
    return _command(secret) if secret.startswith(_COMMAND) else ""


def describe(secret: str) -> str:
    """Where a reference points, in words. The command's arguments stay out: they may tell."""
    if secret == KEYRING:
        return "keyring"
    if secret.startswith(_COMMAND):
        return f"command {password_command.name(_command(secret))}".rstrip()
    if secret.startswith(_ENVIRONMENT):
        return f"environment variable {secret.removeprefix(_ENVIRONMENT)}"
    if secret == typed.ASK:
        return "typed in each run"
    if secret.startswith(OAUTH):
        return f"sign-in at {secret.removeprefix(OAUTH)}"
    return "none"


def _command(secret: str) -> str:
    return str(json.loads(secret.removeprefix(_COMMAND)))


def keyring_backends() -> list[KeyringBackend]:
    """The keyrings of this machine that keep a secret secret, best first; never an empty list.

    Raises SecretError when there is none: a plain file that calls itself a keyring does not count.
    """
    backend = _in_time(_detect)
    # A chain would fall through to a plaintext member; so its members are judged one by one.
    members = getattr(backend, "backends", None) or [backend]
    usable = [member for member in members if _keeps_secrets(member)]
    if not usable:
        raise SecretError("This machine has no usable keyring.", OTHER_WAYS)
    return usable


def _detect() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _keeps_secrets(backend: KeyringBackend) -> bool:
    kind = type(backend)
    if f"{kind.__module__}.".startswith(_REFUSED):
        return False
    try:
        return float(kind.priority) >= 1
    except RuntimeError:
        return False


def from_keyring(name: str, email: str) -> str:
    """The secret that is kept by a name, of that account. Never empty."""
    for backend in keyring_backends():
        found = _in_time(partial(backend.get_password, _SERVICE, name))
        if found:
            return found
    raise SecretError(
        f"The keyring holds no password for {email}.",
        OTHER_WAYS,
    )


def _in_time(call: Callable[[], _T]) -> _T:
    """What a keyring call returns, in a thread so that a locked keyring cannot hold crmmail up."""
    answer: Future[_T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except Exception as problem:  # backends raise what their libraries raise
            answer.set_exception(problem)

    threading.Thread(target=run, name="keyring", daemon=True).start()
    if not wait([answer], _PATIENCE).done:
        waiting()
    if not wait([answer], _KEYRING_SECONDS).done:
        raise SecretError(
            f"The keyring did not answer within {_KEYRING_SECONDS:.0f} seconds.",
            "Unlock it (a window may be waiting for its password) and try again. " + OTHER_WAYS,
        )
    if (problem := answer.exception()) is not None:
        raise SecretError(
            f"The keyring refused: {_said(problem)}.",
            "Unlock the keyring and try again. " + OTHER_WAYS,
        ) from problem
    return answer.result()


def _said(problem: BaseException) -> str:
    return one_line(secrecy.redacted(str(problem)), 200) or type(problem).__name__


def _from_environment(name: str) -> str:
    found = os.environ.get(name, "")
    if not found:
        raise SecretError(
            f"The environment variable {name} is not set.",
            f"Set it before you start crmmail: export {name}=… "
            'Other ways: --password-command "pass show mail", or the system keyring.',
        )
    return found
