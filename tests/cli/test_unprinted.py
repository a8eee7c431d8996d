"""What a command prints cannot be written: a sentence and code 1, and no error of crmmail's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmmail import crash
from tests.patience import PATIENCE

FULL = Path("/dev/full")
SAID = "crmmail: The output cannot be written: No space left on device."
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full (Linux)")


def run_with_a_full_output(command: list[str], unbuffered: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose output goes to a full disk."""
    with FULL.open("w") as full:
        return subprocess.run(
            [sys.executable, "-m", "crmmail", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            timeout=PATIENCE,
            check=False,
        )


@pytest.mark.parametrize(
    "command",
    [
        ["thread", "list"],
        ["people", "list", "--json"],
        ["dump"],
        ["export", "people"],
        ["export", "people", "--format", "vcard"],
        ["status"],
        ["search", "press"],
        ["doctor", "--offline"],
        ["sync"],
        ["--help"],
        ["people", "--help"],
        ["--version"],
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_for_the_output_is_a_sentence(
    filled: Path, command: list[str], unbuffered: str
) -> None:
    ended = run_with_a_full_output(command, unbuffered)
    assert ended.returncode == 1
    words = "No space left on device." if command[-1] in ("--help", "--version") else SAID
    assert ended.stderr.splitlines()[-1].endswith(words)
    assert "Traceback" not in ended.stderr
    assert not crash.log_path().exists()


@pytest.mark.parametrize(
    "command",
    [
        ["opportunity", "add", "--name", "The press", "--json"],
        ["opportunity", "add", "--name", "The press"],
        ["forget", "ada@acme.example", "--yes", "--json"],
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_change_whose_output_cannot_be_written_is_said_to_be_stored(
    filled: Path, command: list[str], unbuffered: str
) -> None:
    ended = run_with_a_full_output(command, unbuffered)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "crmmail: The change is stored, and need not be made again. "
        "The output cannot be written: No space left on device."
    )


_FAILS = """
import sys, crmmail.cli
from crmmail.errors import CrmmailError
def fails(words):
    sys.stdout.write("some of it")
    raise CrmmailError("It failed.", "Do that.")
crmmail.cli._run = fails
sys.exit(crmmail.cli.main(["x"]))
"""


def test_an_error_after_the_reader_of_a_pipe_has_left_is_still_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", _FAILS],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
        timeout=PATIENCE,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "crmmail: It failed.\nDo that.\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("command", "code"),
    [("people list", 0), ("dump", 0), ("--version", 0), ("sync", 0), ("why nobody@x.example", 3)],
)
def test_a_command_that_is_started_with_its_files_closed_does_its_work(
    filled: Path, command: str, code: int, closed: str
) -> None:
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" -m crmmail {command} {closed}', sys.executable],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert not crash.log_path().exists()
