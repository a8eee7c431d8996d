"""kill -9 at random moments of all that writes to the store.

`make kills` runs 200 of them; tests/sync/test_kills.py a few. A process of its own does the work
on a copy of a prepared store and is killed at a random moment of it. Then the work is done once
more, to its end, and the dump must be that of a store that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crmmail.store import dump
from crmmail.store.database import Store
from tests.kill_scenarios import SCENARIOS, Work
from tests.servers import PASSWORD, Dovecot

_LONGEST = 300.0  # seconds that a process may take that nobody kills


@dataclass(frozen=True, slots=True)
class Kill:
    """What came of a kill, and of the store after a good pass."""

    killed: bool  # or the work had ended before
    sound: str  # what SQLite says of the file as the kill has left it: "ok"
    dump: list[str]


class Killer:
    """A prepared store of one scenario, what comes of it undisturbed, and how long that takes."""

    def __init__(self, name: str, work: Work, base: Path) -> None:
        self.name = name
        self._folder = base / name.replace(" ", "-")
        prepared = self._folder / "prepared"
        prepared.mkdir(parents=True)
        SCENARIOS[name].prepare(prepared, work)
        with closing(sqlite3.connect(prepared / "crmmail.db")) as db:
            busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
        self._copies = 0
        whole = self._copy()
        started = time.monotonic()
        with _process(name, whole) as process:
            started = time.monotonic()
            _go(process)
            if process.wait(_LONGEST):
                raise RuntimeError(f"{name}: it fails even when nobody kills it")
        self.seconds = time.monotonic() - started
        self.wanted = _dump(whole)
        shutil.rmtree(whole)

    def kill(self, moment: float) -> Kill:
        """Kill the work at that part of its time, then do it to its end."""
        folder = self._copy()
        with _process(self.name, folder) as process:
            _go(process)
            try:
                process.wait(moment * self.seconds)
                killed = False
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed = True
        sound = "ok"
        if not SCENARIOS[self.name].is_damaged:
            with closing(sqlite3.connect(f"file:{folder / 'crmmail.db'}?mode=rw", uri=True)) as db:
                (sound,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        SCENARIOS[self.name].act(folder)
        done = Kill(killed, sound, _dump(folder))
        shutil.rmtree(folder)
        return done

    def _copy(self) -> Path:
        self._copies += 1
        copy = self._folder / f"{self._copies}"
        logs = shutil.ignore_patterns("*-wal", "*-shm")  # empty: see above
        shutil.copytree(self._folder / "prepared", copy, ignore=logs)
        return copy


def _dump(folder: Path) -> list[str]:
    with closing(Store(folder / "crmmail.db")) as store:
        return list(dump.dump(store.read()))


@contextmanager
def _process(name: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has loaded all and waits to be told to go."""
    command = [sys.executable, "-m", "tests.kills", "--act", name, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def moments(count: int, seed: int) -> list[tuple[str, float]]:
    """Which scenario is killed at which part of its time, all scenarios in turn."""
    chance = random.Random(seed)
    names = list(SCENARIOS)
    return [(names[number % len(names)], chance.random()) for number in range(count)]


def run(count: int, seed: int, messages: int, jobs: int, only: str = "") -> int:
    """Kill so many times; tells of each failure, and the count; returns how many failed."""
    os.environ["CRMMAIL_PASSWORD"] = PASSWORD
    outcomes: Counter[str] = Counter()
    failed = 0
    with Dovecot() as server, tempfile.TemporaryDirectory() as base:
        work = Work(server, messages)
        wanted = [one for one in moments(count, seed) if only in one[0]]
        names = dict.fromkeys(name for name, _ in wanted)
        with ThreadPoolExecutor(jobs) as pool:
            make = partial(Killer, work=work, base=Path(base))
            killers = dict(zip(names, pool.map(make, names), strict=True))
            doing = [(one, pool.submit(killers[one[0]].kill, one[1])) for one in wanted]
            for (name, moment), one in doing:
                try:
                    done = one.result()
                    words = "" if done.sound == "ok" else done.sound
                    differ = sorted(set(done.dump) ^ set(killers[name].wanted))
                    if done.dump != killers[name].wanted:
                        words += f"the dump differs: {differ[:4]}"
                except Exception as problem:
                    words = repr(problem)
                if words:
                    failed += 1
                    print(f"FAILED {name} at {moment:.4f}: {words}", flush=True)
                else:
                    outcomes[f"{name}: {'killed' if done.killed else 'ended'}"] += 1
    for outcome, number in sorted(outcomes.items()):
        print(f"{number:4} {outcome}")
    killed = sum(number for outcome, number in outcomes.items() if outcome.endswith("killed"))
    print(f"seed {seed}: {len(wanted) - failed} of {len(wanted)} equal, {killed} of them killed")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--act", nargs=2, metavar=("SCENARIO", "FOLDER"), help="in the process")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--messages", type=int, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="the scenarios whose name contains this")
    told = parser.parse_args()
    if told.act:
        name, folder = told.act
        print("ready", flush=True)
        sys.stdin.readline()
        SCENARIOS[name].act(Path(folder))
        return 0
    return 1 if run(told.count, told.seed, told.messages, told.jobs, told.only) else 0


if __name__ == "__main__":
    sys.exit(main())
