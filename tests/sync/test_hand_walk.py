"""Random walks over what is done by hand: undo of it leaves nothing, and nothing else loses it.

8 walks in every run; CRMMAIL_WALKS=100 plays so many, CRMMAIL_WALKS=17-17 seed 17 alone, and
CRMMAIL_STEPS longer ones. What a walk has done is printed when it fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from tests.conftest import Mailbox
from tests.dav_servers import Radicale
from tests.remote import Remote
from tests.sync.conftest import connect
from tests.sync.hand_walk import begin, step
from tests.sync.hand_world import SECOND
from tests.sync.letters import ME

from crmmail.store import accounts
from crmmail.store.database import Store


def _seeds() -> range:
    first, _, last = os.environ.get("CRMMAIL_WALKS", "8").rpartition("-")
    return range(int(first), int(last) + 1) if first else range(int(last))


@pytest.fixture(scope="module")
def dav() -> Iterator[Radicale]:
    """A CalDAV server; each walk has a user of its own."""
    with Radicale() as server:
        yield server


@pytest.mark.parametrize("seed", _seeds())
def test_undo_leaves_nothing_and_nothing_else_loses_what_was_done_by_hand(
    seed: int,
    store: Store,
    new_mailbox: Callable[[], Mailbox],
    dav: Radicale,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boxes = [new_mailbox(), new_mailbox()]
    monkeypatch.setenv("CRMMAIL_PASSWORD", boxes[0].password)
    connect(store, boxes[0])
    connect(store, boxes[1], SECOND)
    dav.user = f"walker{seed}"
    with (dav.dir / "users").open("a") as users:
        users.write(f"{dav.user}:{dav.password}\n")
    for name in ("work", "team"):
        dav.make(name)
    accounts.set_calendars(store, ME, dav.url, dav.user, "env:CRMMAIL_PASSWORD")
    walk = begin(store, tuple(Remote(box.server, box.user) for box in boxes), dav, seed)
    steps = int(os.environ.get("CRMMAIL_STEPS", "6"))
    try:
        for _ in range(steps):
            step(walk)
    except BaseException:
        print(*walk.said, sep="\n")
        raise
    finally:
        walk.store.close()
    assert walk.steps == steps
