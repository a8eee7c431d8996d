"""Links and hides of meetings made by hand outlive their rows (C7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.sync.conftest import dumped
from tests.sync.events import event
from tests.sync.office import Office
from tests.sync.test_manual_links import person

from crmmail.store import calendars, mail_rules, meetings, opportunities
from crmmail.store.database import Store
from crmmail.store.kinds import Kind, Level


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    return store.read().execute(query).fetchall()


LINKED = (
    "SELECT kind, record_id, meeting_id, hand FROM meeting_link WHERE hand != 0 ORDER BY 1, 2, 3"
)
NUMBERS = "SELECT id, uid, recurrence_id FROM meeting ORDER BY 2, 3"


def calendar_off(office: Office) -> None:
    calendars.select(office.store, calendars.named(office.store.read(), "work").id, on=False)


def calendar_on(office: Office) -> None:
    calendars.select(office.store, calendars.named(office.store.read(), "work").id, on=True)


def delete(office: Office) -> None:
    office.server.delete("work", "1.ics")
    office.server.delete("work", "2.ics")


def put(office: Office) -> None:
    office.server.put("work", "2.ics", event(2, "Alone", day=3))
    office.server.put("work", "1.ics", weekly())


def weekly() -> str:
    """A series of which one time has moved: two rows of meetings with one UID."""
    lines = event(1, "Weekly", "RRULE:FREQ=WEEKLY;COUNT=3", day=1).splitlines()
    moved = event(1, "Moved", day=2).splitlines()[3:-1]
    start = next(line for line in lines if line.startswith("DTSTART:")).partition(":")[2]
    moved.insert(2, f"RECURRENCE-ID:{start}")
    return "\r\n".join([*lines[:-1], *moved, lines[-1], ""])


MEETINGS_AWAY_AND_BACK = {
    "calendar": (calendar_off, calendar_on),
    "deleted": (delete, put),
    "block": (
        lambda office: mail_rules.block(office.store, "@far.example"),
        lambda office: mail_rules.unblock(office.store, "@far.example"),
    ),
    "internal": (
        lambda office: mail_rules.add_internal(office.store, 1, "far.example"),
        lambda office: mail_rules.drop_internal(office.store, 1, "far.example"),
    ),
    "visibility": (
        lambda office: mail_rules.change(office.store, 1, meeting_level=Level.METADATA),
        lambda office: mail_rules.change(office.store, 1, meeting_level=Level.EVERYTHING),
    ),
}


@pytest.mark.parametrize(
    ("away", "back"), MEETINGS_AWAY_AND_BACK.values(), ids=MEETINGS_AWAY_AND_BACK.keys()
)
def test_meetings_that_leave_and_come_back_are_linked_as_before(
    radicale_office: Office, away: Callable, back: Callable
) -> None:
    office = radicale_office
    put(office)
    office.settle()
    store = office.store
    deal = opportunities.add(store, "Press")
    of_uid = {uid: number for number, uid, _ in rows(store, NUMBERS)}
    meetings.link(store, Kind.OPPORTUNITY, deal, of_uid["meeting-1@far.example"])
    meetings.hide(
        store, Kind.PERSON, person(store, "ann@far.example"), of_uid["meeting-2@far.example"]
    )
    before = rows(store, LINKED), rows(store, NUMBERS), dumped(store)
    assert len(before[0]) == 3  # the series with its moved time, and the other one
    for _ in range(2):
        away(office)
        office.settle()
        back(office)
        office.settle()
        assert rows(store, NUMBERS) == before[1]
        assert rows(store, LINKED) == before[0]
        assert dumped(store) == before[2]


def test_a_time_that_moves_later_is_hidden_with_its_series(radicale_office: Office) -> None:
    office = radicale_office
    office.server.put("work", "1.ics", event(1, "Weekly", "RRULE:FREQ=WEEKLY;COUNT=3", day=1))
    office.settle()
    ((number, *_),) = rows(office.store, NUMBERS)
    meetings.hide(office.store, Kind.PERSON, person(office.store, "ann@far.example"), int(number))
    office.server.put("work", "1.ics", weekly())
    office.settle()
    assert [hand for *_, hand in rows(office.store, LINKED)] == [-1, -1]
