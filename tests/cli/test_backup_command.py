"""backup and restore, as a person types them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
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


class TestCopies:
    """What crmmail has copied by itself, and what was made by hand."""

    def test_a_sync_makes_the_backup_of_the_day_and_it_is_listed(
        self, cli: Cli, filled: Path
    ) -> None:
        cli("opportunity", "add", "--name", "The press")
        shutil.rmtree(filled / "backups", ignore_errors=True)
        with time_machine.travel(datetime(2026, 3, 14, 12, tzinfo=UTC)):
            assert cli("sync", "--once").code == 0
        (one,) = cli("backup", "--list", "--json").json
        assert (one["kind"], Path(one["path"]).name) == ("daily", "daily-2026-03-14.json.gz")
        assert cli("backup", "--list").out.split("\t")[3] == "daily-2026-03-14.json.gz\n"

    def test_a_daily_backup_goes_back_by_its_name(self, cli: Cli, filled: Path) -> None:
        cli("opportunity", "add", "--name", "The press")
        shutil.rmtree(filled / "backups", ignore_errors=True)
        cli("sync", "--once")
        (one,) = cli("backup", "--list", "--json").json
        (filled / "crmmail.db").unlink()
        unasked = cli("restore", Path(one["path"]).name)
        assert unasked.code == 0  # there is no store to be changed
        assert "1 opportunity" in unasked.err
        assert [row["name"] for row in cli("opportunities", "list", "--json").json] == ["The press"]
        assert cli("sync", "--once").code == 0
        assert cli("status", "--json").json["threads"] == 2

    def test_a_kept_store_is_removed_when_asked(self, cli: Cli, filled: Path) -> None:
        cli("backup", filled / "copy.db")
        cli("restore", filled / "copy.db", "--yes")
        (kept,) = filled.glob("crmmail.db.kept-*")
        assert kept.name in cli("backup", "--list").out
        assert cli("backup", "--remove", kept.name).code == 1
        assert kept.exists()
        assert cli("backup", "--remove", kept.name, "--yes").code == 0
        assert not kept.exists()
        assert cli("backup", "--remove", "crmmail.db", "--yes").code == 1
        assert store_path().exists()

    def test_forget_names_the_backups_that_it_does_not_reach(
        self, cli: Cli, filled: Path, tmp_path: Path
    ) -> None:
        here, away = tmp_path / "here.db", tmp_path / "away.db"
        cli("backup", here)
        cli("backup", away)
        away.rename(tmp_path / "moved.db")
        said = cli("forget", "ann@acme.example", "--yes").err
        assert f"Your backup {here} of" in said
        assert f"You made a backup {away} on" in said
        assert "If you moved it, it still has it." in said

    def test_forget_names_no_backup_without_a_trace_of_who_is_forgotten(
        self, cli: Cli, filled: Path, tmp_path: Path
    ) -> None:
        cli("backup", tmp_path / "here.db")
        cli("backup", tmp_path / "away.db")
        (tmp_path / "away.db").unlink()
        said = cli("forget", "nobody@nowhere.example", "--yes")
        assert said.code == 0
        assert "backup" not in said.err

    def test_forget_names_a_backup_that_has_who_left_the_store_since(
        self, cli: Cli, filled: Path, tmp_path: Path
    ) -> None:
        cli("backup", tmp_path / "here.db")
        cli("forget", "ann@acme.example", "--yes")
        cli("backup", tmp_path / "later.db")
        again = cli("forget", "ann@acme.example", "--yes").err
        assert f"Your backup {tmp_path / 'here.db'} of" in again
        assert "later.db" not in again


class TestForgotten:
    """A backup has somebody who was forgotten after it was made."""

    @pytest.fixture
    def older(self, cli: Cli, filled: Path, tmp_path: Path) -> Path:
        """A backup with everybody, of a store that has forgotten Ann since."""
        cli("opportunity", "add", "--name", "The press", "--contact", "ann@acme.example")
        path = tmp_path / "older.db"
        cli("backup", path)
        assert cli("forget", "ann@acme.example", "--yes").code == 0
        return path

    def test_a_restore_names_them_before_and_after_and_leaves_them_out(
        self, cli: Cli, older: Path
    ) -> None:
        unasked = cli("restore", older)
        assert unasked.code == 1
        before = (
            "Ann Lee (ann@acme.example) was forgotten after this backup was made, "
            "and will be left out of it.\n"
            "To have somebody back: crmmail remember ADDRESS, and then restore.\n"
        )
        assert before in unasked.err
        outcome = cli("restore", older, "--yes")
        assert outcome.code == 0
        assert outcome.err.startswith(before)
        assert outcome.err.endswith("Left out, because forgotten: Ann Lee (ann@acme.example).\n")
        dumped = cli("dump").out
        assert "ann@acme.example" not in dumped
        assert "carl@acme.example" in dumped
        assert "bob@globex.example" in dumped
        assert "The press" in dumped
        assert b"ann@acme.example" not in store_path().read_bytes()

    def test_the_next_sync_keeps_them_out(self, cli: Cli, older: Path) -> None:
        cli("restore", older, "--yes")
        before = cli("dump").out
        assert cli("sync").code == 0
        assert "ann@acme.example" not in cli("dump").out
        assert cli("status", "--json").json["accounts"]
        assert [line for line in before.splitlines() if '"person"' in line] == [
            line for line in cli("dump").out.splitlines() if '"person"' in line
        ]

    def test_who_is_remembered_first_comes_back(self, cli: Cli, older: Path) -> None:
        assert cli("remember", "ann@acme.example").code == 0
        outcome = cli("restore", older, "--yes")
        assert "forgotten" not in outcome.err
        assert "ann@acme.example" in cli("dump").out

    def test_a_damaged_store_says_it_by_its_daily_backup(self, cli: Cli, older: Path) -> None:
        store_path().write_bytes(b"\xa5" * 8_192)
        outcome = cli("restore", older, "--yes")
        assert outcome.code == 0
        assert "Left out, because forgotten: Ann Lee (ann@acme.example)." in outcome.err
        assert "ann@acme.example" not in cli("dump").out

    def test_a_daily_backup_of_before_names_them_too(
        self, cli: Cli, filled: Path, tmp_path: Path
    ) -> None:
        cli("opportunity", "add", "--name", "The press", "--contact", "ann@acme.example")
        (daily,) = (filled / "backups").glob("daily-*.json.gz")
        copy = tmp_path / daily.name
        shutil.copy(daily, copy)
        cli("forget", "ann@acme.example", "--yes")
        outcome = cli("restore", copy, "--yes")
        assert outcome.code == 0
        assert "Ann Lee (ann@acme.example) was forgotten after this backup was made" in outcome.err
        assert outcome.err.endswith("Left out, because forgotten: Ann Lee (ann@acme.example).\n")
        assert "ann@acme.example" not in cli("dump").out


class TestDamage:
    """A store whose pages cannot be read."""

    @pytest.fixture
    def damaged(self, cli: Cli, filled: Path) -> Path:
        """The filled store, with a note, and without what its texts are in."""
        cli("opportunity", "add", "--name", "The press")
        with closing(sqlite3.connect(store_path())) as db:
            (size,) = db.execute("PRAGMA page_size").fetchone()
            (page,) = db.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'message_text'"
            ).fetchone()
        with store_path().open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)
        return store_path()

    @pytest.mark.parametrize(
        "words", [["people", "list"], ["sync", "--once"], ["status"], ["search", "offer"]]
    )
    def test_each_command_says_so_and_what_to_do(
        self, cli: Cli, damaged: Path, words: list[str]
    ) -> None:
        outcome = cli(*words)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith(f"crmmail: {damaged} is damaged")
        assert "crmmail rebuild" in outcome.err
        assert "Traceback" not in outcome.err

    def test_no_backup_is_made_that_could_not_be_put_back(
        self, cli: Cli, filled: Path, tmp_path: Path
    ) -> None:
        """SQLite copies an index without reading it, and an empty file as an empty store."""
        copy = tmp_path / "copy.db"
        store_path().write_bytes(b"")
        outcome = cli("backup", copy)
        assert (outcome.code, outcome.out) == (1, "")
        assert "is empty, though there was a store" in outcome.err
        assert "crmmail restore FILE" in outcome.err
        assert not copy.exists()

    def test_doctor_says_so_too(self, cli: Cli, damaged: Path) -> None:
        outcome = cli("doctor", "--offline")
        assert outcome.code == 1
        assert f"PROBLEM  store: {damaged} is damaged" in outcome.out
        assert "crmmail rebuild" in outcome.out

    def test_a_rebuild_and_a_sync_bring_all_of_it_back(self, cli: Cli, damaged: Path) -> None:
        assert cli("rebuild").code == 1  # nobody at the keyboard said yes
        outcome = cli("rebuild", "--yes")
        assert outcome.code == 0
        assert "1 opportunity" in outcome.err
        assert cli("sync", "--once").code == 0
        assert cli("status", "--json").json["threads"] == 2
        assert [row["name"] for row in cli("opportunities", "list", "--json").json] == ["The press"]
        kept = [one["kind"] for one in cli("backup", "--list", "--json").json]
        assert "damaged" in kept

    def test_a_rebuild_says_what_may_be_missing(self, cli: Cli, filled: Path) -> None:
        assert cli("sync", "--once").code == 0
        (daily,) = [one for one in cli("backup", "--list", "--json").json if one["kind"] == "daily"]
        cli("opportunity", "add", "--name", "Made later")
        store_path().write_bytes(b"")
        outcome = cli("rebuild", "--yes")
        assert outcome.code == 0
        name = Path(daily["path"]).name
        assert f"{store_path()} is new. In it: 1 opportunity, 1 account." in outcome.err
        assert f"From {name}: 1 opportunity, 1 account." in outcome.err
        assert "There was nothing in the store. " in outcome.err
        assert f"{name} had what was made by hand; what was made after 20" in outcome.err
        assert "may be missing" in outcome.err

    def test_a_damaged_backup_is_refused_before_anything_is_changed(
        self, cli: Cli, filled: Path, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copy.db"
        cli("backup", copy)
        whole = bytearray(copy.read_bytes())
        whole[40_000:48_000] = b"\xa5" * 8_000
        copy.write_bytes(whole)
        before = {path.name: path.read_bytes() for path in filled.glob("crmmail.db*")}
        outcome = cli("restore", copy, "--yes")
        assert outcome.code == 1
        assert f"{copy} is damaged" in outcome.err
        assert {path.name: path.read_bytes() for path in filled.glob("crmmail.db*")} == before
