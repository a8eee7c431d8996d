"""A password that a command prints: run by the shell, with an end to its time."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
from concurrent.futures import Future, wait

from crmmail.accounts.secret_error import SecretError
from crmmail.text import one_line

_SECONDS = 30.0
_BEGINNING = 5.0
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # what a shell ends with
_SETTING = re.compile(r"\w+=")
_PLAIN = re.compile(r"[\w./~+-]+")


def password(command: str) -> str:
    """The first line that a command of the shell prints. Never empty; raises SecretError."""
    code, out, err = _run(command)
    # A password is one line: `pass` files keep notes below it.
    found = out.split("\n", 1)[0].removesuffix("\r")
    if code:
        raise SecretError(
            f"{_the(command)} failed ({_ended(code)}){_said(err, out)}.",
            "Check that it is installed and on the PATH."
            if code in (_NOT_EXECUTABLE, _NOT_FOUND)
            else "Run it by hand to see why. Other ways: --password-env NAME, or the keyring.",
        )
    if not found:
        raise SecretError(
            f"{_the(command)} printed nothing.",
            "It must print the password on its first line.",
        )
    return found


def name(command: str) -> str:
    """The program that a command begins with; "" where that is not plain. The rest may tell."""
    try:
        words = [word for word in shlex.split(command) if not _SETTING.match(word)]
    except ValueError:
        return ""
    return words[0] if words and _PLAIN.fullmatch(words[0]) else ""


def _the(command: str) -> str:
    return f"The password command {name(command)}".rstrip()


def _ended(code: int) -> str:
    return f"exit {code}" if code > 0 else f"signal {-code}"


def _run(command: str) -> tuple[int, str, str]:
    """Run a password command in a process group of its own, so that a hung one goes whole.

    It is begun in a thread: ctrl+c, which comes to the main one only, could fall between the start
    of a program and the knowledge of which one it is.
    """
    begun: Future[subprocess.Popen[bytes]] = Future()
    starter = threading.Thread(target=_begin, args=(command, begun), name="password-command")
    try:
        starter.start()
        process = begun.result()
        out, err = process.communicate(timeout=_SECONDS)
    except BaseException as problem:
        _end(begun)
        if isinstance(problem, OSError):
            raise SecretError(
                f"{_the(command)} cannot be run: {problem.strerror}.",
                "A password command needs /bin/sh.",
            ) from problem
        if isinstance(problem, subprocess.TimeoutExpired):
            raise SecretError(
                f"{_the(command)} took longer than {_SECONDS:.0f} seconds.",
                "It may be waiting for an answer that nobody sees: run it once by hand.",
            ) from None
        raise
    return process.returncode, _text(command, out), err.decode("utf-8", "replace")


def _begin(command: str, begun: Future[subprocess.Popen[bytes]]) -> None:
    try:
        begun.set_result(
            subprocess.Popen(  # noqa: S603 - the user's own command
                ["/bin/sh", "-c", command],
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


def _text(command: str, out: bytes) -> str:
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(
            f"{_the(command)} printed something that is not UTF-8 text.",
            "It must print the password on its first line.",
        ) from None


def _said(err: str, out: str) -> str:
    """The first line that a failed command complained with, without anything that it printed."""
    line = one_line(err.strip().split("\n", 1)[0], 200)
    for secret in out.split():
        line = line.replace(secret, "…")
    return f": {line.rstrip('.')}" if line else ""
