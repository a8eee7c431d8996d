"""A new user's walk through the demo, with no key that the screen does not show at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.help import HelpScreen
from crmmail.store.database import Store
from crmmail.widgets.prompt import Prompt
from tests.screens.conftest import NOW
from tests.screens.harness import lines, press, text, until

_KEYS = {
    "↓": "down",
    "⏎": "enter",
    "esc": "escape",
    "^s": "ctrl+s",
    "/": "slash",
    "?": "question_mark",
}


@pytest.fixture
def clock() -> Iterator[None]:
    """The time goes on here: an attachment is fetched."""
    with time_machine.travel(NOW, tick=True):
        yield


class NewUser:
    """Somebody who sees crmmail for the first time."""

    def __init__(self, app: CrmmailApp, pilot: Pilot[None]) -> None:
        self._app = app
        self._pilot = pilot

    async def use(self, *hints: str) -> None:
        """Press keys that are shown with what they do, as "⏎ Open": in the foot or on a tab."""
        for hint in hints:
            places = (lines(self._app)[-1], *filter(_is_tabs, lines(self._app)))
            assert any(_has(line, hint) for line in places), f"{hint!r}:\n{text(self._app)}"
            await self._press(hint)

    async def look_up(self, hint: str) -> None:
        """Press a key that only help shows."""
        await self.use("? Help")
        seen: list[str] = []
        for _ in range(9):
            seen += lines(self._app)
            await press(self._pilot, "pagedown")
        assert any(_has(line, hint) for line in seen), f"{hint!r} is not in help"
        assert any("escape closes" in line for line in seen)
        await press(self._pilot, "escape")
        await self._press(hint)

    async def answer(self, hint: str) -> None:
        """Press the key that a frame names, as "enter saves"."""
        assert any(hint in line for line in lines(self._app) if "╯" in line), text(self._app)
        await press(self._pilot, hint.split()[0])

    async def type(self, words: str) -> None:
        await press(self._pilot, *("space" if letter == " " else letter for letter in words))

    async def wait_for_the_toast(self, words: str) -> None:
        """See what was done said, and wait until it is said no more."""
        await self.sees(words)
        self._app.clear_notifications()
        await until(self._pilot, lambda: words not in text(self._app))

    async def rename(self, new: str) -> None:
        """Rub out the file's name behind its folder, and type another."""
        path = Path(self._app.screen.query_one(Prompt).value)
        await press(self._pilot, *["backspace"] * len(path.name))
        await self.type(new)

    async def sees(self, *words: str) -> None:
        try:
            await until(self._pilot, lambda: all(word in text(self._app) for word in words))
        except AssertionError:
            pytest.fail(f"not all of {words} is shown:\n{text(self._app)}")

    async def _press(self, hint: str) -> None:
        key = hint.split()[0]
        await press(self._pilot, _KEYS.get(key, key))


def _is_tabs(line: str) -> bool:
    return line.startswith("  1 ")


def _has(line: str, hint: str) -> bool:
    return f" {hint} " in f" {re.sub(' +', ' ', line.replace('│', ' '))} "


@pytest.mark.parametrize("size", [(80, 24), (120, 34)])
async def test_a_new_user_finds_the_way_by_what_is_shown(
    sample_store: Store, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmmail.screens.files.folder", lambda: tmp_path)
    app = CrmmailApp(sample_store, sync=False)
    async with app.run_test(size=size, notifications=True) as pilot:
        user = NewUser(app, pilot)
        await find_the_last_mail(user)
        await create_an_opportunity(user)
        await link_a_thread(user)
        await save_an_attachment(user)
        assert not isinstance(app.screen, HelpScreen)
    [saved] = tmp_path.glob("kept.pdf")
    assert saved.read_bytes().startswith(b"%PDF")


async def find_the_last_mail(user: NewUser) -> None:
    await user.sees("38 people")
    await user.use("/ Filter")
    await user.type("hale")
    await user.sees("1 person")
    await user.use("↓ To the list", "⏎ Open")
    await user.sees("Benedict Hale", "3 threads", "The library bar")
    await user.use("⏎ Open")
    await user.sees("She has never done that for anyone. When can you come?")
    await user.use("esc Back", "esc Back", "esc Clear")
    await user.sees("38 people")


async def create_an_opportunity(user: NewUser) -> None:
    await user.use("3 Opportunities", "c New")
    await user.type("Second bar")
    await user.use("tab Next field", "tab Next field")
    await user.type("1200")
    await user.use("^s Save")
    await user.wait_for_the_toast("Second bar created. u to undo.")
    await user.sees("1,200 EUR", "l on a thread")


async def link_a_thread(user: NewUser) -> None:
    await user.use("esc Back", "1 People", "/ Filter")
    await user.type("hale")
    await user.use("↓ To the list", "⏎ Open", "⏎ Open", "l Link")
    await user.type("second")
    await user.sees("1 record")
    await user.answer("enter links")
    await user.wait_for_the_toast("Linked to Second bar.")
    await user.sees("linked by hand")
    await user.look_up("x The records that it is on: hide it")
    await user.sees("Second bar")
    await user.use("esc Close", "esc Back", "esc Back", "esc Clear", "3 Opportunities", "/ Filter")
    await user.type("second")
    await user.use("↓ To the list", "⏎ Open")
    await user.sees("Second bar", "1 thread", "The library bar")
    await user.use("esc Back")


async def save_an_attachment(user: NewUser) -> None:
    await user.use("F Search")
    await user.sees("has:attachment")
    await user.type("has:attachment filename:pdf penguins")
    await user.sees(" shown", "Threads")
    await user.use("⏎ Open", "A Attachments", "S Save as")
    await user.sees("Save as", ".pdf")
    await user.rename("kept.pdf")
    await user.answer("enter saves")
    await user.sees("Saved ")  # its folder's name is long or short, and may be broken anywhere
