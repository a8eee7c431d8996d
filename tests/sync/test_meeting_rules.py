"""Which meetings do not enter, leave, or tell less: the skip list, the window, visibility."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.sync.meeting_rows import (
    NOW,
    WEEKLY,
    clock,
    of,
    person,
    reasons,
    shared,
    starts,
    told,
    work,
)
from tests.sync.resources import calendar, meeting, put

from crmmail.store import accounts, forgetting, mail_rules, people, remembering
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync import meetings
from crmmail.sync.meetings import Cursor

__all__ = ["clock", "work"]


class TestTheSkipList:
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
    remembering.remember(store, "ann@acme.com")
    put(store, work, one=calendar(meeting()), new=None)
    assert told(store, "SELECT uid FROM meeting ORDER BY 1") == [("one",), ("two",)]
