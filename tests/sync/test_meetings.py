"""Resources of calendars -> meetings in the store: only what differs, in whatever order."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from tests.store.conftest import Filler
from tests.sync.resources import calendar, event, meeting, put

from crmmail.store import (
    accounts,
    companies,
    dump,
    forgetting,
    mail_rules,
    opportunities,
    people,
)
from crmmail.store import meetings as stored
from crmmail.store.database import Notice, Store
from crmmail.store.kinds import Kind
from crmmail.sync import meetings
from crmmail.sync.meetings import Cursor

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def shared(store: Store, email: str = "me@home.example", **values: object) -> int:
    """An account with a calendar; returns the calendar's id."""
    account_id = accounts.add(store, email)
    with store.write() as (db, _):
        for name, value in values.items():
            db.execute(f"UPDATE account SET {name} = ? WHERE id = ?", [value, account_id])
        db.execute("INSERT INTO calendar (account_id, url) VALUES (?, ?)", [account_id, email])
        return int(db.execute("SELECT max(id) FROM calendar").fetchone()[0])


@pytest.fixture
def work(store: Store) -> int:
    """The calendar of an account me@home.example."""
    return shared(store)


def told(store: Store, query: str, *values: object) -> list[tuple[object, ...]]:
    """Rows."""
    return [tuple(row) for row in store.read().execute(query, values)]


def reasons(store: Store) -> dict[str, tuple[str, str]]:
    """The ledger: by name of the resource, why and what exactly."""
    rows = told(store, "SELECT href, reason, detail FROM calendar_object WHERE reason != ''")
    return {str(href).strip("/")[:-4]: (str(why), str(what)) for href, why, what in rows}


def starts(store: Store) -> list[str]:
    """When meetings start, in UTC, and with what title."""
    rows = store.read().execute(
        "SELECT starts_at, title FROM occurrence JOIN meeting ON meeting.id = meeting_id "
        "ORDER BY starts_at"
    )
    return [f"{datetime.fromtimestamp(at, UTC):%m-%d %H:%M} {title}" for at, title in rows]


def of(store: Store, kind: Kind, record: int) -> list[str]:
    """The titles of a record's meetings, with why they are there."""
    ids = stored.of_record(store.read(), kind, record).ids
    return [f"{row.title}: {row.why}" for row in stored.rows(store.read(), ids, kind, record)]


def person(store: Store, name: str) -> int:
    """The id of a person."""
    ((found,),) = told(store, "SELECT id FROM person WHERE name = ?", name)
    assert isinstance(found, int)
    return found


def dumped(store: Store) -> list[str]:
    """What the store says, but for the accounts' own lines."""
    return [line for line in dump.dump(store.read()) if not line.startswith('{"what": "account"')]


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


class TestTheLedger:
    """What does not enter has a row with one reason."""

    def test_unreadable_and_empty_ones(self, store: Store, work: int) -> None:
        put(
            store,
            work,
            broken="BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:never\nEND:VEVENT",
            task=calendar("BEGIN:VTODO\r\nUID:t\r\nEND:VTODO"),
            endless=calendar(meeting("RRULE:FREQ=SECONDLY", uid="e")),
            old=calendar(meeting(start="20150101T090000", uid="o")),
            later=calendar(meeting(start="20290101T090000", uid="l")),
        )
        found = {name: why for name, (why, _) in reasons(store).items()}
        assert found == {
            "broken": "unreadable",
            "task": "empty",
            "endless": "endless",
            "old": "old",
            "later": "later",
        }
        assert told(store, "SELECT title FROM calendar_object WHERE uid = 'l'") == [("Kick-off",)]

    def test_internal_private_blocked_and_lonely_ones(self, store: Store, work: int) -> None:
        mail_rules.block(store, "@spam.example")
        room = "ATTENDEE;CUTYPE=ROOM:mailto:room@acme.com"
        put(
            store,
            work,
            internal=calendar(meeting(room, uid="1", people=("x@home.example",))),
            private=calendar(meeting("CLASS:PRIVATE", uid="2")),
            blocked=calendar(meeting(uid="3", people=("ann@acme.com", "x@mx.spam.example"))),
            nobody=calendar(meeting(room, uid="4", people=())),
        )
        assert reasons(store) == {
            "internal": ("internal", ""),
            "private": ("private", ""),
            "blocked": ("blocked", "@spam.example"),
            "nobody": ("nobody", ""),
        }
        assert starts(store) == []
        assert told(store, "SELECT count(*) FROM address WHERE address LIKE '%spam%'") == [(0,)]

    def test_a_changed_rule_holds_for_what_is_there_both_ways(
        self, store: Store, work: int
    ) -> None:
        put(
            store, work, a=calendar(meeting(uid="1")), b=calendar(meeting("CLASS:PRIVATE", uid="2"))
        )
        mail_rules.block(store, "ann@acme.com")
        meetings.slide(store, int(NOW.timestamp()))
        assert reasons(store)["a"] == ("blocked", "ann@acme.com")
        mail_rules.unblock(store, "ann@acme.com")
        with store.write() as (db, _):
            db.execute("UPDATE account SET sync_private = 1")
        meetings.slide(store, int(NOW.timestamp()))
        assert reasons(store) == {}
        assert len(starts(store)) == 2

    def test_a_mended_resource_leaves_it(self, store: Store, work: int) -> None:
        put(store, work, one="BEGIN:VCALENDAR")
        assert reasons(store)["one"][0] == "empty"
        put(store, work, one=calendar(meeting()))
        assert reasons(store) == {}
        assert len(starts(store)) == 1


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("both", {"Ann Berg", "Olga"}),
        ("organizer", {"Olga"}),
        ("participant", {"Ann Berg"}),
        ("none", set()),
    ],
)
def test_the_policy_says_who_becomes_a_contact(
    store: Store, policy: str, expected: set[str]
) -> None:
    theirs = event(
        "SUMMARY:Theirs",
        "DTSTART:20260701T090000Z",
        "ORGANIZER;CN=Olga:mailto:olga@acme.com",
        "ATTENDEE;CN=Ann Berg:mailto:ann@acme.com",
        "ATTENDEE;CUTYPE=GROUP;CN=All:mailto:all@acme.com",
        "ATTENDEE;CN=Free:mailto:free@gmail.com",
        "ATTENDEE:mailto:me@home.example",
    )
    put(store, shared(store, meeting_policy=policy), one=calendar(theirs))
    assert {name for (name,) in told(store, "SELECT name FROM person")} == expected
    bars = dict(told(store, "SELECT address, no_contact FROM address"))  # type: ignore[arg-type]
    assert bars["free@gmail.com"] == "free-mail"
    assert bars["me@home.example"] == "own"


class TestLinks:
    """C6: whatever changes about a record, its meetings follow at once."""

    @pytest.fixture
    def two(self, store: Store) -> tuple[int, int]:
        """Two meetings with nobody whom the policy makes a contact."""
        work = shared(store, meeting_policy="none")
        put(store, work, a=calendar(meeting(uid="a", title="A")))
        put(
            store, work, b=calendar(meeting(uid="b", title="B", people=("bea@zoll.de",),
                                            start="20260702T090000")),
        )  # fmt: skip
        return work, 0

    def test_a_new_person_and_a_further_address(self, store: Store, two: object) -> None:
        ann = people.create(store, "Ann", ["ann@acme.com"])
        assert of(store, Kind.PERSON, ann) == ["A: participant"]
        people.add_address(store, ann, "bea@zoll.de")
        assert of(store, Kind.PERSON, ann) == ["A: participant", "B: participant"]
        people.remove_address(store, ann, "ann@acme.com")
        assert of(store, Kind.PERSON, ann) == ["B: participant"]
        people.delete(store, ann)
        assert told(store, "SELECT count(*) FROM meeting_link") == [(0,)]
        people.restore(store, ann)
        assert of(store, Kind.PERSON, ann) == ["B: participant"]

    def test_companies_by_domain_and_by_people_and_opportunities(
        self, store: Store, two: object
    ) -> None:
        acme = companies.create(store, "Acme", ["acme.com"])
        assert of(store, Kind.COMPANY, acme) == ["A: domain"]
        bea = people.create(store, "Bea", ["bea@zoll.de"], company_id=acme)
        assert of(store, Kind.COMPANY, acme) == ["A: domain", "B: people"]
        deal = opportunities.add(store, "Deal", contact_id=bea)
        assert of(store, Kind.OPPORTUNITY, deal) == ["B: contact"]
        opportunities.edit(store, deal, company_id=acme)
        assert of(store, Kind.OPPORTUNITY, deal) == ["A: company", "B: company,contact"]

    def test_merging_and_taking_it_back(self, store: Store, two: object) -> None:
        ann = people.create(store, "Ann", ["ann@acme.com"])
        bea = people.create(store, "Bea", ["bea@zoll.de"])
        ((a,), (_b,)) = told(store, "SELECT id FROM meeting ORDER BY uid")
        assert isinstance(a, int)
        stored.link(store, Kind.PERSON, bea, a)
        done = people.merge(store, ann, bea)
        assert of(store, Kind.PERSON, ann) == ["A: participant", "B: participant"]
        people.unmerge(store, done)
        assert of(store, Kind.PERSON, ann) == ["A: participant"]
        assert of(store, Kind.PERSON, bea) == ["A: hand", "B: participant"]

    def test_what_was_done_by_hand_stays_for_the_whole_series(self, store: Store) -> None:
        work = shared(store)
        put(store, work, one=calendar(meeting(WEEKLY)))
        deal = opportunities.add(store, "Deal")
        ((series,),) = told(store, "SELECT id FROM meeting")
        assert isinstance(series, int)
        stored.link(store, Kind.OPPORTUNITY, deal, series)
        stored.hide(store, Kind.PERSON, person(store, "Ann Berg"), series)
        moved = meeting("RECURRENCE-ID:20260708T070000Z", start="20260709T110000")
        put(store, work, one=calendar(meeting(WEEKLY), moved))
        assert len(of(store, Kind.OPPORTUNITY, deal)) == 4
        assert of(store, Kind.PERSON, person(store, "Ann Berg")) == []


class TestRemoval:
    """A calendar or an account goes, with what only it held."""

    def test_of_a_calendar(self, store: Store, work: int) -> None:
        other = shared(store, "me@other.example")
        put(store, work, a=calendar(meeting()), b=calendar(meeting(uid="two")))
        put(store, other, a=calendar(meeting()))
        meetings.drop(store, work)
        assert starts(store) == ["07-01 07:00 Kick-off"]
        assert told(store, "SELECT count(*) FROM calendar") == [(1,)]

    def test_of_an_account(self, store: Store, work: int) -> None:
        other = shared(store, "me@other.example")
        put(store, work, a=calendar(meeting(title="Mine")), b=calendar(meeting(uid="two")))
        put(store, other, a=calendar(meeting(title="Theirs")))
        accounts.remove(store, "me@home.example")
        assert told(store, "SELECT uid FROM meeting") == [("one",)]
        meetings.slide(store, int(NOW.timestamp()))
        assert starts(store) == ["07-01 07:00 Theirs"]
        assert people.view(store.read())


class TestTheWindow:
    """K2, K4: it slides."""

    def test_a_series_goes_on(self, store: Store, work: int) -> None:
        put(store, work, one=calendar(meeting("RRULE:FREQ=MONTHLY", start="20210805T090000")))
        first, *_, last = told(store, "SELECT starts_at FROM occurrence ORDER BY 1")
        ids = {row[0] for row in told(store, "SELECT id FROM occurrence")}
        at = int(datetime(2026, 9, 20, tzinfo=UTC).timestamp())
        meetings.slide(store, at)
        times = [row[0] for row in told(store, "SELECT starts_at FROM occurrence ORDER BY 1")]
        assert times[0] > first[0]  # type: ignore[operator]
        assert times[-1] > last[0]  # type: ignore[operator]
        assert times[-1] > at + 340 * 86_400  # type: ignore[operator]
        assert len(ids & {row[0] for row in told(store, "SELECT id FROM occurrence")}) >= 60

    def test_what_is_far_ahead_enters_and_what_is_long_past_leaves(
        self, store: Store, work: int
    ) -> None:
        put(
            store,
            work,
            later=calendar(meeting(uid="l", start="20271001T090000", title="Later")),
            past=calendar(meeting(uid="p", start="20210801T090000", title="Past")),
        )
        assert starts(store) == ["08-01 07:00 Past"]
        meetings.slide(store, int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()))
        assert starts(store) == ["10-01 07:00 Later"]
        assert reasons(store) == {"past": ("old", "It was over before the time that is kept.")}

    def test_a_cancelled_occurrence_stays_until_it_is_thirty_days_past(
        self, store: Store, work: int
    ) -> None:
        off = meeting("RECURRENCE-ID:20260708T070000Z", "STATUS:CANCELLED", start="20260708T090000")
        put(store, work, one=calendar(meeting(WEEKLY), off))
        query = "SELECT count(*), sum(cancelled) FROM occurrence"
        assert told(store, query) == [(4, 1)]
        meetings.slide(store, int(datetime(2026, 8, 6, tzinfo=UTC).timestamp()))
        assert told(store, query) == [(4, 1)]
        meetings.slide(store, int(datetime(2026, 8, 10, tzinfo=UTC).timestamp()))
        assert told(store, query) == [(3, 0)]


def test_names_in_calendars_count_where_mail_has_none(store: Store, work: int) -> None:
    put(store, work, one=calendar(meeting(people=("Ann from Sales <ann@acme.com>",))))
    assert told(store, "SELECT name FROM person") == [("Ann from Sales",)]
    put(store, work, two=calendar(meeting(uid="two", start="20260801T090000")))
    assert told(store, "SELECT name FROM person") == [("Ann Berg",)]
    letter = Filler(store).message("ann@acme.com")
    with store.write() as (db, _):
        db.execute("UPDATE participant SET name = 'Ann M. Berg'")
        db.execute(
            "UPDATE address SET name = 'Ann M. Berg', name_at = ? WHERE person_id NOTNULL", [letter]
        )
    put(store, work, three=calendar(meeting(uid="three", start="20260901T090000")))
    assert told(store, "SELECT name FROM person") == [("Ann M. Berg",)]


def test_a_file_without_an_account_brings_meetings_too(store: Store) -> None:
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (url) VALUES ('file:x.ics')")
    put(store, 1, one=calendar(meeting("CLASS:PRIVATE")))
    assert starts(store) == ["07-01 07:00 Kick-off"]
    assert {row[0] for row in told(store, "SELECT name FROM person")} == {"Me", "Ann Berg"}


class TestVisibility:
    """V5: an account may keep of meetings only people and time."""

    SECRETS = (
        "SUMMARY:Takeover plan",
        "DESCRIPTION:Takeover price\\, folded over\r\n  two lines",
        "LOCATION:Takeover hall",
        "URL:https://zoom.us/j/takeover",
        "X-ALT-DESC;FMTTYPE=text/html:<p>Takeover</p>",
        "BEGIN:VALARM\r\nDESCRIPTION:Takeover\r\nEND:VALARM",
    )
    TOLD = "SELECT title, location, description, link FROM meeting"

    def text(self, *lines: str) -> str:
        """A series that tells what may not be kept."""
        return calendar(meeting(WEEKLY, *self.SECRETS, *lines, title="Takeover"))

    def test_nothing_else_is_kept(self, store: Store) -> None:
        put(store, shared(store, meeting_level=0), one=self.text())
        assert told(store, self.TOLD) == [("", "", "", "")]
        assert len(starts(store)) == 4
        assert of(store, Kind.PERSON, person(store, "Ann Berg")) == [": participant"] * 4
        dump_ = "\n".join(store.read().iterdump())
        assert "takeover" not in dump_.lower()

    def test_lowering_the_level_takes_it_out_and_raising_it_asks_again(
        self, store: Store, work: int
    ) -> None:
        put(store, work, one=self.text())
        assert told(store, self.TOLD)[0][1] == "Takeover hall"
        mail_rules.change(store, 1, meeting_level=0)
        meetings.slide(store, int(NOW.timestamp()))
        assert told(store, self.TOLD) == [("", "", "", "")]
        assert told(store, "SELECT raw FROM calendar_object WHERE raw LIKE '%takeover%'") == []
        assert told(store, "SELECT name FROM chore") == [("wipe",)]
        meetings.save(store, work, [], (), Cursor("token", "tag", 7))
        mail_rules.change(store, 1, meeting_level=2)
        meetings.slide(store, int(NOW.timestamp()))
        assert told(store, "SELECT etag FROM calendar_object") == [("",)]
        assert told(store, "SELECT sync_token, ctag, compared_at FROM calendar") == [("", "", 0)]
        put(store, work, one=self.text())
        assert told(store, self.TOLD)[0][1] == "Takeover hall"

    def test_of_two_accounts_the_one_that_tells_more_counts(self, store: Store) -> None:
        low = shared(store, meeting_level=0)
        high = shared(store, "me@other.example")
        put(store, low, one=self.text("SEQUENCE:5"))
        put(store, high, one=self.text())
        assert told(store, self.TOLD)[0][1] == "Takeover hall"
        put(store, high, one=None)
        assert told(store, self.TOLD) == [("", "", "", "")]


def test_somebody_who_was_forgotten_leaves_no_trace_and_stays_out(store: Store, work: int) -> None:
    put(
        store,
        work,
        one=calendar(meeting()),
        old=calendar(meeting(start="20150101T090000", uid="o")),
        two=calendar(meeting(uid="two", people=("bea@acme.com",))),
    )
    forgetting.forget(store, "ann@acme.com")
    meetings.slide(store, int(NOW.timestamp()))
    put(store, work, new=calendar(meeting("SEQUENCE:3")))
    assert {name: why for name, (why, _) in reasons(store).items()} == dict.fromkeys(
        ("one", "old", "new"), "forgotten"
    )
    assert told(store, "SELECT uid FROM meeting") == [("two",)]
    assert "ann" not in "\n".join(store.read().iterdump()).lower().replace("annot", "")
    forgetting.remember(store, "ann@acme.com")
    put(store, work, one=calendar(meeting()), new=None)
    assert told(store, "SELECT uid FROM meeting ORDER BY 1") == [("one",), ("two",)]
