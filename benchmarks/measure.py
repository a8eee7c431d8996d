"""Run a command in a fresh process and say what it cost.

The child is started by a small Python of its own (`python -m benchmarks.measure`): Linux counts
into a child's peak memory what its parent held at the fork.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BYTE_CODE = Path(tempfile.gettempdir(), "crmmail-bench-byte-code")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command took; a sum of several is that of one after the other."""

    wall: float = 0.0  # seconds
    cpu: float = 0.0  # seconds, user and system, with all children
    rss: int = 0  # peak bytes of the largest process
    output: str = ""

    def __add__(self, other: Cost) -> Cost:
        wall, cpu = self.wall + other.wall, self.cpu + other.cpu
        return Cost(wall, cpu, max(self.rss, other.rss), self.output + other.output)


class CommandError(Exception):
    """A measured command did not end well."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a measured program is told: what we are, and that it may keep its byte code.

    What is installed has its byte code beside it. A working copy that may not write any would
    compile the app at each start, and nothing of what it is compared with.
    """
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**own, "PYTHONPYCACHEPREFIX": str(_BYTE_CODE), **(more or {})}


def run(argv: Sequence[str], env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end, all its output kept apart from the figures."""
    reader, writer = os.pipe()
    launcher = [sys.executable, "-S", str(Path(__file__)), str(writer), *argv]
    process = subprocess.Popen(
        launcher,
        env=environment(env),
        pass_fds=[writer],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.close(writer)
    try:
        output, errors = process.communicate()
    except BaseException:  # interrupted: the command does not outlive us
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    with os.fdopen(reader) as figures:
        told = figures.read()
    if not told:
        raise CommandError(f"{argv[0]} could not be started:\n{errors}")
    wall, cpu, rss, code = json.loads(told)
    if code != 0:
        raise CommandError(f"{' '.join(argv)} ended with {code}:\n{output}\n{errors}")
    return Cost(wall, cpu, rss, output)


def size_of(*folders: Path) -> int:
    """Bytes of all files below some folders."""
    return sum(
        (Path(parent) / name).lstat().st_size
        for folder in folders
        for parent, _, names in os.walk(folder)
        for name in names
    )


def _launch(writer: int, argv: Sequence[str]) -> None:
    """In the launcher: start, wait, and write the figures into the pipe."""
    os.set_inheritable(writer, False)
    start = time.monotonic()
    child = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - start
    figures = (
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        os.waitstatus_to_exitcode(status),
    )
    os.write(writer, json.dumps(figures).encode())


if __name__ == "__main__":
    _launch(int(sys.argv[1]), sys.argv[2:])
