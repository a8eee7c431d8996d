"""Attachments as files: where they go, and how the system opens them."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from crmmail.errors import CrmmailError
from crmmail.text import one_line

_LONGEST = 200  # bytes of a name
_PROGRAMS = frozenset(
    "app appimage apk bat bin cmd com command cpl deb desktop dll dmg exe hta jar js jse lnk msi "
    "pif pkg ps1 reg rpm run scr sh url vbe vbs wsf".split()
)


def file_name(name: str) -> str:
    """A name of an attachment that is a file of the folder it is put into, and no hidden one."""
    name = one_line(name).replace("\\", "/").rpartition("/")[2].strip().lstrip(".-~ ")
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 20:
        stem, dot, ending = name, "", ""
    room = _LONGEST - len(ending.encode()) - len(dot)
    stem = stem.encode()[:room].decode("utf-8", "ignore").strip()
    return f"{stem}{dot}{ending}" if stem else "attachment" + dot + ending


def folder() -> Path:
    """Where attachments are saved unless told otherwise: the downloads, else where we are."""
    import platformdirs

    found = Path(platformdirs.user_downloads_dir())
    return found if found.is_dir() else Path.cwd()


def save(path: Path, data: bytes) -> Path:
    """Write a new file; when there is one of that name, as "name (2)". Returns where it is."""
    try:
        for number in range(1, 1_000):
            numbered = (
                path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
            )
            try:
                handle = os.open(numbered, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            return numbered
    except OSError as problem:
        words = f"{path} could not be saved: {problem.strerror or problem}."
        raise CrmmailError(words, "Choose another folder with S.") from problem
    raise CrmmailError(f"{path} and 999 more of that name exist.", "Choose another with S.")


def open_file(name: str, data: bytes) -> Path:
    """Open an attachment with the program that the system has for it; programs are refused."""
    name = file_name(name)
    if name.rpartition(".")[2].lower() in _PROGRAMS:
        raise CrmmailError(f"{name} is a program: crmmail opens none.", "s saves it.")
    opener = _opener()
    path = save(Path(tempfile.mkdtemp(dir=_own_folder())) / name, data)
    try:
        subprocess.Popen(  # noqa: S603 - an argument list, and a file that we have named
            [*opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as problem:
        words = f"{opener[0]} did not start: {problem.strerror or problem}."
        raise CrmmailError(words, "s saves the file.") from problem
    return path


def _opener() -> list[str]:
    command = "open" if sys.platform == "darwin" else "xdg-open"
    found = shutil.which(command)
    if found is None:
        raise CrmmailError(f"There is no {command} here to open files with.", "s saves it.")
    return [found]


@lru_cache(maxsize=1)
def _own_folder() -> str:
    """A folder that only its owner can read, gone when crmmail ends."""
    made = tempfile.mkdtemp(prefix="crmmail-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
