"""The question for a password takes only keys that are meant for it (P3, U1, U13)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from crmmail.accounts import typed
from crmmail.app import CrmmailApp
from crmmail.screens.password import PasswordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store import accounts, mail_rules
from crmmail.store.database import Store
from tests.patience import PATIENCE
from tests.screens.bursts import stroke, write
from tests.screens.harness import press, settle, until
from tests.screens.test_slow_store import appears
from tests.screens.test_store_fails import words

ONE, TWO = "one@away.example", "two@away.example"


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    typed._held.clear()
    yield
    typed._held.clear()


@pytest.fixture(autouse=True)
def two(store: Store) -> None:
    """Two accounts whose passwords are typed in each run."""
    for email in (ONE, TWO):
        accounts.add(store, email, secret=typed.ASK)


def row(app: CrmmailApp) -> int:
    assert isinstance(app.screen, RecordsScreen)
    return app.screen.shown.cursor


def is_ready(app: CrmmailApp, email: str = ONE) -> bool:
    """Whether a question is on the screen that takes keys."""
    screen = app.screen
    return (
        isinstance(screen, PasswordScreen)
        and screen.email == email
        and screen.query_one(Input).has_focus
    )


async def asked_by_itself(pilot: Pilot[str], app: CrmmailApp, *emails: str) -> None:
    """It has seen what is missing, as after the first picture, and waits for an answer."""
    app._ask_first(list(emails))
    await until(pilot, lambda: is_ready(app))


async def just_opened(app: CrmmailApp, monkeypatch: pytest.MonkeyPatch) -> PasswordScreen:
    """A question that opened by itself and that nobody can have seen yet."""
    monkeypatch.setattr("crmmail.screens.password._SEEN", PATIENCE)
    app._ask_first([ONE])
    await appears(lambda: isinstance(app.screen, PasswordScreen))
    assert isinstance(app.screen, PasswordScreen)
    return app.screen


async def test_keys_from_before_it_was_seen_are_the_lists_and_it_asks_later(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        screen = await just_opened(app, monkeypatch)
        write(app, "j", "j")
        await appears(lambda: screen not in app.screen_stack)
        monkeypatch.setattr("crmmail.screens.password._SEEN", 0.1)
        await settle(pilot)
        assert row(app) == 2
        await until(pilot, lambda: is_ready(app))
        await press(pilot, *"secret", "enter")
        assert typed._held == {ONE: "secret"}
        assert row(app) == 2


async def test_what_was_typed_before_and_comes_late_is_the_lists(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        late, paste = stroke("j"), events.Paste("hunter2")
        await asked_by_itself(pilot, app, ONE)
        for event in (late, paste):
            app.post_message(event)
        await settle(pilot)
        assert row(app) == 1
        await until(pilot, lambda: is_ready(app))
        assert app.screen.query_one(Input).value == ""


async def test_it_does_not_open_in_a_burst_nor_just_after_a_key(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        write(app, *"jjj")
        app._ask_first([ONE])
        assert isinstance(app.screen, RecordsScreen)
        await settle(pilot)
        assert row(app) == 3
        app._ask_next()
        await settle(pilot)
        assert row(app) == 3
        await until(pilot, lambda: is_ready(app))


@pytest.mark.parametrize(
    "way", [("slash",), ("e",), ("comma", "c"), ("ctrl+p",), ("question_mark",)]
)
async def test_it_does_not_open_over_what_is_typed_into_or_lies_over_a_list(
    app: CrmmailApp, way: tuple[str, ...]
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, *way)
        await settle(pilot)
        before = app.screen
        app._pressed_at = -10.0  # it was long ago
        app._ask_first([ONE])
        await settle(pilot)
        assert app.screen is before
        await press(pilot, "escape")
        await until(pilot, lambda: is_ready(app))


async def test_what_follows_f8_in_one_burst_is_the_password(app: CrmmailApp, store: Store) -> None:
    with store.write("state") as (db, _change):
        db.execute(
            """INSERT OR REPLACE INTO sync_state (account_id, state, error)
               SELECT id, 'asking', 'It has not been typed yet.' FROM account WHERE email = ?""",
            [ONE],
        )
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: app._stopped == ONE)
        write(app, "f8", *"Dx B", "enter", "j")
        await settle(pilot)
        assert typed._held == {ONE: "Dx B"}
        assert row(app) == 1


async def test_a_second_password_that_is_typed_ahead_is_the_second_accounts(
    app: CrmmailApp,
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        await asked_by_itself(pilot, app, ONE, TWO)
        write(app, *"Dx", "enter", *"BM", "enter", "j")
        await settle(pilot)
        assert typed._held == {ONE: "Dx", TWO: "BM"}
        assert row(app) == 1


async def test_what_follows_later_is_the_lists(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        await asked_by_itself(pilot, app, ONE, TWO)
        write(app, "escape", "j")
        await settle(pilot)
        assert row(app) == 1
        await until(pilot, lambda: is_ready(app, TWO))
        assert typed._held == {}


async def test_a_key_of_the_app_closes_it_too(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        await just_opened(app, monkeypatch)
        write(app, "ctrl+q")
        await settle(pilot)
        assert app._exit


async def test_no_question_is_asked_of_an_account_that_was_removed(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        await asked_by_itself(pilot, app, ONE, TWO)
        accounts.remove(store, TWO)
        await press(pilot, *"secret", "enter")
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert app._questions == []


@pytest.mark.parametrize("change", ["removed", "paused", "other secret"])
async def test_a_question_that_is_open_says_that_it_is_void_and_takes_no_key(
    app: CrmmailApp, store: Store, change: str
) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        await asked_by_itself(pilot, app, ONE)
        screen = app.screen
        await press(pilot, *"sec")
        if change == "removed":
            accounts.remove(store, ONE)
        elif change == "paused":
            account = accounts.get(store.read(), ONE)
            assert account is not None
            mail_rules.change(store, account.id, paused=True)
        else:
            accounts.set_login(store, ONE, secret="env:ANN_MAIL")
        said = f"{ONE} was removed, paused or given another sign-in."
        await until(pilot, lambda: said in words(app))
        await press(pilot, *"Dx", "enter")
        assert app.screen is screen
        await press(pilot, "escape")
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)
        assert typed._held == {}


async def test_only_while_a_question_is_open_is_it_looked_after(
    app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[list[str]] = []

    def unanswered(self: CrmmailApp) -> list[str]:
        looks.append([ONE])
        return [ONE]

    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot)
        monkeypatch.setattr(CrmmailApp, "_unanswered", unanswered)
        for _ in range(20):
            app._tell(frozenset({"state"}))
        await settle(pilot)
        assert looks == []
        await asked_by_itself(pilot, app, ONE)
        await settle(pilot)
        before = len(looks)
        app._tell(frozenset({"state"}))
        await settle(pilot)
        assert len(looks) == before + 1
