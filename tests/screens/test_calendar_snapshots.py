"""Pictures of calendars, the agenda and meetings; how to draw them anew: test_snapshots.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.store.database import Store
from tests.screens import filler
from tests.screens.conftest import NOW
from tests.screens.harness import press, settle

SMALL, LARGE = (80, 24), (160, 48)
Compare = Callable[..., bool]


def keys(*pressed: str, theme: str = "crmmail-dark") -> Callable[[Pilot[None]], object]:
    async def drive(pilot: Pilot[None]) -> None:
        pilot.app.theme = theme
        await press(pilot, *pressed)
        await settle(pilot)

    return drive


@pytest.mark.parametrize(
    ("size", "drive"),
    [
        pytest.param(SMALL, keys("enter", "2"), id="calendar-small"),
        pytest.param(LARGE, keys("2", "enter", "2"), id="calendar-large"),
        pytest.param(SMALL, keys("a"), id="agenda-small"),
        pytest.param(LARGE, keys("a", "j", theme="crmmail-light"), id="agenda-large-light"),
        pytest.param(SMALL, keys("enter", "2", "slash", *"pilot"), id="calendar-filtered-small"),
        pytest.param(LARGE, keys("a", "slash", *"visit", "enter"), id="agenda-filtered-large"),
        pytest.param(SMALL, keys("a", "slash", *"nothing"), id="agenda-no-match-small"),
        pytest.param(SMALL, keys("enter", "2", "enter"), id="meeting-small"),
        pytest.param(LARGE, keys("enter", "2", "j", "enter"), id="meeting-large"),
        pytest.param(LARGE, keys("a", "enter", theme="crmmail-light"), id="series-large-light"),
        pytest.param(SMALL, keys("a", "j", "enter", "at", "j", "j"), id="attendees-small"),
        pytest.param(LARGE, keys("F", *"pilot"), id="search-large"),
        pytest.param(LARGE, keys("s", "s", "s", "s", "s"), id="next-meeting-large"),
    ],
)
def test_filled(
    snap_compare: Compare,
    store: Store,
    size: tuple[int, int],
    drive: Callable[[Pilot[None]], object],
) -> None:
    filler.meetings(store, int(NOW.timestamp()))
    app = CrmmailApp(store, sync=False)
    assert snap_compare(app, terminal_size=size, run_before=drive)


@pytest.mark.parametrize(
    ("size", "drive"),
    [
        pytest.param(SMALL, keys("enter", "2"), id="calendar-small"),
        pytest.param(LARGE, keys("a"), id="agenda-large"),
        pytest.param(SMALL, keys("a", "r"), id="agenda-today-small"),
    ],
)
def test_empty(
    snap_compare: Compare,
    store: Store,
    size: tuple[int, int],
    drive: Callable[[Pilot[None]], object],
) -> None:
    app = CrmmailApp(store, sync=False)
    assert snap_compare(app, terminal_size=size, run_before=drive)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_error(snap_compare: Compare, store: Store, size: tuple[int, int]) -> None:
    filler.meetings(store, int(NOW.timestamp()))
    with store.write("state") as (db, _):
        db.execute(
            "UPDATE sync_state SET state = 'stopped', error = 'The server refuses the password.', "
            "hint = 'crmmail account test says more.'"
        )
    app = CrmmailApp(store, sync=False)
    assert snap_compare(app, terminal_size=size, run_before=keys("a"))
