"""The store, or the folder of its backups, may not be read: what is said is about that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmmail.settings import store_path
from crmmail.store import files
from crmmail.store.database import Store
from tests.cli.conftest import Cli
from tests.plain_user import crmmail

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="drops capabilities of Linux")


@pytest.fixture
def worked(cli: Cli, filled: Path) -> Iterator[Path]:
    """A store with something made by hand, and its daily backup; returns the store's path."""
    assert cli("opportunity", "add", "--name", "The press").code == 0
    path = store_path()
    folder = path.parent / files.DAILY
    yield path
    folder.chmod(0o700)


class TestBackupOfStore:
    """`backup FILE` speaks of the store where that is what cannot be read."""

    def test_one_that_may_not_be_read(self, worked: Path, tmp_path: Path) -> None:
        worked.chmod(0)
        ended = crmmail("backup", tmp_path / "copy.db")
        assert ended.returncode == 1
        assert f"crmmail: You may not read and write {worked}." in ended.stderr
        assert "copy.db" not in ended.stderr
        assert not (tmp_path / "copy.db").exists()

    def test_a_directory(self, worked: Path, tmp_path: Path) -> None:
        files.remove(worked)
        worked.mkdir()
        ended = crmmail("backup", tmp_path / "copy.db")
        assert ended.returncode == 1
        assert f"crmmail: {worked} is a directory." in ended.stderr
        assert "copy.db" not in ended.stderr

    @pytest.mark.parametrize("has_tables", [False, True])
    def test_an_empty_one(self, worked: Path, tmp_path: Path, has_tables: bool) -> None:
        files.remove(worked)
        if has_tables:
            Store(worked, anew=True).close()
        else:
            worked.touch()
        ended = crmmail("backup", tmp_path / "copy.db")
        assert ended.returncode == 1
        assert f"crmmail: {worked} is empty, though there was a store" in ended.stderr
        assert "damaged" not in ended.stderr

    def test_an_empty_one_that_never_had_anything(self, cli: Cli, tmp_path: Path) -> None:
        store_path().touch(mode=0o600)
        outcome = cli("backup", tmp_path / "copy.db")
        assert (outcome.code, "There is nothing in " in outcome.err) == (1, True)

    def test_one_that_can_be_read_is_copied(self, worked: Path, tmp_path: Path) -> None:
        assert crmmail("backup", tmp_path / "copy.db").returncode == 0


class TestFolder:
    """The folder of the backups."""

    def said(self, worked: Path) -> str:
        return f"The backups folder {worked.parent / files.DAILY} cannot be read."

    @pytest.mark.parametrize(
        ("command", "code"),
        [("backup --list", 1), ("sync", 0), ("doctor --offline", 1), ("rebuild --yes", 1)],
    )
    def test_one_that_cannot_be_read_is_told(self, worked: Path, command: str, code: int) -> None:
        if command.startswith("rebuild"):
            files.remove(worked)
        (worked.parent / files.DAILY).chmod(0)
        ended = crmmail(*command.split())
        assert ended.returncode == code
        assert self.said(worked) in ended.stdout + ended.stderr
        assert f"chmod 700 {worked.parent / files.DAILY}" in ended.stdout + ended.stderr
        assert "There are none yet" not in ended.stderr

    def test_one_that_cannot_be_written_is_told(self, worked: Path) -> None:
        (worked.parent / files.DAILY).chmod(0o500)
        ended = crmmail("doctor", "--offline")
        said = f"The backups folder {worked.parent / files.DAILY} cannot be written."
        assert (ended.returncode, said in ended.stdout) == (1, True)

    @pytest.mark.parametrize("command", ["people list", "status", "sync"])
    def test_no_new_store_is_made_beside_one_that_cannot_be_read(
        self, worked: Path, command: str
    ) -> None:
        files.remove(worked)
        (worked.parent / files.DAILY).chmod(0)
        ended = crmmail(*command.split())
        assert ended.returncode == 1
        assert self.said(worked) in ended.stderr
        assert not worked.exists()

    def test_doctor_says_how_many_backups_there_are(self, cli: Cli, worked: Path) -> None:
        assert "backups: 1, the newest of 20" in cli("doctor", "--offline").out
