"""Keys while the app imports: a real sync, in the app's own process, from Dovecot."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.servers import PASSWORD, Dovecot

from benchmarks.first_paint import copy
from benchmarks.generator import generate
from benchmarks.keystrokes import (
    ENTER,
    ESCAPE,
    KEYS,
    NEXT_TAB,
    PAGE_DOWN,
    PAGE_UP,
    TABS,
    app,
    has_list,
    summary,
)
from benchmarks.maildir import fill
from benchmarks.measure import run
from benchmarks.picture import Picture
from benchmarks.terminal import Answer, Terminal

MESSAGES = 12_000
_NEEDED = KEYS
_ROUNDS = 8
_PAUSE = 0.04  # seconds between two keys
_PASSWORD = "CRMMAIL_BENCH_PASSWORD"
_NAMES = slice(0, 54)  # cells that only change with the row: name and company, no counters
_SEARCHES = ("bud", "inv", "del", "wor")  # of which each letter finds something else
_ON_TAB = {"Emails": "─", "Calendar": "No meeting yet", "Notes": "No note yet", "Timeline": "✉ "}
"""What stands on a tab when it is read; the mail is there already."""
Figures = dict[str, Any]


def during_import(store: Path, log: Callable[[str], None]) -> Figures:
    """What keys take on a copy of a store while a mailbox comes in; several imports if need be.

    The app paints by itself then, so that the answer is told from the rest by what it shows: for
    a move another row under the cursor, which new mail does not do.
    """
    answers: dict[str, list[Answer]] = {}
    with Dovecot() as server, tempfile.TemporaryDirectory(prefix="crmmail-bench-") as folder:
        box = generate(2, MESSAGES)
        user = box.settings.email
        log(f"{MESSAGES:,} messages into Dovecot")
        fill(server, user, box)
        env = {"CRMMAIL_DATA_DIR": folder, "CRMMAIL_CONFIG_DIR": folder, _PASSWORD: PASSWORD}
        started = 0
        while not _enough(answers) and started < _ROUNDS:
            started += 1
            path = Path(folder) / "crmmail.db"
            for old in Path(folder).glob("crmmail.db*"):
                old.unlink()
            copy(store, path)
            where = ["--imap", f"{server.host}:{server.port}", "--security", "none"]
            who = ["--username", user, "--password-env", _PASSWORD]
            run([sys.executable, "-m", "crmmail", "account", "add", user, *where, *who], env)
            with Terminal(app(path, "sync"), env) as terminal:
                terminal.wait_for("People")
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                    _press_while_importing(terminal, db, user, answers)
            log(f"import {started}: {', '.join(f'{k} {len(v)}' for k, v in answers.items())}")
    return {"imports": started, "messages": MESSAGES, "keys": summary(answers)}


def _enough(answers: dict[str, list[Answer]]) -> bool:
    counts = [len(some) for kind, some in answers.items() if not kind.startswith("first")]
    return bool(counts) and min(counts) >= _NEEDED


def _press_while_importing(
    terminal: Terminal, db: sqlite3.Connection, user: str, answers: dict[str, list[Answer]]
) -> None:
    end = time.monotonic() + 20
    while not _imports(db, user):
        terminal.settle(0.05)
        if time.monotonic() > end:
            raise TimeoutError("the import did not start")
    for kind, answer in _keys(terminal):
        if not _imports(db, user):
            return
        answers.setdefault(kind, []).append(answer)
        terminal.settle_for(_PAUSE)


def _imports(db: sqlite3.Connection, user: str) -> bool:
    row = db.execute(
        """SELECT state, done FROM sync_state JOIN account ON account.id = account_id
           WHERE email = ?""",
        [user],
    ).fetchone()
    return bool(row and row[0] == "importing" and row[1])


def _keys(terminal: Terminal) -> Iterator[tuple[str, Answer]]:
    """Rows, pages, the end, records with their tabs and a thread, a search, over and over."""
    press = terminal.press_until
    for number, word in enumerate(cycle(_SEARCHES)):
        for key, times in ((b"j", 8), (b"k", 4)):
            for _ in range(times):
                yield "move", press(key, _other_row(terminal.picture))
        for key in (PAGE_DOWN, PAGE_DOWN, PAGE_UP, PAGE_UP):
            yield "page", press(key, _other_row(terminal.picture))
        for kind in ("open", "open") if number else ("first", "open"):
            yield f"{kind} record", press(ENTER, partial(has_list, "Emails"))
            yield f"{kind} thread", press(ENTER, lambda now: "▾ " in now)
            press(ESCAPE, partial(has_list, "Emails"))
            for tab in TABS:
                seen = partial(_has_tab, tab)
                yield "switch tab" if kind == "open" else "first tabs", press(NEXT_TAB, seen)
            press(ESCAPE, partial(has_list, "People"))
        for _ in range(2):
            yield "end", press(b"G", _other_row(terminal.picture))
            press(b"g", _other_row(terminal.picture))
        press(b"F", lambda now: "Words find people" in now)
        for end in range(1, len(word) + 1):
            yield "search", press(word[end - 1].encode(), _finds(terminal.picture, word[:end]))
        press(ESCAPE, partial(has_list, "People"))


def _other_row(picture: Picture) -> Callable[[Picture], bool]:
    before = picture.current[_NAMES]
    return lambda now: now.current[_NAMES] != before


def _has_tab(tab: str, picture: Picture) -> bool:
    return has_list(tab, picture) and _ON_TAB[tab] in picture


def _finds(picture: Picture, typed: str) -> Callable[[Picture], bool]:
    """Whether the line shows what was typed, and the list below it other results than before."""
    before = picture.lines[2:-2]
    return lambda now: now.lines[0].strip() == typed and now.lines[2:-2] != before
