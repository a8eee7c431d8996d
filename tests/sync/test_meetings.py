"""Resources of calendars -> meetings in the store: only what differs, in whatever order."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.sync.meeting_rows import (
    NOW,
    WEEKLY,
    clock,
    dumped,
    of,
    person,
    shared,
    starts,
    told,
    work,
)
from tests.sync.resources import calendar, meeting, put

from crmmail.store import mail_rules
from crmmail.store.database import Notice, Store
from crmmail.store.kinds import Kind
from crmmail.sync import meetings
from crmmail.sync.meetings import Cursor

__all__ = ["clock", "work"]


def test_a_meeting_its_people_and_their_company_are_there_at_once(store: Store, work: int) -> None:
    put(store, work, one=calendar(meeting("LOCATION:Berlin")))
    assert starts(store) == ["07-01 07:00 Kick-off"]
    ann = person(store, "Ann Berg")
    assert of(store, Kind.PERSON, ann) == ["Kick-off: participant"]
    ((company, source),) = told(store, "SELECT id, source FROM company WHERE name = 'Acme'")
    assert source == "calendar"
    assert of(store, Kind.COMPANY, int(str(company))) == ["Kick-off: people,domain"]
    assert told(store, "SELECT source FROM person") == [("calendar",)]


def test_the_cursor_comes_with_its_rows(store: Store, work: int) -> None:
    meetings.save(store, work, [], (), Cursor("token", "tag", 7))
    query = "SELECT sync_token, ctag, compared_at FROM calendar"
    assert told(store, query) == [("token", "tag", 7)]
    put(store, work, one=calendar(meeting()))
    assert told(store, query) == [("token", "tag", 7)]


def test_the_same_meeting_in_two_accounts_is_one(store: Store, work: int) -> None:
    other = shared(store, "me@other.example")
    text = calendar(meeting(WEEKLY))
    put(store, work, one=text)
    put(store, other, copy=text)
    assert told(store, "SELECT count(*) FROM meeting") == [(1,)]
    assert len(starts(store)) == 4
    put(store, work, one=None)
    assert len(starts(store)) == 4
    put(store, other, copy=None)
    assert starts(store) == []
    assert told(store, "SELECT count(*) FROM meeting_link") == [(0,)]


def test_the_copy_of_who_is_asked_comes_first_then_the_newer_one(store: Store, work: int) -> None:
    other = shared(store, "me@other.example")
    put(store, other, copy=calendar(meeting("SEQUENCE:5", title="Seen elsewhere")))
    put(store, work, one=calendar(meeting("SEQUENCE:1", title="Mine")))
    assert starts(store) == ["07-01 07:00 Mine"]
    third = shared(store, "me@third.example")
    mail_rules.add_alias(store, 3, "me@home.example")
    put(store, third, again=calendar(meeting("SEQUENCE:2", title="Mine, newer")))
    assert starts(store) == ["07-01 07:00 Mine, newer"]


def test_who_is_asked_to_one_occurrence_has_it_beside_the_series(store: Store, work: int) -> None:
    other = shared(store, "me@other.example")
    alone = meeting(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260722T090000",
        start="20260722T100000",
        title="Only this one",
    )
    put(store, other, alone=calendar(alone))
    assert starts(store) == ["07-22 08:00 Only this one"]
    put(store, work, series=calendar(meeting("RRULE:FREQ=WEEKLY;COUNT=3")))
    assert starts(store) == [
        "07-01 07:00 Kick-off",
        "07-08 07:00 Kick-off",
        "07-15 07:00 Kick-off",
        "07-22 08:00 Only this one",
    ]


def test_moving_one_occurrence_moves_one_row(store: Store, work: int) -> None:
    put(store, work, one=calendar(meeting(WEEKLY)), other=calendar(meeting(uid="two")))
    before = dict(told(store, "SELECT id, starts_at FROM occurrence"))  # type: ignore[arg-type]
    moved = meeting(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260708T090000", start="20260709T110000", title="Moved"
    )
    put(store, work, one=calendar(meeting(WEEKLY), moved))
    after = dict(told(store, "SELECT id, starts_at FROM occurrence"))  # type: ignore[arg-type]
    assert before.keys() == after.keys()
    assert len([key for key in before if before[key] != after[key]]) == 1
    assert "07-09 09:00 Moved" in starts(store)
    put(store, work, one=calendar(meeting(WEEKLY)))
    assert dict(told(store, "SELECT id, starts_at FROM occurrence")) == before  # type: ignore[arg-type]


def test_what_is_the_same_changes_nothing_and_tells_nobody(store: Store, work: int) -> None:
    put(store, work, one=calendar(meeting(WEEKLY)))
    heard: list[Notice] = []
    store.subscribe(heard.append)
    changes = store.read().total_changes
    put(store, work, one=calendar(meeting(WEEKLY)))
    assert not any("meetings" in notice.topics for notice in heard)
    assert store.read().total_changes == changes


def test_every_order_of_arrival_ends_in_the_same_store(
    make: Callable[[], Store],
) -> None:
    me_too = "ATTENDEE:mailto:me@other.example"
    override = meeting(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260708T090000",
        "SEQUENCE:2",
        start="20260709T110000",
        people=("Bea <bea@acme.com>", "ann@acme.com"),
    )
    steps: list[tuple[int, str, str | None]] = [
        (0, "a", calendar(meeting(WEEKLY))),
        (0, "b", calendar(meeting(uid="two", people=("A. Berg <ann@acme.com>",)))),
        (1, "a", calendar(meeting(WEEKLY, "SEQUENCE:2", me_too), override)),
        (1, "c", calendar(meeting(uid="three", people=("colleague@home.example",)))),
    ]
    seen = set()
    for order in itertools.permutations(steps):
        store = make()
        both = [shared(store), shared(store, "me@other.example")]
        for which, name, text in order:
            put(store, both[which], **{name: text})
        meetings.slide(store, int(NOW.timestamp()))
        seen.add("\n".join(dumped(store)))
    assert len(seen) == 1, "\n".join(difflib.unified_diff(*(one.split("\n") for one in seen), n=0))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes stores."""
    made: list[Store] = []

    def new() -> Store:
        made.append(Store(tmp_path / f"{len(made)}.db"))
        return made[-1]

    yield new
    for store in made:
        store.close()


def test_a_file_without_an_account_brings_meetings_too(store: Store) -> None:
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (url) VALUES ('file:x.ics')")
    put(store, 1, one=calendar(meeting("CLASS:PRIVATE")))
    assert starts(store) == ["07-01 07:00 Kick-off"]
    assert {row[0] for row in told(store, "SELECT name FROM person")} == {"Me", "Ann Berg"}
