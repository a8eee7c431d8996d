"""The first run: the calendars behind the same password, or why there are none."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.records import RecordsScreen
from crmmail.store import accounts, calendars
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.dav_servers import Radicale
from tests.screens.first_run import ME, SECRET, clock, enter, server
from tests.screens.harness import press, settle, text, until
from tests.servers import Dovecot

__all__ = ["clock", "server"]


async def test_calendars_behind_the_same_password_are_shown_and_kept(
    empty_store: Store,
    server: Dovecot,
    keyring_here: Memory,
    radicale: Radicale,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from crmmail.accounts import calendars as finding

    radicale.user, radicale.password = ME, SECRET
    (radicale.dir / "users").write_text(f"{ME}:{SECRET}\n", "utf-8")
    radicale.make("work", "Work")
    monkeypatch.setattr(finding, "of_provider", lambda *_: radicale.url)
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "1 calendar: Work" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        [row] = accounts.all_accounts(empty_store.read())
        assert row.caldav_url.startswith(radicale.url)
        assert [one.name for one in calendars.rows(empty_store.read())] == ["Work"]


@pytest.mark.parametrize(
    ("behind", "why"),
    [
        ("nothing", f"No calendar server is known for {ME}."),
        ("another password", f"refused the sign-in to the calendar of {ME}."),
        ("an empty home", "lists no calendar at this address."),
    ],
)
async def test_why_no_calendars_were_found_is_told_when_a_mailbox_is_added_and_later(
    empty_store: Store,
    server: Dovecot,
    keyring_here: Memory,
    radicale: Radicale,
    monkeypatch: pytest.MonkeyPatch,
    behind: str,
    why: str,
) -> None:
    from crmmail.accounts import calendars as finding

    if behind == "an empty home":
        (radicale.dir / "users").write_text(f"{ME}:{SECRET}\n", "utf-8")
    if behind != "nothing":
        monkeypatch.setattr(finding, "of_provider", lambda *_: radicale.url)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_add_account()
        await settle(pilot)
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", SECRET)
        await pilot.press("enter")
        await until(pilot, lambda: "Signed in" in text(app))
        said = " ".join(text(app).split())
        assert why in said[said.index("No calendars: ") :]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        assert accounts.states(empty_store.read())[0].calendar_error == ""
        await press(pilot, "comma")
        assert "No calendars were found: " in text(app)
        assert why in text(app)
        assert f"crmmail account set {ME} --caldav https://" in text(app)
        accounts.set_calendars(empty_store, ME, radicale.url)
        await until(pilot, lambda: "No calendars were found" not in text(app))
