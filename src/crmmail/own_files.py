"""Files that only their owner may read, and that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that is not there yet; where that fails, as on a full disk, it is deleted.

    Raises FileExistsError for one that is there, or OSError.
    """
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def put(path: Path, data: bytes) -> None:
    """Write a file, over one that may be there: that stays as it is where this fails."""
    part = path.with_name(f".{path.name}.{os.getpid()}-0.part")
    part.unlink(missing_ok=True)  # of a process that was killed
    with new_file(part) as file:
        file.write(data)
    try:
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
