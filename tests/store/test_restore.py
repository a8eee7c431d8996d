"""Putting a backup in the store's place, by real processes that are killed on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import backup, files, forgetting, locks, opening, people
from crmmail.store.database import Store
from crmmail.store.dump import dump
from crmmail.store.trouble import InUseError
from tests.patience import PATIENCE

from .conftest import World

# Restores in a process of its own, and ends it with kill -9 before the given step on the disk.
_RESTORE = """
import os, pathlib, signal, sys
from crmmail.store import backup
step, source, store = int(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
done = 0
def counted(call):
    def before(*values, **more):
        global done
        done += 1
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*values, **more)
    return before
os.link, os.fsync = counted(os.link), counted(os.fsync)
pathlib.Path.replace = counted(pathlib.Path.replace)
pathlib.Path.unlink = counted(pathlib.Path.unlink)
backup.restore(source, store)
"""
_HOLD = """
import pathlib, sys
from crmmail.store.database import Store
store = Store(pathlib.Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def said(path: Path) -> list[str]:
    """What a store says."""
    store = Store(path)
    try:
        return list(dump(store.read()))
    finally:
        store.close()


def restore_killed(step: int, source: Path, store: Path) -> int:
    """The exit code of a process that restores, and is killed before a step."""
    command = [sys.executable, "-c", _RESTORE, str(step), str(source), str(store)]
    return subprocess.run(command, timeout=PATIENCE, check=False).returncode


@pytest.fixture
def copy(store: Store, tmp_path: Path) -> Path:
    """A backup that has Ada; the store has Bob too, and is closed."""
    people.create(store, "Ada", ["ada@acme.example"])
    made = tmp_path / "elsewhere" / "copy.db"
    made.parent.mkdir()
    backup.save(store.path, made)
    people.create(store, "Bob", ["bob@acme.example"])
    store.close()
    return made


def test_a_store_that_was_kept_is_never_overwritten(store: Store, copy: Path) -> None:
    kept, later = [], []
    for number in range(3):
        later.append(said(store.path))
        kept.append(backup.restore(copy, store.path))
        again = Store(store.path)
        people.create(again, f"Person {number}", [f"p{number}@acme.example"])
        again.close()
    assert len(set(kept)) == 3
    assert [said(one) for one in kept if one] == later
    assert {one.path for one in files.copies_of(store.path)} == set(kept)


def test_killed_at_any_step_the_store_is_the_one_before_or_the_new_one(
    store: Store, copy: Path
) -> None:
    """After each kill the store is whole, and the store of before is in it or kept."""
    before, new = said(store.path), said(copy)
    outcomes = []
    for step in range(1, 60):
        code = restore_killed(step, copy, store.path)
        found = said(store.path)
        outcomes.append(found == new)
        assert found in (before, new), step
        if found == new:
            assert before in [said(one.path) for one in files.copies_of(store.path)], step
            kept = next(o.path for o in files.copies_of(store.path) if said(o.path) == before)
            backup.restore(kept, store.path)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert code == 0
    assert True in outcomes
    assert False in outcomes
    assert len(outcomes) > 8
    assert list(store.path.parent.glob(".*.part*")) == []


def test_a_log_that_a_killed_process_left_is_in_the_kept_store(store: Store, copy: Path) -> None:
    """What was committed and is in the log only belongs to the store that is kept."""
    script = (
        "import os, pathlib, signal, sys\n"
        "from crmmail.store import people\nfrom crmmail.store.database import Store\n"
        "store = Store(pathlib.Path(sys.argv[1]))\n"
        "people.create(store, 'Cleo', ['cleo@acme.example'])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(store.path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert store.path.with_name("crmmail.db-wal").stat().st_size > 0
    kept = backup.restore(copy, store.path)
    assert kept is not None
    assert any("cleo@acme.example" in line for line in said(kept))
    assert said(store.path) == said(copy)


def test_a_restore_waits_for_every_process_that_uses_the_store(store: Store, copy: Path) -> None:
    """An app without a sync, or a command: whoever has the store open."""
    before = said(store.path)
    command = [sys.executable, "-c", _HOLD, str(store.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(InUseError, match="uses") as caught:
            backup.restore(copy, store.path)
        assert "Close the app" in caught.value.hint
        other.communicate("")
    assert said(store.path) == before
    backup.restore(copy, store.path)
    assert said(store.path) == said(copy)


def test_a_store_cannot_be_opened_while_it_is_replaced(
    store: Store, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_PATIENCE", 0.1)
    with locks.alone(store.path), pytest.raises(InUseError, match="replacing"):
        Store(store.path)
    assert said(store.path) != said(copy)


def test_a_store_behind_a_symbolic_link_stays_behind_it(store: Store, copy: Path) -> None:
    link = copy.with_name("linked.db")
    link.symlink_to(store.path)
    before = said(store.path)
    kept = backup.restore(copy, link)
    assert link.is_symlink()
    assert kept is not None
    assert kept.parent == store.path.parent
    assert (said(link), said(kept)) == (said(copy), before)


def test_the_app_says_who_was_forgotten_and_is_left_out(
    store: Store, world: World, tmp_path: Path
) -> None:
    older = tmp_path / "older.db"
    backup.save(store.path, older)
    forgetting.forget(store, "anna@acme.com")
    store.close()
    words = repairing.repair(store.path, str(older))
    assert "The backup is in the store's place." in words
    assert "Left out, because forgotten: Anna Berg (anna@acme.com, anna@mail.example)." in words
    assert not any("anna@" in line for line in said(store.path))
