"""ctrl+c ends a command at once, with its own exit code and what it started."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.cli.conftest import ME
from tests.cli.test_main import CRMMAIL
from tests.patience import PATIENCE
from tests.pulse import Pulse


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
