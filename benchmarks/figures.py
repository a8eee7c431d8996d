"""What the figures come to: medians, ratios against the goals, tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]
_MB = 1_000_000


def summarise(figures: Figures) -> Figures:
    """The figures with the medians of each side and the ratios that the goals are about."""
    ours, theirs = (
        [one for one in figures["imports"] if one["side"] == side]
        for side in ("crmmail", "mbsync+notmuch")
    )
    nothing = figures["nothing_new"]
    wall, rival = _median(ours, "import", "wall"), _median(theirs, "import", "wall")
    goals = {
        "import": _goal("import / (mbsync + notmuch new)", wall / rival, 0.2),
        "threads": _goal("newest 200 threads browsable, s", figures["threads"]["newest_200"], 2.0),
        "wire": _goal("bytes / mbsync's", _median(ours, "wire") / _median(theirs, "wire"), 0.15),
        "rss": _goal("peak RSS, MB", _median(ours, "import", "rss") / _MB, 150.0),
        "nothing_new": _goal(
            "nothing-new pass / mbsync's", nothing["crmmail_resident"] / nothing["mbsync"], 0.5
        ),
    }
    command = nothing["crmmail_command"] / nothing["mbsync"]
    return {**figures, "goals": goals, "nothing_new_command_ratio": command}


def show(figures: Figures, console: Console) -> None:
    """Print both tables."""
    title = f"{figures['messages']:,} messages, {figures['bytes'] / 1e6:,.0f} MB"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("wall s", "CPU s", "peak RSS MB", "wire MB", "store MB"):
        table.add_column(name, justify="right")
    for one in figures["imports"]:
        wire, size = one["wire"], one["size"]
        if one["side"] == "crmmail":
            table.add_row("crmmail sync --once", *_cells(one["import"], wire, size))
            continue
        table.add_row("mbsync", *_cells(one["mbsync"], wire, one["maildir_size"]))
        table.add_row("notmuch new", *_cells(one["notmuch"], 0, one["index_size"]))
        table.add_row("mbsync + notmuch new", *_cells(one["import"], wire, size))
    console.print(table)
    nothing, threads = figures["nothing_new"], figures["threads"]
    console.print(
        f"nothing new: crmmail {nothing['crmmail_resident'] * 1e3:.0f} ms in a running process, "
        f"{nothing['crmmail_command'] * 1e3:.0f} ms as a command; "
        f"mbsync {nothing['mbsync'] * 1e3:.0f} ms. "
        f"After the login: 200 threads of any age {threads['any_200']:.2f} s, 190 of the newest "
        f"200 {threads['newest_190']:.2f} s, all of them {threads['newest_200']:.2f} s, "
        f"{threads['newest_200_again']:.2f} s when the server has their header fields cached."
    )
    goals = Table(title="goals", title_justify="left")
    for name, side in (("", "left"), ("measured", "right"), ("goal", "right"), ("met", "left")):
        goals.add_column(name, justify=side)  # type: ignore[arg-type]
    for goal in figures["goals"].values():
        met = "yes" if goal["met"] else "no"
        goals.add_row(goal["what"], f"{goal['measured']:.3g}", f"≤ {goal['goal']:g}", met)
    console.print(goals)


def _goal(what: str, measured: float, goal: float) -> Figures:
    return {"what": what, "measured": measured, "goal": goal, "met": measured <= goal}


def _cells(cost: Mapping[str, float], wire: int, size: int) -> tuple[str, ...]:
    return (
        f"{cost['wall']:.1f}",
        f"{cost['cpu']:.1f}",
        f"{cost['rss'] / _MB:.0f}",
        f"{wire / _MB:,.1f}" if wire else "",
        f"{size / _MB:,.1f}",
    )


def _median(sides: list[Figures], *path: str) -> float:
    values = []
    for side in sides:
        value: Any = side
        for name in path:
            value = value[name]
        values.append(float(value))
    return statistics.median(values)
