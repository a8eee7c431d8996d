"""Pictures of the screens, on the demo's mailbox as a real sync brings it in.

After a change that is meant: `pytest tests/screens/test_snapshots.py --snapshot-update`, on
Python 3.11, and look at each picture before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.store.database import Store
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
        pytest.param(SMALL, keys(), id="people-small"),
        pytest.param(LARGE, keys("j", "j", "j"), id="people-large"),
        pytest.param(SMALL, keys("2"), id="companies-small"),
        pytest.param(LARGE, keys("3", theme="crmmail-light"), id="opportunities-large-light"),
        pytest.param(SMALL, keys("enter"), id="person-small"),
        pytest.param(LARGE, keys("2", "enter"), id="company-large"),
        pytest.param(SMALL, keys("enter", "enter"), id="thread-small"),
        pytest.param(LARGE, keys("2", "enter", "enter", "O"), id="thread-large"),
        pytest.param(SMALL, keys("enter", "enter", "question_mark"), id="help-small"),
        pytest.param(SMALL, keys("L"), id="skipped-small"),
        pytest.param(LARGE, keys("L", "j", "j", "enter"), id="skipped-why-large"),
        pytest.param(SMALL, keys("comma"), id="accounts-small"),
        pytest.param(LARGE, keys("comma", *"jjjjjjjj", "enter"), id="accounts-visibility-large"),
    ],
)
def test_filled(
    snap_compare: Compare,
    sample_store: Store,
    size: tuple[int, int],
    drive: Callable[[Pilot[None]], object],
) -> None:
    app = CrmmailApp(sample_store, sync=False)
    assert snap_compare(app, terminal_size=size, run_before=drive)


def test_empty(snap_compare: Compare, empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    assert snap_compare(app, terminal_size=SMALL, run_before=keys())
