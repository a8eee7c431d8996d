"""Programs that run with a disk of their own: full, or read-only, for whoever runs the tests."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

NEEDS = "needs unshare and mounts of one's own (Linux; user namespaces where not root)"


@functools.cache
def can_mount() -> bool:
    """Whether this machine lets a test mount something that nobody else sees."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run_on(mount: str, script: str, *values: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a Python script after a shell has mounted something; `$1` is the first value."""
    shell = f'{mount} && exec "$PYTHON" -c "$SCRIPT" "$@"'
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", shell, "sh", *map(str, values)],
        env={"PYTHON": sys.executable, "SCRIPT": script, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


SMALL_DISK = 'mount -t tmpfs -o size=1500k none "$1"'
"""A disk of 1.5 MB, empty."""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"'
"""The folder as it is, and nothing in it can be written."""
