"""Every action that has a key, done with it on a store that a real sync has filled.

A walk goes from action to action. The key is looked up among those that do something at that
moment, by the id of the action; what the action brings must not have been there before. Then the
keys of the whole walk are written at once to an app on the same store, and it must end the same.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import time_machine
from textual.pilot import Pilot

from crmmail import keymap
from crmmail.app import CrmmailApp
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.screens.bursts import kept, keys_wait, place, rows, write
from tests.screens.conftest import NOW
from tests.screens.harness import press, settle, text, until
from tests.screens.walks import WALKS, key_of, nothing, prepare, programs

__all__ = ["keys_wait", "programs"]

ELSEWHERE = {"setup.demo", "setup.trust", "password.take", "password.later", "gone.leave"} | {
    f"repair.{name}" for name in ("take", "leave", "up", "down")
}
"""What cannot be on this store. Without an account: test_first_run does it. With a certificate that
nobody signed: test_first_run_server does it. With a password that is typed in each run:
test_typed_password does it. With a damaged store: test_trouble does it. With a
record that another process deletes: test_record does it."""


def test_every_action_has_a_step() -> None:
    done = {one.id for one in itertools.chain(*WALKS.values())}
    assert done | ELSEWHERE == {action.id for action in keymap.actions(CrmmailApp)}
    assert not done & ELSEWHERE


@pytest.fixture
def clock() -> Iterator[None]:
    """The time goes on here: what is on the server is fetched."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def twin(sample: Path, tmp_path: Path) -> Iterator[Store]:
    """The same store once more."""
    path = tmp_path / "twin.db"
    with closing(sqlite3.connect(sample)) as source:
        source.execute("VACUUM INTO ?", [str(path)])
    store = Store(path)
    yield store
    store.close()


Walked = tuple[tuple[object, ...], str, list[str]]
"""Where the app is, what is drawn, what the store has."""


@pytest.mark.parametrize("name", WALKS)
async def test_a_walk_does_what_it_says_and_ends_the_same_when_its_keys_come_at_once(
    sample_store: Store,
    twin: Store,
    programs: None,
    keyring_here: Memory,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """The burst is U1."""
    prepare(sample_store, name)
    prepare(twin, name)
    keys, slow = await walk_slowly(sample_store, name, monkeypatch)
    fast = await walk_at_once(twin, keys, monkeypatch)
    assert fast[0] == slow[0]
    assert rows(fast[1]) == rows(slow[1])
    assert fast[2] == slow[2]


async def walk_slowly(
    store: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], Walked]:
    """Do a walk step by step; returns its keys and how it ends, but for an end of the app."""
    keys: list[str] = []
    copied = ""
    app = made(store, monkeypatch)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await press(pilot)
        for one in WALKS[name]:
            if one.id == "app.quit":
                ended = await end_of(app, pilot, store, copied)
            await press(pilot, *one.first)
            assert not one.brings(app), f"{one.id}: as it was before\n{text(app)}"
            key = key_of(app, one.id)
            await press(pilot, key)
            try:
                await until(pilot, lambda one=one: one.brings(app))  # type: ignore[misc]
            except AssertionError:
                pytest.fail(f"{one.id}: not what it brings\n{text(app)}")
            app.clear_notifications()  # they lie over what the next step brings
            copied = app.clipboard or copied
            app.copy_to_clipboard("")
            if one.id == "app.quit":
                return keys, ended
            keys += [*one.first, key]
        return keys, await end_of(app, pilot, store, copied)


async def walk_at_once(
    store: Store, keys: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> Walked:
    """Write all keys of a walk at once; returns how it ends."""
    app = made(store, monkeypatch)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await press(pilot)
        write(app, *keys)
        await until(pilot, lambda: app.typed.is_empty)
        return await end_of(app, pilot, store, "")


async def end_of(app: CrmmailApp, pilot: Pilot[None], store: Store, copied: str) -> Walked:
    """How a walk has ended, with what was copied last."""
    await settle(pilot)
    where = place(app)
    await settle(pilot)
    return (*where, app.clipboard or copied), text(app), kept(store)


def made(store: Store, monkeypatch: pytest.MonkeyPatch) -> CrmmailApp:
    """An app that starts no browser and keeps the terminal."""
    app = CrmmailApp(store, sync=False)
    monkeypatch.setattr(app, "open_url", lambda _url: None)
    monkeypatch.setattr(app, "suspend", nothing)
    return app
