"""The links of the open messages, and the records that a thread is on."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.record import RecordScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import opportunities, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens.conftest import NOW
from tests.screens.filler import Filler, Mail
from tests.screens.harness import lines, press, settle, text, until

AT = int(NOW.timestamp())
OPEN = ("enter", "enter")
TEXT = """Hello,

read our offer <https://www.acme.example/offer?id=7> today, or
https://bank.example/login <https://xn--bnk-6cd.example/login>

See https://docs.acme.example/guide.
"""
ODD = """Pay here <javascript:alert(1)> or
data:text/html;base64,PHNjcmlwdD4= or file:///etc/passwd or vbscript:x or smb://h/x
call tel:+49-30-1234567
Data:12.03.2024, note: file:name, C:/x
"""
REFUSED = ["javascript", "data", "file", "vbscript", "smb"]


def thread(app: CrmmailApp) -> ThreadScreen:
    assert isinstance(app.screen, ThreadScreen)
    return app.screen


@pytest.fixture
def linked_app(store: Store) -> CrmmailApp:
    """The app on a store whose newest thread has links."""
    with store.write("threads") as (db, change):
        fill = Filler(db, change)
        fill.thread("Our offer", Mail("ada@acme.example", AT - 60, text=TEXT))
        fill.link()
    return CrmmailApp(store, sync=False)


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that writes down what it is given; returns where."""
    script, seen = tmp_path / "browser", tmp_path / "seen"
    script.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {seen}.new && mv {seen}.new {seen}\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s &")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    return seen


async def test_links_are_numbered_with_their_true_targets(linked_app: CrmmailApp) -> None:
    async with linked_app.run_test(size=(120, 30)) as pilot:
        await press(pilot, *OPEN, "U")
        rows = [
            line for line in lines(linked_app) if "│   " in line and ("→" in line or "3" in line)
        ]
        assert any(
            "1   read our offer → https://www.acme.example/offer?id=7" in row for row in rows
        )
        assert any("2 ! https://bank.example/login → https://xn--bnk" in row for row in rows)
        assert any("3   https://docs.acme.example/guide " in row for row in rows)
        assert "3 links" in text(linked_app)


async def test_a_link_is_seen_whole_before_it_opens(linked_app: CrmmailApp, browser: Path) -> None:
    async with linked_app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, *OPEN, "U", "j", "enter")
        assert "It says: https://bank.example/login" in text(linked_app)
        assert "says bank.example, goes elsewhere" in text(linked_app)
        assert "Cyrillic and Latin letters mixed" in text(linked_app)
        await press(pilot, "escape")
        assert thread(linked_app).links.has_focus
        assert not browser.exists()
        await press(pilot, "k", "enter", "enter")
        await until(pilot, browser.exists)
        assert browser.read_text("utf-8") == "https://www.acme.example/offer?id=7"
        assert "▌ Opening" in text(linked_app)


async def test_a_link_that_may_start_a_program_is_not_opened_and_says_why(
    store: Store, browser: Path
) -> None:
    with store.write("threads") as (db, change):
        fill = Filler(db, change)
        fill.thread("Odd", Mail("ada@acme.example", AT - 60, text=ODD))
        fill.link()
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "U")
        assert "6 links" in text(app)
        for scheme in REFUSED:
            await press(pilot, "enter")
            shown = " ".join(text(app).replace("│", " ").split())
            assert f"This one is {scheme}: it is not opened." in shown
            assert "Open this link?" not in shown
            await press(pilot, "enter", "escape", "j")
        await press(pilot, "enter")
        assert "Open this link?" in text(app)
        assert not browser.exists()
        await press(pilot, "enter")
        await until(pilot, browser.exists)
        assert browser.read_text("utf-8") == "tel:+49-30-1234567"


async def test_the_app_opens_no_such_link_wherever_it_comes_from(
    linked_app: CrmmailApp, browser: Path
) -> None:
    async with linked_app.run_test(size=(100, 30), notifications=True) as pilot:
        for url in ("javascript:alert(1)", "FILE:///etc/passwd", "--version", "http:///x", ""):
            linked_app.open_url(url)
            await settle(pilot)
        assert "it is not opened" in text(linked_app)
        linked_app.open_url("https://last.example/")
        await until(pilot, browser.exists)
        assert browser.read_text("utf-8") == "https://last.example/"


async def test_a_link_is_copied(linked_app: CrmmailApp) -> None:
    async with linked_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "U", "G", "y")
        assert linked_app.clipboard == "https://docs.acme.example/guide"
        assert any(
            one.message.endswith("whether it copies: https://docs.acme.example/guide")
            for one in linked_app._notifications
        )


async def test_without_a_browser_nothing_takes_the_terminal(
    linked_app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", "lynx-of-nobody")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    async with linked_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "U", "enter", "enter")
        assert "There is no browser here" in text(linked_app)


async def test_a_click_shows_a_link_whole(linked_app: CrmmailApp) -> None:
    async with linked_app.run_test(size=(120, 30)) as pilot:
        await press(pilot, *OPEN, "U")
        await pilot.click("#links", offset=(10, 3))
        await settle(pilot)
        assert thread(linked_app).whole_link.has_focus
        assert "https://docs.acme.example/guide" in text(linked_app)
        await pilot.click(offset=(40, 3))
        await settle(pilot)
        assert not thread(linked_app).links.is_open
        assert not thread(linked_app).whole_link.has_class("-open")


async def test_a_panel_takes_the_place_of_another(sample_store: Store) -> None:
    app = CrmmailApp(sample_store, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, *OPEN)
        screen = thread(app)
        panels = screen.participants, screen.links, screen.records, screen.attachments
        for key, panel in zip(("at", "U", "x", "A"), panels, strict=True):
            await press(pilot, key)
            assert [one for one in panels if one.is_open] == [panel]
            assert panel.has_focus
        await press(pilot, "l")
        assert screen.prompt.has_focus
        assert [one for one in (*panels, screen.picker) if one.is_open] == [screen.picker]
        await press(pilot, "escape")
        assert screen.pane.has_focus
        assert not screen.picker.is_open


def of(store: Store, app: CrmmailApp, kind: Kind) -> list[tuple[str, str, int]]:
    detail = threads.get(store.read(), thread(app).thread_id)
    assert detail is not None
    return [(one.name, one.why, one.hand) for one in detail.links if one.kind == kind]


async def test_a_thread_is_linked_as_one_types_and_unlinked_with_u(
    app: CrmmailApp, store: Store
) -> None:
    opportunities.add(store, name="Nordwind: fleet")
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "l")
        assert "opportunity" in text(app)
        await press(pilot, *"nordw")
        await until(pilot, lambda: len(thread(app).picker.ids) == 3)
        await press(pilot, "down", "enter")
        await until(pilot, lambda: ("Nordwind: fleet", "", 1) in of(store, app, Kind.OPPORTUNITY))
        await until(pilot, lambda: "Nordwind: fleet linked by hand" in text(app))
        assert "Linked to Nordwind: fleet. u to undo." in text(app)
        assert thread(app).pane.has_focus
        assert not thread(app).picker.is_open
        await press(pilot, "u")
        await until(pilot, lambda: of(store, app, Kind.OPPORTUNITY)[-1][0] != "Nordwind: fleet")


async def test_a_name_that_is_typed_in_full_is_the_one_that_is_linked(
    app: CrmmailApp, store: Store
) -> None:
    """People of the company match too; they had the newest contact."""
    opportunities.add(store, "Nordwind: fleet")
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await press(pilot, *OPEN)
        await pilot.press("l", *"nordwind", "enter")
        await until(pilot, lambda: "Linked to Nordwind. u to undo." in text(app))


async def test_escape_links_nothing(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, *OPEN)
        before = of(store, app, Kind.PERSON)
        await press(pilot, "l", *"person", "escape")
        assert not thread(app).picker.is_open
        assert thread(app).pane.has_focus
        await press(pilot, "l", *"zzzz", "enter")
        assert of(store, app, Kind.PERSON) == before


async def test_a_choice_can_be_clicked(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, *OPEN, "l", *"nordwind")
        await until(pilot, lambda: len(thread(app).picker.ids) == 2)
        await pilot.click("#picker", offset=(12, 1))
        await until(pilot, lambda: ("Nordwind", "", 1) in of(store, app, Kind.COMPANY))
        assert not thread(app).prompt.has_class("-open")


async def test_a_thread_is_hidden_from_a_record_and_shown_again(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "x")
        assert "C7: takes part" in text(app)
        names = [row.link.name for row in thread(app).records._all]
        assert names == ["Ada Lovelace", "Bob Stone", "Acme", "Acme: pilot"]
        await press(pilot, "j", "x")
        await until(pilot, lambda: of(store, app, Kind.PERSON)[1][2] == -1)
        await until(pilot, lambda: "C7: hidden by hand" in text(app))
        assert "hidden from 1 record" in lines(app)[1]
        assert "Hidden from Bob Stone. u to undo." in text(app)
        await press(pilot, "u")
        await until(pilot, lambda: of(store, app, Kind.PERSON)[1][2] == 0)
        app.clear_notifications()  # they lie over the panel
        await press(pilot, "x")
        await until(pilot, lambda: of(store, app, Kind.PERSON)[1][2] == -1)
        await until(pilot, lambda: "C7: hidden by hand" in text(app))
        await press(pilot, "x")
        await until(
            pilot, lambda: of(store, app, Kind.PERSON)[1] == ("Bob Stone", "participant", 0)
        )


async def test_a_link_by_hand_is_left_to_the_rules(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN)
        (nordwind,) = (
            store.read().execute("SELECT id FROM company WHERE name='Nordwind'").fetchone()
        )
        threads.link(store, Kind.COMPANY, nordwind, thread(app).thread_id)
        await settle(pilot)
        await press(pilot, "x", "G", "k")
        row = thread(app).records.row
        assert row is not None
        assert row.link.name == "Nordwind"
        await press(pilot, "d")
        await until(pilot, lambda: len(of(store, app, Kind.COMPANY)) == 1)
        await press(pilot, "g", "d")
        assert "The rules put it on Ada Lovelace" in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, RecordScreen)
