"""Folders in the temporary directory: gone when crmmail ends, however it ends.

What a killed crmmail could not remove is removed by the next one that needs such a folder. It knows
them by their locks, which end with a process: the number of one in a container says nothing here.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"crmmail-(?:demo|files)-\w+")
_TRIES = 5  # a thread may write a file while its folder is being removed
_made: dict[str, int | None] = {}
"""The folders of this process, and the open files that hold their locks (none: no such locks)."""


def make(what: str) -> str:
    """A new folder that only its owner can read; `what` is demo or files."""
    import tempfile  # the first picture of the app does without it

    _remove_left_behind()
    if not _made:
        atexit.register(remove_all)
    for left in reversed(range(_TRIES)):
        made = tempfile.mkdtemp(prefix=f"crmmail-{what}-")
        held = _lock(made)
        if held is not None or not left:
            break
        with suppress(OSError):  # another crmmail saw it before it had its lock
            Path(made).rmdir()
    _made[made] = held
    return made


@contextmanager
def folder(what: str) -> Iterator[Path]:
    """A folder for the length of a block."""
    made = make(what)
    try:
        yield Path(made)
    finally:
        remove(made)


def remove(made: str) -> None:
    """Remove a folder with all that it holds."""
    import shutil

    for _ in range(_TRIES):
        shutil.rmtree(made, ignore_errors=True)
        if not os.path.lexists(made):
            if (held := _made.pop(made, None)) is not None:
                os.close(held)
            return


def remove_all() -> None:
    """Remove all such folders of this process; for an end that runs nothing else, too."""
    for made in tuple(_made):
        remove(made)


def _remove_left_behind() -> None:
    """Remove the folders of processes of this user that were killed."""
    import shutil
    import tempfile

    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if not _NAME.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
                continue
            if entry.stat(follow_symlinks=False).st_uid != os.getuid():
                continue
            if (held := _lock(entry.path)) is not None:
                shutil.rmtree(entry.path, ignore_errors=True)
                os.close(held)


def _lock(folder: str) -> int | None:
    """The open file that holds a folder's lock; None where that is not to be had."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(held), Path(folder).lstat()):
            return held
    except OSError:
        pass
    os.close(held)
    return None
