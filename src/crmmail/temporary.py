"""Folders in the temporary directory: gone when crmmail ends, however it ends.

What a killed crmmail could not remove is removed by the next one that needs such a folder.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"crmmail-(?:demo|files)-(\d+)-\w+")
_TRIES = 5  # a thread may write a file while its folder is being removed
_made: set[str] = set()


def make(what: str) -> str:
    """A new folder that only its owner can read; `what` is demo or files."""
    import tempfile  # the first picture of the app does without it

    _remove_left_behind()
    if not _made:
        atexit.register(remove_all)
    made = tempfile.mkdtemp(prefix=f"crmmail-{what}-{os.getpid()}-")
    _made.add(made)
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
            _made.discard(made)
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
            found = _NAME.fullmatch(entry.name)
            if found is None or not entry.is_dir(follow_symlinks=False):
                continue
            if entry.stat(follow_symlinks=False).st_uid == os.getuid() and not _runs(int(found[1])):
                shutil.rmtree(entry.path, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is somebody else's
        return True
    return True
