"""Making, changing, merging and deleting records, and taking it back, on a really synced store."""

from __future__ import annotations

from contextlib import closing

import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
from crmmail.screens.pick import PickScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store import companies, opportunities, people, timeline
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.picker import Picker
from tests.screens.harness import press, settle, text
from tests.screens.test_hostile import HOSTILE, check


@pytest.fixture
def app(sample_store: Store) -> CrmmailApp:
    return CrmmailApp(sample_store, sync=False)


def form(app: CrmmailApp) -> FormScreen:
    assert isinstance(app.screen, FormScreen)
    return app.screen


def current(app: CrmmailApp) -> int:
    assert isinstance(app.screen, RecordsScreen)
    assert app.screen.shown.current is not None
    return app.screen.shown.current


async def write(pilot: Pilot[None], typed: str) -> None:
    """Type over what a field holds."""
    await press(pilot, "end", "ctrl+u")
    await press(pilot, *("space" if c == " " else "enter" if c == "\n" else c for c in typed))


async def test_a_person_is_edited_in_place_and_u_takes_it_back(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        person = current(app)
        before = people.get(app.store.read(), person)
        assert before is not None
        await press(pilot, "e")
        assert f"Edit {before.name}" in text(app)
        await write(pilot, "Grace Hopper")
        await press(pilot, "tab", "enter")
        await press(pilot, *"grace@hopper.example", "tab", "tab")
        await write(pilot, "Admiral")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, RecordsScreen)
        after = people.get(app.store.read(), person)
        assert after is not None
        assert (after.name, after.job) == ("Grace Hopper", "Admiral")
        assert after.addresses == (*before.addresses, "grace@hopper.example")
        assert "Grace Hopper changed. u to undo." in text(app)
        await press(pilot, "u")
        assert people.get(app.store.read(), person) == before
        assert "Undone: Grace Hopper changed." in text(app)
        await press(pilot, "u")
        assert "There is nothing to undo." in text(app)


async def test_what_another_process_has_changed_is_told_beside_the_text_that_is_kept(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        person = current(app)
        await press(pilot, "e", "tab", "tab", "tab")
        await write(pilot, "Admiral")
        with closing(Store(app.store.path)) as other:
            people.edit(other, person, job="Captain")
        await press(pilot, "ctrl+s")
        assert "The job was changed meanwhile. It is now: Captain" in " ".join(text(app).split())
        assert form(app).values()["job"] == "Admiral"
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, RecordsScreen)
        after = people.get(app.store.read(), person)
        assert after is not None
        assert after.job == "Admiral"
        await press(pilot, "u")
        after = people.get(app.store.read(), person)
        assert after is not None
        assert after.job == "Captain"


async def test_errors_stand_beside_their_field_and_nothing_is_stored(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        person = current(app)
        before = people.get(app.store.read(), person)
        await press(pilot, "e")
        await write(pilot, "Other")
        await press(pilot, "tab", "enter", *"nonsense", "ctrl+s")
        assert "'nonsense' is not an e-mail address." in text(app)
        assert "It looks like anna@acme.com." in text(app)
        assert app.focused is form(app).query_one("#field-addresses")
        assert people.get(app.store.read(), person) == before
        await press(pilot, "tab", "end", "ctrl+u", *"zzz", "ctrl+s")
        assert "No company is chosen." in text(app)
        await press(pilot, "escape", "y")
        assert isinstance(app.screen, RecordsScreen)
        assert people.get(app.store.read(), person) == before


async def test_the_company_is_picked_while_it_is_typed(app: CrmmailApp) -> None:
    db = app.store.read()
    wanted = companies.rows(db, companies.view(db, "name"))[2]
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        person = current(app)
        await press(pilot, "e", "tab", "tab")
        await write(pilot, wanted.name)
        assert wanted.domains[0] in text(app)
        await press(pilot, "enter", "ctrl+s")
        found = people.get(db, person)
        assert found is not None
        assert found.company_id == wanted.id
        await press(pilot, "e", "tab", "tab")
        await write(pilot, "")
        await press(pilot, "ctrl+s")
        found = people.get(db, person)
        assert found is not None
        assert found.company_id is None


async def test_a_new_person_is_opened_and_taken_back(app: CrmmailApp) -> None:
    db = app.store.read()
    count = len(people.view(db))
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "c", "ctrl+s")
        assert isinstance(app.screen, RecordsScreen)  # nothing was typed, nothing is made
        await press(pilot, "c", *"New", "space", *"Body", "tab", *"new@body.example", "ctrl+s")
        assert isinstance(app.screen, RecordScreen)
        assert "People › New Body" in text(app)
        assert "new@body.example" in text(app)
        assert len(people.view(db)) == count + 1
        await press(pilot, "u")
        assert len(people.view(db)) == count
        assert isinstance(app.screen, RecordsScreen)


async def test_a_new_company_says_who_has_its_domain(app: CrmmailApp) -> None:
    db = app.store.read()
    taken = companies.rows(db, companies.view(db))[0]
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "2", "c", *"Mine", "tab", *taken.domains[0], "ctrl+s")
        assert f"belongs to {taken.name}" in text(app)
        await write(pilot, "mine.example")
        await press(pilot, "ctrl+s")
        assert "Companies › Mine" in text(app)
        (mine,) = companies.view(db, match="mine.example")
        await press(pilot, "e", "tab", "enter", *"other.example", "ctrl+s")
        assert companies.domains(db, mine) == ("mine.example", "other.example")
        await press(pilot, "u")
        assert companies.domains(db, mine) == ("mine.example",)


async def test_a_new_opportunity_has_its_companys_mail(app: CrmmailApp) -> None:
    db = app.store.read()
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "2", "enter", "c", *"Big", "space", *"deal", "tab")
        await write(pilot, "prop")
        await press(pilot, "enter", "tab", *"12,500.50", "tab", "tab", *"tomorrow", "ctrl+s")
        assert "'tomorrow' is not a date." in text(app)
        await write(pilot, "2026-06-30")
        await press(pilot, "ctrl+s")
        assert "Opportunities › Big deal   proposal" in text(app)
        (deal,) = opportunities.view(db, match="Big deal")
        found = opportunities.get(db, deal)
        assert found is not None
        assert (found.amount, found.currency, found.closes_on) == (1_250_050, "EUR", "2026-06-30")
        assert found.company_id is not None
        assert found.threads > 0
        await press(pilot, "e", "tab", "tab")
        await write(pilot, "lots")
        await press(pilot, "ctrl+s")
        assert "'lots' is not an amount." in text(app)
        await write(pilot, "7")
        await press(pilot, "ctrl+s")
        changed = opportunities.get(db, deal)
        assert changed is not None
        assert changed.amount == 700
        await press(pilot, "e", "tab", "tab", "tab")
        await write(pilot, "jpy")
        await press(pilot, "ctrl+s")
        yen = opportunities.get(db, deal)
        assert yen is not None
        assert (yen.amount, yen.currency) == (7, "JPY")
        assert "7 JPY" in text(app)
        rows = timeline.rows(db, Kind.OPPORTUNITY, timeline.of_record(db, Kind.OPPORTUNITY, deal))
        told = [(row.change.old, row.change.new) for row in rows if row.change]
        assert ("700 EUR", "7 JPY") in told  # both at once: 700 JPY were never meant
        await press(pilot, "e", "tab", "tab")
        await write(pilot, "12.505")
        await press(pilot, "ctrl+s")
        assert "JPY has no decimals, and '12.505' has 3." in text(app)
        await press(pilot, "escape", "y", "u")
        assert opportunities.get(db, deal) == changed
        await press(pilot, "u")
        assert opportunities.get(db, deal) == found


async def test_a_stage_from_elsewhere_is_shown_kept_and_brought_back(app: CrmmailApp) -> None:
    db = app.store.read()
    deal = opportunities.view(db)[0]
    with app.store.write("opportunities") as (writer, _):
        writer.execute("UPDATE opportunity SET stage = 'Verhandlung' WHERE id = ?", [deal])
    before = opportunities.get(db, deal)
    assert before is not None
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "3", "enter", "e", "tab")
        assert form(app).query_one("#field-stage", Picker).typed == "Verhandlung"
        await press(pilot, "shift+tab")
        await write(pilot, "Renamed")
        await press(pilot, "ctrl+s")
        renamed = opportunities.get(db, deal)
        assert renamed is not None
        assert (renamed.name, renamed.stage) == ("Renamed", "Verhandlung")
        await press(pilot, "u", "e", "tab")
        await write(pilot, "won")
        await press(pilot, "enter", "ctrl+s")
        changed = opportunities.get(db, deal)
        assert changed is not None
        assert changed.stage == "won"
        await press(pilot, "u")
        assert opportunities.get(db, deal) == before
        await press(pilot, "e", "tab")
        await write(pilot, "verh")
        await press(pilot, "enter", "ctrl+s")
        assert opportunities.get(db, deal) == before


async def test_marked_rows_are_deleted_and_come_back(app: CrmmailApp) -> None:
    db = app.store.read()
    before = people.view(db)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "space", "space", "space", "D")
        assert "3 people deleted. u to undo, until you quit." in text(app)
        assert people.view(db) == before[3:]
        assert "marked" not in text(app)
        await press(pilot, "u")
        assert people.view(db) == before


async def test_a_record_is_deleted_from_its_own_screen(app: CrmmailApp) -> None:
    db = app.store.read()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "2", "enter")
        company = app.screen.record_id  # type: ignore[attr-defined]
        await press(pilot, "D")
        assert isinstance(app.screen, RecordsScreen)
        assert companies.get(db, company) is None
        assert "not there any more" not in text(app)
        await press(pilot, "u")
        assert companies.get(db, company) is not None


async def test_two_marked_people_are_merged_into_the_one_under_the_cursor(app: CrmmailApp) -> None:
    db = app.store.read()
    first, second = people.view(db)[:2]
    before = people.get(db, first), people.get(db, second)
    addresses = {*people.addresses(db, first), *people.addresses(db, second)}
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "space", "space", "k", "M")
        kept, other = (one.name for one in reversed(before) if one)
        assert "Merge 2 people: which stays?" in text(app)
        assert f"↵ {kept} stays" in text(app)
        assert f"The name {kept} stays. It gets" in text(app)
        assert f"Not kept: the name {other}" in text(app)
        assert people.get(db, first) == before[0]
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        assert (people.get(db, first), people.get(db, second)) == before
        await press(pilot, "M", "enter")
        assert people.get(db, first) is None
        assert set(people.addresses(db, second)) == addresses
        await press(pilot, "u")
        assert (people.get(db, first), people.get(db, second)) == before


async def test_of_those_that_are_merged_the_user_says_which_stays(app: CrmmailApp) -> None:
    db = app.store.read()
    first, second, third = people.view(db)[:3]
    before = [people.get(db, one) for one in (first, second, third)]
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "space", "space", "space", "M", "j", "enter")
        left = {one for one in (first, second, third) if people.get(db, one) is not None}
        assert len(left) == 1
        assert left != {third}  # the first that is offered is the one under the cursor
        assert app._notifications.__iter__().__next__().message.startswith("2 people merged into ")
        await press(pilot, "u")
        assert [people.get(db, one) for one in (first, second, third)] == before


async def test_a_company_is_merged_with_one_that_is_picked(app: CrmmailApp) -> None:
    db = app.store.read()
    keep, other = companies.rows(db, companies.view(db)[:2])
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "M")
        assert isinstance(app.screen, PickScreen)
        assert f"Merge into {keep.name}" in text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        await press(pilot, "M", *other.domains[0], "enter")
        assert f"1 domain ({other.domains[0]})" in text(app)
        assert companies.rows(db, [keep.id, other.id]) == [keep, other]
        await press(pilot, "enter")
        assert companies.get(db, other.id) is None
        assert set(companies.domains(db, keep.id)) >= set(other.domains)
        await press(pilot, "u")
        assert companies.rows(db, [keep.id, other.id]) == [keep, other]
        await press(pilot, "3", "M")
        assert isinstance(app.screen, RecordsScreen)


async def test_marked_people_move_to_a_company(app: CrmmailApp) -> None:
    db = app.store.read()
    first, second = people.view(db)[:2]
    before = people.rows(db, [first, second])
    company = companies.rows(db, companies.view(db))[3]
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "space", "space", "C", *company.domains[0], "enter")
        assert {row.company_id for row in people.rows(db, [first, second])} == {company.id}
        await press(pilot, "u")
        assert people.rows(db, [first, second]) == before


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_in_forms_and_pickers(empty_store: Store, hostile: str) -> None:
    from tests.screens.test_hostile import fill

    fill(empty_store, hostile)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(150, 40), notifications=True) as pilot:
        for keys in (
            ("e",),
            ("tab", "tab", "down"),
            ("ctrl+s",),
            ("escape", "space", "M"),
            ("enter",),
            ("escape", "escape"),
            ("escape", "C"),
            ("escape", "2", "e", "tab"),
            ("escape", "D"),
            ("u",),
        ):
            await press(pilot, *keys)
            check(app)
        assert app.is_running


async def test_a_line_feed_begins_a_line_of_a_note(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "n")
        await press(pilot, *"One", "ctrl+j", *"Two", "enter", *"Three", "ctrl+s")
        await settle(pilot)
        newest = "SELECT text FROM note ORDER BY id DESC LIMIT 1"
        assert app.store.read().execute(newest).fetchone() == ("One\nTwo\nThree",)
