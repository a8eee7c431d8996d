"""Folders in the temporary directory leave with the process that made them (A9)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crmmail import temporary
from tests.patience import PATIENCE

_MAKES = "from crmmail import temporary; print(temporary.make('files'), flush=True); input()"
_ELSEWHERE = ("unshare", "-rpf")  # process 1 of its own, which is another one here


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary directory of this process and of all others of a test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def other(*wrapper: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that has a folder, and that folder."""
    command = [*wrapper, sys.executable, "-c", _MAKES]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        try:
            made = Path(process.stdout.readline().strip())
            assert made.is_dir()
            yield process, made
        finally:
            process.kill()


def can_be_elsewhere() -> bool:
    """Whether a test may have processes that are numbered on their own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_ELSEWHERE, "true"], capture_output=True, check=False).returncode == 0


def test_the_folder_of_a_process_that_runs_stays() -> None:
    with other() as (_, made), temporary.folder("files"):
        assert made.is_dir()


@pytest.mark.skipif(not can_be_elsewhere(), reason="needs unshare and user namespaces (Linux)")
def test_the_folder_of_a_process_in_a_container_stays(shared: Path) -> None:
    with other(*_ELSEWHERE) as (_, made):
        gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
        as_if_gone = shared / f"crmmail-files-{int(gone.stdout)}_abc"
        made.rename(as_if_gone)  # whatever number its name has
        with temporary.folder("demo"):
            assert as_if_gone.is_dir()


def test_what_a_killed_process_left_is_removed_by_the_next(shared: Path) -> None:
    with other() as (process, made):
        (made / "report.pdf").write_bytes(b"%PDF")
        process.kill()
        process.wait(PATIENCE)
        assert made.is_dir()
        with temporary.folder("files") as own:
            assert list(shared.iterdir()) == [own]
    assert not own.exists()


def test_only_folders_of_crmmail_are_removed(shared: Path) -> None:
    for name in ("crmmail-other", "crmmail-demo-abc.txt", "crmmail-demo-x_1", "elsewhere"):
        (shared / name).mkdir()
    (shared / "crmmail-files-link").symlink_to(shared / "elsewhere")
    (shared / "crmmail-files-file").touch()
    with temporary.folder("files") as own:
        assert own.stat().st_mode & 0o777 == 0o700
        assert {one.name for one in shared.iterdir()} == {
            *("crmmail-other", "crmmail-demo-abc.txt", "elsewhere", "crmmail-files-link"),
            *("crmmail-files-file", own.name),
        }
