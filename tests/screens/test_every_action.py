"""Every action that has a key, done with it on a store that a real sync has filled.

A walk goes from action to action. The key is looked up among those that do something at that
moment, by the id of the action; what the action brings must not have been there before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import time_machine

from crmmail import keymap
from crmmail.app import CrmmailApp
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.screens.conftest import NOW
from tests.screens.harness import press, text, until
from tests.screens.walks import WALKS, key_of, nothing, prepare, programs

__all__ = ["programs"]

ELSEWHERE = {"setup.demo", "setup.trust"} | {
    f"repair.{name}" for name in ("take", "leave", "up", "down")
}
"""What cannot be on this store. Without an account: test_first_run does it. With a certificate that
nobody signed: test_first_run_server does it. With a damaged store: test_trouble does it."""


def test_every_action_has_a_step() -> None:
    done = {one.id for one in itertools.chain(*WALKS.values())}
    assert done | ELSEWHERE == {action.id for action in keymap.actions(CrmmailApp)}
    assert not done & ELSEWHERE


@pytest.fixture
def clock() -> Iterator[None]:
    """The time goes on here: what is on the server is fetched."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.mark.parametrize("name", WALKS)
async def test_a_walk(
    sample_store: Store,
    programs: None,
    keyring_here: Memory,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    prepare(sample_store, name)
    app = CrmmailApp(sample_store, sync=False)
    monkeypatch.setattr(app, "open_url", lambda _url: None)
    monkeypatch.setattr(app, "suspend", nothing)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await press(pilot)
        for one in WALKS[name]:
            await press(pilot, *one.first)
            assert not one.brings(app), f"{one.id}: as it was before\n{text(app)}"
            await press(pilot, key_of(app, one.id))
            try:
                await until(pilot, lambda one=one: one.brings(app))  # type: ignore[misc]
            except AssertionError:
                pytest.fail(f"{one.id}: not what it brings\n{text(app)}")
            app.clear_notifications()
            app.copy_to_clipboard("")
