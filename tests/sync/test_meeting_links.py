"""Which records a meeting is on, and who becomes a contact by it (C2, C6)."""

from __future__ import annotations

import pytest
from tests.store.conftest import Filler
from tests.sync.meeting_rows import WEEKLY, clock, of, person, shared, told, work
from tests.sync.resources import calendar, event, meeting, put

from crmmail.store import companies, opportunities, people
from crmmail.store import meetings as stored
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

__all__ = ["clock", "work"]


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
