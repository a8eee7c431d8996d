"""The accounts screen: state in words, every setting with what a change would do, undo."""

from __future__ import annotations

import sqlite3

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen
from crmmail.store import accounts, calendars, mail_rules
from crmmail.store.accounts import AccountRow
from crmmail.store.database import Store
from tests.screens.conftest import NOW
from tests.screens.filler import Filler
from tests.screens.harness import press, settle, text

AT = int(NOW.timestamp())
OTHER = "second@away.example"


@pytest.fixture
def two(store: Store) -> Store:
    """The small store with folders, and a second account that waits for its user."""
    with store.write("accounts", "state") as (db, change):
        db.execute(
            """INSERT INTO folder (account_id, name, role, selectable, selected, messages)
               VALUES (1, 'INBOX', 'inbox', 1, 1, 12), (1, 'Junk', 'junk', 1, 0, 5),
                      (1, 'Lists', '', 0, 1, 0)"""
        )
        db.execute("INSERT INTO calendar (account_id, url, name) VALUES (1, '/office/', 'Work')")
        db.execute(
            """INSERT INTO placement (folder_id, uid, message_id)
               SELECT 1, row_number() OVER (ORDER BY id), id FROM message"""
        )
        Filler(db, change).account(
            OTHER, "stopped", error="The server refused the password.", hint="Set it again."
        )
    return store


def account(store: Store, email: str = "me@home.example") -> AccountRow:
    found = accounts.get(store.read(), email)
    assert found is not None
    return found


async def go_to(pilot, title: str) -> None:  # type: ignore[no-untyped-def]
    """Put the cursor on a setting."""
    screen = pilot.app.screen
    assert isinstance(screen, AccountsScreen)
    titles = [row.setting.title for row in screen._rows]
    screen.listed.cursor = titles.index(title)
    await press(pilot)


async def test_state_folders_and_why_some_are_not_read(two: Store) -> None:
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        shown = text(app)
        assert "up to date; the server tells of new mail" in shown
        assert "last success 09:25" in shown
        assert "not read  junk, 5 messages" in shown
        assert "holds no messages: the server does not open it" in shown
        await press(pilot, "tab")
        shown = text(app)
        assert "stopped: it waits for you" in shown
        assert "The server refused the password." in shown
        assert "f8 signs in again, ctrl+r tries again" in shown


async def test_lowering_visibility_says_what_it_removes_and_u_takes_it_back(two: Store) -> None:
    (count,) = two.read().execute("SELECT count(*) FROM message").fetchone()
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        await go_to(pilot, "Of mail")
        await press(pilot, "enter")
        assert f"Removes {count:,} texts from this computer" in text(app)
        assert f"Removes {count:,} texts and {count:,} subjects from this computer" in text(app)
        await press(pilot, "enter")
        assert account(two).mail_level == 1
        assert "who, when and the subject" in text(app)
        await press(pilot, "u")
        assert account(two).mail_level == 2


@pytest.mark.parametrize(
    ("title", "name", "before", "after"),
    [
        ("Contacts", "policy", "sent", "sent_and_received"),
        ("Group mail", "exclude_group", True, False),
        ("Mail between colleagues", "sync_internal", False, True),
        ("Free-mail contacts", "exclude_free", True, False),
        ("Of meetings", "meeting_level", 2, 0),
        ("Contacts of meetings", "meeting_policy", "both", "organizer"),
        ("Meetings of colleagues", "sync_internal_meetings", False, True),
        ("Private meetings", "sync_private", False, True),
        ("Sync", "paused", False, True),
    ],
)
async def test_a_choice_is_made_and_taken_back(
    two: Store, title: str, name: str, before: object, after: object
) -> None:
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        assert getattr(account(two), name) == before
        await go_to(pilot, title)
        await press(pilot, "enter", "enter")
        assert getattr(account(two), name) == after
        await press(pilot, "u")
        assert getattr(account(two), name) == before


async def test_a_folder_is_read_and_not_read_again(two: Store) -> None:
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        await go_to(pilot, "Junk")
        await press(pilot, "enter")
        assert "Lets in up to 5 messages." in text(app)
        await press(pilot, "enter")
        assert "Junk" not in {f.name for f in accounts.folders(two.read(), 1) if not f.selected}
        await go_to(pilot, "Work")
        await press(pilot, "enter", "enter")
        assert not calendars.rows(two.read(), 1)[0].selected
        await press(pilot, "u")
        assert calendars.rows(two.read(), 1)[0].selected
        await go_to(pilot, "Lists")
        await press(pilot, "enter")
        assert not pilot.app.screen.query_one("#options").has_class("-open")


async def test_what_is_typed_is_previewed_first_and_refused_in_words(two: Store) -> None:
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma", "B", *"@acme.example", "enter")
        assert "@acme.example is blocked" in text(app)
        assert "from this computer" in text(app)
        assert mail_rules.blocked(two.read()) == []
        await press(pilot, "enter")
        assert mail_rules.blocked(two.read()) == ["@acme.example"]
        assert "kept out, always" in text(app)
        await press(pilot, "u")
        assert mail_rules.blocked(two.read()) == []
        await go_to(pilot, "Mail since")
        await press(pilot, "enter", "enter", *"soon", "enter")
        assert any("is not a day" in one.message for one in app._notifications)
        await press(pilot, "ctrl+u", *"2026-01-31", "enter", "enter")
        assert account(two).mail_since == 1_769_817_600
        await go_to(pilot, "My addresses")
        await press(pilot, "enter", *"sales@home.example", "enter", "enter")
        assert accounts.addresses(two.read(), 1) == ["me@home.example", "sales@home.example"]
        await go_to(pilot, "Domains of colleagues")
        await press(pilot, "enter", *"home.example", "enter", "enter")
        assert accounts.internal_domains(two.read(), 1) == ["home.example"]
        await go_to(pilot, "Name")
        await press(pilot, "enter", *"Work", "enter", "enter")
        assert account(two).name == "Work"


async def test_removing_says_what_leaves_and_what_stays(two: Store) -> None:
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        await go_to(pilot, "Remove")
        await press(pilot, "enter", *OTHER, "enter")
        (said,) = app._notifications
        words = "That is not me@home.example. Nothing was removed. Type its address to remove it."
        assert said.message == words
        await press(pilot, "ctrl+u", *"me@home.example", "enter")
        assert "and its password leave this computer" in text(app)
        assert "companies and notes stay" in text(app)
        await press(pilot, "enter")
        assert [one.email for one in accounts.all_accounts(two.read())] == [OTHER]
        assert "stopped: it waits for you" in text(app)


async def test_an_account_may_leave_while_the_screen_is_read(
    two: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = accounts.all_accounts

    def read_and_remove(db: sqlite3.Connection) -> list[AccountRow]:
        found = read(db)
        if len(found) > 1:
            accounts.remove(two, "me@home.example")
        return found

    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "comma")
        monkeypatch.setattr(accounts, "all_accounts", read_and_remove)
        assert isinstance(app.screen, AccountsScreen)
        app.screen.reload()
        await press(pilot, "tab")
        assert "stopped: it waits for you" in text(app)
        assert "me@home.example" not in text(app)


async def test_pause_is_one_key(two: Store) -> None:
    app = CrmmailApp(two, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "comma", "p")
        assert account(two).paused
        assert "paused" in text(app)
        await press(pilot, "u")
        assert not account(two).paused


async def test_an_address_is_blocked_from_a_thread_and_a_person_with_one_key(store: Store) -> None:
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "B")
        assert mail_rules.blocked(store.read()) == ["ada@acme-labs.example", "ada@acme.example"]
        await press(pilot, "u", "enter", "enter", "at", "j", "B")
        assert len(mail_rules.blocked(store.read())) == 1
        await press(pilot, "u")
        assert mail_rules.blocked(store.read()) == []


async def test_without_an_account_it_says_how_to_add_one(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "comma")
        assert "No mail account yet" in text(app)
        await press(pilot, "tab", "p", "enter")


async def test_what_cannot_be_used_stays_to_be_corrected(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "comma", "B", *"nonsense here", "enter")
        await settle(pilot)
        assert isinstance(app.screen, AccountsScreen)
        assert app.screen.prompt.has_focus
        assert app.screen.prompt.value == "nonsense here"
        assert any("nonsense here" in one.message for one in app._notifications)
        await press(pilot, "ctrl+u", *"@lease.example", "enter")
        await settle(pilot)
        assert not app.screen.prompt.has_class("-open")
        assert "@lease.example is blocked" in text(app)
