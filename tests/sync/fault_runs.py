"""One seeded run through the fault proxy: what must hold at every moment, and at the end."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.conftest import Mailbox
from tests.fault_proxy import FaultProxy, some_fault
from tests.remote import Remote
from tests.servers import Dovecot
from tests.sync.conftest import connect, dumped
from tests.sync.letters import ME, letter

from crmmail.store import opportunities, threads
from crmmail.store.database import Change, Store
from crmmail.store.kinds import Kind
from crmmail.sync import once
from crmmail.sync.loop import sync_once

GOOD_RUNS = 4
"""Runs without faults: as many as what waits to be confirmed (M12, S4) takes, and one more."""
_USER = "model@home.example"
_WAIT = re.compile(
    r"^\w+: the server (?:does not list (?:\d+|one) of its messages any more; (?:they|it)"
    r"|does not list this folder any more; its \d+ messages"
    r"|has numbered it anew, and \d+ of its messages are not in it any more; they)"
    r" stays? here until 3 runs in a row say the same \([12] of 3\)\.$"
)
_COMMANDS = ("LIST", "STATUS", "EXAMINE", "UID SEARCH", "UID FETCH", "NOOP")
_FOLDERS = {"INBOX": 24, "Sent": 4, "Archive": 8, "Projects": 6}


class Broken(AssertionError):
    """Something that must hold does not."""


class WatchedStore(Store):
    """A store that is looked at after every commit; the sync would survive what a look raises."""

    look: Callable[[], None] | None = None
    broken: Broken | None = None

    @contextmanager
    def write(self, *topics: str) -> Iterator[tuple[object, Change]]:  # type: ignore[override]
        with super().write(*topics) as opened:
            yield opened
        if self.look is not None and self.broken is None:
            try:
                self.look()
            except Broken as problem:
                self.broken = problem

    def check(self, faults: list[str]) -> None:
        """Raise what a look has found, with the faults that were done."""
        if self.broken is not None:
            raise Broken(f"{self.broken}\nafter {faults}") from self.broken


@dataclass
class Model:
    """A mailbox, and stores of it full, half imported, empty: made once, copied for every run."""

    server: Dovecot
    folder: Path
    made: int = field(default=0)

    def __post_init__(self) -> None:
        self.server.add_user(_USER)
        box = Mailbox(self.server, _USER)
        number = 0
        for name, count in _FOLDERS.items():
            letters = [_letter(number + n, name) for n in range(count)]
            box.append(name, *letters)
            number += count
        self._fill("full", box)
        self._fill("empty", box, filled=False)
        with FaultProxy(self.server) as proxy:
            proxy.cut_after = 14
            self._fill("half", Mailbox(proxy, _USER))  # type: ignore[arg-type]

    def _fill(self, kind: str, box: Mailbox, *, filled: bool = True) -> None:
        store = Store(self.folder / f"{kind}.making")
        connect(store, box)
        if filled:
            sync_once(store)
        found = store.read().execute("SELECT thread_id FROM message ORDER BY message_id").fetchall()
        deal = opportunities.add(store, "Deal")
        for (thread_id,) in found[:3]:
            threads.link(store, Kind.OPPORTUNITY, deal, thread_id)
        # Not a copy of the file: what other threads still read keeps news in the log beside it.
        with closing(sqlite3.connect(self.folder / f"{kind}.db")) as copied:
            store.read().backup(copied)
        store.close()

    def copy(self, kind: str) -> tuple[Mailbox, Path]:
        """A fresh user with the same mailbox, and a store that knows it."""
        self.made += 1
        user = self.server.add_user(f"copy{self.made}@home.example")
        source, target = self.server.maildir(_USER), self.server.maildir(user)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)
        place = self.folder / f"run{self.made}"
        place.mkdir()
        shutil.copy(self.folder / f"{kind}.db", place / "crmmail.db")
        return Mailbox(self.server, user), place / "crmmail.db"


def _letter(number: int, folder: str) -> bytes:
    sender, to = f"Ann {number % 5} <ann{number % 5}@firm{number % 7}.example>", ME
    if folder == "Sent":
        sender, to = ME, f"bea{number}@acme.com"
    more = "List-Id: <news.example>" if number % 9 == 5 else ""
    text = f"This is letter {number}.\r\n" + "A line of it.\r\n" * (number % 4 * 30)
    refs = f"<{number - 1}@test>" if number % 3 and number < 1_000 else ""
    day = number % 300  # what is dated in the future has the date of its import
    return letter(number, sender=sender, to=to, refs=refs, text=text, more=more, day=day)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a run."""

    faults: list[str]  # that were done
    runs: int  # without faults, until the dump was equal and stayed so
    unexplained: list[str]  # what the runs before said that is not a wait for later runs (M12)
    difference: list[str]  # between the dumps in the end
    errors: list[str]  # of the last run


def play(model: Model, seed: int, monkeypatch: pytest.MonkeyPatch) -> Played:
    """One run. Raises Broken with what did not hold on the way."""
    rnd = random.Random(seed)
    box, path = model.copy(rnd.choice(["full", "full", "half", "empty"]))
    twin_path = path.with_name("twin.db")
    shutil.copy(path, twin_path)
    _change(Remote(model.server, box.user), rnd)
    there = _there(box)
    twin, store = Store(twin_path), WatchedStore(path)
    try:
        _point(twin, box, box.port)
        wanted = _settled(twin)
        faults = _disturb(store, box, there, seed, rnd, monkeypatch)
        _point(store, box, box.port)
        return _recovered(store, wanted, faults)
    finally:
        store.close()
        twin.close()
        shutil.rmtree(path.parent)
        shutil.rmtree(model.server.maildir(box.user))


def _disturb(
    store: WatchedStore,
    box: Mailbox,
    there: Counter[tuple[str, str]],
    seed: int,
    rnd: random.Random,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """A pass or two through faults, in which nothing is lost or doubled at any moment."""
    before = _texts(store)
    kept = {mid: text for mid, text in before.items() if mid in {mid for mid, _ in there}}
    links = _links(store)
    store.look = lambda: _hold(store, kept, links, there)
    stuck = (rnd.choice(_COMMANDS), some_fault(rnd)) if rnd.randrange(2) else ("", "")
    rate = rnd.choice([0, 5] if stuck[0] else [10, 20, 40])
    with FaultProxy(box.server, seed, rate, stuck, most=12) as proxy:
        _point(store, box, proxy.port)
        with monkeypatch.context() as patch:
            patch.setattr(once, "time", _Impatient())
            patch.setenv("CRMMAIL_READ_TIMEOUT", "1")
            patch.setenv("CRMMAIL_CONNECT_TIMEOUT", "5")
            for _ in range(rnd.choice([1, 1, 2])):
                sync_once(store)
                store.check(proxy.done)
    return proxy.done


class _Impatient(SimpleNamespace):
    """The clock of a single run, without its rests between tries."""

    def __init__(self) -> None:
        import time

        super().__init__(monotonic=time.monotonic, time=time.time, sleep=lambda _: None)


def _recovered(store: WatchedStore, wanted: list[str], faults: list[str]) -> Played:
    """Runs without faults: the dump becomes the wanted one, and stays it.

    After the first of them, unless something waits for later runs to say the same.
    """
    unequal: list[list[str]] = []
    for number in range(1, GOOD_RUNS + 1):
        (report,) = sync_once(store)
        store.check(faults)
        if (found := dumped(store)) != wanted:
            unequal += [[f"nothing in run {number}"]] * (number - 1 - len(unequal))
            unequal.append(report.errors or [f"nothing in run {number}"])
    missing = [f"missing: {line}" for line in wanted if line not in found]
    more = [f"too much: {line}" for line in found if line not in wanted]
    said = [error for errors in unequal for error in errors]
    unexplained = [error for error in said if not _WAIT.search(error)]
    return Played(faults, len(unequal) + 1, unexplained, missing + more, report.errors)


def _settled(twin: Store) -> list[str]:
    """The dump of a store that sees the same without faults."""
    for _ in range(GOOD_RUNS):
        (report,) = sync_once(twin)
    assert report.errors == []
    return dumped(twin)


def _point(store: Store, box: Mailbox, port: int) -> None:
    with store.write() as (db, _):
        db.execute("UPDATE account SET port = ?, username = ?", [port, box.user])


# -- what must hold ------------------------------------------------------------------------------


def _hold(
    store: Store, kept: dict[str, str], links: set[str], there: Counter[tuple[str, str]]
) -> None:
    now = _texts(store)
    if lost := kept.keys() - now.keys():
        raise Broken(f"lost from the store while the server has it: {sorted(lost)}")
    if other := [mid for mid, text in kept.items() if now[mid] != text]:
        raise Broken(f"another text than before: {other}")
    if gone := links & set(kept) - _links(store):
        raise Broken(f"a link by hand is gone: {gone}")
    for (mid, folder), count in _places(store).items():
        if count > max(1, there[mid, folder]):
            raise Broken(f"{mid} is {count} times in {folder}")


def _texts(store: Store) -> dict[str, str]:
    rows = store.read().execute(
        """SELECT message.message_id, coalesce(text, '') FROM message
           LEFT JOIN message_text ON message_text.message_id = message.id"""
    )
    found: dict[str, str] = {}
    for mid, text in rows:
        if mid in found:
            raise Broken(f"{mid} is twice in the store")
        found[mid] = text
    return found


def _links(store: Store) -> set[str]:
    """The messages of the threads that were linked by hand."""
    rows = store.read().execute(
        """SELECT message_id FROM message
           WHERE thread_id IN (SELECT thread_id FROM thread_link WHERE hand > 0)"""
    )
    return {mid for (mid,) in rows}


def _places(store: Store) -> Counter[tuple[str, str]]:
    rows = store.read().execute(
        """SELECT message.message_id, folder.name, count(*) FROM placement
           JOIN message ON message.id = placement.message_id
           JOIN folder ON folder.id = placement.folder_id
           GROUP BY placement.message_id, folder.id"""
    )
    return Counter({(mid, folder): count for mid, folder, count in rows})


def _there(box: Mailbox) -> Counter[tuple[str, str]]:
    """What the server has: Message-ID and folder."""
    found: Counter[tuple[str, str]] = Counter()
    with box.client() as client:
        for _, _, name in client.list_folders():
            client.select_folder(name, readonly=True)
            for one in client.fetch(client.search(), ["BODY.PEEK[HEADER]"]).values():
                mid = message_from_bytes(one[b"BODY[HEADER]"])["Message-ID"].strip("<>")
                found[mid, name] += 1
    return found


# -- what happens on the server ------------------------------------------------------------------


def _append(box: Remote, rnd: random.Random) -> None:
    letters = [_letter(rnd.randrange(1_000, 9_999), "INBOX") for _ in range(rnd.randint(1, 4))]
    box.append(rnd.choice(["INBOX", "Archive"]), *letters)


def _expunge(box: Remote, rnd: random.Random) -> None:
    folder = rnd.choice(["INBOX", "Archive"])
    box.expunge(folder, _some(box, folder, rnd))


def _move(box: Remote, rnd: random.Random) -> None:
    source, target = rnd.sample(["INBOX", "Archive"], 2)
    box.move(_some(box, source, rnd), source, target)


def _flag(box: Remote, rnd: random.Random) -> None:
    flags = rnd.choice([["\\Seen"], ["\\Flagged", "\\Seen"], ["\\Answered"]])
    box.flag("INBOX", _some(box, "INBOX", rnd), *flags)


def _rename(box: Remote, _: random.Random) -> None:
    box.rename("Projects", "Works")


def _delete_folder(box: Remote, _: random.Random) -> None:
    box.delete("Projects")


def _some(box: Remote, folder: str, rnd: random.Random) -> list[int]:
    return sorted(rnd.sample(box.uids(folder), rnd.randint(1, 3)))


_OFTEN = (_append, _append, _append, _expunge, _expunge, _move, _move, _flag, _flag)
_ONCE = (_rename, _delete_folder)


def _change(box: Remote, rnd: random.Random) -> None:
    for _ in range(rnd.choice([0, 1, 1, 2, 3])):
        rnd.choice(_OFTEN)(box, rnd)
    if rnd.randrange(5) == 0:
        rnd.choice(_ONCE)(box, rnd)
