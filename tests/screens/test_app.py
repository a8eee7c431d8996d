"""The app as a whole: what it loads, its keys, its themes, its end."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest
from rich.style import Style
from textual.binding import Binding
from textual.theme import BUILTIN_THEMES

from crmmail.app import CrmmailApp
from crmmail.screens.help import HelpScreen, own_bindings
from crmmail.store.database import Store
from tests.patience import PATIENCE
from tests.screens.harness import lines, press, settle, text, until

FIRST_PAINT = """
import asyncio, sys
from pathlib import Path
from crmmail.app import CrmmailApp
from crmmail.store.database import Store

async def main():
    app = CrmmailApp(Store(Path(sys.argv[1])), sync=False)
    async with app.run_test() as pilot:
        await pilot.pause()
        heavy = {"sqlmodel", "sqlalchemy", "pydantic", "imapclient", "keyring", "caldav", "typer"}
        print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))

asyncio.run(main())
"""


def test_the_first_paint_loads_nothing_heavy(store: Store) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAINT, str(store.path)],
        capture_output=True, text=True, timeout=2 * PATIENCE, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("keys", [(), ("enter",), ("enter", "enter"), ("question_mark",)])
async def test_a_screen_has_few_widgets(app: CrmmailApp, keys: tuple[str, ...]) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, *keys)
        assert len(app.screen.query("*")) <= 60


@pytest.mark.parametrize("keys", [(), ("enter",), ("enter", "enter"), ("slash",)])
async def test_every_key_has_an_id_and_a_description(
    app: CrmmailApp, keys: tuple[str, ...]
) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, *keys)
        nodes = [app, app.screen, *app.screen.query("*")]
        bindings = [binding for node in nodes for binding in own_bindings(node)]
        assert len(bindings) > 15
        assert [b for b in bindings if not b.id or not b.description] == []
        named: dict[str, Binding] = {}
        for binding in bindings:
            assert named.setdefault(binding.id or "", binding) == binding


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), ("↓ j", "g home", "Half a page down", "shift+tab", "Opportunities", "^q", "Sync now")),
        (
            ("enter", "enter"),
            ("Previous message", "all quoted text", "K [", "space", "Next thread"),
        ),
    ],
)
async def test_help_shows_every_key_of_the_screen(
    app: CrmmailApp, keys: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    async with app.run_test(size=(100, 90)) as pilot:
        await press(pilot, *keys, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        shown = text(app)
        assert [words for words in expected if words not in shown] == []
        await press(pilot, "escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_ctrl_q_quits(app: CrmmailApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running or app._exit


async def test_every_theme_but_the_terminals_own_is_offered(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.theme == "crmmail-dark"
        names = set(app.available_themes)
        assert names == {n for n, t in BUILTIN_THEMES.items() if not t.ansi} | {
            "crmmail-dark", "crmmail-light",
        }  # fmt: skip
        for name in ("crmmail-light", "textual-dark", "nord", "crmmail-dark"):
            app.theme = name
            await settle(pilot)
            assert "Ada Lovelace" in text(app)


async def test_without_colour_all_is_grey_and_the_cursor_is_seen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert app.no_color
        styles = _drawn_styles(app, "Ada Lovelace"), _drawn_styles(app, "Bob Stone")
        for style in styles:
            for colour in (style.color, style.bgcolor):
                assert colour is not None
                assert colour.triplet is not None
                assert len(set(colour.triplet)) == 1
        assert styles[0].bgcolor != styles[1].bgcolor


def _drawn_styles(app: CrmmailApp, words: str) -> Style:
    """How some words are drawn after the filters of the app."""
    for strip in app.screen._compositor.render_strips():
        for line_filter in app._filters:
            strip = strip.apply_filter(line_filter, app.screen.background_colors[1])
        for segment in strip:
            if words in segment.text and segment.style is not None:
                return segment.style
    raise AssertionError(f"{words} is not drawn")


async def test_the_sync_starts_after_the_paint_and_stops_at_the_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmmail.sync import loop

    loops: list[loop.Loop] = []

    class Remembered(loop.Loop):
        def start(self) -> None:
            loops.append(self)
            super().start()

    monkeypatch.setattr(loop, "Loop", Remembered)
    app = CrmmailApp(store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        assert loops == []
        await until(pilot, lambda: bool(loops) and loops[0].alive)
        await press(pilot, "ctrl+r")
        assert "Looking for new mail." in text(app)
    assert not loops[0].alive


async def test_a_sync_that_cannot_start_says_why(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmmail.sync import loop

    def broken(store: Store) -> None:
        raise RuntimeError(f"no threads [/left] for {store.path.name}")

    monkeypatch.setattr(loop, "Loop", broken)
    app = CrmmailApp(store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: "The sync did not start" in text(app))
        assert "[/left]" in text(app)


def test_the_end_waits_for_nothing(store: Store) -> None:
    """Quitting while the real loop waits for a server that says nothing takes no time."""
    script = """
import asyncio, sys, time
from pathlib import Path
from crmmail.app import CrmmailApp
from crmmail.store.database import Store

async def main():
    app = CrmmailApp(Store(Path(sys.argv[1])), sync=True)
    async with app.run_test():
        await asyncio.to_thread(sys.stdin.readline)
        print(time.monotonic())

asyncio.run(main())
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        values = [silent.getsockname()[1], "env:CRMMAIL_PASSWORD"]
        with store.write("accounts") as (db, _change):
            db.execute("UPDATE account SET host = '127.0.0.1', port = ?, secret = ?", values)
        with subprocess.Popen(
            [sys.executable, "-c", script, str(store.path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"CRMMAIL_PASSWORD": "x", "CRMMAIL_READ_TIMEOUT": "3600"},
        ) as process:  # fmt: skip
            silent.accept()
            told, problems = process.communicate("quit\n", timeout=2 * PATIENCE)
    assert process.returncode == 0
    assert time.monotonic() - float(told) < PATIENCE
    assert "Traceback" not in problems


async def test_the_footer_fits_80_columns(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("j", "enter", "enter"):
            await settle(pilot)
            assert "? Help" in lines(app)[-1]  # which has what there is no room for
            await pilot.press(key)


async def test_what_a_sync_changed_is_shown_between_keys_or_when_it_is_overdue(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmmail.following._BETWEEN_KEYS", 1_000.0)
    monkeypatch.setattr("crmmail.following._LATEST", 2_000.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        told: list[frozenset[str]] = []
        waits: list[float] = []
        monkeypatch.setattr(app, "_tell", lambda topics, _own: told.append(topics))
        monkeypatch.setattr(app, "set_timer", lambda seconds, _then: waits.append(seconds))
        await press(pilot, "j")
        app._topics.add("people")
        app._flushed_at = time.monotonic() - 10
        app._tell_in_time()
        assert told == []
        assert 900 < waits.pop() <= 1_000
        app._flushed_at -= 3_000
        app._tell_in_time()
        assert told == [frozenset({"people"})]
        assert waits == []
