"""The command as a whole: help, exit codes, problems in words, pipes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import crmmail
from crmmail.cli.root import app
from tests.cli.conftest import Cli

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
CRMMAIL = [sys.executable, "-m", "crmmail"]


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and group, hidden aliases too."""

    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, one in getattr(command, "commands", {}).items():
            yield from walk(one, (*path, name))

    return walk(typer.main.get_command(app), ())


COMMANDS = list(commands())
PLURALS = {
    "person": "people",
    "company": "companies",
    "opportunity": "opportunities",
    "threads": "thread",
    "meetings": "meeting",
}


def test_there_are_all_the_commands() -> None:
    assert {path[0] for path in COMMANDS if path} >= {
        *("account", "sync", "people", "person", "companies", "company", "opportunities"),
        *("opportunity", "thread", "threads", "why", "status", "doctor", "dump", "demo", "path"),
        *("attachment", "source", "block", "skipped"),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_that_is_that_command(cli: Cli, path: tuple[str, ...]) -> None:
    outcome = cli(*path, "--help")
    assert outcome.code == 0
    found = re.search(r"Examples?:\s+(crmmail.*)", outcome.out)
    assert found
    said = found[1].split()[1:]
    assert len(path) < 2 or said[1] == path[1]
    assert len(path) != 1 or said[0] in (path[0], PLURALS.get(path[0]))


@pytest.mark.parametrize("path", [path for path in COMMANDS if len(path) == 2], ids=" ".join)
def test_every_command_is_on_the_page(path: tuple[str, ...]) -> None:
    assert re.search(rf"crmmail [a-z|]*\b{path[0]}\b[a-z|]* {path[1]}\b", PAGE) or path[0] in (
        *("threads", "meetings"),  # the page says that singular and plural are the same command
        *("people", "person", "companies", "company", "opportunities", "opportunity"),
    )


@pytest.mark.parametrize("words", [["--version"], ["--version", "path"]])
def test_the_version(cli: Cli, words: list[str]) -> None:
    assert cli(*words).out.startswith(f"crmmail {crmmail.__version__}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["people"],
        ["thread", "show", "seven"],
        ["thread", "list", "--person", "1", "--company", "2"],
        ["sync", "--once", "--watch"],
        ["people", "list", "--limit", "-1"],
        ["opportunity", "add"],
        ["account", "add", "me@home.example", "--imap", "h", "--security", "ssl"],
        ["account", "add", "me@home.example", "--imap", "h", "--policy", "all"],
        [
            *("account", "add", "me@home.example", "--imap", "localhost"),
            *("--password-env", "A", "--password-command", "b"),
        ],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_code_2(cli: Cli, words: list[str]) -> None:
    outcome = cli(*words)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ["person", "show", "4711"],
        ["person", "show", "nobody@nowhere.example"],
        ["company", "show", "nowhere.example"],
        ["opportunity", "show", "None such"],
        ["thread", "show", "4711"],
        ["account", "remove", "nobody@nowhere.example"],
        ["account", "test", "nobody@nowhere.example"],
        ["sync", "nobody@nowhere.example"],
        ["why", "nobody@nowhere.example"],
        ["thread", "list", "--company", "nowhere.example"],
        ["opportunity", "add", "--name", "x", "--company", "nowhere.example"],
    ],
    ids=" ".join,
)
def test_nothing_found_is_code_3_with_a_way_on(cli: Cli, words: list[str]) -> None:
    outcome = cli(*words)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("crmmail: ")
    assert len(outcome.err.splitlines()) == 2


def test_an_empty_store_lists_nothing_and_says_how_to_fill_it(cli: Cli) -> None:
    for kind in ("people", "companies", "opportunities", "thread"):
        outcome = cli(kind, "list")
        assert (outcome.code, outcome.out) == (0, "")
        assert "crmmail" in outcome.err
        assert cli(kind, "list", "--json").json == []


def test_a_list_that_knows_no_such_sort_names_those_it_knows(cli: Cli) -> None:
    outcome = cli("people", "list", "--sort", "shoe size")
    assert outcome.code == 2
    assert "last, name, company, threads" in outcome.err


def test_the_app_wants_a_terminal() -> None:
    ended = subprocess.run(CRMMAIL, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("crmmail: The app needs a terminal.\n")


def test_a_file_that_is_no_store_is_told_and_left_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "crmmail.db"
    file.write_bytes(b"Not a database at all. " * 100)
    outcome = cli("people", "list")
    assert outcome.code == 1
    assert "is not a crmmail store" in outcome.err
    assert file.read_bytes() == b"Not a database at all. " * 100


def test_a_folder_that_cannot_be_made_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CRMMAIL_DATA_DIR", str(tmp_path / "file" / "below"))
    outcome = cli("status")
    assert outcome.code == 1
    said, hint = outcome.err.splitlines()
    assert said.endswith("file/below cannot be a folder: a file is in its place.")
    assert hint.startswith("Move the file away.")


@pytest.mark.parametrize("variable", ["CRMMAIL_DATA_DIR", "CRMMAIL_CONFIG_DIR"])
def test_the_home_of_nobody_is_not_a_folder(
    variable: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "~nobody-here/mail")
    outcome = cli("path")
    assert outcome.code == 1
    said, hint = outcome.err.splitlines()
    assert said == "crmmail: There is no user nobody-here: ~nobody-here/mail is not a folder."
    assert "CRMMAIL_DATA_DIR" in hint


@pytest.mark.usefixtures("filled")
def test_a_pipe_that_is_closed_early_is_no_error() -> None:
    line = '"$0" "$1" "$2" dump | head -n 1; echo ${PIPESTATUS[0]}'
    ended = subprocess.run(
        ["bash", "-c", line, *CRMMAIL], capture_output=True, text=True, env=dict(os.environ)
    )
    assert ended.stdout.splitlines()[-1] == "0"
    assert ended.stderr == ""


@pytest.mark.usefixtures("filled")
def test_output_is_utf_8_whatever_the_locale() -> None:
    ended = subprocess.run(
        [*CRMMAIL, "thread", "list", "--json"],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert ended.returncode == 0
    assert "Grüße" in ended.stdout.decode("utf-8")
