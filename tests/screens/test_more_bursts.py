"""Bursts over all screens, panels, forms and lines end as the same keys with pauses (U1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmmail.app import CrmmailApp
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.screens import filler
from tests.screens.bursts import kept, keys_wait, place, rows, write
from tests.screens.conftest import NOW
from tests.screens.harness import press, settle, text, until

__all__ = ["keys_wait"]

AT = int(NOW.timestamp())
BURSTS = (
    "e ctrl+u `Ada King` escape n ctrl+s u",
    "e `x` escape y down e `y` ctrl+s",
    "c `New Body` tab `new@fresh.example` ctrl+s escape slash `new b`",
    "c tab `no address` ctrl+s escape y j",
    "e tab tab end ctrl+u `nord` enter ctrl+s 2 enter",
    "D D u j D",
    "space j space M down enter",
    "B u slash `person 1` enter j enter",
    "2 c `Works` tab `works.example` ctrl+s",
    "3 e tab end ctrl+u `won` enter tab ctrl+u `5,000` ctrl+s",
    "enter n `Call D and B` ctrl+s n `more` escape y 3 D u",
    "enter x x u u slash `pilot` escape j",
    "enter enter l `nordw` enter J l `acme` down enter K",
    "enter enter at j B escape J x j x escape K",
    "enter enter slash `contract` enter n N escape z O g",
    "a slash `visit` enter enter l `nordw` enter J x j x",
    "a r r r period enter n n p escape escape",
    "L tab slash `x` escape enter q comma j j enter escape",
    "comma B `lease.example` enter enter B `other.example` enter enter u tab p",
    "F `bud` backspace `d` down enter escape ctrl+u `nord` enter n `word` ctrl+s",
    "ctrl+p `go to: agenda` enter j enter escape",
    "question_mark down escape F `ada` escape 2 slash `acm` enter",
    "comma c `ann@b.test` tab `pass show x` shift+tab `n` escape y escape",
)


def strokes(burst: str) -> list[str]:
    """The single keys of a burst, in which words stand between backquotes."""
    keys: list[str] = []
    for position, part in enumerate(burst.split("`")):
        typed = position % 2 == 1
        keys += part if typed else part.split()
    return keys


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two stores that are alike."""
    made = [Store(tmp_path / name) for name in ("slow.db", "fast.db")]
    for store in made:
        filler.small(store, AT)
        filler.meetings(store, AT)
        accounts.add(store, "second@away.example")
    yield made[0], made[1]
    for store in made:
        store.close()


async def ending(store: Store, keys: list[str], at_once: bool) -> tuple[object, str, list[str]]:
    """How a burst ends."""
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await press(pilot)
        if at_once:
            write(app, *keys)
            await until(pilot, lambda: app.typed.is_empty)
        else:
            for key in keys:
                await press(pilot, key)
                await settle(pilot)
        await settle(pilot)
        where = place(app)
        await settle(pilot)
        return where, text(app), kept(store)


@pytest.mark.parametrize("burst", BURSTS)
async def test_a_burst_ends_as_the_same_keys_with_pauses(
    stores: tuple[Store, Store], burst: str
) -> None:
    slow = await ending(stores[0], strokes(burst), at_once=False)
    fast = await ending(stores[1], strokes(burst), at_once=True)
    assert fast[0] == slow[0]
    assert rows(fast[1]) == rows(slow[1])
    assert fast[2] == slow[2]


def test_the_words_of_a_burst_are_typed_letter_by_letter() -> None:
    assert strokes("e `a b` ctrl+s") == ["e", "a", " ", "b", "ctrl+s"]
