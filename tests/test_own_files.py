"""Files of the user that are written whole or not at all, and are nobody else's."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import IO, Any

import pytest

from crmmail import own_files, settings
from crmmail.errors import CrmmailError
from crmmail.screens import files as screen_files
from tests.mounts import NEEDS, SMALL_DISK, can_mount, run_on
from tests.patience import PATIENCE


def test_a_file_is_its_owners_only_and_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    old = os.umask(0)
    try:
        own_files.put(path, b"one")
        own_files.put(path, b"two")
    finally:
        os.umask(old)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(FileExistsError), own_files.new_file(path) as file:
        file.write(b"other")
    assert path.read_text() == "mine"


def test_what_a_killed_process_has_left_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_files, "_counter", count(7))
    own_files.part_of(tmp_path / "file").write_text("half")
    monkeypatch.setattr(own_files, "_counter", count(7))
    own_files.put(tmp_path / "file", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def write_new(path: Path, data: bytes) -> None:
    with own_files.new_file(path) as file:
        file.write(data)


@pytest.mark.parametrize("write", [own_files.put, write_new])
def test_a_file_is_on_the_disk_before_its_name_and_then_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    """Else it may be there and empty after a power cut."""
    fsync, replace = os.fsync, Path.replace
    path, done = tmp_path / "file", list[tuple[str, object]]()

    def synced(handle: int) -> None:
        found = os.fstat(handle)
        kind = "folder" if os.path.samestat(found, tmp_path.stat()) else "file"
        done.append((kind, found.st_size if kind == "file" else path.exists()))
        fsync(handle)

    def replaced(part: Path, to: Path) -> Path:
        done.append(("replace", to))
        return replace(part, to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write(path, b"whole")
    renamed = [("replace", path)] if write is own_files.put else []
    assert done == [("file", 5), *renamed, ("folder", True)]


def test_two_threads_write_one_file_and_one_of_both_is_there_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, replace = tmp_path / "file", Path.replace
    written, second_is_done = threading.Event(), threading.Event()

    def replaced(part: Path, to: Path) -> Path:
        if threading.current_thread() is not threading.main_thread():
            written.set()
            assert second_is_done.wait(PATIENCE)
        return replace(part, to)

    monkeypatch.setattr(Path, "replace", replaced)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(own_files.put, path, b"first")
        assert written.wait(PATIENCE)
        own_files.put(path, b"second")
        assert path.read_bytes() == b"second"
        second_is_done.set()
        first.result(PATIENCE)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes the name of a file, and nothing that is in it."""
    fdopen = os.fdopen

    class Full:
        def __init__(self, file: IO[Any]) -> None:
            self._file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def write(self, _data: bytes) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", lambda *values: Full(fdopen(*values)))


def test_on_a_full_disk_nothing_is_left_of_what_is_remembered(full: None) -> None:
    before = set(settings.data_dir().iterdir())
    settings.remember(theme="nord")
    assert set(settings.data_dir().iterdir()) == before
    assert settings.remembered("theme") == ""


def test_nor_of_an_attachment_that_is_saved(tmp_path: Path, full: None) -> None:
    with pytest.raises(CrmmailError, match="could not be saved: No space left"):
        screen_files.save(tmp_path / "offer.pdf", b"%PDF")
    assert list(tmp_path.iterdir()) == []


_REMEMBER = """
import os, pathlib, sys
os.environ["CRMMAIL_DATA_DIR"] = sys.argv[1]
from crmmail import settings
settings.remember(theme="nord")
with open(pathlib.Path(sys.argv[1]) / "filler", "wb", 0) as filler:
    try:
        while True:
            filler.write(b"x" * 4096)
    except OSError:
        pass
settings.remember(theme="x" * 100_000)
print(sorted(os.listdir(sys.argv[1])), settings.remembered("theme"))
"""


@pytest.mark.skipif(not can_mount(), reason=NEEDS)
def test_on_a_disk_that_is_really_full_what_was_remembered_stays(tmp_path: Path) -> None:
    ended = run_on(SMALL_DISK, _REMEMBER, tmp_path)
    assert ended.stdout.strip() == "['filler', 'state.json'] nord"
