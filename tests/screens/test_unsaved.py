"""What stands in a form when something ends the app is kept, and named at the next start (F8)."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.form import FormScreen
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
