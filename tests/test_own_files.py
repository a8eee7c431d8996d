"""Files of the user that are written whole or not at all, and are nobody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Any

import pytest

from crmmail import own_files, settings
from crmmail.errors import CrmmailError
from crmmail.screens import files as screen_files
from tests.mounts import NEEDS, SMALL_DISK, can_mount, run_on


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


def test_what_a_killed_process_has_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f".file.{os.getpid()}-0.part").write_text("half")
    own_files.put(tmp_path / "file", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


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
