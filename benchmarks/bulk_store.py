"""Stores of any size, filled by SQL without any server, and kept for the next run.

python -m benchmarks.bulk_store 1000000      builds one, or says where it is

A message in three is the first of its thread. There is a person for ten messages and a company for
forty; some are met far more often than others. Counters, thread rows and links are made by the
functions that an import uses.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from importlib import resources
from pathlib import Path

from benchmarks.words import invented, prose, subject
from crmmail.store import joining, links, names
from crmmail.store.database import Change, Store

SIZES = (10_000, 100_000, 1_000_000)
ME = "me@home.example"
_CACHE = Path(__file__).resolve().parent.parent / ".bench"
_START = int(datetime(2016, 1, 4, tzinfo=UTC).timestamp())
_SPAN = 10 * 365 * 86_400
_CHUNK = 10_000  # threads
_PAGES = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -600000; PRAGMA locking_mode = EXCLUSIVE;
"""
_FIRST_NAMES = """
    Ada Amir Anna Bea Carl Chloé Dana Elif Erik Fatou Grete Hana Igor Ines Jan Julia Kofi Lars Lea
    Liam Lucía Maja Mei Milan Mira Nadia Nils Nora Olga Omar Paul Pia Rosa Ruth Sana Sven Tara Tom
    Ute Vera Wim Yara Zoë
""".split()
_FILES = ("offer.pdf", "contract.docx", "figures.xlsx", "photo.jpg", "drawings.zip")
INSERTS = {
    "thread": "INSERT INTO thread (id) VALUES (?)",
    "message": """INSERT INTO message (id, message_id, thread_id, sent_at, subject, from_id,
        outgoing, flags, size, attachments, preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
    "message_text": "INSERT INTO message_text (message_id, people, text) VALUES (?, ?, ?)",
    "thread_ref": "INSERT INTO thread_ref VALUES (?, ?)",
    "participant": "INSERT INTO participant VALUES (?, ?, ?, ?, ?)",
    "placement": "INSERT INTO placement (folder_id, uid, message_id, flags) VALUES (?, ?, ?, ?)",
    "attachment": "INSERT INTO attachment VALUES (?, ?, ?, 'application/pdf', 90000, 0)",
}
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Someone:
    """A contact; their ids as person and as address are their place in the list, plus two."""

    name: str
    address: str
    company: int


def store_of(messages: int, log: Log) -> Path:
    """A store of that many messages, built now if it is not there yet. Not to be written to."""
    _CACHE.mkdir(exist_ok=True)
    path = _CACHE / f"{messages}-{_digest()}.db"
    if not path.exists():
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        start = time.monotonic()
        _build(unfinished, messages, log)
        unfinished.rename(path)
        size = path.stat().st_size / 1e6
        log(f"{messages:,} messages: {size:,.0f} MB in {time.monotonic() - start:.0f} s")
    return path


def _digest() -> str:
    """What a store's name says of its schema and of this file."""
    scripts = resources.files("crmmail.store") / "migrations"
    steps = sorted(entry.name for entry in scripts.iterdir() if entry.name.endswith(".sql"))
    made = blake2b(Path(__file__).read_bytes(), digest_size=4)
    for name in steps:
        made.update((scripts / name).read_bytes())
    return f"v{len(steps)}-{made.hexdigest()}"


def _build(path: Path, messages: int, log: Log) -> None:
    rng = random.Random(messages)
    Store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(_PAGES)
        people = _cast(rng, messages)
        _records(db, people, messages)
        done, first = 0, 1
        mailbox = _Mailbox(rng, people, messages)
        while done < messages:
            rows, count = mailbox.chunk(first, min(_CHUNK, messages // 4), messages - done)
            ids = [row[0] for row in rows["thread"]]
            for table, values in rows.items():
                db.executemany(INSERTS[table], values)
            joining.refresh(db, ids)
            links.relink(db, Change(), ids)
            done, first = done + count, first + len(ids)
            log(f"{done:,} of {messages:,} messages")
        log("the index of words")
        db.execute("INSERT INTO search (search) VALUES ('rebuild')")
        log("the index of names")
        names.refresh(db)
        db.execute("UPDATE folder SET messages = ?, uidnext = ?, floor = 1", [done, done + 1])
        db.execute("PRAGMA locking_mode = NORMAL")
        db.execute("PRAGMA journal_mode = WAL")


def _cast(rng: random.Random, messages: int) -> list[_Someone]:
    sites = [f"{invented(rng, 3)}{i}.example" for i in range(max(messages // 40, 3))]
    people = []
    for number in range(max(messages // 10, 10)):
        first, last = rng.choice(_FIRST_NAMES), invented(rng, 2).capitalize()
        company = number % len(sites)
        address = f"{first}.{last}{number}@{sites[company]}".lower()
        address = address.translate(str.maketrans("éíë", "eie"))
        people.append(_Someone(f"{first} {last}", address, company + 1))
    return people


def _records(db: sqlite3.Connection, people: Sequence[_Someone], messages: int) -> None:
    """The account, people, companies, and a few opportunities."""
    db.execute("INSERT INTO account (id, email, paused) VALUES (1, ?, 1)", [ME])
    db.execute("INSERT INTO own_address VALUES (1, ?)", [ME])
    db.execute("INSERT INTO sync_state (account_id, state) VALUES (1, 'waiting')")
    db.execute("INSERT INTO folder (id, account_id, name, role) VALUES (1, 1, 'INBOX', 'inbox')")
    db.execute("INSERT INTO address (id, address, no_contact) VALUES (1, ?, 'own')", [ME])
    domains = {one.company: one.address.partition("@")[2] for one in people}
    db.executemany(
        "INSERT INTO company (id, name) VALUES (?, ?)",
        [(i, site.partition(".")[0].capitalize()) for i, site in domains.items()],
    )
    db.executemany("INSERT INTO company_domain (company_id, domain) VALUES (?, ?)", domains.items())
    db.executemany(
        "INSERT INTO person (id, name, company_id, job) VALUES (?, ?, ?, 'Buyer')",
        [(i, one.name, one.company) for i, one in enumerate(people, 2)],
    )
    db.executemany(
        """INSERT INTO address (id, address, site, name, person_id, is_primary)
           VALUES (?, ?, ?, ?, ?, 1)""",
        [(i, p.address, domains[p.company], p.name, i) for i, p in enumerate(people, 2)],
    )
    db.executemany(
        "INSERT INTO opportunity (name, company_id, amount) VALUES (?, ?, ?)",
        [(f"Deal {i}", i % len(domains) + 1, i * 1_000_00) for i in range(1, messages // 500)],
    )


class _Mailbox:
    """The rows of the threads, chunk after chunk, as time goes on."""

    def __init__(self, rng: random.Random, people: Sequence[_Someone], messages: int) -> None:
        self._rng = rng
        self._people = people
        self._pace = _SPAN / (messages / 3)  # seconds between two new threads
        self._paragraphs = prose("en").paragraphs
        self._step = max(one.company for one in people)  # that far off is a colleague
        self._uid = 0
        self._everybody = iter(rng.sample(range(len(people)), len(people)))

    def chunk(self, first: int, threads: int, most: int) -> tuple[dict[str, list[tuple]], int]:
        """The rows of some threads, of at most so many messages."""
        rows: dict[str, list[tuple]] = {table: [] for table in INSERTS}
        left = most
        for thread in range(first, first + threads):
            length = min(1 + int(self._rng.expovariate(0.42)), 60, left)
            if not length:
                break
            rows["thread"].append((thread,))
            for table, row in self._thread(thread, length):
                rows[table].append(row)
            left -= length
        return rows, most - left

    def _contact(self, thread: int) -> int:
        """Everybody once, in a thread of three; else some far more often than others."""
        if thread % 3 == 0 and (one := next(self._everybody, None)) is not None:
            return one
        return int(len(self._people) * self._rng.random() ** 3)

    def _thread(self, thread: int, length: int) -> Iterator[tuple[str, tuple]]:
        rng, people = self._rng, self._people
        contact = self._contact(thread)
        colleague = (contact + self._step) % len(people) if rng.random() < 0.3 else None
        title = subject(rng, "en")
        at = _START + int(thread * self._pace)
        for number in range(length):
            self._uid += 1
            at += int(rng.expovariate(1 / 30_000)) if number else 0
            yield from self._message(
                (at << 20 | self._uid & 0xFFFFF, thread, at, f"Re: {title}" if number else title),
                outgoing=(number + thread) % 2 == 1,
                contact=contact,
                colleague=colleague,
            )

    def _message(
        self, about: tuple[int, int, int, str], outgoing: bool, contact: int, colleague: int | None
    ) -> Iterator[tuple[str, tuple]]:
        rng, (key, thread, at, title) = self._rng, about
        other, mid = self._people[contact], f"{self._uid:09}@bench.example"
        long = rng.random() < 0.1
        text = "\n\n".join(rng.choice(self._paragraphs) for _ in range(8 if long else 1))
        files = rng.random() < 0.08
        sender, to = (1, contact + 2) if outgoing else (contact + 2, 1)
        flags = int(rng.random() < 0.97)
        shown = text[:160].replace("\n", " ")
        values = (sender, outgoing, flags, len(text) + 2_000, int(files), shown)
        who = f"{other.name} {other.address}\n{ME}"
        yield "message", (key, mid, thread, at, title, *values)
        yield "message_text", (key, who, text)
        yield "thread_ref", (mid, thread)
        yield "participant", (key, 0, sender, "from", "")
        yield "participant", (key, 1, to, "to", "")
        if colleague is not None:
            yield "participant", (key, 2, colleague + 2, "cc", "")
        yield "placement", (1, self._uid, key, flags)
        if files:
            yield "attachment", (key, 0, rng.choice(_FILES))


if __name__ == "__main__":
    print(store_of(int(sys.argv[1]), lambda words: print(words, flush=True)))
