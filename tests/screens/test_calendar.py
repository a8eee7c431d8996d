"""The calendar of a record and the agenda: days, now, ranges, hiding."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.agenda import AgendaScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.store import meetings, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.agenda import AgendaList
from tests.screens import filler, harness
from tests.screens.conftest import NOW
from tests.screens.harness import lines, press, settle, text
from tests.screens.test_hostile import HOSTILE, check, fill

AT = int(NOW.timestamp())
DAY = 86_400


@pytest.fixture
def found(store: Store) -> dict[str, list[int]]:
    """The occurrences of each meeting of the small store."""
    return filler.meetings(store, AT)


def agenda(app: CrmmailApp) -> AgendaList:
    return app.screen.query_one(AgendaList)


def line(app: CrmmailApp, words: str) -> str:
    (shown,) = [one for one in lines(app) if words in one]
    return shown


async def test_the_calendar_stands_at_the_next_meeting(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter", "2")
        assert agenda(app).occurrence == found["weekly"][10]
        shown = text(app)
        assert "March 2026" in shown
        assert shown.index("Lunch") < shown.index("now, 09:26") < shown.index("Visit at Acme")
        await press(pilot, "G")
        assert agenda(app).occurrence == found["weekly"][-1]
        await press(pilot, ".")
        assert agenda(app).occurrence == found["weekly"][10]
        await press(pilot, "k")
        assert agenda(app).occurrence == found["lunch"][0]
        await press(pilot, "j", "j", "enter")
        assert isinstance(app.screen, MeetingScreen)
        assert app.screen.occurrence == found["visit"][0]
        await press(pilot, "J", "escape")
        assert agenda(app).has_focus


async def test_a_line_says_when_what_who_and_where(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(140, 30)) as pilot:
        await press(pilot, "a")
        assert isinstance(app.screen, AgendaScreen)
        visit = line(app, "Visit at Acme").split()
        assert visit[1:4] == ["Tue", "17", "09:26–11:26"]
        assert visit[7:] == ["unanswered", "Ada", "Lovelace,", "Kim", "Acme,", "Room", "4", "│"]
        assert "online" in next(one for one in lines(app) if "Mon 16" in one)
        assert [one.split("  ")[1] for one in lines(app) if "Trade fair" in one] == [
            f"day {number} of 3" for number in (1, 2, 3)
        ]
        assert [one[2:8] for one in lines(app) if "Trade fair" in one] == [
            "Mon 23", "Tue 24", "Wed 25",
        ]  # fmt: skip


async def test_what_is_cancelled_is_struck_through_and_what_i_declined_is_dim(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "a")
        strips = app.screen._compositor.render_strips()
        (workshop,) = [strip for strip in strips if "Workshop" in strip.text]
        (segment,) = [s for s in workshop if "Workshop" in s.text]
        assert segment.style
        assert segment.style.strike
        assert "cancelled" in workshop.text
        (webinar,) = [strip for strip in strips if "Webinar" in strip.text]
        (dim,) = [s for s in webinar if "Webinar" in s.text]
        (visit,) = [s for strip in strips for s in strip if "Visit at Acme" in s.text]
        assert dim.style
        assert visit.style
        assert dim.style.color != visit.style.color
        assert "declined" in webinar.text


async def test_one_key_goes_through_the_ranges(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "a")
        everything = agenda(app).plan.meetings
        assert everything == sum(map(len, found.values()))
        await press(pilot, "r")
        assert "Agenda: today" in text(app)
        assert "No meeting today" in text(app)
        await press(pilot, "r")
        assert "Agenda: this week" in text(app)
        assert agenda(app).plan.meetings == 2  # Monday's call, Thursday's lunch
        await press(pilot, "r")
        assert "Agenda: this month" in text(app)
        assert agenda(app).occurrence == found["weekly"][10]
        assert "April" not in text(app)
        await press(pilot, "r")
        assert agenda(app).plan.meetings == everything


async def test_the_agenda_is_filtered_by_title_names_and_place(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "a", "slash", *"acme", "space", *"visit")
        assert agenda(app).plan.meetings == 1
        assert "1 meeting" in text(app)
        assert agenda(app).occurrence == found["visit"][0]
        await press(pilot, "enter")
        assert agenda(app).has_focus
        await press(pilot, "escape")  # all again, and the cursor stays where it is
        assert isinstance(app.screen, AgendaScreen)
        assert agenda(app).plan.meetings == sum(map(len, found.values()))
        assert agenda(app).occurrence == found["visit"][0]
        for words, names in (("KIM", "visit"), ("hannover", "fair"), ("webin", "declined")):
            await press(pilot, "slash", *words, "enter")
            assert agenda(app).plan.meetings == len(found[names])
            assert agenda(app).occurrence == found[names][0]
            await press(pilot, "escape")
        await press(pilot, "slash", *"weekly", "enter")
        assert agenda(app).occurrence == found["weekly"][10]
        await press(pilot, "enter", "J")
        assert isinstance(app.screen, MeetingScreen)
        assert app.screen.occurrence == found["weekly"][11]
        await press(pilot, "escape", "r")
        assert "No meeting today matches “weekly”" in text(app)
        await press(pilot, "escape", "r", "r", "r", "slash", *"zzz")
        assert "No meeting matches “zzz”" in text(app)
        await press(pilot, "escape")
        assert agenda(app).occurrence == found["weekly"][10]
        await press(pilot, "escape", "a")
        assert agenda(app).plan.meetings == sum(map(len, found.values()))


async def test_the_calendar_of_a_record_is_filtered_in_its_own_tab(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter", "2", "slash", *"lunch", "enter")
        assert agenda(app).occurrence == found["lunch"][0]
        assert "1 meeting" in text(app)
        await press(pilot, "escape")
        assert "Visit at Acme" in text(app)
        await press(pilot, "slash", *"lunch", "escape")
        assert agenda(app).has_focus
        await press(pilot, "slash", *"lunch", "enter", "1", "slash")
        assert app.screen.query_one("EmailsPane FilterLine").has_focus
        await press(pilot, "escape", "escape", "j", "enter", "2")  # another record
        assert agenda(app).match == ""
        assert "lunch" not in text(app)


async def test_a_series_is_hidden_from_the_record_and_comes_back(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    db = app.store.read()
    (ada,) = people.view(db, match="Ada")
    before = list(meetings.of_record(db, Kind.PERSON, ada).ids)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, "enter", "2", "x")
        await settle(pilot)
        assert "Pilot: weekly call" not in text(app)
        assert "u to undo." in text(app)
        left = set(meetings.of_record(db, Kind.PERSON, ada).ids)
        assert left == set(before) - set(found["weekly"])
        await press(pilot, "u")
        await settle(pilot)
        assert list(meetings.of_record(db, Kind.PERSON, ada).ids) == before
        assert "Pilot: weekly call" in text(app)


async def test_nobody_has_met_yet(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "2")
        assert "No meeting yet" in text(app)
        await press(pilot, "x", ".", "r", "enter", "j", "escape", "a")
        assert "No meeting yet" in text(app)
        await press(pilot, "enter", ".")
        assert isinstance(app.screen, AgendaScreen)


async def test_the_cursor_stays_on_its_meeting_while_others_come(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "a", "j", "j")
        stands = agenda(app).occurrence
        with app.store.write("meetings") as (db, change):
            filler.Filler(db, change).meeting(
                "New", (AT + 3_600, AT + 7_200), guests=(filler.Guest("ada@acme.example"),)
            )
        await harness.until(pilot, lambda: "New" in text(app))
        assert agenda(app).occurrence == stands


async def test_the_mark_is_at_now_as_time_passes(
    app: CrmmailApp, found: dict[str, list[int]]
) -> None:
    import time_machine

    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "a")
        with time_machine.travel(AT + 2 * DAY + 600, tick=False):
            agenda(app)._tick()
            await settle(pilot)
            shown = text(app)
            assert shown.index("Mon 16") < shown.index("now, 09:36") < shown.index("Tue 17")


async def test_a_hundred_thousand_meetings_move_as_fast_as_ten(empty_store: Store) -> None:
    """One window is read however long the list is."""
    filler.meetings(empty_store, AT)
    with empty_store.write("meetings") as (db, _):
        db.executemany(
            "INSERT INTO occurrence (meeting_id, original_at, starts_at, ends_at) "
            "VALUES (1, ?1, ?1, ?1 + 60)",
            ((AT + number * 120,) for number in range(20_000)),
        )
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "a")
        shown = agenda(app)
        assert shown.plan.meetings > 20_000
        reads = []
        read = shown._occurrences
        shown._occurrences = lambda ids: reads.append(len(ids)) or read(ids)  # type: ignore[func-returns-value]
        await press(pilot, "G", "pageup")
        assert len(reads) <= 2
        assert max(reads) <= 64
        assert len(list(app.screen.walk_children())) <= 60


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_meetings_are_only_text(empty_store: Store, hostile: str) -> None:
    fill(empty_store, hostile)
    with empty_store.write("meetings") as (db, change):
        filler.Filler(db, change).meeting(
            hostile,
            (AT + 3_600, AT + 7_200),
            (AT + DAY, AT + 3 * DAY),
            guests=(
                filler.Guest("mallory@evil.example", hostile, hostile),
                filler.Guest(f"{hostile}@evil.example", "declined", hostile, hostile),
            ),
            uid="one",
            location=hostile,
            description=f"{hostile}\n{hostile * 3}\n<https://x.example/{hostile}>",
            link=f"https://x.example/{hostile}",
            recurrence=hostile,
            tzid=hostile,
        )
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(150, 40), notifications=True) as pilot:
        for keys in (
            ("a",), ("r", "r", "r", "r"), ("enter",), ("n",), ("at",), ("escape", "U"), ("escape",),
            ("o",), ("escape", "y"), ("l", "e", "escape"), ("x",),
            ("escape", "slash", "x", "enter"),
            ("question_mark", "escape", "escape", "escape"), ("enter", "2"), ("x",),
        ):  # fmt: skip
            await press(pilot, *keys)
            check(app)
        assert app.is_running
