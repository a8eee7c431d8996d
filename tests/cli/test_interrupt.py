"""ctrl+c ends a command at once, with its own exit code and what it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ME, Cli
from tests.cli.test_main import CRMMAIL
from tests.patience import PATIENCE
from tests.pulse import Pulse
from tests.terminal import Terminal


def test_an_interrupted_command_is_code_130_and_leaves_nothing_behind(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path)
    process = subprocess.Popen(
        [
            *CRMMAIL,
            *("account", "add", ME, "--imap", "127.0.0.1:1", "--security", "none"),
            *("--password-command", f'sh -c "{pulse.shell}"'),
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    pulse.begins()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err
    pulse.ends()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_during_a_sync_leaves_the_cursor_on(number: int, cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        added = cli(
            *("account", "add", ME, "--imap", place, "--security", "none", "--no-test"),
            *("--password-command", "echo secret", "--caldav", "none"),
        )
        assert added.code == 0
        with Terminal(*CRMMAIL, "sync") as terminal:
            terminal.shows(b"\x1b[?25l")
            os.kill(terminal.pid, number)
            assert terminal.ends() == 128 + number
            assert terminal.left_on == set()
