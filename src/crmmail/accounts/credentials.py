"""Where passwords come from: the system keyring, a password command, an environment variable.

The store keeps a reference only: "keyring:", 'command:["pass","show","x"]' or "env:NAME".
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from crmmail.errors import CrmmailError
from crmmail.text import one_line

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_T = TypeVar("_T")

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
_COMMAND_SECONDS = 30.0
_BEGINNING = 5.0
# Backends that keep passwords readable on the disk, ask on the terminal, or keep nothing.
_REFUSED = ("keyrings.alt.", "keyring.backends.fail.", "keyring.backends.null.")
_OTHER_WAYS = (
    'Other ways: --password-command "pass show mail" or --password-env NAME '
    "(crmmail account add --help)."
)


waiting: Callable[[], object] = bool
"""Called when the keyring takes its time, for the user may have to unlock it."""


class SecretError(CrmmailError):
    """A password could not be had, or could not be kept."""


class HasSecret(Protocol):
    """What an account must say to be given its password."""

    @property
    def email(self) -> str: ...

    @property
    def secret(self) -> str: ...


def password(account: HasSecret) -> str:
    """The password that the account's reference stands for. Never empty; raises SecretError."""
    secret = account.secret
    if secret == KEYRING:
        return from_keyring(account.email, account.email)
    if secret.startswith(_COMMAND):
        return _from_command(json.loads(secret.removeprefix(_COMMAND)))
    if secret.startswith(_ENVIRONMENT):
        return _from_environment(secret.removeprefix(_ENVIRONMENT))
    raise SecretError(
        f"No password is set for {account.email}.",
        f"Set one: crmmail account reconnect {account.email}",
    )


def keep(name: str, secret: str) -> str:
    """Put a secret into the system keyring, mostly by its address; returns the reference."""
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
    """The reference for a password command as a person types it. It is run without a shell."""
    try:
        argv = shlex.split(command)
    except ValueError as problem:
        raise SecretError(
            f"The password command cannot be read: {problem}.",
            "Check its quotes: they are read as a shell reads them.",
        ) from problem
    if not argv:
        raise SecretError("The password command is empty.", 'Example: "pass show mail/work".')
    return _COMMAND + json.dumps(argv, ensure_ascii=False)


def environment_reference(name: str) -> str:
    """The reference for a password in an environment variable."""
    if not _VARIABLE.fullmatch(name):  # not repeated in the message: it may be the password itself
        raise SecretError(
            "That is no name of an environment variable.",
            "Give the variable's name, not the password: --password-env MAIL_PASSWORD",
        )
    return _ENVIRONMENT + name


def describe(secret: str) -> str:
    """Where a reference points, in words. The command's arguments stay out: they may tell."""
    if secret == KEYRING:
        return "keyring"
    if secret.startswith(_COMMAND):
        return f"command {json.loads(secret.removeprefix(_COMMAND))[0]}"
    if secret.startswith(_ENVIRONMENT):
        return f"environment variable {secret.removeprefix(_ENVIRONMENT)}"
    if secret.startswith(OAUTH):
        return f"sign-in at {secret.removeprefix(OAUTH)}"
    return "none"


def keyring_backends() -> list[KeyringBackend]:
    """The keyrings of this machine that keep a secret secret, best first; never an empty list.

    Raises SecretError when there is none: a plain file that calls itself a keyring does not count.
    """
    backend = _in_time(_detect)
    # A chain would fall through to a plaintext member; so its members are judged one by one.
    members = getattr(backend, "backends", None) or [backend]
    usable = [member for member in members if _keeps_secrets(member)]
    if not usable:
        raise SecretError("This machine has no usable keyring.", _OTHER_WAYS)
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
        f"Enter it again: crmmail account reconnect {email}. {_OTHER_WAYS}",
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
            "Unlock it (a window may be waiting for its password) and try again. " + _OTHER_WAYS,
        )
    if (problem := answer.exception()) is not None:
        raise SecretError(
            f"The keyring refused: {one_line(str(problem), 200) or type(problem).__name__}.",
            "Unlock the keyring and try again. " + _OTHER_WAYS,
        ) from problem
    return answer.result()


def _from_command(argv: Sequence[str]) -> str:
    code, out, err = _run(argv)
    # A password is one line: `pass` files keep notes below it.
    found = out.split("\n", 1)[0].removesuffix("\r")
    if code:
        raise SecretError(
            f"The password command {argv[0]} failed (exit {code}){_said(err, out)}.",
            "Run it by hand to see why. Other ways: --password-env NAME, or the system keyring.",
        )
    if not found:
        raise SecretError(
            f"The password command {argv[0]} printed nothing.",
            "It must print the password on its first line.",
        )
    return found


def _run(argv: Sequence[str]) -> tuple[int, str, str]:
    """Run a password command in a process group of its own, so that a hung one goes whole.

    It is begun in a thread: ctrl+c, which comes to the main one only, could fall between the start
    of a program and the knowledge of which one it is.
    """
    begun: Future[subprocess.Popen[bytes]] = Future()
    starter = threading.Thread(target=_begin, args=(argv, begun), name="password-command")
    try:
        starter.start()
        process = begun.result()
        out, err = process.communicate(timeout=_COMMAND_SECONDS)
    except BaseException as problem:
        _end(begun)
        if isinstance(problem, OSError):
            raise SecretError(
                f"The password command {argv[0]} cannot be run: {problem.strerror}.",
                "Check that it is installed and on the PATH.",
            ) from problem
        if isinstance(problem, subprocess.TimeoutExpired):
            raise SecretError(
                f"The password command {argv[0]} took longer than {_COMMAND_SECONDS:.0f} seconds.",
                "It may be waiting for an answer that nobody sees: run it once by hand.",
            ) from None
        raise
    return process.returncode, _text(argv, out), err.decode("utf-8", "replace")


def _begin(argv: Sequence[str], begun: Future[subprocess.Popen[bytes]]) -> None:
    try:
        begun.set_result(
            subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )
    except BaseException as problem:
        begun.set_exception(problem)


def _end(begun: Future[subprocess.Popen[bytes]]) -> None:
    """Kill a command with all that it has started, as soon as it has begun, if it ever does."""
    if not wait([begun], _BEGINNING).done or begun.exception() is not None:
        return
    with begun.result() as process:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()


def _text(argv: Sequence[str], out: bytes) -> str:
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(
            f"The password command {argv[0]} printed something that is no UTF-8 text.",
            "It must print the password on its first line.",
        ) from None


def _said(err: str, out: str) -> str:
    """The first line that a failed command complained with, without anything that it printed."""
    line = one_line(err.strip().split("\n", 1)[0], 200)
    for secret in out.split():
        line = line.replace(secret, "…")
    return f": {line.rstrip('.')}" if line else ""


def _from_environment(name: str) -> str:
    found = os.environ.get(name, "")
    if not found:
        raise SecretError(
            f"The environment variable {name} is not set.",
            f"Set it before you start crmmail: export {name}=… "
            'Other ways: --password-command "pass show mail", or the system keyring.',
        )
    return found
