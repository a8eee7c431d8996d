"""status, doctor, path."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import time_machine

from crmmail.cli import clock, doctor
from tests.cli.conftest import ME, Cli
from tests.dav_servers import Radicale


@pytest.mark.usefixtures("filled")
def test_status_counts_what_is_there(cli: Cli) -> None:
    status = cli("status", "--json").json
    assert (status["people"], status["companies"], status["threads"]) == (2, 1, 2)
    [account] = status["accounts"]
    assert account["skipped"] == {"folder": 1, "group": 1, "internal": 1}
    assert (account["listed"], account["stored"], account["error"]) == (7, 4, None)
    assert account["last_success"]
    out = cli("status").out
    assert out.startswith("2 people, 1 company, 0 opportunities, 2 threads;")
    assert "7 listed: 4 stored, 3 skipped" in out


def test_path_follows_the_variables(cli: Cli, tmp_path: Path) -> None:
    assert cli("path", "--json").json == {
        "data": str(tmp_path / "data"),
        "store": str(tmp_path / "data" / "crmmail.db"),
        "config": str(tmp_path / "config"),
        "preferences": str(tmp_path / "config" / "config.toml"),
    }
    assert f"store        {tmp_path / 'data' / 'crmmail.db'}\n" in cli("path").out


@pytest.mark.usefixtures("filled")
def test_all_is_well(cli: Cli) -> None:
    outcome = cli("doctor")
    assert outcome.code == 0, outcome.out
    assert "PROBLEM" not in outcome.out
    assert f"{ME}: password from environment variable TEST_PASSWORD; signed in" in outcome.out
    assert "no damage" in outcome.out


@pytest.mark.usefixtures("filled")
def test_a_missing_password_is_found_with_what_to_do(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_PASSWORD")
    outcome = cli("doctor", "--offline", "--json")
    assert outcome.code == 1
    [problem] = [one for one in outcome.json if not one["ok"]]
    assert problem["check"] == ME
    assert "TEST_PASSWORD is not set" in problem["said"]
    assert "export TEST_PASSWORD" in problem["hint"]


def test_a_refused_sign_in_is_found(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    outcome = cli("doctor")
    assert outcome.code == 1
    assert "refused the sign-in" in outcome.out


def test_a_store_that_others_can_read_is_found(cli: Cli, filled: Path) -> None:
    (filled / "crmmail.db").chmod(0o644)
    outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert "can be read by others" in outcome.out


def test_a_damaged_store_is_found(cli: Cli, filled: Path) -> None:
    file = filled / "crmmail.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name='message'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\x0d\xff\xff\xff" * 32)
    outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert "PROBLEM  store" in outcome.out
    assert "Traceback" not in outcome.err


@pytest.mark.usefixtures("filled")
def test_a_stale_sync_is_found(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_STALE_SECONDS", -1)
    outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert "crmmail sync" in outcome.out


@pytest.mark.usefixtures("filled")
def test_a_keyring_that_is_needed_and_not_there_is_found(cli: Cli, filled: Path) -> None:
    with sqlite3.connect(filled / "crmmail.db") as db:
        db.execute("UPDATE account SET secret = 'keyring:'")
    db.close()
    outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert "PROBLEM  keyring: This machine has no usable keyring." in outcome.out


@pytest.mark.usefixtures("filled")
def test_a_full_disk_is_found(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LEAST_FREE", 10**18)
    assert "a full disk stops the sync" in cli("doctor", "--offline").out


@pytest.mark.parametrize("password", ["secret", "wrong"])
@pytest.mark.usefixtures("filled")
def test_a_report_can_be_shown_to_others(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", password)
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = cli("doctor", "--report")
    assert "account 1" in outcome.out
    for private in (ME, "home.example", "acme", "127.0.0.1", str(tmp_path), password):
        assert private not in outcome.out, private


@pytest.mark.usefixtures("filled")
def test_a_report_has_no_words_of_a_server_or_a_folder(cli: Cli, filled: Path) -> None:
    with sqlite3.connect(filled / "crmmail.db") as db:
        db.execute("UPDATE sync_state SET error = 'Divorce: The server said: no such thing ann.'")
    db.close()
    outcome = cli("doctor", "--report", "--offline")
    assert "the last pass had an error" in outcome.out
    assert "Divorce" not in outcome.out
    assert "ann" not in outcome.out.replace("cannot", "")
    assert "Divorce" in cli("doctor", "--offline").out


@pytest.mark.usefixtures("filled")
def test_a_report_names_no_server_in_what_it_advises(cli: Cli, filled: Path) -> None:
    hint = "If that is right, give its address: --caldav https://cal.secret-firm.example/"
    with sqlite3.connect(filled / "crmmail.db") as db:
        db.execute("UPDATE sync_state SET error = 'It failed.', hint = ?", [hint])
    db.close()
    assert "secret-firm" in cli("doctor", "--offline").out
    for more in ([], ["--json"]):
        report = cli("doctor", "--offline", "--report", *more).out
        assert "give its address: --caldav https://…" in report
        assert "secret-firm" not in report


@pytest.mark.usefixtures("filled")
def test_a_clock_that_was_set_back_is_found(cli: Cli) -> None:
    with time_machine.travel("2020-01-01", tick=True):
        outcome = cli("doctor", "--offline")
    assert outcome.code == 1
    assert "PROBLEM  clock: it was set back" in outcome.out


def test_a_clock_is_compared_with_a_calendar_s_server(radicale: Radicale) -> None:
    url = f"http://{radicale.host}:{radicale.port}/"
    assert clock.fault([], [url]) == ""
    with time_machine.travel("2020-01-01", tick=True):
        assert "behind a calendar's server" in clock.fault([], [url])
    with time_machine.travel("2200-01-01", tick=True):
        assert "ahead of a calendar's server" in clock.fault([], [url])
    radicale.stop()
    assert clock.fault([], [url]) == ""  # no word of it: the account's check says so


def test_a_terminal_that_cannot_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not doctor._terminal().ok
    monkeypatch.setenv("TERM", "xterm")
    assert "COLORTERM" in doctor._terminal().hint
    monkeypatch.setenv("TERM", "xterm-256color")
    assert doctor._terminal() == doctor.Check("terminal", True, doctor._terminal().said)
    Terminal.encoding = "iso-8859-1"
    assert "UTF-8" in doctor._terminal().hint
