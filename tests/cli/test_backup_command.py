"""backup and restore, as a person types them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from crmmail.settings import store_path
from crmmail.sync.loop import exclusive
from tests.cli.conftest import Cli


def test_a_backup_goes_back(cli: Cli, filled: Path, tmp_path: Path) -> None:
    before = cli("dump").out
    copy = tmp_path / "copy.db"
    made = cli("backup", copy)
    assert (made.code, made.out) == (0, f"{copy}\n")
    assert "crmmail restore" in made.err
    cli("opportunity", "add", "--name", "Later")
    assert cli("dump").out != before
    outcome = cli("restore", copy, "--yes")
    assert outcome.code == 0
    assert cli("dump").out == before
    (kept,) = filled.glob("crmmail.db.kept-*")
    assert f"crmmail restore {kept}" in outcome.err
    assert cli("restore", kept, "--yes").code == 0
    assert "Later" in cli("dump").out


def test_without_a_name_it_is_the_day_s(
    cli: Cli, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with time_machine.travel(datetime(2026, 3, 14, 12, tzinfo=UTC)):
        made = cli("backup")
        again = cli("backup")
    assert (made.code, made.out) == (0, "crmmail-2026-03-14.db\n")
    assert (tmp_path / "crmmail-2026-03-14.db").stat().st_size > 0
    assert again.code == 1
    assert "exists" in again.err


def test_a_restore_asks_first_and_waits_for_no_other_crmmail(
    cli: Cli, filled: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    cli("backup", copy)
    unasked = cli("restore", copy)
    assert (unasked.code, "--yes" in unasked.err) == (1, True)
    with exclusive(store_path()):
        busy = cli("restore", copy, "--yes")
    assert busy.code == 1
    assert "Close it" in busy.err


def test_there_is_nothing_to_back_up_before_the_first_account(cli: Cli) -> None:
    outcome = cli("backup")
    assert outcome.code == 1
    assert "no store yet" in outcome.err
