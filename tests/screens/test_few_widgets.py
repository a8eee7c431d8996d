"""Every mounted widget taxes every key: no screen or panel has more than sixty."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.store.database import Store
from tests.screens.harness import press, settle
from tests.screens.test_snapshots import EMPTY, FILLED, Stop, stop

MOST = 60
ALSO = {
    "nothing": EMPTY,
    "calendar": (stop("agenda", "a"), stop("meeting", "enter"), stop("records", "x")),
    "tabs": (stop("emails", "enter"), *(stop(tab, tab) for tab in "2341")),
    "merging": (
        stop("one", "M"),
        stop("which", "escape", "space", "space", "M"),
        stop("company", "escape", "escape", "C"),
        stop("new", "escape", "c"),
    ),
    "letting in": (stop("exceptions", "L", "X"), stop("message", "escape", "a")),
    "menu": (stop("menu", "ctrl+p"), stop("found", *"hall")),
}
TOURS = FILLED | ALSO


@pytest.mark.parametrize("name", TOURS)
async def test_no_screen_has_many_widgets(
    sample_store: Store, empty_store: Store, name: str
) -> None:
    app = CrmmailApp(empty_store if name == "nothing" else sample_store, sync=False)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await settle(pilot)
        for one in TOURS[name]:
            await press(pilot, *one.keys)
            _check(app, one)


async def test_setting_up_a_mailbox_needs_few_widgets(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(160, 48)) as pilot:
        app.action_add_account()
        await settle(pilot)
        await press(pilot, *"ann@gmail.com")
        _check(app, stop("first run"))


def _check(app: CrmmailApp, at: Stop) -> None:
    widgets = len(app.screen.query("*"))
    assert 0 < widgets <= MOST, f"{at.name} on {type(app.screen).__name__}: {widgets} widgets"
