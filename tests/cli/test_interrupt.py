"""ctrl+c ends a command at once, with its own exit code and what it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.cli.conftest import ME
from tests.cli.test_main import CRMMAIL


def test_an_interrupted_command_is_code_130_and_leaves_nothing_behind(tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    loop = f"while true; do touch '{beat}'; sleep 0.02; done"
    process = subprocess.Popen(
        [
            *CRMMAIL,
            *("account", "add", ME, "--imap", "127.0.0.1:1", "--security", "none"),
            *("--password-command", f'sh -c "{loop}"'),
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    until = time.monotonic() + 20
    while not beat.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err
    beat.unlink()
    time.sleep(0.2)
    assert not beat.exists()
