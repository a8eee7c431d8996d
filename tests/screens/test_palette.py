"""The command palette: what can be done here, going to a record, colours that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.command import CommandList, CommandPalette
from textual.pilot import Pilot

from crmmail import settings
from crmmail.app import CrmmailApp
from crmmail.screens.agenda import AgendaScreen
from crmmail.screens.help import HelpScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.palette import offers
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store.database import Store
from tests.screens import filler
from tests.screens.conftest import NOW
from tests.screens.harness import press, settle, text


async def choose(pilot: Pilot[str], words: str) -> None:
    """Open the palette, type, and take the first of what is found."""
    await press(pilot, "ctrl+p", *words)
    palette = pilot.app.screen
    assert isinstance(palette, CommandPalette)
    assert palette.query_one(CommandList).option_count > 0
    await press(pilot, "enter")
    assert pilot.app.screen is not palette


@pytest.mark.parametrize(
    ("keys", "there", "not_there"),
    [
        ((), ["list: Sort by the next column", "app: Sync now"], ["thread: Fold"]),
        (
            ("enter", "enter"),
            ["thread: Next thread", "app: Quit"],
            ["list: Sort by the next column"],
        ),
    ],
)
async def test_it_offers_what_the_keys_here_do(
    app: CrmmailApp, keys: tuple[str, ...], there: list[str], not_there: list[str]
) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, *keys)
        found = {offer.title: offer.keys for offer in offers(app.screen)}
        assert set(there) <= set(found)
        assert not set(not_there) & set(found)
        known = {b.id for b in (a.binding for a in app.screen.active_bindings.values()) if b.id}
        assert len(found) >= len(known) - 4
        assert found["app: Sync now"] == "^r"


async def test_it_is_drawn_with_areas_and_keys(app: CrmmailApp) -> None:
    async with app.run_test(size=(100, 60)) as pilot:
        await press(pilot, "ctrl+p")
        shown = text(app)
        assert "list: Sort by the next column  s" in shown
        for typed, command in (
            ("compani", "go to: Companies"),
            ("mailb", "account: Add a mailbox"),
        ):
            await press(pilot, *typed)
            assert command in text(app)
            await press(pilot, *["backspace"] * len(typed))
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)


async def test_a_command_does_what_its_key_does(app: CrmmailApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await choose(pilot, "list: half a page down")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.cursor > 5
        await choose(pilot, "app: help")
        assert isinstance(app.screen, HelpScreen)


async def test_people_and_companies_by_name(app: CrmmailApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await choose(pilot, "lovelace")
        assert isinstance(app.screen, RecordScreen)
        assert "Ada Lovelace" in text(app)
        await choose(pilot, "nordwind")
        assert isinstance(app.screen, RecordScreen)
        assert "Nordwind" in text(app)
        await choose(pilot, "go to: opportunities")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.index == 2
        assert len(app.screen_stack) == 1


async def test_a_hostile_name_is_text(store: Store) -> None:
    with store.write("people") as (db, change):
        filler.Filler(db, change).person("Mallory [bold]x[/left] [@click=app.quit]y", "m@x.example")
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "ctrl+p", *"mallory")
        assert "Mallory [bold]x[/left] [@click=app.quit]y" in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)


async def test_a_chosen_theme_is_kept(store: Store) -> None:
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        assert not (settings.data_dir() / "state.json").exists()
        await choose(pilot, "app: change theme")
        await pilot.press(*"light")
        await press(pilot, "enter")
        chosen = app.theme
        assert chosen != "crmmail-dark"
    assert json.loads((settings.data_dir() / "state.json").read_text())["theme"] == chosen
    assert not settings.config_path().exists()
    assert CrmmailApp(store, sync=False).theme == chosen


async def test_a_theme_by_its_name(app: CrmmailApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await choose(pilot, "crmmail-light")
        assert app.theme == "crmmail-light"
    assert settings.remembered("theme") == "crmmail-light"


def test_the_config_wins_again_when_it_is_changed(store: Store) -> None:
    settings.config_path().write_text('theme = "nord"\n')
    settings.remember(theme="dracula", theme_instead_of="nord")
    assert CrmmailApp(store, sync=False).theme == "dracula"
    settings.config_path().write_text('theme = "crmmail-light"\n')
    assert CrmmailApp(store, sync=False).theme == "crmmail-light"


def test_a_remembered_theme_that_is_gone(store: Store, tmp_path: Path) -> None:
    settings.remember(theme="pink", theme_instead_of="")
    assert CrmmailApp(store, sync=False).theme == "crmmail-dark"


async def test_compact_shows_more_rows(store: Store) -> None:
    heights = []
    for density in ("comfortable", "compact"):
        settings.config_path().write_text(f'density = "{density}"\n')
        app = CrmmailApp(store, sync=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            assert isinstance(app.screen, RecordsScreen)
            heights.append(app.screen.shown.page_height)
            assert "Ada Lovelace" in text(app)
    assert heights[1] > heights[0]


@pytest.mark.parametrize("size", [(80, 24), (20, 6), (300, 80)])
async def test_resizing_keeps_the_place(app: CrmmailApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, "j", "j")
        await pilot.resize_terminal(*size)
        await settle(pilot)
        await pilot.resize_terminal(160, 48)
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.cursor == 2
        assert "Ada Lovelace" in text(app)


@pytest.mark.parametrize(
    "way", [("enter",), ("enter", "enter"), ("question_mark",), ("ctrl+p",), ("F",), ("slash", "x")]
)
async def test_back_always_goes_back(app: CrmmailApp, way: tuple[str, ...]) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, *way)
        for _ in range(3):
            await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.has_focus
        assert len(app.screen.shown.ids) > 30


async def test_one_goes_to_the_agenda_and_to_a_meeting_by_name(
    app: CrmmailApp, store: Store
) -> None:
    found = filler.meetings(store, int(NOW.timestamp()))
    async with app.run_test(size=(100, 40)) as pilot:
        await choose(pilot, "visit at")
        assert isinstance(app.screen, MeetingScreen)
        assert app.screen.occurrence == found["visit"][0]
        await choose(pilot, "go to: agenda")
        assert isinstance(app.screen, AgendaScreen)
