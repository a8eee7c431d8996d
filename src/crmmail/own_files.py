"""Files that only their owner may read, and that are whole or not there, also after a power cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import BinaryIO

_counter = count(1)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that is not there yet; where that fails, as on a full disk, it is deleted.

    Behind the block it is on the disk. Raises FileExistsError for one that is there, or OSError.
    """
    with _written(path) as file:
        yield file
    _sync_names(path)


def put(path: Path, data: bytes) -> None:
    """Write a file, over one that may be there: that stays as it is where this fails."""
    with replaced(path) as part:
        part.unlink(missing_ok=True)  # of a process that was killed and had the same number
        with create(part) as file:
            file.write(data)


def create(path: Path) -> BinaryIO:
    """Open a file that is not there yet. Raises FileExistsError for one that is, or OSError."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its place when the block ends well; else it is deleted."""
    part = part_of(path)
    try:
        yield part
        sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_names(path)


def part_of(path: Path) -> Path:
    """Where a file is written before it is whole, by one of several processes and threads.

    Its name says which: the number of the process, and in which container that number holds.
    """
    process = f"{os.getpid()}@{namespace()}"
    return path.with_name(f".{path.name}.{process}-{next(_counter)}.part")


@cache
def namespace() -> int:
    """What tells numbers of processes here from those in a container; 0 where nothing does."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux
        return 0


def sync(path: Path) -> None:
    """See to it that a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    created = create(path)
    try:
        with created as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_names(path: Path) -> None:
    with suppress(OSError):  # the file is there; not every disk takes this for a folder
        sync(path.parent)
