"""Text by strangers on every screen: no crash, no markup, nothing that a terminal obeys."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from textual.events import Paste
from textual.widgets import Input

from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.source import SourceScreen
from crmmail.store.database import Store
from tests.screens.conftest import NOW
from tests.screens.filler import ME, Filler, Mail
from tests.screens.harness import press, settle, text

AT = int(NOW.timestamp()) - 100
HOSTILE = {
    "markup": "[/foo] $name $$ %s {0} \\[b]",
    "links": "[@click=app.quit]press[/] Re: [JIRA-12] hello [type=x, v={'a[0]'}]",
    "controls": "\x1b]52;c;aGVsbG8=\x07 \x1b[31mred\x9b2J \u202egnp.exe\u2066",
    "separators": "\u0000\u0008\u007f\u2028 line",
    "wide": "漢字" * 40,
    "combined": "e\u0301" * 60 + "\u0301" * 30 + "👩\u200d👩\u200d👧\ufe0f flag 🏳\ufe0f\u200d🌈",
    "empty": "",
}
"""What strangers write, one text of each kind."""
# C0, DEL, C1, bidi, lone surrogates, line separators.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def fill(store: Store, hostile: str) -> None:
    with store.write("accounts", "threads", "people", "companies") as (db, change):
        rows = Filler(db, change)
        rows.account(f"{hostile or 'x'}@home.example", state="waiting", error=hostile, hint=hostile)
        company = rows.company(hostile, "evil.example")
        rows.person(hostile, "mallory@evil.example", company=company)
        rows.person(f"Second {hostile}", f"{hostile}@evil.example", company=company)
        rows.opportunity(hostile, company_id=company, stage=hostile or "new", closes_on=hostile)
        mails = [
            Mail(
                "mallory@evil.example",
                AT + number,
                to=(ME, f"{hostile}@evil.example"),
                text=f"{hostile}\n> {hostile}\n{hostile * 3}\n{hostile} <https://x.example/{hostile}>",
                preview=hostile,
                quotes="1-2",
                parts=((hostile, hostile, 12),),
                seen=False,
            )
            for number in range(6)
        ]
        rows.thread(hostile, *mails)
        rows.link()


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_is_only_text(empty_store: Store, hostile: str) -> None:
    fill(empty_store, hostile)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(150, 40), notifications=True) as pilot:
        for keys in (
            (),
            ("3",),
            ("2",),
            ("1",),
            ("enter",),
            ("enter",),
            ("O", "Z"),
            ("at",),
            ("c",),
            ("escape", "A"),
            ("enter",),
            ("S",),
            ("escape", "escape", "U"),
            ("enter",),
            ("escape", "y"),
            ("escape", "x"),
            ("x",),
            ("escape", "l", "e", "v"),
            ("escape", "slash", "e", "v", "enter"),
            ("question_mark",),
        ):
            await press(pilot, *keys)
            check(app)
        assert app.is_running


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_is_only_text_where_it_is_edited(
    empty_store: Store, hostile: str
) -> None:
    fill(empty_store, hostile)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        for keys in (
            ("e",),
            ("escape", "M"),
            ("escape", "C"),
            ("escape", "2", "e"),
            ("escape", "ctrl+p", "e", "v"),
            ("escape", "1", "enter", "n", "x", "ctrl+s"),
            ("4",),
            ("escape", "D"),
            ("u",),
        ):
            await press(pilot, *keys)
            check(app)
        assert app.is_running


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_source_is_only_text(empty_store: Store, hostile: str) -> None:
    raw = f"Subject: {hostile}\r\n{hostile}: x\r\n\r\n{hostile}\r\n".encode("utf-8", "replace")
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(90, 24), notifications=True) as pilot:
        await app.push_screen(SourceScreen(empty_store, hostile, raw + bytes(range(256))))
        for keys in ((), ("slash", "x", "enter"), ("question_mark",)):
            await press(pilot, *keys)
            check(app)


def fill_settings(store: Store, hostile: str) -> None:
    """Two accounts whose every name and every error is by strangers."""
    with store.write("accounts", "state") as (db, change):
        rows = Filler(db, change)
        wrong = dict.fromkeys(("error", "hint", "calendar_error", "calendar_hint"), hostile)
        rows.account(ME, "stopped", **wrong)
        rows.account(f"{hostile or 'x'}@away.example", hostile)
        values = {"it": hostile, "mine": f"{hostile}@home.example"}
        for sql in (
            "UPDATE account SET name = :it",
            """INSERT INTO folder (account_id, name, role, selectable, selected)
               VALUES (1, :it, :it, 1, 1), (1, 'No ' || :it, '', 0, 0), (2, :it, '', 1, 0)""",
            """INSERT INTO calendar (account_id, url, name, color, error)
               VALUES (1, :it, :it, :it, ''), (1, '/' || :it, '', '', :it)""",
            "INSERT INTO blocklist (pattern) VALUES (:it)",
            "INSERT INTO internal_domain (account_id, domain) VALUES (1, :it)",
            "INSERT INTO own_address (account_id, address) VALUES (1, :mine)",
        ):
            db.execute(sql, values)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_names_of_an_account_are_only_text(empty_store: Store, hostile: str) -> None:
    fill_settings(empty_store, hostile)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(110, 60), notifications=True) as pilot:
        screen = AccountsScreen(empty_store, ME)
        await app.push_screen(screen)
        await press(pilot)
        check(app)
        ours = {"Domains of colleagues", "My addresses"}
        rows = [row for row in screen._rows if row.setting.options]
        named = [row.id for row in rows if hostile in row.setting.title]
        assert len(named) >= 4  # a folder, two calendars, a blocked address
        for position in (*named, *(row.id for row in rows if row.setting.title in ours)):
            if screen._rows[position].setting.title in ("Add…", "Name", "Remove"):
                continue  # they ask for a text first
            screen.listed.cursor = position
            await press(pilot, "enter")
            assert screen.options.is_open
            check(app)
            await press(pilot, "escape")
        screen.listed.cursor = next(r.id for r in rows if r.setting.title == "Remove")
        await press(pilot, "enter")
        assert screen.prompt.has_class("-open")
        check(app)
        await press(pilot, "escape")
        for keys in (("p",), ("u",), ("tab",), ("question_mark",), ("escape",)):
            await press(pilot, *keys)
            check(app)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_what_is_typed_into_a_setting_is_only_text(empty_store: Store, hostile: str) -> None:
    fill_settings(empty_store, hostile)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(110, 60), notifications=True) as pilot:
        await press(pilot, "comma")
        screen = app.screen
        assert isinstance(screen, AccountsScreen)
        titles = [row.setting.title for row in screen._rows]
        for title in ("Add…", "Name"):
            screen.listed.cursor = len(titles) - 1 - titles[::-1].index(title)
            await press(pilot, "enter")
            assert screen.prompt.has_class("-open")
            app.post_message(Paste(hostile))
            await settle(pilot)
            check(app)
            await press(pilot, "enter")
            check(app)
            if screen.options.is_open:
                await press(pilot, "enter")
                check(app)


async def test_a_pasted_password_stays_as_it_is(empty_store: Store) -> None:
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(110, 40)) as pilot:
        await app.push_screen(FirstRunScreen(empty_store))
        for name in ("email", "password"):
            app.screen.query_one(f"#field-{name} Input", Input).focus()
            app.post_message(Paste("s3\u200bcret"))
            await settle(pilot)
            check(app)
        found = [
            app.screen.query_one(f"#field-{one} Input", Input) for one in ("email", "password")
        ]
        assert [one.value for one in found] == ["s3cret", "s3\u200bcret"]


def check(app: CrmmailApp) -> None:
    for strip in app.screen._compositor.render_strips():
        assert _FORBIDDEN.findall(strip.text) == []
        assert sum(cell_len(segment.text) for segment in strip) == app.size.width
        assert not any(segment.style and segment.style.meta.get("@click") for segment in strip)


async def test_brackets_are_drawn_as_they_are(empty_store: Store) -> None:
    fill(empty_store, "Re: [JIRA-12] [b]hello[/b]")
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(150, 40)) as pilot:
        for keys in ((), ("enter",), ("enter",)):
            await press(pilot, *keys)
            assert "Re: [JIRA-12] [b]hello[/b]" in text(app)


async def test_what_the_user_types_is_no_markup_either(app: CrmmailApp) -> None:
    async with app.run_test(size=(150, 40)) as pilot:
        await press(pilot, "slash", *"[")
        app.screen.query_one("FilterLine").value = "[/foo] [@click=app.quit]"  # type: ignore[attr-defined]
        await settle(pilot)
        assert "No person matches “[/foo] [@click=app.quit]”" in text(app)


def test_no_text_is_drawn_as_markup() -> None:
    """Static and Label parse markup: our code gives them no text made at run time."""
    from pathlib import Path

    import crmmail

    sources = list(Path(crmmail.__file__).parent.glob("**/*.py"))
    assert len(sources) > 20
    for source in sources:
        assert re.findall(r"\b(?:Static|Label)\(f\"", source.read_text("utf-8")) == [], source
