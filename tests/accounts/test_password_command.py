"""The password of a command: what it prints, how it fails, and what it leaves running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from crmmail.accounts import credentials, password_command
from crmmail.accounts.credentials import SecretError
from tests.accounts.test_credentials import Login, script
from tests.patience import until
from tests.pulse import Pulse


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
