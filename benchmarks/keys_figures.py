"""What the keys' figures come to: goals met or not, tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]
GOALS = {
    "move": 8.0,
    "page": 20.0,
    "end": 20.0,
    "open record": 50.0,
    "open thread": 50.0,
    "switch tab": 50.0,
    "filter": 50.0,
    "search": 50.0,
}
"""ms, 95th percentile, at rest, at every size."""
_IMPORTING = 25.0  # a move's
_GROWTH = 1.2
_PAINT = 1.5
_MB = 1e6


def goals(figures: Figures) -> list[Figures]:
    """Each goal with what was measured."""
    sizes = figures["sizes"]
    most, least = str(max(map(int, sizes))), str(min(map(int, sizes)))
    found = [
        _goal(f"{kind}, {int(size):,}, p95 ms", keys["keys"][kind]["p95"], goal)
        for kind, goal in GOALS.items()
        for size, keys in sizes.items()
        if kind in keys["keys"]
    ]
    beside = f"{int(most):,} / {int(least):,}"
    if most != least:
        for kind in GOALS:
            if kind not in sizes[most]["keys"]:
                continue
            big, small = (sizes[size]["keys"][kind]["p50"] for size in (most, least))
            found.append(_goal(f"{kind}, p50, {beside}", big / small, _GROWTH))
        big, small = (sizes[size]["rss"] for size in (most, least))
        found.append(_goal(f"memory, {beside}", big / small, _GROWTH))
    for size, one in figures.get("importing", {}).items():
        moves = one["keys"]["move"]["p95"]
        found.append(_goal(f"move during an import, {int(size):,}, p95 ms", moves, _IMPORTING))
    found += [
        _goal(f"first paint / empty app's, {int(size):,}", one["first_paint"]["ratio"], _PAINT)
        for size, one in sizes.items()
    ]
    return found


def show(figures: Figures, console: Console) -> None:
    """Print the tables."""
    console.print(_keys_table(figures))
    console.print(_start_table(figures))
    table = Table(title="goals", title_justify="left")
    for name, side in (("", "left"), ("measured", "right"), ("goal", "right"), ("met", "left")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for goal in figures["goals"]:
        met = "yes" if goal["met"] else "no"
        table.add_row(goal["what"], f"{goal['measured']:.3g}", f"≤ {goal['goal']:g}", met)
    console.print(table)


def _keys_table(figures: Figures) -> Table:
    table = Table(title="key written → last byte painted, p50 / p95 ms", title_justify="left")
    table.add_column("")
    columns = {f"{int(size):,}": one["keys"] for size, one in figures["sizes"].items()}
    for size, one in figures.get("importing", {}).items():
        columns[f"importing, {int(size):,}"] = one["keys"]
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("bytes", justify="right")
    table.add_column("keys", justify="right")
    first = next(iter(columns.values()))
    for kind, one in first.items():
        cells = [_cell(keys.get(kind)) for keys in columns.values()]
        table.add_row(kind, *cells, f"{one['bytes']:,}", str(one["keys"]))
    return table


def _start_table(figures: Figures) -> Table:
    table = Table(title="start", title_justify="left")
    for name in ("", "first row ms", "empty app ms", "ratio", "RSS MB", "RSS MB after all keys"):
        table.add_column(name, justify="left" if not name else "right")
    for size, one in figures["sizes"].items():
        paint = one["first_paint"]
        table.add_row(
            f"{int(size):,}",
            f"{paint['app'] * 1e3:.0f}",
            f"{paint['empty'] * 1e3:.0f}",
            f"{paint['ratio']:.2f}",
            f"{one['rss'] / _MB:.0f}",
            f"{one['rss_used'] / _MB:.0f}",
        )
    return table


def _cell(keys: Figures | None) -> str:
    return f"{keys['p50']:.1f} / {keys['p95']:.1f}" if keys else ""


def _goal(what: str, measured: float, goal: float) -> Figures:
    return {"what": what, "measured": measured, "goal": goal, "met": measured <= goal}
