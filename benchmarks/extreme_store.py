"""A store with what few people have: 50,000 threads with one person, a letter of 20,000 lines.

It is the one of 10,000 messages, with a few people more; each is named after what there is of it.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from benchmarks.bulk_store import INSERTS, Log, store_of
from benchmarks.first_paint import copy
from crmmail.store import joining, links, names
from crmmail.store.database import Change

THREADS, MESSAGES, MEETINGS = 50_000, 500, 5_000
MANY_THREADS, LONG_THREAD, LONG, LONGEST, MANY_MEETINGS = (
    "Threadful",
    "Talkative",
    "Lengthy",
    "Endless",
    "Meetingful",
)
LINES = {LONG: 2_000, LONGEST: 20_000}
"""How long a message these people have written."""
ONCE = "zebra"
"""A word in one of the many threads, of the many messages and of the many meetings."""
_SIZE = 10_000
_NEWEST = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
_FIRST_MEETING = int(datetime(2022, 1, 3, 8, tzinfo=UTC).timestamp())
TITLE = "The offer for the second half of the year"
_LINE = (
    "We can deliver the first part in {} weeks, as we spoke about on Monday, and the rest later."
)
_HOUR, _DAY, _OWN = 3_600, 86_400, 1
_MEETING = """INSERT INTO meeting (id, uid, title, location, first_at, last_at, recurrence)
    VALUES (?, 'bench-' || ?, ?, 'Room 3', ?, ?, ?)"""
_OCCURRENCE = """INSERT INTO occurrence (meeting_id, original_at, starts_at, ends_at)
    VALUES (?, ?, ?, ?)"""
_ATTENDEE = """INSERT INTO attendee (meeting_id, position, address_id, response)
    VALUES (?, ?, ?, 'accepted')"""


def extreme_store(log: Log) -> Path:
    """The store, built now if it is not there yet. Not to be written to."""
    plain = store_of(_SIZE, log)
    made = blake2b(Path(__file__).read_bytes(), digest_size=4).hexdigest()
    path = plain.with_name(f"extreme-{made}-{plain.name}")
    if not path.exists():
        unfinished = path.with_suffix(".new")
        copy(plain, unfinished)
        with closing(sqlite3.connect(unfinished)) as db, db:
            db.execute("PRAGMA foreign_keys = ON")
            _fill(db, log)
        unfinished.rename(path)
    return path


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message: when it came, what it says, and the address that wrote it or got it."""

    at: int
    title: str
    text: str
    who: int
    outgoing: bool = False


def _fill(db: sqlite3.Connection, log: Log) -> None:
    who = {
        name: _person(db, name)
        for name in (MANY_THREADS, LONG_THREAD, LONG, LONGEST, MANY_MEETINGS)
    }
    log(f"{THREADS:,} threads of one person, and a few extremes more")
    threads = [[letter] for letter in _many(who[MANY_THREADS])]
    threads.append(_conversation(who[LONG_THREAD]))
    threads += [
        [_Letter(_NEWEST, _title(0), f"{_lines(n)}\nThe {ONCE}", who[name])]
        for name, n in LINES.items()
    ]
    _write(db, threads)
    _meetings(db, who[MANY_MEETINGS])
    db.execute("INSERT INTO search (search) VALUES ('rebuild')")
    names.refresh(db)


def _person(db: sqlite3.Connection, name: str) -> int:
    """Somebody with an address, whose number is returned."""
    person = db.execute("INSERT INTO person (name) VALUES (?)", [name]).lastrowid
    address = db.execute(
        """INSERT INTO address (address, site, name, person_id, is_primary)
           VALUES (lower(?1) || '@extreme.example', 'extreme.example', ?1, ?2, 1)""",
        [name, person],
    )
    return address.lastrowid or 0


def _title(number: int) -> str:
    return f"{TITLE} {number}"


def _lines(number: int) -> str:
    return "\n".join(_LINE.format(line) for line in range(1, number + 1))


def _many(who: int) -> Iterator[_Letter]:
    for number in range(THREADS):
        title = f"The {ONCE}" if number == THREADS // 2 else _title(number)
        yield _Letter(_NEWEST - number * _HOUR, title, _lines(3), who)


def _conversation(who: int) -> list[_Letter]:
    """One thread, of which the message in the middle has the word."""
    return [
        _Letter(
            _NEWEST - (MESSAGES - number) * _HOUR,
            _title(1),
            _lines(12) + (f"\nThe {ONCE}" if number == MESSAGES // 2 else ""),
            who,
            outgoing=number % 2 == 1,
        )
        for number in range(MESSAGES)
    ]


def _write(db: sqlite3.Connection, threads: Sequence[Sequence[_Letter]]) -> None:
    (first,) = db.execute("SELECT max(id) + 1 FROM thread").fetchone()
    ids = range(first, first + len(threads))
    number = 0
    for thread, letters in zip(ids, threads, strict=True):
        db.execute(INSERTS["thread"], [thread])
        for letter in letters:
            number += 1
            _write_one(db, thread, number, letter)
    joining.refresh(db, ids)
    links.relink(db, Change(), ids)


def _write_one(db: sqlite3.Connection, thread: int, number: int, letter: _Letter) -> None:
    key, mid = letter.at << 20 | number, f"{number}@extreme.example"
    sender, to = (_OWN, letter.who) if letter.outgoing else (letter.who, _OWN)
    about = (sender, letter.outgoing, 1, len(letter.text), 0, letter.text[:160].replace("\n", " "))
    db.execute(INSERTS["message"], [key, mid, thread, letter.at, letter.title, *about])
    db.execute(INSERTS["message_text"], [key, "", letter.text])
    db.execute(INSERTS["thread_ref"], [mid, thread])
    for position, (address, role) in enumerate(((sender, "from"), (to, "to"))):
        db.execute(INSERTS["participant"], [key, position, address, role, ""])
    db.execute(INSERTS["placement"], [1, 10_000_000 + number, key, 1])


def _meetings(db: sqlite3.Connection, who: int) -> None:
    """Half of them alone, half in weekly series of 50."""
    single, series = MEETINGS // 2, MEETINGS // 2 // 50
    for number in range(1, single + series + 1):
        at = _FIRST_MEETING + number * 16 * _HOUR
        times = [at] if number <= single else [at + week * 7 * _DAY for week in range(50)]
        title = f"The {ONCE}" if number == single // 2 else f"Review {number}"
        words = "" if len(times) == 1 else "every week"
        db.execute(_MEETING, [number, number, title, at, times[-1], words])
        db.executemany(_OCCURRENCE, [(number, start, start, start + _HOUR) for start in times])
        for position, address in enumerate((_OWN, who)):
            db.execute(_ATTENDEE, [number, position, address])
    links.relink(db, Change(), range(1, single + series + 1), links.MEETING)


if __name__ == "__main__":
    print(extreme_store(lambda words: print(words, file=sys.stderr)))
