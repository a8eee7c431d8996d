"""The thread's participants panel: who, in which role, whose address, or why nobody's."""

from __future__ import annotations

from crmmail.app import CrmmailApp
from crmmail.screens.record import RecordScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import why
from crmmail.store.database import Store
from tests.screens.harness import lines, press, settle, text, until

OPEN = ("enter", "enter")


def thread(app: CrmmailApp) -> ThreadScreen:
    assert isinstance(app.screen, ThreadScreen)
    return app.screen


async def test_everybody_is_listed_with_roles_and_reasons(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, *OPEN, "at")
        panel = {line for line in lines(app) if "│" in line}
        by = {
            who: next(line for line in reversed(lines(app)) if who in line)
            for who in ("<ada@acme", "<bob@acme", "me <me@home", "kim@gmail", "info@print")
        }
        assert panel
        assert "from 2, to 3, cc 1" in by["<ada@acme"]
        assert "contact, Acme" in by["<ada@acme"]
        assert "C3: your own address" in by["me <me@home"]
        assert "C3: a free-mail provider" in by["kim@gmail"]
        assert "C3: a role or machine address" in by["info@print"]
        assert "5 addresses" in text(app)


async def test_enter_opens_the_record_and_escape_comes_back(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, *OPEN, "at", "j", "enter")
        assert isinstance(app.screen, RecordScreen)
        assert "Ada Lovelace" in lines(app)[0]
        await press(pilot, "escape")
        assert not thread(app).participants.is_open
        assert thread(app).pane.has_focus


async def test_one_key_makes_a_contact_and_u_takes_it_back(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(pilot, *OPEN, "at", "G", "k")
        row = thread(app).participants.row
        assert row is not None
        assert row.address == "kim@gmail.example"
        await press(pilot, "enter")
        assert "c makes a contact of it" in text(app)
        await press(pilot, "c")
        await until(pilot, lambda: row_of(app).person_id is not None)
        assert row_of(app).address == "kim@gmail.example"
        found = why.explain(store.read(), "kim@gmail.example").address
        assert found is not None
        assert found.words.startswith("contact: ")
        await press(pilot, "u")
        await until(pilot, lambda: row_of(app).person_id is None)
        assert row_of(app).no_contact == "free-mail"
        people = "SELECT count(*) FROM person WHERE deleted_at = 0 AND name LIKE 'kim%'"
        assert store.read().execute(people).fetchone() == (0,)


def row_of(app: CrmmailApp):  # type: ignore[no-untyped-def]
    row = thread(app).participants.row
    assert row is not None
    return row


async def test_ones_own_address_is_no_contact(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await press(pilot, *OPEN, "at", "g", "c")
        assert "That is your own address." in text(app)
        await press(pilot, "j", "c")
        assert "A contact already." in text(app)
        people = "SELECT count(*) FROM person"
        assert store.read().execute(people).fetchone() == (34,)


async def test_an_address_is_copied(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, *OPEN, "at", "G", "y")
        assert app.clipboard == "info@print.example"
        (said,) = (one.message for one in app._notifications)
        assert said.endswith("does not say whether it copies: info@print.example")


async def test_a_click_opens_the_record_and_one_beside_closes(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, *OPEN)
        to = next(i for i, line in enumerate(lines(app)) if "cc  kim@" in line)
        await pilot.click(offset=(20, to))
        await settle(pilot)
        assert thread(app).participants.is_open
        await pilot.click(offset=(50, 3))
        await settle(pilot)
        assert not thread(app).participants.is_open
        await press(pilot, "at")
        await pilot.click("#participants", offset=(10, 2))
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)
