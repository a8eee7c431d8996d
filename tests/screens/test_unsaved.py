"""What stands in a form when something ends the app is kept, and named at the next start (F8)."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.screens.form import Field, Form, FormScreen
from crmmail.store import files, notes
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens.harness import press, settle
from tests.screens.test_waiting_writes import no_write, shown


def said(app: CrmmailApp) -> list[str]:
    return [one.message for one in app._notifications]


async def test_a_note_that_a_signal_interrupts_is_kept_and_named_until_its_file_is_deleted(
    store: Store,
) -> None:
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "n", *"Call Ada")
        app.end_now()
        await settle(pilot)
    (kept,) = files.unsaved(store.path)
    assert kept.read_text() == "New note\nNote: Call Ada\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    again = CrmmailApp(store, sync=False)
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert [one for one in said(again) if f"did not save is in {kept}." in one]
    kept.unlink()
    third = CrmmailApp(store, sync=False)
    async with third.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert said(third) == []


async def test_an_error_of_the_apps_own_keeps_it_too(
    app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_form: FormScreen) -> None:
        raise RuntimeError("a fault of the code")

    monkeypatch.setattr(FormScreen, "action_next_field", fails)

    async def broken() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "enter", "n", *"Call Ada", "tab")

    with pytest.raises(RuntimeError):
        await broken()
    (kept,) = files.unsaved(store.path)
    assert "Call Ada" in kept.read_text()


@pytest.mark.parametrize("keys", [(), ("e",), ("enter", "n"), ("comma", "c"), ("slash", "a", "b")])
async def test_where_nothing_would_be_lost_there_is_no_file(
    app: CrmmailApp, store: Store, keys: tuple[str, ...]
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)
        app.end_now()
        await settle(pilot)
    assert files.unsaved(store.path) == []


async def test_what_is_stored_is_not_kept_beside_the_store(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "n", *"Call")
        form = app.screen
        assert isinstance(form, FormScreen)
        with no_write(app):
            await shown(app, "ctrl+s", "ctrl+p", seen=lambda: app.screen is not form)
        await settle(pilot)
        assert form in app.screen_stack
        app.end_now()
        await settle(pilot)
    assert files.unsaved(store.path) == []
    assert "Call" in [one.text for one in notes.of_record(store.read(), Kind.PERSON, 1)]


async def test_y_to_the_question_keeps_nothing(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "n", *"Call", "ctrl+q", "y")
    assert app._exit
    assert files.unsaved(store.path) == []


def a_form(title: str) -> FormScreen:
    fields = [Field("one", "One"), Field("two", "Two")]
    return FormScreen(Form(title, fields, lambda _: None, lambda _: "Made"))


async def two_forms(app: CrmmailApp, pilot: Pilot[Any]) -> tuple[FormScreen, FormScreen]:
    """Two forms, one over the other, each with text in both fields."""
    forms = a_form("Below"), a_form("Above")
    for form in forms:
        await app.push_screen(form)
        await press(pilot, *"first", "tab", *"second")
    return forms


def fails(*_: object) -> bool:
    raise RuntimeError("a fault of the code")


@pytest.mark.parametrize("broken", [0, 1])
async def test_a_form_that_cannot_tell_its_text_does_not_lose_that_of_others(
    app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        forms = await two_forms(app, pilot)
        with monkeypatch.context() as patched:
            patched.setattr(forms[broken], "unsaved", fails)
            app.keep_unsaved()
    (kept,) = files.unsaved(store.path)
    title = ("Above", "Below")[broken]
    assert kept.read_text() == f"{title}\nOne: first\nTwo: second\n"


async def test_a_form_of_which_it_is_not_known_whether_it_was_changed_keeps_its_text(
    app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await two_forms(app, pilot)
        with monkeypatch.context() as patched:
            patched.setattr(FormScreen, "is_changed", property(fails))
            app.keep_unsaved()
    (kept,) = files.unsaved(store.path)
    assert kept.read_text() == (
        "Below\nOne: first\nTwo: second\n\nAbove\nOne: first\nTwo: second\n"
    )


async def test_a_field_that_is_gone_does_not_lose_the_text_of_the_others(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        _, form = await two_forms(app, pilot)
        await form.query_one("#field-one").remove()
        app.keep_unsaved()
    (kept,) = files.unsaved(store.path)
    assert kept.read_text() == ("Below\nOne: first\nTwo: second\n\nAbove\nTwo: second\n")
