"""A real desktop's keyring: gnome-keyring in a session of its own; and a machine without any."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.patience import PATIENCE

START = 'printf "%s\\n" "$UNLOCK" | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n'
THERE = """
import time
from jeepney import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection
bus = Proxy(message_bus, open_dbus_connection("SESSION"))
while not bus.NameHasOwner("org.freedesktop.secrets")[0]: time.sleep(0.05)
"""
"""Waits for the daemon, which goes on to start when its command has ended."""
KEEP = """
from crmmail.accounts import credentials
class Ann:
    email, secret = "ann@example.org", "keyring:"
"""


def need_keyring() -> None:
    """Skip the test without gnome-keyring, or fail it where CRMMAIL_NEED_KEYRING=1 says so."""
    if shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session"):
        return
    if os.environ.get("CRMMAIL_NEED_KEYRING") == "1":
        pytest.fail("gnome-keyring is not installed (Debian packages gnome-keyring, dbus)")
    pytest.skip("needs gnome-keyring and dbus (Debian packages of these names)")


class Desktop:
    """A user's home, with sessions that begin and end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("home", "run"):
            (folder / name).mkdir(mode=0o700)

    def env(self, unlock: str) -> dict[str, str]:
        drop = ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
        kept = {name: value for name, value in os.environ.items() if name not in drop}
        home, run = self.folder / "home", self.folder / "run"
        return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(run), "UNLOCK": unlock}

    def session(self, *programs: str, unlock: str = "login") -> subprocess.CompletedProcess[str]:
        """Run Python programs, one process each, in a session that ends with them."""
        all_of_them = (THERE, *programs)
        lines = [f'"{sys.executable}" -c "$PROGRAM{n}"\n' for n in range(len(all_of_them))]
        env = self.env(unlock) | {f"PROGRAM{n}": text for n, text in enumerate(all_of_them)}
        command = ["dbus-run-session", "--", "bash", "-c", START + "".join(lines)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    with TemporaryDirectory(prefix="crmmail-") as short:  # a socket's path has 107 bytes at most
        yield Desktop(Path(short))


def test_a_secret_service_keeps_the_password_over_processes_and_sessions(desktop: Desktop) -> None:
    need_keyring()
    first = desktop.session(
        KEEP + 'credentials.keep("ann@example.org", "s3cret ü")\n'
        'print(type(credentials.keyring_backends()[0]).__module__)',
        KEEP + 'print(credentials.password(Ann) == "s3cret ü")',
    )  # fmt: skip
    assert first.stdout.split() == ["keyring.backends.SecretService", "True"], first.stderr
    second = desktop.session(
        KEEP + 'print(credentials.password(Ann) == "s3cret ü")',
        KEEP + 'credentials.forget("ann@example.org", "keyring:")',
        KEEP + "try: credentials.password(Ann)\n"
        "except credentials.SecretError as problem: print(problem)",
    )
    assert second.stdout.startswith("True\nThe keyring holds no password for ann@example.org")
    for file in desktop.folder.rglob("*"):
        if file.is_file():
            assert "s3cret ü".encode() not in file.read_bytes()


def test_a_locked_secret_service_is_told_in_words(desktop: Desktop) -> None:
    need_keyring()
    kept = desktop.session(KEEP + 'credentials.keep("ann@example.org", "s3cret")')
    assert kept.returncode == 0, kept.stderr
    locked = desktop.session(
        KEEP + "try: credentials.password(Ann)\n"
        "except credentials.SecretError as problem: print(problem, problem.hint)",
        unlock="wrong",
    )
    assert "keyring refused" in locked.stdout, locked.stderr
    assert "Unlock the keyring" in locked.stdout
    assert "--password-command" in locked.stdout


def test_a_machine_without_a_keyring_is_offered_the_other_two_ways(desktop: Desktop) -> None:
    words = ("account", "add", "ann@example.org", "--imap", "127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-m", "crmmail", *words],
        env=desktop.env(""),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "This machine has no usable keyring." in done.stderr
    assert "--password-command" in done.stderr
    assert "--password-env" in done.stderr
    assert not list((desktop.folder / "home").rglob("*keyring*"))
