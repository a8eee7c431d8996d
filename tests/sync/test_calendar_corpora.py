"""Real calendars, odd calendars, hostile calendars: 416 files of other projects.

The files are no part of this repository (see tests/sync/test_corpora.py); without them these tests
are skipped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import time_machine
from tests.sync.test_corpora import files, unsafe

from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync import meetings, zones
from crmmail.sync.event import EventError, ParsedObject, Window, parse
from crmmail.sync.ics_file import decoded, split
from crmmail.sync.meetings import Resource

DAY = 86_400
KDE_ENDS = date(2020, 12, 31)  # its lists stop there, or after 500 days

# Where we differ from KDE on purpose.
OLD_KORGANIZER = "KOrganizer 3.4: KDE leaves out a DTSTART that the rule misses, we do not"
OTHERWISE = {
    "KAlarm_3.4/KAlarm_TestCase06.ics": "it does not recur: KDE lists no day, we have the one",
    "KOrganizer_3.4/KOrganizer_Test01.ics": OLD_KORGANIZER,
    "KOrganizer_3.4/KOrganizer_Test10.ics": OLD_KORGANIZER,
    "KOrganizer_3.4/KOrganizer_Test13.ics": OLD_KORGANIZER,
    "LibICal/LibICal_TestCase03.ics": "17:20 in Los Angeles: KDE lists the days in UTC",
}


@lru_cache(maxsize=1)
def calendars() -> dict[str, bytes]:
    """Every file of the collection."""
    return dict(files("calendars"))


def at(day: date) -> int:
    """Midnight of a day, UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def kde() -> Iterator[tuple[str, str, list[str]]]:
    """Name and text of each file for which KDE says its days, and these."""
    for name, data in calendars().items():
        if (days := calendars().get(f"{name}.recurson.ref")) is not None:
            yield name.partition("RecurrenceRule/")[2], decoded(data), days.decode().split()


def days_of(text: str, first: int, last: int) -> set[str]:
    """The days of an event, in its own time zone; week by week where there are many."""
    try:
        found = parse(text, Window(first, last, first), UTC)
    except EventError as problem:
        if problem.reason != "endless":
            return set()
        assert last - first > 7 * DAY, "endless even in a week"
        middle = (first + last) // 2
        return days_of(text, first, middle) | days_of(text, middle, last)
    zone = zones.by_name(found.meetings[0].tzid) or UTC
    return {datetime.fromtimestamp(one.starts_at, zone).date().isoformat() for one in found.times}


def test_occurrences_are_those_that_kde_expects() -> None:
    differ, compared = set(), 0
    for name, text, expected in kde():
        whole = len(expected) < 500
        last = KDE_ENDS if whole else date.fromisoformat(expected[-1]) + timedelta(days=1)
        ours = days_of(text, at(date(1990, 1, 1)), at(last + timedelta(days=1)))
        ends = KDE_ENDS.isoformat() if whole else expected[-1]
        compared += 1
        if {day for day in ours if day <= ends} != {day for day in expected if day <= ends}:
            differ.add(name)
    assert compared == 144
    assert differ == OTHERWISE.keys()


def test_every_file_is_read_or_has_its_reason_within_bounds() -> None:
    """Of each file every meeting: its times, or one of the ledger's reasons, in 100 ms."""
    window = Window.around(at(date(2026, 6, 1)))
    ever = Window(at(date(1990, 1, 1)), at(date(2030, 1, 1)), 0)
    slow, read, reasons = [], 0, dict[str, int]()
    for name, data in calendars().items():
        if name.endswith((".ref", ".md")):
            continue
        text = decoded(data)
        for part in [text, *(one for _, one in split(text))]:
            for kept in (window, ever):
                try:
                    check(parse(part, kept, UTC), kept)
                    read += 1
                except EventError as problem:
                    reasons[problem.reason] = reasons.get(problem.reason, 0) + 1
            if all(cost(part, ever) > 0.3 for _ in range(3)):  # once may be the collector's
                slow.append(name)
    print(f"{read} read; {reasons}")
    assert slow == []
    assert read > 300
    assert reasons.keys() <= {"unreadable", "endless", "old", "later", "empty"}


def cost(text: str, window: Window) -> float:
    """Seconds of processor time that reading takes."""
    started = time.thread_time()
    with suppress(EventError):
        parse(text, window, UTC)
    return time.thread_time() - started


def check(found: ParsedObject, window: Window) -> None:
    """What holds for whatever was read."""
    ids = {one.recurrence_id for one in found.meetings}
    assert {one.recurrence_id for one in found.times} == ids
    originals = [one.original_at for one in found.times]
    assert len(originals) == len(set(originals))
    for one in found.times:
        assert one.starts_at <= one.ends_at
        assert window.holds(one.starts_at, one.ends_at, one.cancelled)
    for meeting in found.meetings:
        told = (meeting.title, meeting.location, meeting.link, meeting.uid, meeting.recurrence)
        assert not any(map(unsafe, (*told, meeting.description.replace("\n", ""))))
        for person in meeting.attendees:
            assert "@" in person.address
            assert not unsafe(person.name)


def test_every_meeting_of_every_file_is_in_the_store_or_in_the_ledger(store: Store) -> None:
    account = accounts.add(store, "me@home.example")
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (account_id, url) VALUES (?, '/')", [account])
    with time_machine.travel(datetime(2016, 6, 1, tzinfo=UTC), tick=False):
        for name, data in calendars().items():
            text = decoded(data)
            parts = [part for _, part in split(text)] or [text]
            resources = [Resource(f"/{name}/{n}", "", part) for n, part in enumerate(parts)]
            meetings.save(store, 1, resources)
    db = store.read()
    nowhere = """SELECT href FROM calendar_object AS o WHERE reason = ''
                 AND NOT EXISTS (SELECT 1 FROM meeting WHERE uid = o.uid)"""
    assert db.execute(nowhere).fetchall() == []
    reasons = dict(db.execute("SELECT reason, count(*) FROM calendar_object GROUP BY 1").fetchall())
    print(reasons)
    assert reasons[""] > 10
    assert reasons["nobody"] > 100


def test_taken_apart_a_file_says_the_same() -> None:
    """Each meeting of a file with several is found in its part, with its time zones."""
    window = Window(at(date(1990, 1, 1)), at(date(2030, 1, 1)), 0)
    compared = 0
    for data in calendars().values():
        parts = split(decoded(data))
        if len(parts) != 1:
            continue
        (uid, part) = parts[0]
        try:
            whole = parse(decoded(data), window, UTC)
        except EventError:
            continue
        assert parse(part, window, UTC) == whole
        assert whole.uid == uid
        compared += 1
    assert compared > 200
