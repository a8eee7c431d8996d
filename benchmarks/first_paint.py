"""From the start of the process to the first row on the screen, beside an empty Textual app."""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import sys
import sysconfig
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.launch import EMPTY_TITLE
from benchmarks.terminal import Terminal

ROUNDS = 9
Figures = dict[str, Any]


def first_paint(store: Path, rounds: int = ROUNDS) -> Figures:
    """Seconds, alternating: the `crmmail` command until its first row, the empty app's title.

    The command starts its sync as ever; the store's account is paused, so that no network counts.
    """
    with tempfile.TemporaryDirectory(prefix="crmmail-bench-") as folder:
        env = {"CRMMAIL_DATA_DIR": f"{folder}/data", "CRMMAIL_CONFIG_DIR": f"{folder}/config"}
        Path(folder, "data").mkdir()
        copy(store, Path(folder, "data", "crmmail.db"))
        row = newest_person(store)
        ours, empty = list[float](), list[float]()
        for number in range(rounds + 1):  # the first round reads the files into memory
            app = _seconds([str(Path(sysconfig.get_path("scripts")) / "crmmail")], row, env)
            bare = _seconds([sys.executable, "-m", "benchmarks.launch", "empty"], EMPTY_TITLE, env)
            if number:
                ours.append(app)
                empty.append(bare)
    ratios = [one / other for one, other in zip(ours, empty, strict=True)]
    return {
        "app": statistics.median(ours),
        "empty": statistics.median(empty),
        "ratio": statistics.median(ratios),
    }


def copy(store: Path, target: Path) -> None:
    """Another file of the same store, for those who write; where the disk can, without copying."""
    with closing(sqlite3.connect(store)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(store, target)


def newest_person(store: Path) -> str:
    """The name that the first row of the app's first screen shows."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        newest = "SELECT name FROM person ORDER BY last_at DESC, name COLLATE NOCASE, id LIMIT 1"
        return str(db.execute(newest).fetchone()[0])


def _seconds(argv: list[str], text: str, env: dict[str, str]) -> float:
    with Terminal(argv, {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **env}) as terminal:
        seconds = terminal.wait_for(text)
        terminal.settle(0.1)
        return seconds
