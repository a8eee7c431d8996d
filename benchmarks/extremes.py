"""Keys in what few people have: a record with 50,000 threads, a thread of 500 messages, …

python -m benchmarks extremes [--series threads thread lines calendar agenda] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import extreme_store as store
from benchmarks.extreme_store import extreme_store
from benchmarks.keys_figures import GOALS
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
from benchmarks.terminal import Answer, NoAnswerError, Seen, Terminal

_BRIEF, _LONG = 0.03, 0.25  # seconds of quiet after which an answer is complete
_FEW = KEYS // 2
Figures = dict[str, Any]
Answers = Iterator[tuple[str, Answer]]


def _press(terminal: Terminal, key: bytes, *texts: str, quiet: float = _LONG) -> Answer:
    """A key whose answer shows these texts."""
    return terminal.press(key, quiet, _shows(*texts) if texts else None)


def _shows(*texts: str) -> Seen:
    return lambda now: all(text in now for text in texts)


def _to_person(terminal: Terminal, name: str) -> None:
    """Filter the list of people so that this one is under the cursor."""
    _press(terminal, b"/")
    _press(terminal, name.encode(), " 1 person ")
    _press(terminal, ENTER)


def _open_record(terminal: Terminal, name: str, row: str, count: str) -> Answers:
    """Open a person's record, again and again: until rows are there, and until all is."""
    _to_person(terminal, name)
    for number in range(2 * _FEW):
        if number % 2:
            yield "first rows", terminal.press_until(ENTER, _shows(f"People › {name}", row))
            terminal.settle()
        else:
            answer = _press(terminal, ENTER, f"People › {name}", count)
            if number:  # the first made the screen
                yield "open", answer
        if number < 2 * _FEW - 1:
            _press(terminal, ESCAPE, "1 person ")


def _move(terminal: Terminal) -> Answers:
    """Rows, pages and both ends of the list at hand."""
    for _ in range(2 * KEYS):
        before = terminal.picture.current
        yield "move", terminal.press(b"j", _BRIEF, lambda now, was=before: now.current != was)
    for key in (PAGE_DOWN, PAGE_UP):
        for _ in range(_FEW):
            yield "page", terminal.press(key, _BRIEF)
    for _ in range(_FEW):
        yield "end", terminal.press(b"G", _BRIEF)
        _press(terminal, b"g")


def _filter(terminal: Terminal, found: str) -> Answers:
    """A word, letter by letter; with its last one, one row is left."""
    for _ in range(4):
        _press(terminal, b"/")
        for end in range(1, len(store.ONCE) + 1):
            seen = _shows(found) if end == len(store.ONCE) else None
            yield "filter", terminal.press(store.ONCE[end - 1 : end].encode(), 1.0, seen)
        _press(terminal, ESCAPE)


def threads(terminal: Terminal) -> Answers:
    """A record with 50,000 threads."""
    many = f" {store.THREADS:,} threads "
    yield from _open_record(terminal, store.MANY_THREADS, store.TITLE, many)
    yield from _move(terminal)
    for number in range(4):
        for tab in TABS:
            answer = terminal.press(NEXT_TAB, _LONG, partial(has_list, tab))
            if number:
                yield "switch tab", answer
    yield from _filter(terminal, " 1 thread ")


def thread(terminal: Terminal) -> Answers:
    """A thread of 500 messages."""
    _to_person(terminal, store.LONG_THREAD)
    _press(terminal, ENTER, " 1 thread ")
    many = f" {store.MESSAGES} messages "
    for number in range(_FEW):
        answer = _press(terminal, ENTER, many, "▾ ")
        if number:
            yield "open", answer
        _press(terminal, ESCAPE, " 1 thread ")
    _press(terminal, ENTER, many, "▾ ")
    for _ in range(4):
        yield "unfold all", _press(terminal, b"O")
        yield "fold all", _press(terminal, b"O")
    _press(terminal, b"O")
    _press(terminal, b"g")
    for _ in range(KEYS):
        yield "next message", _press(terminal, b"n", quiet=_BRIEF)
    yield from _read(terminal)
    yield from _find(terminal)


def _read(terminal: Terminal) -> Answers:
    """Lines, pages and both ends of the text at hand."""
    _press(terminal, b"G")
    _press(terminal, b"g")
    for _ in range(KEYS):
        yield "line", _press(terminal, b"j", quiet=_BRIEF)
    for key in (PAGE_DOWN, PAGE_UP):
        for _ in range(_FEW):
            yield "page", _press(terminal, key, quiet=_BRIEF)
    for _ in range(_FEW):
        yield "end", _press(terminal, b"G", quiet=_BRIEF)
        _press(terminal, b"g")


def _find(terminal: Terminal) -> Answers:
    """A word that is there once, and one that is in every line."""
    for word in (store.ONCE, "deliver"):
        for _ in range(2):
            _press(terminal, b"/")
            for letter in word:
                yield "find", _press(terminal, letter.encode())
            yield "find", _press(terminal, ENTER)
            for _ in range(8):
                yield "next hit", _press(terminal, b"n", quiet=_BRIEF)
            _press(terminal, ESCAPE)


def _message(who: str, terminal: Terminal) -> Answers:
    """A thread with one message of so many lines."""
    _to_person(terminal, who)
    _press(terminal, ENTER, " 1 thread ")
    for number in range(_FEW):
        answer = _press(terminal, ENTER, "1 message ", "▾ ")
        if number:
            yield "open", answer
        _press(terminal, ESCAPE, " 1 thread ")
    _press(terminal, ENTER, "1 message ", "▾ ")
    yield from _read(terminal)
    yield from _find(terminal)


def calendar(terminal: Terminal) -> Answers:
    """A record's calendar of 5,000 occurrences."""
    _to_person(terminal, store.MANY_MEETINGS)
    for number in range(_FEW):
        _press(terminal, ENTER, "No conversation yet")
        answer = _press(terminal, b"2", f" {store.MEETINGS:,} meetings ")
        if number:
            yield "open", answer
        if number < _FEW - 1:
            _press(terminal, ESCAPE, "1 person ")
    yield from _move(terminal)
    yield from _filter(terminal, " 1 meeting ")


def agenda(terminal: Terminal) -> Answers:
    """The agenda with 5,000 occurrences."""
    for number in range(_FEW):
        answer = _press(terminal, b"a", f" {store.MEETINGS:,} meetings ")
        if number:
            yield "open", answer
        if number < _FEW - 1:
            _press(terminal, ESCAPE, "─ People ─")
    yield from _move(terminal)
    yield from _filter(terminal, " 1 meeting ")


SERIES: dict[str, tuple[str, Callable[[Terminal], Answers]]] = {
    "threads": (f"record of {store.THREADS:,} threads", threads),
    "thread": (f"thread of {store.MESSAGES} messages", thread),
    "lines": (f"message of {store.LINES[store.LONG]:,} lines", partial(_message, store.LONG)),
    "longest": (
        f"message of {store.LINES[store.LONGEST]:,} lines",
        partial(_message, store.LONGEST),
    ),
    "calendar": (f"calendar of {store.MEETINGS:,} times", calendar),
    "agenda": (f"agenda of {store.MEETINGS:,} times", agenda),
}
_GOALS = {"line": GOALS["move"], "move": GOALS["move"], "page": GOALS["page"], "end": GOALS["end"]}
_GOAL = 50.0  # ms, 95th percentile, of any other key


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks extremes", description=__doc__)
    parser.add_argument("--series", choices=SERIES, nargs="+", default=list(SERIES))
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args(arguments)
    console = Console()
    try:
        figures = {name: measure(name, console.log) for name in args.series}
    except (NoAnswerError, OSError) as problem:
        sys.exit(str(problem))
    console.print(_table(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def measure(name: str, log: Callable[[str], None]) -> Figures:
    """What the keys of a series take, in an app of its own, and its memory before and after."""
    what, series = SERIES[name]
    path = extreme_store(log)
    log(what)
    answers: dict[str, list[Answer]] = {}
    with Terminal(app(path)) as terminal:
        terminal.wait_for("People")
        terminal.settle(1.0)
        memory = terminal.memory()
        for kind, answer in series(terminal):
            answers.setdefault(kind, []).append(answer)
        return {"rss": memory, "rss_used": terminal.memory(), "keys": summary(answers)}


def _table(figures: Figures) -> Table:
    table = Table(title="key written → last byte painted, p50 / p95 ms", title_justify="left")
    for name in ("", "", "p50 / p95", "goal", "met", "bytes", "keys"):
        table.add_column(name, justify="left" if not name else "right")
    for name, one in figures.items():
        for kind, keys in one["keys"].items():
            goal = _GOALS.get(kind, _GOAL)
            table.add_row(
                SERIES[name][0],
                kind,
                f"{keys['p50']:.1f} / {keys['p95']:.1f}",
                f"≤ {goal:g}",
                "yes" if keys["p95"] <= goal else "no",
                f"{keys['bytes']:,}",
                str(keys["keys"]),
            )
    return table


if __name__ == "__main__":
    main()
