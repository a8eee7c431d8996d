"""Draws the README's pictures: screens of the demo, as SVG. `make pictures` calls it.

The same code draws the same bytes: the demo's mailbox is generated, and the clock stands still.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import time_machine

from crmmail.app import CrmmailApp
from crmmail.demo.run import Demo
from crmmail.store.database import Store
from crmmail.sync.loop import sync_once

NOW = dt.datetime(2026, 3, 14, 9, 26, tzinfo=dt.UTC)
_FONT_FACES = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Picture:
    """A screen, and the keys that lead to it."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "crmmail-dark"


PICTURES = (
    Picture("people", (120, 32), ("j", "j", "j", "j")),
    Picture("company", (160, 36), ("2", "j", "j", "enter", "j")),
    Picture("thread", (110, 34), ("2", "j", "j", "enter", "enter", "p", "p", "enter", "n", "n")),
    Picture("agenda", (120, 32), ("a",)),
    Picture("meeting", (160, 36), ("a", "j", "j", "enter")),
    Picture("opportunities", (160, 36), ("3", "j"), "crmmail-light"),
)


def main(folder: Path) -> None:
    """Fill a store from the demo's server and draw each picture into `folder`."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name in ("NO_COLOR", "FORCE_COLOR"):
        os.environ.pop(name, None)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        path = _filled(Path(scratch))
        with time_machine.travel(NOW, tick=False):
            for picture in PICTURES:
                svg = asyncio.run(_draw(picture, path))
                (folder / f"{picture.name}.svg").write_text(svg, "utf-8")
                print(folder / f"{picture.name}.svg")


def _filled(folder: Path) -> Path:
    with time_machine.travel(NOW, tick=True), Demo(folder, now=NOW) as demo:
        store = Store(demo.store_path)
        sync_once(store)
        demo.note_deals(store)
        with store.write("state") as (db, _change):
            moment = int(NOW.timestamp()) - 60
            db.execute("UPDATE sync_state SET state = 'watching', last_success = ?", [moment])
        store.close()
    return demo.store_path


async def _draw(picture: Picture, path: Path) -> str:
    store = Store(path)
    try:
        app = CrmmailApp(store, sync=False)
        async with app.run_test(size=picture.size) as pilot:
            app.theme = picture.theme
            for key in ("", *picture.keys):
                await pilot.press(*([key] if key else []))
                await app.workers.wait_for_complete()
                await pilot.pause(0.1)
            return _FONT_FACES.sub("", app.export_screenshot(title="crmmail"))
    finally:
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
