"""A terminal that is made very small, with each screen, panel and form open."""

from __future__ import annotations

import threading

import pytest

from crmmail.accounts import credentials
from crmmail.accounts.credentials import SecretError
from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.repair import RepairScreen, Way
from crmmail.store.database import Store
from tests.patience import PATIENCE
from tests.screens.harness import press, settle, text, until

SIZES = ((1, 1), (4, 2), (3, 40), (200, 1), (7, 7), (80, 24))


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("ctrl+p",),
        ("ctrl+p", "p", "e"),
        ("question_mark",),
        ("c",),
        ("e",),
        ("F",),
        ("comma",),
        ("L",),
        ("slash",),
        ("M",),
        ("a",),
        ("D",),
        ("enter", "ctrl+p"),
        ("enter", "n"),
        ("enter", "2"),
        ("enter", "enter"),
        ("enter", "enter", "l"),
        ("enter", "enter", "ctrl+p"),
    ],
)
async def test_the_app_outlives_a_very_small_terminal(
    app: CrmmailApp, keys: tuple[str, ...]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        before = app.screen
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert app.is_running
            assert app.size == size
        assert app.screen is before
        assert text(app).strip()


@pytest.mark.parametrize("size", [(40, 10), (36, 9), (40, 6)])
@pytest.mark.parametrize("tabs", [0, 3, 5])
async def test_the_field_that_has_the_keys_stays_on_the_screen(
    app: CrmmailApp, size: tuple[int, int], tabs: int
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "e", *["tab"] * tabs)
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert is_seen(app)


@pytest.mark.parametrize("size", [(40, 10), (36, 9)])
async def test_the_field_of_a_new_account_stays_on_the_screen(
    empty_store: Store, size: tuple[int, int]
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await press(pilot, "tab", "tab", "tab")
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert is_seen(app)


@pytest.mark.parametrize("size", [(40, 10), (36, 9)])
async def test_the_field_stays_on_a_small_screen_when_it_is_found_that_there_is_no_keyring(
    empty_store: Store, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = threading.Event()

    def none_there() -> list[str]:
        assert looks.wait(PATIENCE)
        raise SecretError("This machine has no usable keyring.")

    monkeypatch.setattr(credentials, "keyring_backends", none_there)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await until(pilot, lambda: app.focused is not None and is_seen(app))
        looks.set()
        await until(pilot, lambda: "in each run" in " ".join(text(app).split()))
        await settle(pilot)
        assert is_seen(app)


def is_seen(app: CrmmailApp) -> bool:
    focused = app.focused
    assert focused is not None
    place = app.screen.find_widget(focused)
    return bool(place.visible_region.height)


@pytest.mark.parametrize("size", [(36, 9), (60, 12), (80, 24)])
@pytest.mark.parametrize("down", range(3))
async def test_the_choice_about_a_damaged_store_that_enter_takes_is_seen(
    app: CrmmailApp, size: tuple[int, int], down: int
) -> None:
    offered = [Way("one", "First of all of them"), Way("two", "Second of them")]
    async with app.run_test(size=size) as pilot:
        await press(pilot)
        app.push_screen(RepairScreen("The store is damaged. " * 4, offered, "Third: leave it"))
        await press(pilot, *["j"] * down)
        await settle(pilot)
        assert ("First of", "Second of", "Third: leave")[down] in text(app)
