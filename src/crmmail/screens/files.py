"""Attachments as files: where they go, and how the system opens them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from crmmail import own_files, temporary
from crmmail.errors import CrmmailError
from crmmail.text import one_line

_LONGEST = 200  # bytes of a name
_MOMENT = 3.0  # seconds in which a program that cannot open a file says so
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
_PROGRAMS = frozenset(
    "action app appimage apk appx bash bat bin cmd com command cpl csh deb desktop dll dmg exe "
    "fileloc fish gadget hta inetloc jar jnlp js jse ksh lnk mjs mobileconfig msc msi msix pif pkg "
    "pl ps1 psm1 py pyw pyz rb reg rpm run scpt scr service sh terminal tool url vbe vbs webloc "
    "workflow wsf wsh xll zsh".split()
)


def file_name(name: str) -> str:
    """A name of an attachment that is a file of the folder it is put into, and no hidden one."""
    name = one_line(name).replace("\\", "/").rpartition("/")[2].rstrip(". ").lstrip(".-~ ")
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


def typed_path(typed: str, name: str) -> Path:
    """Where a file goes, by the path that somebody typed; a folder keeps the name of the file.

    Raises CrmmailError, in few words, where nothing can be saved there.
    """
    try:
        path = Path(typed.strip()).expanduser()
        if path.is_dir() or typed.endswith("/"):
            path /= file_name(name)
        if not path.parent.is_dir():
            raise CrmmailError(f"There is no folder {path.parent}")
        os.lstat(path)
    except FileNotFoundError:
        pass
    except RuntimeError:  # of expanduser
        raise CrmmailError(f"There is no user {typed.strip().partition('/')[0][1:]}") from None
    except ValueError:
        raise CrmmailError("A path cannot contain a zero byte") from None
    except OSError as problem:
        raise CrmmailError(f"{problem.strerror or 'This is not a path'}: {typed.strip()}") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CrmmailError(f"Nothing can be written to {path.parent}")
    return path


def save(path: Path, data: bytes) -> Path:
    """Write a new file; when there is one of that name, as "name (2)". Returns where it is."""
    try:
        for number in range(1, 1_000):
            numbered = (
                path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
            )
            try:
                with own_files.new_file(numbered) as file:
                    file.write(data)
            except FileExistsError:
                continue
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
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    if why := _cannot(opener):
        raise CrmmailError(why, f"It is saved: {save(folder() / name, data)}")
    path = save(Path(tempfile.mkdtemp(dir=_own_folder())) / name, data)
    if why := _failed(opener, path):
        raise CrmmailError(why, f"It is saved: {save(folder() / name, data)}")
    return path


def _cannot(opener: str) -> str:
    """Why nothing can be opened here; "" where it can."""
    if shutil.which(opener) is None:
        return f"There is no {opener} here to open files with."
    if opener == "xdg-open" and not any(map(os.environ.get, _DISPLAYS)):
        over = ", over ssh" if os.environ.get("SSH_CONNECTION") else ""
        return f"There is no display here{over}: a file cannot be opened in a window."
    return ""


def _failed(opener: str, path: Path) -> str:
    """Open a file; returns what went wrong, as far as it shows within a moment."""
    try:
        begun = subprocess.Popen(  # noqa: S603 - an argument list, and a file that we have named
            [opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        code = begun.wait(_MOMENT)
    except subprocess.TimeoutExpired:  # it is the program itself, and is used
        return ""
    except OSError as problem:
        return f"{opener} did not start: {problem.strerror or problem}."
    return f"{opener} could not open {path.name} (exit {code})." if code else ""


@lru_cache(maxsize=1)
def _own_folder() -> str:
    """A folder that only its owner can read, gone when crmmail ends."""
    return temporary.make("files")
