"""Debian packages unpacked beside the system, for servers that conflict with one that is installed.

`unpacked("cyrus-imapd")` downloads a package with the libraries that are missing here, once, into
a folder of the temporary directory, and returns it. Nothing is installed; no root is needed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_CACHE = Path(tempfile.gettempdir()) / f"crmmail-servers-{os.getuid()}"
# What the packages want to have around them, and a server in a test does not.
_NEEDLESS = ("exim4", "guile", "gnutls-bin", "db-util", "db5.3-util", "libgnutls")


class Unavailable(Exception):
    """A server cannot be had on this machine; the words say why."""


def unpacked(package: str, *more: str) -> Path:
    """The folder with a package's files, laid out as below /. Raises Unavailable."""
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise Unavailable(f"{package} comes from Debian packages, and {program} is not here")
    _CACHE.mkdir(mode=0o755, exist_ok=True)
    if _CACHE.lstat().st_uid != os.getuid():
        raise Unavailable(f"{_CACHE} belongs to another user")
    folder = _CACHE / package
    with (_CACHE / "lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # test processes run side by side
        if not folder.exists():
            _fetch([package, *more], folder)
    return folder


def libraries(folder: Path) -> str:
    """An LD_LIBRARY_PATH of all folders with libraries in there."""
    return ":".join(sorted({str(path.parent) for path in folder.rglob("lib*.so*")}))


def version(package: str) -> str:
    """The version of a package that Debian offers here, or ""."""
    shown = _run("apt-cache", "show", "--no-all-versions", package)
    lines = [line.partition(": ")[2] for line in shown.splitlines() if line.startswith("Version: ")]
    return lines[0] if lines else ""


def _fetch(packages: list[str], folder: Path) -> None:
    if not version(packages[0]) and os.getuid() == 0:
        _run("apt-get", "update", "-qq")
    plan = _run("apt-get", "-s", "-qq", "-y", "--no-install-recommends", "install", *packages)
    wanted = {
        words[1]
        for words in map(str.split, plan.splitlines())
        # An upgrade names the version that is installed: "Inst name [1.0] (1.1 …)".
        if words[:1] == ["Inst"] and words[2][:1] == "(" and not words[1].startswith(_NEEDLESS)
    }
    with tempfile.TemporaryDirectory(dir=_CACHE) as place:
        root = Path(place) / "root"
        root.mkdir(mode=0o755)
        _run("apt-get", "-qq", "download", *sorted(wanted), folder=Path(place))
        for archive in sorted(Path(place).glob("*.deb")):
            _run("dpkg", "-x", str(archive), str(root))
        root.chmod(0o755)
        root.rename(folder)


def _run(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode and command[0] != "apt-cache":
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Unavailable(f"{' '.join(command[:2])} failed: {said[-1] if said else 'no output'}")
    return done.stdout
