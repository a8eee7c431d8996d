"""A store that is lost, as somebody meets it at the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crmmail.settings import store_path
from crmmail.store import files
from crmmail.store.database import Store
from tests.cli.conftest import Cli


@pytest.fixture
def worked(cli: Cli, filled: Path) -> Path:
    """A store with something made by hand, and its daily backup; returns the store's path."""
    assert cli("opportunity", "add", "--name", "The press").code == 0
    return store_path()


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("sync",),
        ("account", "add", "me@other.example", "--imap", "imap.other.example"),
        ("block", "add", "eve@spam.example"),
        ("people", "list"),
        ("backup",),
        ("doctor", "--offline"),
    ],
)
def test_no_command_begins_anew_where_the_store_is_missing(
    cli: Cli, worked: Path, command: tuple[str, ...]
) -> None:
    files.remove(worked)
    outcome = cli(*command)
    said = outcome.out + outcome.err
    assert outcome.code == 1
    assert f"{worked} is missing, though there was a store" in said
    assert "crmmail rebuild" in said
    assert "crmmail restore FILE" in said
    assert "To start with an empty store, move these to another folder" in said
    assert not worked.exists()


def test_the_file_moved_away_as_advised_and_rebuilt_has_all_that_was_made_by_hand(
    cli: Cli, worked: Path
) -> None:
    files.remove(worked)
    worked.write_text("text\n")
    said = cli("status")
    assert (said.code, "crmmail rebuild" in said.err) == (1, True)
    worked.rename(worked.with_name("old.db"))
    assert cli("status").code == 1
    assert cli("rebuild", "--yes").code == 0
    assert "The press" in cli("opportunities", "list").out


def test_a_daily_backup_is_put_back_by_its_name(cli: Cli, worked: Path) -> None:
    files.remove(worked)
    (copy,) = cli("backup", "--list", "--json").json
    assert cli("restore", Path(copy["path"]).name, "--yes").code == 0
    assert "The press" in cli("opportunities", "list").out


def test_a_rebuild_of_a_missing_store_speaks_of_no_damaged_one(cli: Cli, worked: Path) -> None:
    files.remove(worked)
    said = cli("rebuild", "--yes").err
    assert f"{worked} is new. In it: 1 opportunity, 1 account." in said
    assert "There was no store. " in said
    assert "damaged" not in said
    assert "The store that was there" not in said


def test_a_rebuild_where_nothing_is_to_be_had_says_that_nothing_is_in_it(
    cli: Cli, tmp_path: Path
) -> None:
    path = store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text\n")
    outcome = cli("rebuild", "--yes")
    assert outcome.code == 0
    (kept,) = path.parent.glob(f"{path.name}.damaged-*")
    assert outcome.err.splitlines() == [
        f"{path} is new. In it: nothing.",
        "Read from the damaged store: nothing.",
        "Some of what was made by hand could not be read, and there was no daily backup that "
        "could be read.",
        f"The store that was there: {kept}",
        "Fetch the mail again: crmmail sync",
    ]


def test_a_restore_over_rubbish_keeps_that_and_names_no_way_back_to_it(
    cli: Cli, worked: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    assert cli("backup", copy).code == 0
    files.remove(worked)
    worked.write_text("text\n")
    said = cli("status")
    assert said.code == 1
    assert "Both keep the file that is there." in said.err
    assert "Move the file away" not in said.err
    outcome = cli("restore", copy, "--yes")
    (kept,) = worked.parent.glob(f"{worked.name}.damaged-*")
    assert outcome.code == 0
    assert f"What was there: {kept}." in outcome.err
    assert "To go back" not in outcome.err
    again = cli("restore", copy, "--yes")
    assert "To go back: crmmail restore" in again.err


def test_the_lists_of_an_empty_store_over_backups_say_that_it_is_lost(
    cli: Cli, worked: Path
) -> None:
    files.remove(worked)
    Store(worked, anew=True).close()
    for command in (("people", "list"), ("opportunities", "list"), ("status",), ("sync",)):
        outcome = cli(*command)
        assert outcome.code == 1
        assert f"{worked} is empty, though there was a store" in outcome.err
    assert cli("rebuild", "--yes").code == 0
    assert "The press" in cli("opportunities", "list").out


@pytest.mark.parametrize("loss", ["missing", "empty", "there"])
def test_a_restore_says_that_the_daily_backup_is_newer_and_how_to_bring_it_in(
    cli: Cli, worked: Path, tmp_path: Path, loss: str
) -> None:
    copy = tmp_path / "copy.db"
    assert cli("backup", copy).code == 0
    _made_before(copy, 300)
    assert cli("opportunity", "add", "--name", "The binder").code == 0
    if loss != "there":
        files.remove(worked)
    if loss == "empty":
        worked.touch()
    outcome = cli("restore", copy, "--yes")
    assert outcome.code == 0
    assert "is newer than this backup." in outcome.err
    assert "has what this one has not, or not so: 1 opportunity. To bring that in: " in outcome.err
    command = outcome.err.splitlines()[-1].partition("To bring that in: crmmail ")[2]
    assert cli("sync").code == 0
    assert "The binder" not in cli("opportunities", "list").out
    assert cli(*command.split(), "--yes").code == 0
    assert "The binder" in cli("opportunities", "list").out


def test_a_restore_that_is_newer_than_the_daily_backup_says_nothing_of_it(
    cli: Cli, worked: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    assert cli("backup", copy).code == 0
    _made_before(copy, -300)
    assert "is newer" not in cli("restore", copy, "--yes").err


def _made_before(copy: Path, seconds: int) -> None:
    """Let a backup be one that was made some time ago, by a copy of it that has that time."""
    store_path().parent.joinpath("backups", "made.json").unlink()
    at = copy.stat().st_mtime - seconds
    os.utime(copy, (at, at))
