"""A password that a command prints: run by the shell, with an end to its time."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import threading
import time
from concurrent.futures import Future, wait
from contextlib import nullcontext, suppress

from crmmail.accounts.secret_error import SecretError
from crmmail.secrecy import masked_words
from crmmail.text import one_line

_SECONDS = 30.0
_BEGINNING = 5.0
_MOMENT = 0.1
_MOST = 64_000  # bytes of an answer that can be meant
_PIPE = 65_536  # bytes that a command which has ended may have left to read
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # what a shell ends with
_TERMINAL = re.compile(r"\btty\b|terminal|ioctl|No such device or address", re.IGNORECASE)
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
            _advice(code, err),
        )
    if not found:
        raise SecretError(
            f"{_the(command)} printed nothing.",
            "It must print the password on its first line.",
        )
    return found


def _advice(code: int, err: str) -> str:
    if code in (_NOT_EXECUTABLE, _NOT_FOUND):
        return "Check that it is installed and on the PATH."
    if _TERMINAL.search(err):
        return (
            "It has no terminal here to ask on: unlock what it reads first, or let it ask in a "
            "window. Other ways: --password-env NAME, or the keyring."
        )
    return "Run it by hand to see why. Other ways: --password-env NAME, or the keyring."


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
        out, err = _heard(process, time.monotonic() + _SECONDS)
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
    if len(out) > _MOST:
        raise SecretError(
            f"{_the(command)} printed more than a password.",
            "It must print the password on its first line, and end.",
        )
    return process.returncode or 0, _text(command, out), err.decode("utf-8", "replace")


def _heard(process: subprocess.Popen[bytes], end: float) -> tuple[bytes, bytes]:
    """What a command prints and complains of, until it ends, or prints more than can be meant.

    Of what it complains of the beginning is kept. What it leaves running, as an agent that keeps
    its output open, is not waited for.
    """
    heard = {process.stdout: bytearray(), process.stderr: bytearray()}
    with process.stdout or nullcontext(), process.stderr or nullcontext():
        left = [stream for stream in heard if stream is not None]
        while left:
            ended = process.poll() is not None
            ready, _, _ = select.select(left, [], [], _MOMENT)
            for stream in ready:
                part = os.read(stream.fileno(), _PIPE)
                heard[stream] += part[: _MOST + 1 - len(heard[stream])]
                if not part:
                    left.remove(stream)
            if len(heard[process.stdout]) > _MOST:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                break
            if ended:
                break
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(process.args, _SECONDS)
        process.wait(max(end - time.monotonic(), _MOMENT))
    return bytes(heard[process.stdout]), bytes(heard[process.stderr])


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
    line = one_line(masked_words(err.strip().split("\n", 1)[0]), 200)
    for secret in out.split():
        line = line.replace(secret, "…")
    return f": {line.rstrip('.')}" if line else ""
