"""Opening a store by several processes at once, and upgrading it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from crmmail.store import files, opening
from crmmail.store.database import Store
from crmmail.store.trouble import InUseError, StoreError
from tests.patience import PATIENCE

# Opens a store together with others: all wait for a line.
_OPEN = """
import pathlib, sys
from crmmail.store.database import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(pathlib.Path(sys.argv[1]))
print(store.read().execute("SELECT count(*) FROM blocklist").fetchone()[0])
store.close()
"""
# Upgrades a store and is killed before the given statement of the upgrade, or before its copy.
_UPGRADE = """
import os, pathlib, signal, sqlite3, sys
from crmmail import own_files
from crmmail.store import opening
from crmmail.store.database import Store
if sys.argv[2] == "copy":
    own_files.sync = lambda path: os.kill(os.getpid(), signal.SIGKILL)
else:
    found = dict(opening.migrations())
    newest = max(found)
    found[newest] += "; SELECT die();"
    opening.migrations = lambda: found
    connect = sqlite3.connect
    def connected(*values, **more):
        db = connect(*values, **more)
        db.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
        return db
    sqlite3.connect = connected
Store(pathlib.Path(sys.argv[1]))
"""
ENTRIES = 500


def old(path: Path) -> Path:
    """A store of the first version, with some rows."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{opening.migrations()[1]}; PRAGMA user_version = 1;")
        db.executemany(
            "INSERT INTO blocklist VALUES (?)", [(f"@{n}.example",) for n in range(ENTRIES)]
        )
        db.commit()
    return path


def opened_at_once(path: Path, count: int) -> list[str]:
    """What so many processes find that open a store at the same moment."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    found = []
    for one in started:
        out, err = one.communicate(timeout=PATIENCE)
        found.append(out.strip() or err.strip().splitlines()[-1])
    return found


def test_processes_that_upgrade_a_store_at_once_all_get_it(tmp_path: Path) -> None:
    path = old(tmp_path / "crmmail.db")
    assert opened_at_once(path, 5) == [str(ENTRIES)] * 5
    assert [one.kind for one in files.copies_of(path)] == [files.OLDER]


def test_processes_that_make_a_store_at_once_all_get_it(tmp_path: Path) -> None:
    path = tmp_path / "crmmail.db"
    assert opened_at_once(path, 5) == ["0"] * 5
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("moment", ["copy", "schema"])
def test_an_upgrade_that_was_killed_is_made_by_the_next_start(tmp_path: Path, moment: str) -> None:
    path = old(tmp_path / "crmmail.db")
    command = [sys.executable, "-c", _UPGRADE, str(path), moment]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    store = Store(path)
    count = store.read().execute("SELECT count(*) FROM blocklist").fetchone()
    store.close()
    assert count == (ENTRIES,)
    for copy in files.copies_of(path):
        with closing(sqlite3.connect(copy.path)) as db:
            assert db.execute("SELECT count(*) FROM blocklist").fetchone() == (ENTRIES,)


def test_the_copy_of_an_earlier_upgrade_is_kept(tmp_path: Path) -> None:
    path = old(tmp_path / "crmmail.db")
    Store(path).close()
    (first,) = files.copies_of(path)
    before = first.path.read_bytes()
    path.unlink()
    old(path)
    Store(path).close()
    assert len(files.copies_of(path)) == 2
    assert first.path.read_bytes() == before


def test_a_store_that_an_older_crmmail_uses_is_not_upgraded_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmmail.store.locks import Lock

    monkeypatch.setattr(opening, "_OLDER", 0.1)
    path = old(tmp_path / "crmmail.db")
    lock = Lock(path)
    assert lock.share(0)
    with pytest.raises(InUseError, match="older crmmail") as caught:
        Store(path)
    assert "Close the app" in caught.value.hint
    lock.close()
    Store(path).close()


def test_an_upgrade_that_fails_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old(tmp_path / "crmmail.db")
    broken = opening.migrations() | {max(opening.migrations()): "SELECT * FROM nowhere;"}
    monkeypatch.setattr(opening, "migrations", lambda: broken)
    for _ in range(3):
        with pytest.raises(StoreError):
            Store(path)
    assert files.copies_of(path) == []
    monkeypatch.undo()
    Store(path).close()
    assert len(files.copies_of(path)) == 1


def test_each_migration_has_a_number_of_its_own() -> None:
    folder = resources.files("crmmail.store") / "migrations"
    numbers = sorted(int(one.name[:4]) for one in folder.iterdir() if one.name.endswith(".sql"))
    assert numbers == list(range(1, len(numbers) + 1))
