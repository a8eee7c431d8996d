"""A pipe that shows whether the programs that a command has started still live."""

from __future__ import annotations

import os
import select
from pathlib import Path

from tests.patience import PATIENCE


class Pulse:
    """What runs `shell` holds the pipe open, and so do its children, until the last has ended."""

    def __init__(self, folder: Path) -> None:
        path = folder / "pulse"
        os.mkfifo(path)
        self._pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.shell = f"exec 3>'{path}'; echo up >&3; while true; do sleep 1; done"
        """Never ends by itself; for `sh -c`."""

    def begins(self) -> None:
        """Wait until it runs."""
        assert self._read() == b"up\n"

    def ends(self) -> None:
        """Wait until neither it nor a child of its is left."""
        assert self._read() == b""
        os.close(self._pipe)

    def _read(self) -> bytes:
        readable, _, _ = select.select([self._pipe], [], [], PATIENCE)
        assert readable, "nothing was heard of it"
        return os.read(self._pipe, 3)
