"""The backup of today is made anew soon after a change by hand, by any number of processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmmail import own_files
from crmmail.store import copies, daily, files, notes, people, renewing
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.renewing import Renewing
from crmmail.store.trouble import DamagedError
from tests.patience import until

from .conftest import World


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for more changes."""
    monkeypatch.setattr(renewing, "_QUIET", 0.0)
    monkeypatch.setattr(renewing, "_SHARE", 0.0)


@pytest.fixture
def working(store: Store, quick: None) -> Iterator[Renewing]:
    made = Renewing(store)
    yield made
    made.close()


def written(store: Store) -> list[str]:
    """The notes in the backup of today."""
    path = daily.newest(store.path)
    return [] if path is None else [row["text"] for row in daily.read(path)["notes"]]


def test_a_note_is_in_the_backup_soon(store: Store, world: World, working: Renewing) -> None:
    notes.add(store, Kind.PERSON, world.anna, "one")
    until(lambda: written(store) == ["one"])
    notes.add(store, Kind.PERSON, world.anna, "two")
    until(lambda: written(store) == ["one", "two"])
    assert len(files.copies_of(store.path)) == 1


def test_at_the_end_it_is_in_the_backup_however_soon_that_is(store: Store, world: World) -> None:
    made = Renewing(store)
    notes.add(store, Kind.PERSON, world.anna, "one")
    assert written(store) == []
    made.close()
    assert written(store) == ["one"]


def test_what_the_sync_does_renews_nothing(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Renewing(store)
    with store.write("people") as (db, _):
        db.execute("UPDATE person SET threads = threads + 1")
    made.close()
    assert written(store) == []
    assert made._thread is None


def test_many_changes_are_one_renewal(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[int] = []
    monkeypatch.setattr(renewing, "renew", lambda store: renewed.append(store.by_hand))
    made = Renewing(store)
    for number in range(20):
        notes.add(store, Kind.PERSON, world.anna, f"note {number}")
    made.close()
    assert renewed == [store.by_hand]


def test_the_thread_of_the_keys_does_not_make_it(
    store: Store, world: World, working: Renewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    daily_of = daily.daily

    def seen(*values: object, **more: object) -> Path | None:
        threads.append(threading.current_thread().name)
        return daily_of(*values, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(daily, "daily", seen)
    notes.add(store, Kind.PERSON, world.anna, "one")
    until(lambda: written(store) == ["one"])
    assert threads == ["crmmail-renewing"]


def test_a_damaged_store_does_not_take_the_place_of_a_good_backup(
    store: Store, world: World
) -> None:
    notes.add(store, Kind.PERSON, world.anna, "one")
    daily.daily(store)
    store.report(DamagedError("It is damaged."))
    with store.write() as (db, _):
        db.execute("DELETE FROM note")
    assert renewing.renew(store) is None
    assert written(store) == ["one"]


def test_a_full_disk_is_told_and_the_old_backup_stays(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes.add(store, Kind.PERSON, world.anna, "one")
    daily.daily(store)
    notes.add(store, Kind.PERSON, world.anna, "two")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        problem = renewing.renew(store)
    assert problem is not None
    assert "is full" in str(problem)
    assert written(store) == ["one"]
    assert [one.name for one in daily.folder(store.path).iterdir() if ".part" in one.name] == []


_WRITE = """
import sys
from pathlib import Path
from crmmail.store import daily, notes
from crmmail.store.database import Store
store = Store(Path(sys.argv[1]))
for number in range(40):
    notes.add(store, 1, 1, f"{sys.argv[2]} {number} " + "word " * 3000)
    daily.daily(store, renew=True)
store.close()
"""


def test_two_processes_make_it_at_once_and_it_is_whole(store: Store, world: World) -> None:
    command = [sys.executable, "-c", _WRITE, str(store.path)]
    both = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    while any(one.poll() is None for one in both):
        copies.clear(store)
        if (path := daily.newest(store.path)) is not None:
            assert daily.read(path)["format"]
    assert [one.returncode for one in both] == [0, 0]
    daily.daily(store, renew=True)
    assert len(written(store)) == 80


def test_what_a_running_process_is_writing_is_not_cleared_away(store: Store, world: World) -> None:
    people.edit(store, world.anna, job="CEO")
    place = daily.folder(store.path)
    ended = multiprocessing.get_context("spawn").Process()
    ended.start()
    ended.join()
    mine = own_files.part_of(place / "daily-2026-03-14.json.gz")
    theirs = place / f".daily-2026-03-15.json.gz.{ended.pid}@{own_files.namespace()}-1.part"
    unnamed = store.path.with_name(f".{store.path.name}.part-wal")
    for path in (mine, theirs, unnamed):
        path.write_text(json.dumps({}))
    files.clear_parts(store.path)
    assert [path.exists() for path in (mine, theirs, unnamed)] == [True, False, False]


def test_what_a_process_in_a_container_is_writing_is_not_cleared_away_for_a_day(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.edit(store, world.anna, job="CEO")
    place = daily.folder(store.path)
    ended = multiprocessing.get_context("spawn").Process()
    ended.start()
    ended.join()
    elsewhere = own_files.namespace() + 1
    with monkeypatch.context() as patch:  # its number says nothing here
        patch.setattr(os, "getpid", lambda: ended.pid)
        patch.setattr(own_files, "namespace", lambda: elsewhere)
        new, old = (own_files.part_of(place / "daily-2026-03-14.json.gz") for _ in range(2))
    for path in (new, old):
        path.write_text(json.dumps({}))
    a_day_ago = time.time() - 86_400
    os.utime(old, (a_day_ago, a_day_ago))
    files.clear_parts(store.path)
    assert [path.exists() for path in (new, old)] == [True, False]
