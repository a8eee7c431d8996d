"""The keys that are measured at rest: what each does, and how long the answer takes."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.picture import Picture
from benchmarks.terminal import Answer, Terminal

KEYS = 32
"""Presses of each kind of key, at least."""
PAGE_DOWN, PAGE_UP, ENTER, TAB, BACKSPACE = b"\x1b[6~", b"\x1b[5~", b"\r", b"\t", b"\x7f"
ESCAPE = b"\x1b[27u"
"""As terminals with kitty's keyboard protocol send it; after a bare ESC byte Textual waits 0.1 s
for what may be the rest of a sequence."""
_BRIEF, _LONG, _TYPED = 0.03, 0.25, 0.8  # seconds of quiet after which an answer is complete
TABS = ("Calendar", "Notes", "Timeline", "Emails")
"""A record's tabs, in the order in which `]` goes to them; each is the title of its list."""
NEXT_TAB = b"]"
_FILTERS = ("anna", "lars", "vera", "yara", "mira", "nils", "olga", "sana")
_SEARCHES = ("budget", "invoice", "delivery", "workshop")
Figures = dict[str, Any]


def app(store: Path, *options: str) -> list[str]:
    """The command that opens the app on a store."""
    return [sys.executable, "-m", "benchmarks.launch", str(store), *options]


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand on the keys of a running app."""

    terminal: Terminal

    def moves(self) -> Iterator[tuple[str, Answer]]:
        """In the list of people: rows, pages, both ends."""
        press = self.terminal.press
        for _ in range(2 * KEYS):
            before = self.terminal.picture.current
            yield "move", press(b"j", _BRIEF, lambda now, was=before: now.current != was)
        press(b"g", _LONG)
        for key in (PAGE_DOWN, PAGE_UP):
            for _ in range(KEYS // 2):
                yield "page", press(key, _BRIEF)
        for _ in range(KEYS):
            yield "end", press(b"G", _BRIEF)
            press(b"g", _LONG)

    def records(self) -> Iterator[tuple[str, Answer]]:
        """Open one record after the other, and its newest thread."""
        press = self.terminal.press
        for number in range(KEYS):
            kinds = ("open record", "back") if number else ("first record", "first back")
            yield kinds[0], press(ENTER, _LONG, partial(has_list, "Emails"))
            yield ("open thread" if number else "first thread"), press(ENTER, _LONG, _has_thread)
            yield kinds[1], press(ESCAPE, _LONG, partial(has_list, "Emails"))
            yield kinds[1], press(ESCAPE, _LONG, partial(has_list, "People"))
            press(b"j")

    def tabs(self) -> Iterator[tuple[str, Answer]]:
        """Through the tabs of some records, twice: they are read, then only shown again."""
        press = self.terminal.press
        for number in range(KEYS // 4):
            press(ENTER, _LONG, partial(has_list, "Emails"))
            for tab in TABS * 2:
                kind = "switch tab" if number else "first tabs"
                yield kind, press(NEXT_TAB, _LONG, partial(has_list, tab))
            press(ESCAPE, _LONG, partial(has_list, "People"))
            press(b"j")

    def lists(self) -> Iterator[tuple[str, Answer]]:
        """From list to list."""
        for number in range(KEYS + 1):
            yield ("next list" if number > 2 else "first list"), self.terminal.press(TAB, _LONG)

    def filters(self) -> Iterator[tuple[str, Answer]]:
        """Filter the list of people by some names, letter by letter."""
        press = self.terminal.press
        for word in _FILTERS:
            yield "filter opens", press(b"/", _LONG)
            for letter in word:
                yield "filter", press(letter.encode(), _TYPED)
            press(ESCAPE, _LONG)

    def searches(self) -> Iterator[tuple[str, Answer]]:
        """Search for some words, letter by letter."""
        press = self.terminal.press
        for word in _SEARCHES:
            yield "search opens", press(b"F", _LONG)
            for letter in word:
                yield "search", press(letter.encode(), _TYPED)
            press(ESCAPE, _LONG)


SERIES: dict[str, Callable[[Hand], Iterator[tuple[str, Answer]]]] = {
    "moves": Hand.moves,
    "records": Hand.records,
    "tabs": Hand.tabs,
    "lists": Hand.lists,
    "filters": Hand.filters,
    "searches": Hand.searches,
}


def at_rest(store: Path, series: Iterable[str] = tuple(SERIES)) -> Figures:
    """What every kind of key takes on a store, and the app's memory before and after."""
    answers: dict[str, list[Answer]] = {}
    with Terminal(app(store)) as terminal:
        terminal.wait_for("People")
        terminal.settle(1.0)
        memory = terminal.memory()
        for name in series:
            for kind, answer in SERIES[name](Hand(terminal)):
                answers.setdefault(kind, []).append(answer)
        return {"rss": memory, "rss_used": terminal.memory(), "keys": summary(answers)}


def summary(answers: dict[str, list[Answer]]) -> Figures:
    """Medians and 95th percentiles."""
    return {
        kind: {
            "p50": statistics.median(answer.ms for answer in some),
            "p95": percentile([answer.ms for answer in some], 0.95),
            "bytes": round(statistics.median(answer.size for answer in some)),
            "keys": len(some),
        }
        for kind, some in answers.items()
    }


def percentile(values: list[float], share: float) -> float:
    """The value that so many values do not exceed."""
    return sorted(values)[max(round(share * len(values) + 0.5) - 1, 0)]


def _has_thread(picture: Picture) -> bool:
    return "▾ " in picture


def has_list(title: str, picture: Picture) -> bool:
    """Whether a list with this title is on the screen."""
    return f"─ {title} ─" in picture
