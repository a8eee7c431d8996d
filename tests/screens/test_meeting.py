"""The meeting screen: when, who, the link, other times, the mail before it, links by hand."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import accounts, calendars, mail_rules, meetings, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens import filler, harness
from tests.screens.conftest import NOW
from tests.screens.harness import settle, text
from tests.sync import resources

AT = int(NOW.timestamp())


@pytest.fixture
def found(store: Store) -> dict[str, list[int]]:
    """The occurrences of each meeting of the small store."""
    return filler.meetings(store, AT)


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys and wait until what they do is in the store and on the screen."""
    await harness.press(pilot, *keys)
    await settle(pilot)


async def show(pilot: Pilot[None], occurrence: int) -> MeetingScreen:
    app = pilot.app
    assert isinstance(app, CrmmailApp)
    screen = MeetingScreen.open(app, app.store, occurrence)
    await settle(pilot)
    return screen


async def test_it_says_when_it_is_here_and_where_the_organiser_is(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(110, 40)) as pilot:
        await show(pilot, found["weekly"][10])
        shown = text(app)
        assert "Pilot: weekly call   in 2 days" in shown
        assert "Mon 16 Mar 2026, 09:26–09:56" in shown
        assert "08:26–08:56 in Europe/London, the organiser's zone" in shown
        assert "every week on Monday" in shown
        assert "https://meet.example/pilot-4711" in shown


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fair", "Mon 23 Mar 2026 – Wed 25 Mar 2026"),
        ("visit", "Tue 17 Mar 2026, 09:26–11:26"),
        ("visit", "unanswered"),
        ("cancelled", "cancelled"),
        ("declined", "declined"),
        ("lunch", "2 days ago"),
        ("visit", "Kim  has not answered, no contact (C3: a free-mail provider)"),
        ("visit", "Room 4  room, accepted"),
        ("visit", "2. Dates"),
    ],
)
async def test_it_tells_what_there_is_to_know(
    app: CrmmailApp, found: dict[str, list[int]], name: str, words: str
) -> None:
    async with app.run_test(size=(110, 40)) as pilot:
        await show(pilot, found[name][0])
        assert words in text(app)


async def test_n_and_p_go_through_the_series(app: CrmmailApp, found: dict[str, list[int]]) -> None:
    async with app.run_test(size=(110, 44), notifications=True) as pilot:
        screen = await show(pilot, found["weekly"][10])
        await press(pilot, "n", "n")
        assert screen.occurrence == found["weekly"][12]
        assert "Mon 30 Mar 2026, 10:26–10:56" in text(app)
        await press(pilot, "p")
        assert screen.occurrence == found["weekly"][11]
        await press(pilot, *"/weekly", "enter", "n")
        assert screen.occurrence == found["weekly"][11]  # the hits, while there is a search
        await press(pilot, "escape", *["p"] * 20)
        assert screen.occurrence == found["weekly"][0]
        assert "No more times of this meeting." in text(app)


async def test_the_latest_mail_with_these_people_opens(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await show(pilot, found["visit"][0])
        shown = text(app)
        assert shown.index("Pilot in March") < shown.index("Invoice 4711")
        await press(pilot, "tab", "j", "enter")
        assert isinstance(app.screen, ThreadScreen)
        assert "Invoice 4711" in text(app)
        await press(pilot, "escape")
        assert app.screen is screen


async def test_attendees_have_a_record_or_become_one(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    db = app.store.read()
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await show(pilot, found["visit"][0])
        await press(pilot, "at")
        assert "organiser, accepted" in text(app)
        await press(pilot, "j", "j", "c")
        assert "kim@gmail.example is a contact now" in text(app)
        (kim,) = people.view(db, match="kim")
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
        assert app.screen.record_id == kim
        await press(pilot, "u")
        assert list(people.view(db, match="kim")) == []


async def test_the_link_is_seen_whole_before_it_opens_and_can_be_copied(
    app: CrmmailApp, found: dict[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(app, "open_url", lambda url: opened.append(url))
    monkeypatch.setattr("crmmail.screens.links.has_browser", lambda: True)
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await show(pilot, found["weekly"][10])
        await press(pilot, "y")
        assert app.clipboard == "https://meet.example/pilot-4711"
        await press(pilot, "o")
        assert "Open this link?" in text(app)
        assert opened == []
        await press(pilot, "enter")
        assert opened == ["https://meet.example/pilot-4711"]
        await show(pilot, found["visit"][0])
        await press(pilot, "o")
        assert "no link to join by" in text(app)
        await press(pilot, "U")
        assert "how-to-find-us" in text(app)


async def test_a_meeting_is_put_on_a_record_and_hidden_from_one(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    db = app.store.read()
    (nord,) = [i for (i,) in db.execute("SELECT id FROM company WHERE name = 'Nordwind'")]
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        await show(pilot, found["visit"][0])
        await press(pilot, "l", *"nordw")
        await press(pilot, "enter")
        assert list(meetings.of_record(db, Kind.COMPANY, nord).ids) == found["visit"]
        assert "Ada Lovelace, Acme, Nordwind" in text(app)
        await press(pilot, "x", "j", "x")
        assert "Hidden from Acme" in text(app)
        assert "hidden from 1 record" in text(app)
        await press(pilot, "escape", "u", "u")
        assert list(meetings.of_record(db, Kind.COMPANY, nord).ids) == []


async def test_a_meeting_that_is_gone_leaves(app: CrmmailApp, found: dict[str, list[int]]) -> None:
    async with app.run_test(size=(110, 40), notifications=True) as pilot:
        screen = await show(pilot, found["visit"][0])
        with app.store.write("meetings") as (db, _):
            db.execute("DELETE FROM meeting WHERE title = 'Visit at Acme'")
        await harness.until(pilot, lambda: app.screen is not screen)
        assert "This meeting is not there any more." in text(app)
        await press(pilot, "escape")
        assert screen not in app.screen_stack


async def test_the_screen_has_few_widgets(app: CrmmailApp, found: dict[str, list[int]]) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        screen = await show(pilot, found["weekly"][10])
        assert len(list(screen.walk_children())) <= 60


async def test_a_title_that_visibility_hides_is_told_as_such(empty_store: Store) -> None:
    store = empty_store
    accounts.add(store, filler.ME, meeting_level=0)
    calendars.listed(store, 1, [("/office/", "Work", "")])
    resources.put(
        store, 1, one=resources.calendar(resources.meeting(start="20260315T100000", title="Pay"))
    )
    hidden = "(hidden by this account's visibility)"
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(160, 30)) as pilot:
        await press(pilot, "enter", "2")
        assert hidden in text(app)
        await press(pilot, "escape", "a")
        assert hidden in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, MeetingScreen)
        assert hidden in text(app)
        with time_machine.travel(NOW + dt.timedelta(days=2), tick=False):  # it is over by then
            await press(pilot, "escape", "escape", "enter", "4")
            assert hidden in text(app)
        mail_rules.change(store, 1, meeting_level=2)
        resources.put(store, 1, one=resources.calendar(resources.meeting(title="")))
        assert meetings.rows(store.read(), meetings.every(store.read()).ids)[0].hidden is False
