"""A store, or a place for one, that cannot be used: one sentence, what to do, and the exit code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crmmail.settings import store_path
from tests.cli.conftest import Cli


def overwrite(path: Path) -> None:
    """Damage all but the first page."""
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * (path.stat().st_size - 4_096))


def test_doctor_names_the_damage_and_asks_for_no_account(cli: Cli, filled: Path) -> None:
    overwrite(store_path())
    outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert f"{store_path()} is damaged" in outcome.out
    assert "crmmail rebuild" in outcome.out
    assert "Add one" not in outcome.out
    for command in (["status"], ["people", "list"], ["sync", "--once"], ["backup", "x.db"]):
        said = cli(*command)
        assert (said.code, "crmmail rebuild" in said.err) == (1, True), command


def test_a_read_that_fails_in_the_middle_is_told_in_the_same_words(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of each table can be read, and a later one not."""
    import sqlite3

    from crmmail.store import accounts

    def fails(*_values: object) -> None:
        problem = sqlite3.DatabaseError("database disk image is malformed")
        problem.sqlite_errorname = "SQLITE_CORRUPT"
        raise problem

    monkeypatch.setattr(accounts, "all_accounts", fails)
    outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert "is damaged: a part of it cannot be read" in outcome.out
    assert "malformed" not in outcome.out


@pytest.mark.parametrize("command", [["status"], ["doctor", "--offline"], ["backup"]])
def test_a_file_in_the_place_of_the_data_folder(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    for place in ("taken", "taken/below"):
        monkeypatch.setenv("CRMMAIL_DATA_DIR", str(tmp_path / place))
        outcome = cli(*command)
        said = outcome.out + outcome.err
        assert outcome.code == 1
        assert f"{tmp_path / place} cannot be a folder: a file is in its place." in said
        assert "Move the file away" in said
        assert "Errno" not in said


def test_a_report_of_doctor_is_made_there_too(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("CRMMAIL_DATA_DIR", str(tmp_path / "taken"))
    outcome = cli("doctor", "--offline", "--report")
    assert outcome.code == 1
    assert "PROBLEM  store" in outcome.out


@pytest.mark.parametrize(
    ("place", "said", "hint"),
    [
        ("nowhere/x.db", "There is no folder", "Make it, or choose another."),
        ("file/x.db", "is not a folder", "Choose another place."),
    ],
)
def test_a_backup_to_a_place_that_is_none(
    cli: Cli, filled: Path, tmp_path: Path, place: str, said: str, hint: str
) -> None:
    (tmp_path / "file").write_text("a file")
    outcome = cli("backup", tmp_path / place)
    assert outcome.code == 1
    assert said in outcome.err
    assert f"{hint} The store is as it was." in outcome.err
    assert "Errno" not in outcome.err


def test_a_backup_to_a_full_disk(
    cli: Cli, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = cli("backup", tmp_path / "x.db")
    assert outcome.code == 1
    assert f"The disk of {tmp_path / 'x.db'} is full." in outcome.err
    assert [one.name for one in tmp_path.glob(".*part*")] == []


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (".", 2, "is a directory"),
        ("nothing", 1, "There is no file nothing."),
        ("/dev/null", 1, "/dev/null is not a file that can be read as a backup."),
        ("text", 1, "is not a crmmail store"),
        ("daily-2026-01-01.json.gz", 1, "is damaged"),
    ],
)
def test_a_restore_of_what_is_no_backup(
    cli: Cli,
    filled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("text", "daily-2026-01-01.json.gz"):
        Path(file).write_text("hello")
    before = cli("dump").out
    outcome = cli("restore", name, "--yes")
    assert outcome.code == code
    assert said in outcome.err
    assert "Errno" not in outcome.err
    assert cli("dump").out == before
