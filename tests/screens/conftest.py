"""A small store on a fixed day, and the app on it."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import keyring
import pytest
import time_machine
from textual.notifications import Notification

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.screens import filler, harness

NOW = dt.datetime(2026, 3, 14, 9, 26, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """It is 2026-03-14 09:26 in Berlin, and stays so."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def keys_wait_for_what_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot presses the next key when the last one's work is done, on a busy machine too."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", harness.wait_for_idle)


@pytest.fixture(autouse=True)
def keys_are_no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that a pilot presses one by one are no burst, however quick the machine is."""
    monkeypatch.setattr(key_queue, "BURST", 0.0)


@pytest.fixture(autouse=True)
def toasts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A toast is there until the end, however long the machine takes to look at it."""
    monkeypatch.setattr(Notification, "time_left", 1_000_000.0)


@pytest.fixture
def keyring_here() -> Iterator[Memory]:
    """A machine with a keyring."""
    before = keyring.core._keyring_backend
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.core._keyring_backend = before


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    """A store with nothing in it."""
    store = Store(tmp_path / "crmmail.db")
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A store with a few people, companies and conversations."""
    filler.small(empty_store, int(NOW.timestamp()))
    return empty_store


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo's mailbox as a real sync brings it in, once for all tests; its server stays up."""
    from crmmail.demo.run import Demo
    from crmmail.sync.loop import sync_once

    folder = tmp_path_factory.mktemp("sample")
    with Demo(folder, now=NOW.astimezone(dt.UTC)) as demo:
        with time_machine.travel(NOW, tick=True):
            store = Store(demo.store_path)
            (report,) = sync_once(store)
            assert report.errors == []
            assert demo.note_deals(store)
            store.close()
        yield demo.store_path


@pytest.fixture
def sample_store(sample: Path, tmp_path: Path) -> Iterator[Store]:
    """The demo's store, for one test to use up."""
    path = tmp_path / "sample.db"
    with closing(sqlite3.connect(sample)) as source:
        source.execute("VACUUM INTO ?", [str(path)])
    store = Store(path)
    yield store
    store.close()


@pytest.fixture
def app(store: Store) -> CrmmailApp:
    """The app on the small store, without a sync."""
    return CrmmailApp(store, sync=False)
