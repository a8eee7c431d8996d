"""The first run: an account in one screen, against a real server; or the demo."""

from __future__ import annotations

from collections.abc import Callable

import keyring
import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.records import RecordsScreen
from crmmail.signing import DEMO
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory
from tests.screens.first_run import ME, SECRET, clock, enter, server, setup, value
from tests.screens.harness import press, settle, text, until
from tests.servers import Dovecot

__all__ = ["clock", "server"]


@pytest.mark.parametrize(
    ("email", "host", "username"),
    [
        ("ann@gmail.com", "imap.gmail.com:993", "ann@gmail.com"),
        ("ann@icloud.com", "imap.mail.me.com:993", "ann"),
        ("ann@work.example", "imap.work.example:993", "ann@work.example"),
        ("Ann@GMX.de", "imap.gmx.net:993", "ann@gmx.de"),
        ("ann@proton.me", "127.0.0.1:1143", "ann@proton.me"),
    ],
)
async def test_the_address_fills_in_the_server(
    empty_store: Store, email: str, host: str, username: str
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", email)
        assert (value(app, "server"), value(app, "username")) == (host, username)


async def test_the_arrows_go_from_field_to_field_where_there_is_no_room_for_all(
    empty_store: Store, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(80, 10)) as pilot:
        app.action_add_account()
        await settle(pilot)
        for key, name in (("down", "password"), ("down", "server"), ("up", "password")):
            await press(pilot, key)
            assert app.focused is setup(app).field(name).input


async def test_what_was_typed_is_not_filled_over(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "server", "mail.example:143")
        await enter(pilot, "email", "ann@gmail.com")
        assert value(app, "server") == "mail.example:143"
        assert value(app, "username") == "ann@gmail.com"


async def test_what_a_provider_wants_is_told(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", "ann@gmail.com")
        assert "Google wants an app password" in text(app)
        await enter(pilot, "email", "ann@outlook.com")
        assert "only a sign-in in the browser" in " ".join(text(app).split())
        await enter(pilot, "email", "ann@work.example")
        assert "browser" not in text(app)


async def test_wrong_password_then_right_then_people(
    empty_store: Store, server: Dovecot, keyring_here: Memory
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", "wrong")
        assert "wrong" not in text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "refused the sign-in" in text(app))
        assert app.focused is setup(app).field("password").input
        assert accounts.all_accounts(empty_store.read()) == []
        assert keyring_here.kept == {}
        await enter(pilot, "password", SECRET)
        assert "refused" not in text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "Signed in" in text(app))
        assert "40  Sent  (sent)" in text(app)
        assert accounts.all_accounts(empty_store.read()) == []
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordsScreen))
        await until(pilot, lambda: "Person 3" in text(app))
        [row] = accounts.all_accounts(empty_store.read())
        assert (row.security, row.secret, row.username) == ("tls", "keyring:", ME)
        assert keyring_here.kept == {("crmmail", ME): SECRET}
    assert SECRET.encode() not in b"".join(
        path.read_bytes() for path in empty_store.path.parent.glob("crmmail.db*")
    )


async def test_without_a_keyring_a_variable_or_a_command_will_do(
    empty_store: Store, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MAIL", SECRET)
    keyring.core._keyring_backend = None
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await until(pilot, lambda: "no usable keyring" in " ".join(text(app).split()))
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await press(pilot, "f5")
        assert "The password is missing" in text(app)
        await enter(pilot, "variable", "NOT_SET_ANYWHERE")
        await pilot.press("f5")
        await until(pilot, lambda: "NOT_SET_ANYWHERE is not set" in text(app))
        await enter(pilot, "variable", "MY_MAIL")
        await pilot.press("f5")
        await until(pilot, lambda: "Signed in" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Person 3" in text(app))
        [row] = accounts.all_accounts(empty_store.read())
        assert row.secret == "env:MY_MAIL"


@pytest.mark.parametrize(
    ("field", "words", "told"),
    [
        ("email", "ann", "This is not an e-mail address"),
        ("email", "ann@tutanota.com", "Tuta has no IMAP: crmmail cannot read it."),
        ("server", "a b:993", "This is not a server"),
        ("server", "imap.example:99999", "is not a port"),
        ("server", "127.0.0.1:1", "takes no connection on port 1"),
        ("server", "no-such-host.invalid:993", "is not known here"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(
    empty_store: Store, keyring_here: Memory, field: str, words: str, told: str
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "password", "x")
        await enter(pilot, field, words)
        await pilot.press("f5")
        await until(pilot, lambda: told in text(app))
        assert app.focused is setup(app).field(field).input
        assert setup(app).field(field).has_class("-wrong")


async def test_later_and_again_from_the_palette(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        app.action_add_account()
        await settle(pilot)
        assert isinstance(app.screen, FirstRunScreen)


async def test_the_demo_instead(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        assert "Try the demo" in text(app)
        await pilot.press("f6")
        await pilot.pause()
    assert app.return_value == DEMO


async def test_the_demo_is_for_those_without_an_account(store: Store) -> None:
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.action_add_account()
        await settle(pilot)
        assert "Try the demo" not in text(app)
        await press(pilot, "f6")
        assert isinstance(app.screen, FirstRunScreen)


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), "crmmail-dark"), ((160, 48), "crmmail-light")]
)
def test_picture(
    snap_compare: Callable[..., bool],
    empty_store: Store,
    keyring_here: Memory,
    size: tuple[int, int],
    theme: str,
) -> None:
    async def drive(pilot: Pilot[str]) -> None:
        pilot.app.theme = theme
        await until(pilot, lambda: isinstance(pilot.app.screen, FirstRunScreen))
        await enter(pilot, "email", "ann@gmail.com")
        await press(pilot, "f5")

    app = CrmmailApp(empty_store, sync=True)
    assert snap_compare(app, terminal_size=size, run_before=drive)


async def test_with_an_account_the_lists_come_first(store: Store) -> None:
    app = CrmmailApp(store, sync=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, RecordsScreen)


@pytest.mark.parametrize("field", ["password", "server", "username"])
async def test_what_was_found_is_cleared_when_a_field_changes(
    empty_store: Store, server: Dovecot, keyring_here: Memory, field: str
) -> None:
    app = CrmmailApp(empty_store, sync=True)
    async with app.run_test(size=(80, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FirstRunScreen))
        await enter(pilot, "email", ME)
        await enter(pilot, "server", f"localhost:{server.port}")
        await enter(pilot, "password", SECRET)
        await pilot.press("f5")
        await until(pilot, lambda: "Signed in" in text(app))
        await enter(pilot, field, "other")
        assert "Signed in" not in text(app)
        assert "40  Sent" not in text(app)
