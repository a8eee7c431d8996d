"""Every reason of the calendars' ledger, from a resource to the screen and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from crmmail.app import CrmmailApp
from crmmail.store import accounts, calendars, forgetting, mail_rules, meeting_ledger
from crmmail.store.database import Store
from crmmail.sync import meetings
from tests.screens.conftest import NOW
from tests.screens.filler import ME
from tests.screens.harness import press, text
from tests.screens.test_hostile import HOSTILE, check
from tests.screens.test_skipped import skip
from tests.sync.resources import calendar, meeting, put

AT = int(NOW.timestamp())


@dataclass(frozen=True, slots=True)
class Case:
    """A meeting that is skipped, what the screen says of it, and of the way in."""

    raw: str
    says: str
    changes: str = ""
    otherwise: str = ""


COLLEAGUE = ("Col <col@home.example>",)
CASES = {
    "private": Case(
        calendar(meeting("CLASS:CONFIDENTIAL")),
        "K7: private or confidential",
        "Let in all private meetings (1 here)",
    ),
    "internal": Case(
        calendar(meeting(people=COLLEAGUE)),
        "K7: between colleagues only",
        "Let in all meetings of colleagues (1 here)",
    ),
    "blocked": Case(
        calendar(meeting(people=("x@mx.pest.example",))),
        "M3: somebody in it is on the blocklist (@pest.example)",
        "Take @pest.example off the blocklist",
    ),
    "nobody": Case(
        calendar(meeting(people=())),
        "K7: nobody but you takes part",
        otherwise="It enters when somebody else is invited",
    ),
    "old": Case(
        calendar(meeting(start="20150101T090000")),
        "K2: over for more than five years",
        otherwise="Meetings are kept for five years",
    ),
    "later": Case(
        calendar(meeting(start="20290101T090000")),
        "K2: more than a year ahead",
        otherwise="It enters by itself when it is less than a year ahead.",
    ),
    "endless": Case(
        calendar(meeting("RRULE:FREQ=SECONDLY")),
        "K2: it recurs too often to be followed",
        otherwise="It enters when it is corrected in the calendar",
    ),
    "empty": Case(
        calendar("BEGIN:VTODO\r\nUID:t\r\nEND:VTODO"),
        "K2: it takes place at no time",
        otherwise="It enters when it is corrected in the calendar",
    ),
    "unreadable": Case(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:never\nEND:VEVENT",
        "K8: it could not be read",
        otherwise="It enters when it is corrected in the calendar",
    ),
}


@pytest.fixture
def office(empty_store: Store) -> Store:
    """A store with an account, a calendar "Work" of it, and @pest.example blocked."""
    accounts.add(empty_store, ME)
    calendars.listed(empty_store, 1, [("/office/", "Work", "")])
    mail_rules.block(empty_store, "@pest.example")
    return empty_store


def titles(store: Store) -> list[str]:
    """The meetings in the store."""
    return [title for (title,) in store.read().execute("SELECT title FROM meeting ORDER BY title")]


def reasons(store: Store) -> list[str]:
    """The reasons of the ledger."""
    return list(meeting_ledger.by_reason(store.read()))


def filled(store: Store, names: Iterable[str] = CASES) -> None:
    """Let the calendar hold these cases."""
    raws = {name: CASES[name].raw.replace("UID:one", f"UID:{name}") for name in names}
    put(store, 1, **{name: raw.replace("Kick-off", name.title()) for name, raw in raws.items()})


@pytest.mark.parametrize("name", CASES)
async def test_a_skipped_meeting_is_shown_let_in_and_kept_out_again(
    office: Store, name: str
) -> None:
    case = CASES[name]
    filled(office, [name])
    assert reasons(office) == [f"meetings: {name}"]
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "enter")
        assert case.says in text(app)
        assert f"the calendar Work of {ME}" in text(app)
        assert (case.changes or case.otherwise) in text(app)
        await press(pilot, "enter", "escape", *([] if case.changes else ["a"]))
        meetings.slide(office, AT)
        assert titles(office) == ([name.title()] if case.changes else [])
        if case.changes:
            await press(pilot, "u")
            meetings.slide(office, AT)
        else:
            assert any(case.otherwise in one.message for one in app._notifications)
        assert titles(office) == []
        assert reasons(office) == [f"meetings: {name}"]


async def test_a_calendar_that_is_not_read_is_let_in_from_its_line(office: Store) -> None:
    calendars.select(office, 1, on=False)
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "L")
        assert "calendars not read 1" in text(app)
        await press(pilot, "enter")
        assert "K1: the calendar is not read" in text(app)
        assert f"Read the calendar Work of {ME}" in text(app)
        await press(pilot, "enter")
        assert calendars.named(office.read(), "Work").selected
        assert "Nothing was skipped" in text(app)
        await press(pilot, "u")
        assert not calendars.named(office.read(), "Work").selected


async def test_they_are_narrowed_by_reason_calendar_and_words_beside_mail(office: Store) -> None:
    with office.write("state") as (db, _):
        db.execute("INSERT INTO folder (id, account_id, name) VALUES (1, 1, 'INBOX')")
    skip(office, 1, "internal", subject="Internal letter")
    calendars.listed(office, 1, [("/home/", "Home", "")])
    filled(office)
    put(office, 2, one=calendar(meeting("CLASS:PRIVATE", uid="home", title="Dentist")))
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(160, 30)) as pilot:
        await press(pilot, "L")
        assert "all 11   meetings 10   colleagues 1   meetings: blocked 1" in text(app)
        await press(pilot, "slash", *"internal", "enter")
        assert "2 rows" in text(app)
        await press(pilot, "f")
        assert "1 row" in text(app)
        await press(pilot, "escape", "escape", "tab")
        assert "10 rows" in text(app)
        assert "Internal letter" not in text(app)
        await press(pilot, "tab")
        assert "1 row" in text(app)
        assert "Internal letter" in text(app)
        await press(pilot, *["shift+tab"] * 4)
        assert "meetings: private 2" in text(app)
        assert "2 rows" in text(app)
        assert "Dentist" in text(app)
        await press(pilot, "G", "o")
        assert "1 row" in text(app)
        assert f"Skipped · the calendar Home of {ME}" in text(app)
        await press(pilot, "f", "A", "escape", "escape")
        assert [one.message for one in app._notifications] == [
            "Here another rule decides than who sent it: enter says which."
        ]
        assert "Internal letter" in text(app)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_title_is_only_text(office: Store, hostile: str) -> None:
    put(office, 1, one=calendar(meeting("CLASS:PRIVATE", title=hostile)))
    calendars.listed(office, 1, [("/office/", hostile, "")])
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "L")
        check(app)
        await press(pilot, "enter")
        check(app)
        assert "K7: private or confidential" in text(app)
        await press(pilot, "escape", "slash", *"zz")
        assert "Nothing here matches" in text(app)


async def test_a_title_that_visibility_hides_is_told_as_such(office: Store) -> None:
    mail_rules.change(office, 1, meeting_level=0)
    put(office, 1, one=calendar(meeting("CLASS:PRIVATE", title="Salary")))
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "enter")
        assert "(hidden by this account's visibility)" in text(app)
        assert "Salary" not in text(app)


async def test_what_somebody_forgotten_was_in_has_no_title(office: Store) -> None:
    put(office, 1, one=calendar(meeting()), two=calendar(meeting(uid="two")))
    forgetting.forget(office, "ann@acme.com")
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "enter")
        assert "meetings: forgotten 2" in text(app)
        assert "crmmail remember ADDRESS" in text(app)
        assert "Kick-off" not in text(app)


async def test_a_meeting_of_a_file_is_let_in_alone_or_by_an_account_s_switch(
    office: Store,
) -> None:
    file = calendars.add_file(office, "x.ics")
    put(office, file, one=calendar(meeting("CLASS:PRIVATE")))
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "enter")
        assert "the file x.ics" in text(app)
        await press(pilot, "enter")
        meetings.slide(office, AT)
        assert titles(office) == ["Kick-off"]
        await press(pilot, "u")
        meetings.slide(office, AT)
        assert titles(office) == []
        mail_rules.change(office, 1, sync_private=True)
        meetings.slide(office, AT)
        assert titles(office) == ["Kick-off"]


@pytest.mark.parametrize(
    ("line", "people", "one"),
    [("CLASS:PRIVATE", ("ann@acme.com",), "private"), ("", COLLEAGUE, "internal")],
)
async def test_a_lets_in_the_one_meeting_under_the_cursor(
    office: Store, line: str, people: tuple[str, ...], one: str
) -> None:
    raws = {
        name: calendar(meeting(line, uid=name, title=name, people=people, start=start))
        for name, start in (("early", "20260320T090000"), ("late", "20260420T090000"))
    }
    put(office, 1, **raws)
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "a")
        meetings.slide(office, AT)
        assert titles(office) == ["late"]
        assert reasons(office) == [f"meetings: {one}"]
        assert "Let in this meeting, as an exception from the rules (X lists them). u to undo." in [
            said.message for said in app._notifications
        ]
        await press(pilot, "X")
        assert "meeting   <meeting:late>" in text(app)
        await press(pilot, "enter")
        meetings.slide(office, AT)
        assert titles(office) == []


async def test_a_that_would_let_in_others_too_says_so_and_waits(office: Store) -> None:
    filled(office, ["blocked"])
    app = CrmmailApp(office, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "a")
        assert "Take @pest.example off the blocklist" in text(app)
        assert "changes blocklist" in text(app)
        assert mail_rules.blocked(office.read()) == ["@pest.example"]
        await press(pilot, "escape")
        assert mail_rules.blocked(office.read()) == ["@pest.example"]
        await press(pilot, "a", "enter")
        assert mail_rules.blocked(office.read()) == []
        await press(pilot, "u")
        assert mail_rules.blocked(office.read()) == ["@pest.example"]


def test_a_view_is_in_order_and_its_windows_have_its_rows(office: Store) -> None:
    filled(office)
    calendars.listed(office, 1, [("/off/", "Off", "")])
    calendars.select(office, 2, on=False)
    db = office.read()
    ids = meeting_ledger.view(db, meeting_ledger.Filter())
    rows = meeting_ledger.window(db, ids)
    assert [row.id for row in rows] == list(ids)
    assert all(map(meeting_ledger.is_meeting, ids))
    assert [row.reason for row in rows][:2] == ["calendar", "later"]
    times = [row.starts_at for row in rows[1:]]
    assert times == sorted(times, reverse=True)
    assert [row.id for row in meeting_ledger.rows(db)] == list(ids)[1:]
