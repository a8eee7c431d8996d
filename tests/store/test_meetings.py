"""Meetings: lists in the order of a local clock, one of them, links by hand (rules.md K, C7)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import time_machine

from crmmail.errors import CrmmailError
from crmmail.store import companies, links, meeting_detail, meetings, people, timeline
from crmmail.store.kinds import Kind
from crmmail.store.meeting_filter import having

from .conftest import DAY, NOON, Filler, World

HOUR = 3_600
MIDNIGHT = NOON - 12 * HOUR
ANNA, BERT = "anna@acme.com", "bert@acme.com"


@pytest.fixture(params=["Asia/Tokyo", "America/Los_Angeles", "UTC"])
def zone(request: pytest.FixtureRequest, local_zone: Callable[[str], None]) -> str:
    """A local zone far from others."""
    local_zone(request.param)
    return str(request.param)


def hour(count: float, long: float = 1) -> tuple[int, int]:
    """A time that many hours from noon."""
    return int(NOON + count * HOUR), int(NOON + (count + long) * HOUR)


def days(count: int, many: int = 1) -> tuple[int, int]:
    """Whole days, as they are stored."""
    return MIDNIGHT + count * DAY, MIDNIGHT + (count + many) * DAY


def test_a_record_s_times_are_in_the_order_of_a_local_clock(
    fill: Filler, world: World, zone: str
) -> None:
    at = NOON + 3 * DAY + time.timezone  # local noon of that day
    (timed,) = fill.meeting("Timed", (at, at + HOUR), people=[ANNA])
    (before,) = fill.meeting("Early", (at - 12 * HOUR, at - 11 * HOUR), people=[ANNA])
    (whole,) = fill.meeting("Whole day", days(3), people=[ANNA], all_day=1)
    (last,) = fill.meeting("Last", (at + 11 * HOUR, at + 12 * HOUR), people=[ANNA])
    fill.meeting("Another's", hour(1), people=[BERT])
    found = meetings.of_record(fill.db, Kind.PERSON, world.anna)
    assert list(found.ids) == [whole, before, timed, last]
    assert {start // DAY for start in found.starts} == {days(3)[0] // DAY}
    assert found.starts[2] == meetings.wall(at) == days(3)[0] + 12 * HOUR
    assert list(meetings.every(fill.db).ids) == [fill.db.execute(
        "SELECT max(id) FROM occurrence").fetchone()[0], whole, before, timed, last]  # fmt: skip
    assert list(found.between(*days(4))) == []
    assert list(found.between(found.starts[2], found.starts[2] + 1)) == [whole, timed]


def test_rows_say_who_comes_and_what_i_answered(fill: Filler, world: World) -> None:
    (one,) = fill.meeting(
        "Visit",
        hour(1),
        people=[ANNA, fill.own, BERT, "x@zoll.de"],
        responses=["accepted", "tentative", "declined", "needs-action"],
        location="Room 4",
        link="https://meet.example/1",
        recurrence="every week",
    )
    (row,) = meetings.rows(fill.db, [one, 999], Kind.PERSON, world.anna)
    assert (row.title, row.location, row.link) == ("Visit", "Room 4", "https://meet.example/1")
    assert row.names == ("Anna Berg", "x@zoll.de")
    assert (row.response, row.recurs, row.cancelled, row.why) == (
        "tentative", True, False, "participant",
    )  # fmt: skip


def test_a_meeting_has_attendees_records_and_the_other_times(fill: Filler, world: World) -> None:
    first, second = fill.meeting(
        "Weekly", hour(1), hour(1 + 7 * 24), people=[ANNA, fill.own, "x@zoll.de"], uid="w@x"
    )
    (moved,) = fill.meeting(
        "Weekly", hour(5 * 24), people=[ANNA], uid="w@x", recurrence_id="20260106T130000Z"
    )
    found = meeting_detail.get(fill.db, second)
    assert found
    assert found.row.id == second
    assert list(found.times.ids) == [first, moved, second]
    assert [(one.address, one.name, one.organizer) for one in found.attendees] == [
        (ANNA, "Anna Berg", True), (fill.own, "", False), ("x@zoll.de", "", False),
    ]  # fmt: skip
    assert [one.no_contact for one in found.attendees] == ["", "own", "policy"]
    assert [(one.name, one.why) for one in found.links] == [
        ("Anna Berg", "participant"), ("Acme", "people,domain"), ("Zoll", "domain"),
    ]  # fmt: skip
    assert meeting_detail.get(fill.db, 999) is None


def test_the_briefing_is_the_latest_mail_with_those_who_come(fill: Filler, world: World) -> None:
    (one,) = fill.meeting("A", hour(1), people=[fill.own, ANNA, BERT])
    (row,) = meetings.rows(fill.db, [one])
    assert list(meeting_detail.briefing(fill.db, row.meeting_id)) == [world.second, world.first]
    (stranger,) = fill.meeting("B", hour(1), people=[fill.own, "zoe@zoll.de"])
    people.delete(fill.store, world.zoe)
    (row,) = meetings.rows(fill.db, [stranger])
    assert list(meeting_detail.briefing(fill.db, row.meeting_id)) == [world.third]


class TestNext:
    """What comes next, for a record and in a list."""

    def test_it_is_the_first_that_is_not_over(self, fill: Filler, world: World, zone: str) -> None:
        past, now, later = fill.meeting("Talk", hour(-3 * 24), hour(-0.5), hour(30), people=[ANNA])
        found = meetings.summary(fill.db, Kind.PERSON, world.anna, NOON)
        assert (found.met, found.last_at) == (2, hour(-0.5)[0])
        assert (found.next_id, found.next_at, found.next_title) == (now, hour(-0.5)[0], "Talk")
        times = meetings.of_record(fill.db, Kind.PERSON, world.anna)
        assert times.next(meetings.wall(NOON)) == 1
        assert times.next(meetings.wall(NOON + HOUR)) == 2
        assert times.next(meetings.wall(NOON + 40 * HOUR)) is None
        assert list(times.ids) == [past, now, later]

    def test_cancelled_and_declined_do_not_count(self, fill: Filler, world: World) -> None:
        (gone,) = fill.meeting("Gone", hour(1), people=[ANNA])
        with fill.store.write() as (db, _):
            db.execute("UPDATE occurrence SET cancelled = 1 WHERE id = ?", [gone])
        fill.meeting("No", hour(2), people=[ANNA, fill.own], responses=["accepted", "declined"])
        found = meetings.summary(fill.db, Kind.PERSON, world.anna, NOON)
        assert (found.met, found.next_id) == (0, None)
        (yes,) = fill.meeting("Yes", hour(3), people=[ANNA])
        times = meetings.of_record(fill.db, Kind.PERSON, world.anna)
        assert list(times.off) == [meetings.CANCELLED, meetings.DECLINED, 0]
        assert times.next(meetings.wall(NOON)) == 2
        found = meetings.summary(fill.db, Kind.PERSON, world.anna, NOON)
        assert (found.met, found.next_id) == (0, yes)

    def test_a_whole_day_lasts_until_local_midnight(
        self, fill: Filler, world: World, zone: str
    ) -> None:
        (one,) = fill.meeting("Fair", days(0), people=[ANNA], all_day=1)
        late = MIDNIGHT + DAY + time.timezone - 60  # 23:59 on a local clock
        summary = meetings.summary(fill.db, Kind.PERSON, world.anna, late)
        assert (summary.next_id, summary.next_at) == (one, MIDNIGHT + time.timezone)
        assert meetings.summary(fill.db, Kind.PERSON, world.anna, late + 60).next_id is None

    def test_the_nearest_time_of_a_meeting(self, fill: Filler) -> None:
        first, second = fill.meeting("A", hour(-5), hour(5), people=[ANNA])
        (past,) = fill.meeting("B", hour(-9), people=[ANNA])
        ids = [row.meeting_id for row in meetings.rows(fill.db, [first, past])]
        found = meetings.nearest(fill.db, [*ids, 999], NOON)
        assert found == {ids[0]: second, ids[1]: past}


class TestByHand:
    """Links made, and hidden, by hand (C7)."""

    def test_hide_and_back(self, fill: Filler, world: World) -> None:
        fill.meeting("Weekly", hour(1), people=[ANNA], uid="w@x")
        fill.meeting("Weekly", hour(24), people=[ANNA], uid="w@x", recurrence_id="2")
        meeting = meetings.rows(fill.db, meetings.every(fill.db).ids)[0].meeting_id
        before = fill.content("meeting_link")
        said = meetings.hide(fill.store, Kind.PERSON, world.anna, meeting)
        assert list(meetings.of_record(fill.db, Kind.PERSON, world.anna).ids) == []
        links.take_back(fill.store, said)
        assert fill.content("meeting_link") == before

    def test_link_and_back(self, fill: Filler, world: World) -> None:
        (one,) = fill.meeting("A", hour(1), people=[ANNA])
        (row,) = meetings.rows(fill.db, [one])
        before = fill.content("meeting_link")
        said = meetings.link(fill.store, Kind.COMPANY, world.zoll, row.meeting_id)
        found = meetings.of_record(fill.db, Kind.COMPANY, world.zoll)
        assert list(found.ids) == [one]
        (row,) = meetings.rows(fill.db, [one], Kind.COMPANY, world.zoll)
        assert row.why == "hand"
        links.take_back(fill.store, said)
        assert fill.content("meeting_link") == before

    def test_what_is_refused(self, fill: Filler, world: World) -> None:
        with pytest.raises(CrmmailError, match="no meeting with the number 999"):
            meetings.link(fill.store, Kind.PERSON, world.anna, 999)
        companies.delete(fill.store, world.zoll)
        with pytest.raises(CrmmailError, match="Zoll is not there any more"):
            meetings.link(fill.store, Kind.COMPANY, world.zoll, 1)


def test_lists_have_the_next_meeting_and_sort_by_it(fill: Filler, world: World, zone: str) -> None:
    with time_machine.travel(NOON, tick=False):
        fill.meeting("Soon", hour(-48), hour(2), people=["zoe@zoll.de"])
        fill.meeting("Later", days(2), people=[BERT], all_day=1)
        assert list(people.view(fill.db, "next")) == [world.zoe, world.bert, world.anna]
        assert list(people.view(fill.db, "next", True)) == [world.bert, world.zoe, world.anna]
        rows = people.rows(fill.db, [world.zoe, world.bert, world.anna])
        assert [row.next_at for row in rows] == [hour(2)[0], days(2)[0] + time.timezone, 0]


def test_past_meetings_are_on_the_timeline(fill: Filler, world: World) -> None:
    past, _ = fill.meeting("Talk", hour(-1), hour(1), people=[ANNA, fill.own], location="Room 4")
    with time_machine.travel(NOON, tick=False):
        ids = timeline.of_record(fill.db, Kind.PERSON, world.anna)
        found = [row for row in timeline.rows(fill.db, Kind.PERSON, ids) if row.title == "Talk"]
        assert [(row.what, row.at, row.text, row.target) for row in found] == [
            (timeline.MEETING, hour(-1)[0], "Room 4", past)
        ]
        ats = [row.at for row in timeline.rows(fill.db, Kind.PERSON, ids)]
        assert ats == sorted(ats, reverse=True)


def test_a_list_is_narrowed_to_the_meetings_with_some_words(fill: Filler, world: World) -> None:
    both = fill.meeting("Größe der Räume", hour(1), hour(30), people=[ANNA], location="Köln")
    (link,) = fill.meeting("Call", hour(3), people=[BERT], link="https://meet.example/1")
    everything = meetings.every(fill.db)
    for words, found in {
        "grosse koln": both,
        "RÄUME  anna@": both,
        "anna call": [],
        "online": [link],
        "bert crane": [link],
        "100%": [],
        "": list(everything.ids),
    }.items():
        narrowed = having(fill.db, everything, words)
        assert sorted(narrowed.ids) == sorted(found), words
        assert len(narrowed.starts) == len(narrowed.ends) == len(narrowed.off) == len(found)
    assert list(having(fill.db, everything, "koln").starts) == [
        meetings.wall(hour(1)[0]),
        meetings.wall(hour(30)[0]),
    ]
