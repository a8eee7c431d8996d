"""crmmail's first sync of a calendar beside vdirsyncer's, and what a pass without news asks.

python -m benchmarks calendar [--events 2000] [--rounds 3] [--vdirsyncer PROGRAM] [--json FILE]

vdirsyncer wants an environment of its own: its HTTP libraries and caldav's do not live together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import Template
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.dav_proxy import DavProxy
from tests.dav_servers import Radicale

from benchmarks.measure import Cost, run

_VDIRSYNCER = Template("""
[general]
status_path = "$home/status/"
[pair bench]
a = "near"
b = "far"
collections = ["bench"]
[storage near]
type = "filesystem"
path = "$home/calendars/"
fileext = ".ics"
[storage far]
type = "caldav"
url = "$url"
username = "$user"
password = "$password"
""")
_GOAL = 1.5
_PASSES = 5
_SECRET = "CRMMAIL_BENCH_PASSWORD"
Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks calendar", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000, help="default 2000")
    parser.add_argument("--rounds", type=int, default=3, help="syncs by each side, alternating")
    parser.add_argument("--vdirsyncer", default="vdirsyncer", help="the program, if not on PATH")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args(arguments)
    console = Console()
    if shutil.which(args.vdirsyncer) is None:
        sys.exit(
            "vdirsyncer is not installed (Debian: vdirsyncer); or name it: --vdirsyncer PROGRAM"
        )
    figures = measure(args.events, args.rounds, args.vdirsyncer, console.log)
    _show(figures, console)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def measure(count: int, rounds: int, vdirsyncer: str, log: Callable[[str], None]) -> Figures:
    """All figures of one calendar."""
    with (
        Radicale() as server,
        DavProxy(server) as proxy,
        tempfile.TemporaryDirectory(prefix="crmmail-bench-") as folder,
    ):
        os.environ[_SECRET] = server.password
        server.make("bench")
        server.fill("bench", dict(_events(count)))
        log(f"{count:,} events in Radicale, which reads them once before")
        _theirs(server, Path(folder) / "warm", vdirsyncer)
        sides: dict[str, list[Cost]] = {"crmmail": [], "vdirsyncer": []}
        for number in range(rounds):
            for side in sorted(sides, reverse=number % 2 == 1):
                home = Path(folder) / f"{side}-{number}"
                one = _ours(server, home) if side == "crmmail" else None
                sides[side].append(one or _theirs(server, home, vdirsyncer))
                log(f"{side}: {sides[side][-1].wall:.2f} s")
        figures = {name: _medians(costs) for name, costs in sides.items()}
        ratio = figures["crmmail"]["wall"] / figures["vdirsyncer"]["wall"]
        return {
            "events": count,
            **figures,
            "ratio": ratio,
            "goal": _GOAL,
            "nothing_new": _nothing_new(proxy, Path(folder) / "crmmail-0"),
        }


def _ours(server: Radicale, home: Path) -> Cost:
    """`crmmail sync --once` into an empty store."""
    env = {"CRMMAIL_DATA_DIR": str(home), "CRMMAIL_CONFIG_DIR": str(home)}
    crmmail = [sys.executable, "-m", "crmmail"]
    options = ["--imap", "none", "--password-env", _SECRET, "--username", server.user]
    run([*crmmail, "account", "add", "me@home.example", *options, "--caldav", server.url], env)
    cost = run([*crmmail, "sync", "--once", "--json"], env)
    [account] = json.loads(cost.output)["accounts"]
    assert account["errors"] == [], account
    return cost


def _theirs(server: Radicale, home: Path, program: str) -> Cost:
    """`vdirsyncer sync` into an empty folder."""
    (home / "calendars" / "bench").mkdir(parents=True)
    config = home / "config"
    values = {"home": home, "url": server.url, "user": server.user, "password": server.password}
    config.write_text(_VDIRSYNCER.substitute(values), "utf-8")
    run([program, "-c", str(config), "discover", "--no-list", "bench"])
    return run([program, "-c", str(config), "sync"])


def _nothing_new(proxy: DavProxy, home: Path) -> Figures:
    """What a pass of the running app asks and takes when nothing has changed."""
    from crmmail.store import accounts
    from crmmail.store.database import Store
    from crmmail.sync.calendars import CalendarSync, sign_in
    from crmmail.sync.session import calendar_accounts

    store = Store(home / "crmmail.db")
    accounts.set_calendars(store, "me@home.example", proxy.url, proxy.server.user)
    with store.write() as (db, _):
        db.execute("DELETE FROM calendar")
    account = calendar_accounts(store)[0]
    sync = CalendarSync(store, account, sign_in(account))
    sync.settle()
    taken, asked = [], 0
    for _ in range(_PASSES):
        proxy.kinds()
        start = time.perf_counter()
        sync.run()
        taken.append(time.perf_counter() - start)
        asked = max(asked, len(proxy.kinds()))
    store.close()
    return {"requests": asked, "seconds": statistics.median(taken)}


def _events(count: int) -> Iterator[tuple[str, str]]:
    """Meetings as an office has them: 2 kB, five people, one in ten a weekly series."""
    random = Random(1)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=700)
    words = (
        "plan budget review of the north harbour press offer samples questions next steps".split()
    )
    for number in range(count):
        at = start + timedelta(hours=random.randrange(800 * 24))
        text = " ".join(random.choices(words, k=180))
        guests = random.sample(range(300), 5)
        lines = [
            *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "BEGIN:VEVENT"),
            *(f"UID:{number}@bench.example", "DTSTAMP:20240101T000000Z"),
            f"DTSTART:{at:%Y%m%dT%H%M%SZ}",
            f"DTEND:{at + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{' '.join(random.choices(words, k=4))}",
            *(["RRULE:FREQ=WEEKLY;COUNT=40"] if number % 10 == 0 else []),
            "ORGANIZER;CN=Me:mailto:me@home.example",
            *(f"ATTENDEE;CN=Guest {g}:mailto:guest{g}@firm{g % 60}.example" for g in guests),
            *_folded(f"DESCRIPTION:{text}"),
            *("END:VEVENT", "END:VCALENDAR", ""),
        ]
        yield f"{number}.ics", "\r\n".join(lines)


def _folded(line: str) -> Iterator[str]:
    yield line[:74]
    yield from (f" {line[at : at + 73]}" for at in range(74, len(line), 73))


def _medians(costs: Sequence[Cost]) -> Figures:
    return {
        "wall": statistics.median(cost.wall for cost in costs),
        "cpu": statistics.median(cost.cpu for cost in costs),
        "rss": max(cost.rss for cost in costs),
    }


def _show(figures: Figures, console: Console) -> None:
    table = Table(f"{figures['events']:,} events", "wall s", "CPU s", "peak RSS MB", box=None)
    for side in ("crmmail", "vdirsyncer"):
        one = figures[side]
        table.add_row(side, f"{one['wall']:.2f}", f"{one['cpu']:.2f}", f"{one['rss'] / 1e6:.0f}")
    console.print(table)
    kept = "kept" if figures["ratio"] <= _GOAL else "missed"
    console.print(f"first sync: {figures['ratio']:.2f} x vdirsyncer's; goal {_GOAL}: {kept}")
    quiet = figures["nothing_new"]
    console.print(
        f"nothing new: {quiet['requests']} request for the calendar, {quiet['seconds']:.3f} s"
    )


if __name__ == "__main__":
    main()
