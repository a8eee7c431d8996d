"""Passwords: from the keyring, from a command, from the environment, and never anywhere else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked

from crmmail.accounts import credentials, password_command
from crmmail.accounts.credentials import SecretError
from tests.patience import until
from tests.pulse import Pulse

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


@pytest.mark.parametrize("printed", ["s3 cret", "s3 cret\n", "s3 cret\r\n", "s3 cret\nurl: x\n"])
def test_a_command_gives_its_first_line(tmp_path: Path, printed: str) -> None:
    secret = script(tmp_path, f"import sys; sys.stdout.write({printed!r})")
    assert credentials.password(Login(secret=secret)) == "s3 cret"


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("cat ~/password", "s3 cret"),
        ("cat $HOME/password | tr a-z A-Z", "S3 CRET"),
        ('PART=cret; echo "s3 $PART"', "s3 cret"),
        ("head -1 ~/pass*", "s3 cret"),
        ("[ -e ~/password ] && echo there", "there"),
        ("false || echo 'quoted \"both\" ways'", 'quoted "both" ways'),
        ("echo first\necho second", "first"),
        ("echo ü", "ü"),
    ],
)
def test_a_command_is_run_by_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, printed: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "password").write_text("s3 cret\n")
    reference = credentials.command_reference(command)
    assert reference == f"command:{json.dumps(command, ensure_ascii=False)}"
    assert credentials.password(Login(secret=reference)) == printed


def test_a_failing_command_shows_its_complaint_but_no_secret(tmp_path: Path) -> None:
    body = "import sys; print('hunter2'); sys.exit('gpg: hunter2: \\x1b[2Jno key.\\nmore')"
    with pytest.raises(SecretError) as caught:
        credentials.password(Login(secret=script(tmp_path, body)))
    message = str(caught.value)
    assert "(exit 1): gpg: …: [2Jno key." in message
    assert "hunter2" not in message + caught.value.hint
    assert "\x1b" not in message
    assert "more" not in message


def test_a_command_that_prints_nothing_is_no_empty_password(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="printed nothing"):
        credentials.password(Login(secret=script(tmp_path, "print()")))


def test_a_command_that_prints_no_text_is_refused(tmp_path: Path) -> None:
    body = r"import sys; sys.stdout.buffer.write(b'\xff\xfe\n')"
    with pytest.raises(SecretError, match="not UTF-8"):
        credentials.password(Login(secret=script(tmp_path, body)))


@pytest.mark.parametrize(
    ("command", "said", "hint"),
    [
        ("no-such-program x", r"command no-such-program failed \(exit 127\): .*not found", "PATH"),
        ("~/file", r"command ~/file failed \(exit 126\): .*[Pp]ermission denied", "PATH"),
        ("pass 'show", r"password command failed \(exit 2\): .*", "by hand"),
        ("exit 9", r"command exit failed \(exit 9\)\.$", "by hand"),
        ("echo half; exit 1 | false", r"command echo failed \(exit 1\)\.$", "by hand"),
        ("kill -TERM $$", r"command kill failed \(signal 15\)\.$", "by hand"),
    ],
)
def test_a_command_that_fails_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, said: str, hint: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").touch(0o644)
    with pytest.raises(SecretError, match=said) as caught:
        credentials.password(Login(secret=credentials.command_reference(command)))
    assert hint in caught.value.hint


def test_without_a_shell_no_command_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("subprocess.Popen", missing)
    with pytest.raises(SecretError, match="cannot be run: No such file") as caught:
        credentials.password(Login(secret=credentials.command_reference("pass x")))
    assert "/bin/sh" in caught.value.hint


def test_a_hanging_command_goes_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_command, "_SECONDS", 1.0)
    pulse, start = Pulse(tmp_path), subprocess.Popen

    def running(*how: Any, **more: Any) -> subprocess.Popen[bytes]:
        process = start(*how, **more)
        pulse.begins()
        return process

    monkeypatch.setattr("subprocess.Popen", running)
    body = f"import subprocess; subprocess.run(['sh', '-c', {pulse.shell!r}])"
    with pytest.raises(SecretError, match="took longer than 1 seconds"):
        credentials.password(Login(secret=script(tmp_path, body)))
    pulse.ends()


def test_what_a_command_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    agent, note = tmp_path / "agent", tmp_path / "pid"
    agent.write_text(f"#!/bin/sh\necho $$ > {note}\nexec sleep 1000\n")
    agent.chmod(0o755)
    try:
        given = credentials.password(Login(secret=f'command:"{agent} & echo hunter2"'))
        until(lambda: note.exists() and note.read_text().strip(), lambda: "no agent")
    finally:
        os.kill(int(note.read_text()), signal.SIGKILL)
    assert given == "hunter2"


def test_a_command_that_prints_without_an_end_is_ended() -> None:
    with pytest.raises(SecretError, match="command yes printed more than a password"):
        credentials.password(Login(secret='command:"yes hunter2"'))


def test_of_complaints_without_an_end_only_the_beginning_is_kept() -> None:
    command = "head -c 30000000 /dev/zero >&2; echo hunter2"
    tracemalloc.start()
    try:
        found = credentials.password(Login(secret=credentials.command_reference(command)))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == "hunter2"
    assert most < 2_000_000


def test_a_command_that_complains_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_command, "_SECONDS", 0.3)
    with pytest.raises(SecretError, match="command yes took longer than"):
        credentials.password(Login(secret=credentials.command_reference("yes >&2")))


@pytest.mark.parametrize("left", ["yes >&2", "while echo x >&2; do sleep 0.02; done"])
def test_what_a_command_leaves_running_is_not_waited_for_though_it_complains(left: str) -> None:
    command = f"({left}) & echo hunter2"
    assert credentials.password(Login(secret=credentials.command_reference(command))) == "hunter2"


@pytest.mark.parametrize("command", ["cat /dev/tty", "tty >&2; exit 1", "stty -a </dev/tty"])
def test_a_command_that_wants_a_terminal_is_told_to_have_none(command: str) -> None:
    with pytest.raises(SecretError, match="failed") as caught:
        credentials.password(Login(secret=credentials.command_reference(command)))
    assert "It has no terminal here to ask on" in caught.value.hint


def test_the_complaint_of_a_command_shows_no_password_of_an_address() -> None:
    command = "echo https://me:hunter2@vault.example/x is not there >&2; exit 1"
    with pytest.raises(SecretError) as caught:
        credentials.password(Login(secret=credentials.command_reference(command)))
    assert "https://…@vault.example/x is not there" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_ctrl_c_while_a_command_begins_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulse, start = Pulse(tmp_path), subprocess.Popen

    def interrupted(*how: Any, **more: Any) -> subprocess.Popen[bytes]:
        process = start(*how, **more)
        pulse.begins()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return process

    monkeypatch.setattr("subprocess.Popen", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            credentials.password(Login(secret=credentials.command_reference(pulse.shell)))
    finally:
        signal.signal(signal.SIGINT, before)
    pulse.ends()


@pytest.mark.parametrize("command", ["", "  ", "pass\0show"])
def test_a_command_that_cannot_be_one(command: str) -> None:
    with pytest.raises(SecretError, match="empty"):
        credentials.command_reference(command)


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
