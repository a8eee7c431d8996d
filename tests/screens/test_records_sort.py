"""Lists sorted by any column and rows that are marked, on what a real sync brought in."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.records import RecordsScreen
from crmmail.store import companies, opportunities, people
from crmmail.store.database import Store
from crmmail.widgets.record_list import Order, RecordList
from tests.screens.harness import lines, press, settle, text


@pytest.fixture
def app(sample_store: Store) -> CrmmailApp:
    return CrmmailApp(sample_store, sync=False)


def shown(app: CrmmailApp) -> RecordList:
    assert isinstance(app.screen, RecordsScreen)
    return app.screen.shown


async def test_s_goes_through_the_columns_and_the_title_says_which(app: CrmmailApp) -> None:
    db = app.store.read()
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        assert "↓Last" in lines(app)[2]
        await press(pilot, "s")
        assert "Name↑" in lines(app)[2]
        assert list(shown(app).ids) == list(people.view(db, "name"))
        await press(pilot, "S")
        assert "Name↓" in lines(app)[2]
        assert list(shown(app).ids) == list(people.view(db, "name", True))
        await press(pilot, "s")
        assert "Company↑" in lines(app)[2]
        await press(pilot, "s")
        assert list(shown(app).ids) == list(people.view(db, "address"))
        await press(pilot, "s")
        assert "↓Threads" in lines(app)[2]
        assert list(shown(app).ids) == list(people.view(db, "threads"))
        await press(pilot, "s")
        assert "↑Next" in lines(app)[2]
        await press(pilot, "s")
        assert shown(app).order == Order()


async def test_each_list_keeps_its_order_and_the_filter_too(app: CrmmailApp) -> None:
    db = app.store.read()
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, "2", "s", "s")
        assert list(shown(app).ids) == list(companies.view(db, "domains"))
        await press(pilot, "1")
        assert shown(app).order == Order()
        await press(pilot, "2")
        assert shown(app).order.sort == "domains"
        await press(pilot, "slash", "a")
        assert list(shown(app).ids) == list(companies.view(db, "domains", match="a"))
        await press(pilot, "escape")
        await press(pilot, "3", "s", "s", "s", "s", "s", "s")
        assert shown(app).order.sort == "closes"
        assert list(shown(app).ids) == list(opportunities.view(db, "closes"))


async def test_narrow_terminals_sort_by_what_they_show(app: CrmmailApp) -> None:
    async with app.run_test(size=(40, 24)) as pilot:
        await press(pilot, "s", "s")
        assert shown(app).order.sort in ("company", "last")
        assert "↓" in lines(app)[2] or "↑" in lines(app)[2]


async def test_a_click_on_a_title_sorts_and_a_second_reverses(app: CrmmailApp) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        where = lines(app)[2].index("Company") + 2
        await pilot.click(offset=(where, 2))
        await settle(pilot)
        assert shown(app).order == Order("company", False)
        await pilot.click(offset=(where, 2))
        await settle(pilot)
        assert shown(app).order == Order("company", True)
        assert shown(app).cursor >= 0


async def test_marks_are_counted_kept_and_taken_back(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "space", "j", "space")
        first, third = shown(app).ids[0], shown(app).ids[2]
        assert shown(app).chosen == (first, third)
        assert text(app).count("✓ ") == 2
        assert "2 marked of" in text(app)
        await press(pilot, "s")
        assert shown(app).marks == {first, third}
        await press(pilot, "asterisk")
        assert len(shown(app).chosen) == len(shown(app).ids)
        await press(pilot, "v")
        assert shown(app).marks == set()
        await press(pilot, "space", "escape")
        assert shown(app).marks == set()
        assert "marked" not in text(app)
