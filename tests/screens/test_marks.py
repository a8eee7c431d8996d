"""Keys that act on records act on those that are marked, or say that they do not (U15)."""

from __future__ import annotations

from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
from crmmail.screens.question import QuestionScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.skipped import SkippedScreen
from crmmail.store import companies, mail_rules, people
from crmmail.store.database import Store
from tests.screens.harness import press, text
from tests.screens.test_destroying_keys import kept, told
from tests.screens.test_skipped import skipping

__all__ = ["skipping"]


def addresses(store: Store, ids: list[int]) -> list[str]:
    return sorted(one for i in ids for one in people.addresses(store.read(), i))


async def test_block_takes_the_marked_people_and_not_the_one_under_the_cursor(
    app: CrmmailApp, store: Store
) -> None:
    before = kept(store)
    first = list(people.view(store.read()))
    marked, under = addresses(store, first[:3]), addresses(store, first[3:4])
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "space", "space", "space", "B")
        assert sorted(mail_rules.blocked(store.read())) == marked
        assert not set(under) & set(marked)
        (said,) = told(app)
        assert all(one in said for one in marked)
        assert "marked" not in text(app)
        await press(pilot, "u")
        assert kept(store) == before


async def test_block_takes_the_domains_of_the_marked_companies(
    app: CrmmailApp, store: Store
) -> None:
    first = list(companies.view(store.read()))[:2]
    domains = sorted(f"@{one}" for i in first for one in companies.domains(store.read(), i))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "2", "space", "space", "B")
        assert sorted(mail_rules.blocked(store.read())) == domains


async def test_block_of_opportunities_says_that_they_have_no_address(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "3", "asterisk", "B")
        assert told(app) == ["It has no address or domain to block."]
        assert mail_rules.blocked(store.read()) == []


async def test_edit_says_that_it_changes_the_record_under_the_cursor_only(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "space", "space", "e")
        assert isinstance(app.screen, FormScreen)
        assert " only, nothing that is marked" in text(app)
        await press(pilot, "escape", "escape", "g", "space", "g", "e")
        assert isinstance(app.screen, FormScreen)
        assert "only" not in text(app)


async def test_to_delete_many_asks_first_with_their_number(app: CrmmailApp, store: Store) -> None:
    everybody = list(people.view(store.read()))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "asterisk", "D")
        assert isinstance(app.screen, QuestionScreen)
        assert f"Delete {len(everybody)} people? y/n" in text(app)
        await press(pilot, "n")
        assert list(people.view(store.read())) == everybody
        assert f"{len(everybody)} marked" in text(app)
        await press(pilot, "D", "y")
        assert list(people.view(store.read())) == []
        await press(pilot, "u")
        assert list(people.view(store.read())) == everybody


async def test_to_block_many_asks_first_with_their_number(app: CrmmailApp, store: Store) -> None:
    everybody = list(people.view(store.read()))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "asterisk", "B")
        assert f"Block {len(everybody)} people? y/n" in text(app)
        assert mail_rules.blocked(store.read()) == []
        await press(pilot, "escape", "B", "y")
        assert sorted(mail_rules.blocked(store.read())) == addresses(store, everybody)
        (said,) = told(app)
        assert "more blocked. " in said
        await press(pilot, "u")
        assert mail_rules.blocked(store.read()) == []


async def test_nine_are_deleted_without_a_question(app: CrmmailApp, store: Store) -> None:
    everybody = list(people.view(store.read()))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, *["space"] * 9, "D")
        assert isinstance(app.screen, RecordsScreen)
        assert list(people.view(store.read())) == everybody[9:]
        assert told(app) == ["9 people deleted. u to undo, until you quit."]
        await press(pilot, "u", *["space"] * 10, "D")
        assert isinstance(app.screen, QuestionScreen)


async def test_an_emptied_list_says_that_its_people_are_deleted_and_how_they_come_back(
    app: CrmmailApp, store: Store
) -> None:
    everybody = list(people.view(store.read()))
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "asterisk", "D", "y")
        assert f"{len(everybody)} people deleted, none left" in text(app)
        assert "L, then “deleted contacts”" in text(app)
        await press(pilot, "u")
    again = CrmmailApp(store, sync=False)
    async with again.run_test(size=(120, 30)) as pilot:
        await press(pilot, "asterisk", "D", "y", "L", "asterisk", "a")
        assert list(people.view(store.read())) == everybody
        assert told(again)[-1] == f"{len(everybody)} let in. u to undo."
        await press(pilot, "u")
        assert list(people.view(store.read())) == []


async def test_of_the_marked_rows_those_enter_that_can_enter_alone(skipping: Store) -> None:
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "asterisk")
        assert "7 marked of 7 rows" in text(app)
        await press(pilot, "A")
        assert mail_rules.allowed(skipping.read()) == []
        assert told(app) == ["A is for the sender of one row. escape takes the marks back."]
        await press(pilot, "a")
        assert mail_rules.allowed(skipping.read()) == [f"<{n}@test>" for n in (1, 2, 3, 6)]
        said = "4 let in; 3 cannot be let in alone: enter on one says how. u to undo."
        assert told(app)[-1] == said
        assert "marked" not in text(app)
        await press(pilot, "u", "asterisk", "escape")
        assert mail_rules.allowed(skipping.read()) == []
        assert isinstance(app.screen, SkippedScreen)
        assert "marked" not in text(app)
