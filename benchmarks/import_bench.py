"""crmmail's import beside mbsync and `notmuch new`, in one run, on one generated mailbox.

python -m benchmarks.import_bench [--messages 50000] [--rounds 1] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from tests.servers import Dovecot

from benchmarks.browsable import Browsable, newest_threads, watch
from benchmarks.figures import show, summarise
from benchmarks.generator import Mailbox, generate
from benchmarks.maildir import fill
from benchmarks.measure import Cost, run
from benchmarks.rivals import Crmmail, Mbsync, MissingError, report

_DISK = 110_000
"""Bytes of disk a message: on the server, in the Maildir, in both indexes, with air."""
_PASSES = 5
_WATCHES = 3
Figures = dict[str, Any]


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.import_bench", description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000, help="default 50000")
    parser.add_argument("--rounds", type=int, default=1, help="imports by each side, alternating")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console()
    try:
        _check_disk(args.messages)
        figures = measure(args.messages, args.seed, args.rounds, console.log)
    except (MissingError, OSError) as problem:
        sys.exit(str(problem))
    show(figures, console)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def measure(messages: int, seed: int, rounds: int, log: Callable[[str], None]) -> Figures:
    """All figures of one mailbox."""
    with Dovecot() as server, tempfile.TemporaryDirectory(prefix="crmmail-bench-") as folder:
        box = generate(seed, messages)
        user = box.settings.email
        log(f"{messages:,} messages into Dovecot")
        size = fill(server, user, box)
        _warm(server, user, box)
        crmmail, mbsync = (
            Crmmail(server, user, Path(folder) / "crmmail"),
            Mbsync(server, user, Path(folder) / "mbsync"),
        )
        imports: list[Figures] = []
        for number in range(rounds):
            sides = [lambda: _ours(crmmail), lambda: _theirs(mbsync)]
            for side in sides if number % 2 == 0 else reversed(sides):
                imports.append(side())
                log(_line(imports[-1]))
        nothing_new = _nothing_new(crmmail, mbsync)
        log("newest threads")
        threads = _threads(server, crmmail)
        return summarise(
            {
                "messages": messages,
                "bytes": size,
                "seed": seed,
                "imports": imports,
                "nothing_new": nothing_new,
                "threads": threads,
            }
        )


def _ours(crmmail: Crmmail) -> Figures:
    crmmail.prepare()
    before = crmmail.server.traffic(crmmail.user)
    cost = crmmail.sync()
    told = report(cost)
    return {
        "side": "crmmail",
        "import": _figures(cost),
        "wire": _wire(crmmail, before),
        "size": crmmail.size(),
        "report": told,
    }


def _theirs(mbsync: Mbsync) -> Figures:
    mbsync.prepare()
    before = mbsync.server.traffic(mbsync.user)
    pull = mbsync.pull()
    wire = _wire(mbsync, before)
    index = mbsync.index()
    return {
        "side": "mbsync+notmuch",
        "import": _figures(pull + index),
        "mbsync": _figures(pull),
        "notmuch": _figures(index),
        "wire": wire,
        "size": sum(mbsync.size().values()),
        **{f"{name}_size": size for name, size in mbsync.size().items()},
        "messages": mbsync.count(),
    }


def _nothing_new(crmmail: Crmmail, mbsync: Mbsync) -> Figures:
    """Passes when all is up to date: as commands, alternating, and inside a running crmmail."""
    commands, theirs = list[Cost](), list[Cost]()
    wire: dict[str, int] = {}
    for _ in range(_PASSES):
        before = crmmail.server.traffic(crmmail.user)
        commands.append(crmmail.sync())
        wire["crmmail"] = _wire(crmmail, before)
        before = mbsync.server.traffic(mbsync.user)
        theirs.append(mbsync.pull())
        wire["mbsync"] = _wire(mbsync, before)
    script = [sys.executable, "-m", "benchmarks.resident", str(_PASSES)]
    passes = json.loads(run(script, crmmail.env).output)
    return {
        "crmmail_resident": statistics.median(passes),
        "crmmail_command": statistics.median(cost.wall for cost in commands),
        "mbsync": statistics.median(cost.wall for cost in theirs),
        "crmmail_cpu": statistics.median(cost.cpu for cost in commands),
        "mbsync_cpu": statistics.median(cost.cpu for cost in theirs),
        "wire": wire,
    }


def _threads(server: Dovecot, crmmail: Crmmail) -> Figures:
    """When the newest threads are there: the median of some fresh imports.

    Before each, Dovecot forgets the header fields that it kept from the one before; "again" is
    an import right after, when it still has them.
    """
    wanted = newest_threads(crmmail.store)
    seen, again = list[Browsable](), list[Browsable]()
    for _ in range(_WATCHES):
        server.traffic(crmmail.user)  # waits for the sessions to end
        for cache in server.maildir(crmmail.user).rglob("dovecot.index.cache"):
            cache.unlink()
        seen.append(watch(server, crmmail, wanted))
        again.append(watch(server, crmmail, wanted))
    return {
        "any_200": statistics.median(one.any for one in seen),
        "newest_190": statistics.median(one.most for one in seen),
        "newest_200": statistics.median(one.newest for one in seen),
        "newest_200_again": statistics.median(one.newest for one in again),
    }


def _wire(side: Crmmail | Mbsync, before: tuple[int, int]) -> int:
    """Bytes both ways since then."""
    return sum(side.server.traffic(side.user)) - sum(before)


def _figures(cost: Cost) -> Figures:
    return {"wall": cost.wall, "cpu": cost.cpu, "rss": cost.rss}


def _line(figures: Figures) -> str:
    cost = figures["import"]
    return f"{figures['side']}: {cost['wall']:.1f} s, {cost['cpu']:.1f} s CPU"


def _warm(server: Dovecot, user: str, box: Mailbox, batch: int = 200) -> None:
    """Read every message once, so that neither side is the first to touch a file."""
    with server.client(user) as client:
        for folder in box.folders:
            client.select_folder(folder, readonly=True)
            uids = client.search()
            for start in range(0, len(uids), batch):
                chunk = uids[start : start + batch]
                client.fetch(chunk, ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[HEADER]"])
                client.fetch(chunk, ["BODY.PEEK[]"])
    time.sleep(1)


def _check_disk(messages: int) -> None:
    folder = tempfile.gettempdir()
    free, needed = shutil.disk_usage(folder).free, messages * _DISK
    if free < needed:
        sys.exit(
            f"{folder} has {free / 1e9:.1f} GB free, {messages:,} messages need about "
            f"{needed / 1e9:.1f} GB. Set TMPDIR to a bigger disk, or use fewer --messages."
        )


if __name__ == "__main__":
    main()
