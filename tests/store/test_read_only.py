"""A store on a disk that is mounted read-only is read and backed up, and not changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crmmail.store import backup
from crmmail.store.database import Store
from crmmail.store.dump import dump
from tests.mounts import NEEDS, READ_ONLY, can_mount, run_on

from .conftest import World

pytestmark = pytest.mark.skipif(not can_mount(), reason=NEEDS)

# Runs commands; prints, as JSON, the code, stdout and stderr of each.
_RUN = """
import contextlib, io, json, os, sys
os.environ["CRMMAIL_DATA_DIR"] = sys.argv[1]
from crmmail.cli import main
said = []
for command in json.loads(sys.argv[2]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        with contextlib.redirect_stderr(io.StringIO()) as err:
            code = main(command)
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""


_FULL = (
    'cp -r "$1" "$1.kept" && mount -t tmpfs -o size=3m none "$1" && cp "$1.kept"/* "$1"'
    ' && rm -r "$1.kept" && (dd if=/dev/zero of="$1/filler" bs=1k 2>/dev/null || true)'
)
"""The folder's files, on a disk of their own that has no room."""


def commands(
    folder: Path, *wanted: Sequence[object], mount: str = READ_ONLY
) -> list[tuple[int, str, str]]:
    """Run commands on a folder that cannot be written: code, stdout and stderr of each."""
    asked = json.dumps([[str(word) for word in command] for command in wanted])
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    ended = run_on(mount, _RUN, folder, asked)
    assert ended.returncode == 0, ended.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    found: list[Any] = json.loads(ended.stdout)
    return [(code, out, err) for code, out, err in found]


@pytest.fixture
def closed(store: Store, world: World) -> list[str]:
    """A store that was closed well, in a folder of its own; returns its dump."""
    found = list(dump(store.read()))
    store.close()
    return found


def test_what_it_has_is_read_and_the_disk_is_named(store: Store, closed: list[str]) -> None:
    folder = store.path.parent
    reading = (
        ["people", "list"],
        ["search", "Anna"],
        ["thread", "list"],
        ["thread", "show", "1"],
        ["dump"],
        ["status"],
    )
    found = commands(folder, *reading)
    assert [code for code, _, _ in found] == [0] * len(reading)
    for _, _, err in found:
        assert err == (
            f"{store.path} is on a disk that is mounted read-only: it is read, and not changed.\n"
        )
    people, hits, threads, thread, dumped, state = (out for _, out, _ in found)
    assert "Anna Berg" in people
    assert "Anna Berg" in hits
    assert "Grüße" in threads
    assert "the first offer" in thread
    assert dumped.splitlines() == [line.rstrip("\n") for line in closed]
    assert "me@home.example" in state


def test_it_is_backed_up_to_another_place(
    store: Store, closed: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    to = tmp_path_factory.mktemp("elsewhere") / "copy.db"
    ((code, out, err),) = commands(store.path.parent, ["backup", to])
    assert (code, out) == (0, f"{to}\n")
    assert "Put it back with" in err
    backup.check(to)
    copy = Store(to)
    assert list(dump(copy.read())) == closed
    copy.close()


@pytest.mark.parametrize(
    "command",
    [
        ["block", "add", "eve@spam.example"],
        ["forget", "anna@acme.com", "--yes"],
        ["account", "set", "me@home.example", "--pause"],
        ["rebuild", "--yes"],
    ],
)
def test_what_would_change_it_says_why_it_cannot(
    store: Store, closed: list[str], command: list[str]
) -> None:
    ((code, out, err),) = commands(store.path.parent, command)
    assert (code, out) == (1, "")
    assert err.startswith(
        f"crmmail: {store.path} is on a disk that is mounted read-only.\nMount it for writing"
    )
    assert err.count("mounted read-only") == 1


def test_doctor_says_so(store: Store, closed: list[str]) -> None:
    ((code, out, _),) = commands(store.path.parent, ["doctor", "--offline"])
    assert code == 1
    assert f"PROBLEM  disk: {store.path.parent} is mounted read-only" in out
    assert "no damage" in out


def left_by_a_kill(store: Store, to: Path, *, index: bool) -> None:
    """A folder as a killed process leaves it: the log has rows that the file has not."""
    for path in store.path.parent.glob("crmmail.db*"):
        if index or not path.name.endswith("-shm"):
            shutil.copy(path, to / path.name)
    assert (to / "crmmail.db-wal").stat().st_size


def test_what_is_only_in_the_log_is_read_too(
    store: Store, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    left_by_a_kill(store, folder, index=True)
    ((code, out, _),) = commands(folder, ["dump"])
    assert code == 0
    assert out.splitlines() == [line.rstrip("\n") for line in dump(store.read())]


def test_a_log_that_cannot_be_read_is_said_and_not_left_out(
    store: Store, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    left_by_a_kill(store, folder, index=False)
    for code, out, err in commands(folder, ["dump"], ["backup", store.path.parent / "x.db"]):
        assert (code, out) == (1, "")
        assert "its newest rows are in its log" in err
        assert f"Copy {folder} to another disk, and set CRMMAIL_DATA_DIR to the copy." in err


class TestFull:
    """A full disk, on which nobody has the store open."""

    def test_what_it_has_is_read_and_the_disk_is_named(
        self, store: Store, closed: list[str]
    ) -> None:
        reading = (["people", "list"], ["search", "Anna"], ["thread", "show", "1"], ["dump"])
        found = commands(store.path.parent, *reading, mount=_FULL)
        assert [code for code, _, _ in found] == [0] * len(reading)
        for _, _, err in found:
            assert err == f"{store.path} is on a disk that is full: it is read, and not changed.\n"
        assert "Anna Berg" in found[0][1]
        assert found[3][1].splitlines() == [line.rstrip("\n") for line in closed]

    def test_it_is_backed_up_to_another_disk(
        self, store: Store, closed: list[str], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        to = tmp_path_factory.mktemp("elsewhere") / "copy.db"
        ((code, out, err),) = commands(store.path.parent, ["backup", to], mount=_FULL)
        assert (code, out) == (0, f"{to}\n")
        assert "forget will not name it" in err
        copy = Store(to)
        assert list(dump(copy.read())) == closed
        copy.close()

    @pytest.mark.parametrize(
        "command", [["block", "add", "eve@spam.example"], ["rebuild", "--yes"]]
    )
    def test_what_would_change_it_says_why_it_cannot(
        self, store: Store, closed: list[str], command: list[str]
    ) -> None:
        ((code, out, err),) = commands(store.path.parent, command, mount=_FULL)
        assert (code, out) == (1, "")
        assert err.startswith(f"crmmail: The disk of {store.path} is full.\nMake room there")


def test_a_disk_that_tells_no_size_is_not_full(store: Store, closed: list[str]) -> None:
    mount = '''cp -r "$1" "$1.kept" && mount -t tmpfs -o size=0 none "$1" && cp "$1.kept"/* "$1"'''
    look = """
import os, sys
from pathlib import Path
from crmmail.store.database import Store
from crmmail.store.trouble import is_full
path = Path(sys.argv[2])
print(os.statvfs(path).f_bavail, Store(path, reading=True).is_read_only, is_full(path))
"""
    ended = run_on(mount, look, store.path.parent, store.path)
    assert (ended.stdout, ended.stderr) == ("0 False False\n", "")
