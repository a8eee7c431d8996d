"""Finding words inside a thread: folded messages and quotes open, n and N go from hit to hit."""

from __future__ import annotations

from rich.segment import Segment

from crmmail.app import CrmmailApp
from crmmail.screens.record import RecordScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from crmmail.widgets.hits import spans
from tests.screens.harness import press, settle, text

OPEN = ("enter", "enter")


def thread(app: CrmmailApp) -> ThreadScreen:
    assert isinstance(app.screen, ThreadScreen)
    return app.screen


def hit(segment: Segment) -> bool:
    """Scroll bars are drawn in reverse, too, but are blank."""
    return bool(segment.style and segment.style.reverse and segment.text.strip())


def highlighted(app: CrmmailApp) -> list[str]:
    """What is drawn as a hit."""
    found: list[Segment] = [s for strip in app.screen._compositor.render_strips() for s in strip]
    return [segment.text for segment in found if hit(segment)]


async def test_hits_are_found_in_folded_messages_and_quotes(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, *OPEN, "slash", *"PILOT", "enter")
        assert "“PILOT” 1 of 2 hits" in text(app)
        assert "> the pilot in March?" in text(app)
        assert highlighted(app) == ["pilot", "pilot"]
        assert thread(app).pane.has_focus
        await press(pilot, "slash", *"who pays", "enter")
        assert "“who pays” 1 of 1 hit" in text(app)
        assert "Who pays?" in text(app)


async def test_n_goes_to_the_next_hit_until_escape(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *OPEN, "slash", *"the", "enter")
        pane = thread(app).pane
        hits = pane.hits
        assert hits >= 3
        before = pane.hit
        await press(pilot, "n")
        assert pane.hit == (before + 1) % hits
        assert f"{pane.hit + 1} of {hits} hits" in text(app)
        await press(pilot, "N", "N")
        assert pane.hit == (before - 1) % hits
        row = pane._hits[pane.hit]
        assert pane.scroll_offset.y <= row < pane.scroll_offset.y + pane.page_height
        await press(pilot, "escape")
        assert highlighted(app) == []
        assert isinstance(app.screen, ThreadScreen)
        await press(pilot, "g", "n")
        assert pane.current == 1
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordScreen)


async def test_what_is_not_there_is_told(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, *OPEN, "slash", *"[/x]", "enter")
        assert "“[/x]”: no hit" in text(app)
        assert "“[/x]” is not in this text." in text(app)
        await press(pilot, "slash", "escape")
        assert "no hit" not in text(app)


async def test_hits_that_are_typed_are_seen_at_once(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *OPEN, "slash", *"contr")
        assert highlighted(app)[:1] == ["contr"]
        await press(pilot, "escape")
        assert highlighted(app) == []


async def test_the_next_thread_begins_without_a_search(sample_store: Store) -> None:
    app = CrmmailApp(sample_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *OPEN, "slash", *"the", "enter", "at")
        before = thread(app).thread_id
        await press(pilot, "J")
        await settle(pilot)
        assert thread(app).thread_id != before
        assert highlighted(app) == []
        assert not thread(app).participants.is_open
        assert thread(app).pane.has_focus


def test_letters_of_other_length_in_lower_case_stay_in_place() -> None:
    assert list(spans("İstanbul, istanbul", "ISTANBUL")) == [(10, 18)]
    assert list(spans("aaaa", "aa")) == [(0, 2), (2, 4)]
    assert list(spans("anything", "")) == []
