"""How soon the app answers a key, in a real pseudo-terminal, at any size, at rest and importing.

python -m benchmarks keys [--sizes 10000 100000 1000000] [--no-import] [--json FILE]
                          [--series moves records tabs lists filters searches]
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.bulk_store import SIZES, store_of
from benchmarks.during_import import during_import
from benchmarks.first_paint import first_paint
from benchmarks.keys_figures import goals, show
from benchmarks.keystrokes import SERIES, at_rest
from benchmarks.terminal import NoAnswerError

Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks keys", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="messages in a store")
    parser.add_argument("--no-import", action="store_true", help="at rest only; needs no Dovecot")
    parser.add_argument(
        "--series", choices=SERIES, nargs="+", default=list(SERIES), help="these keys only"
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    try:
        figures = measure(sorted(args.sizes), args.series, not args.no_import, console.log)
    except (NoAnswerError, OSError) as problem:
        sys.exit(str(problem))
    show(figures, console)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def measure(
    sizes: Sequence[int], series: Sequence[str], importing: bool, log: Callable[[str], None]
) -> Figures:
    """All figures."""
    figures: Figures = {"sizes": {}, "importing": {}}
    for size in sizes:
        store = store_of(size, log)
        log(f"{size:,} messages: first paint")
        paint = first_paint(store)
        log(f"{size:,} messages: keys")
        figures["sizes"][str(size)] = {"first_paint": paint, **at_rest(store, series)}
        if importing:
            figures["importing"][str(size)] = during_import(store, log)
    figures["goals"] = goals(figures)
    return figures


if __name__ == "__main__":
    main()
