"""The store fails while the app runs: each reason in its own words, and nothing typed is lost."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from crmmail import app as apps
from crmmail.app import CrmmailApp
from crmmail.guarding import REPAIR
from crmmail.screens.form import FormScreen
from crmmail.screens.repair import RepairScreen
from crmmail.store import daily, database, files, notes, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import REBUILD, DamagedError
from crmmail.sync.loop import sync_once
from tests import patience
from tests.conftest import Mailbox
from tests.screens.harness import press, settle, text, until
from tests.sync.conftest import connect
from tests.sync.letters import letter

TYPED = "Likes tea"


def overwrite(path: Path, size: int = 400_000) -> None:
    """Damage a file behind its first page, as a failing disk or another program does."""
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * min(size, path.stat().st_size - 4_096))


def told(app: CrmmailApp) -> str:
    """What the toasts say, in one line."""
    return " ".join(one.message for one in app._notifications)


def words(app: CrmmailApp) -> str:
    """What the screen says, lines and frames aside."""
    return " ".join(text(app).replace("│", " ").split())


class TestDamage:
    """Pages of the file are overwritten while the app runs."""

    @pytest.fixture
    def clock(self) -> None:
        """Here time goes on: the sync waits by it."""

    @pytest.fixture
    def synced(
        self, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Store]:
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        mailbox.append("INBOX", letter(1), letter(2, sender="Bo Ek <bo@birch.example>"))
        store = Store(tmp_path / "crmmail.db")
        connect(store, mailbox)
        (report,) = sync_once(store)
        assert report.errors == []
        yield store
        store.close()

    async def test_the_app_says_so_ends_the_sync_and_offers_the_repair(
        self, clock: None, synced: Store
    ) -> None:
        app = CrmmailApp(synced)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "up to date, watching" in text(app))
            overwrite(synced.path)
            await press(pilot, "ctrl+r")
            await until(pilot, lambda: isinstance(app.screen, RepairScreen))
            await settle(pilot)
            assert isinstance(app.screen, RepairScreen)
            assert app.screen._said == f"{synced.path} is damaged: a part of it cannot be read."
            assert "Build it again from the servers" in words(app)
            sync = app._sync
            assert sync is not None
            assert sync._loop is not None
            await until(pilot, lambda: not sync._loop.alive)
            await press(pilot, "escape")
            assert "The store is damaged. The sync has stopped." in text(app)
            assert "up to date" not in text(app)
            await press(pilot, "j", "2")
            assert not isinstance(app.screen, RepairScreen)  # it was asked and answered
            await press(pilot, "ctrl+r")
            assert isinstance(app.screen, RepairScreen)

    async def test_without_a_key_it_is_found_too(
        self, clock: None, synced: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crmmail.sync.loop._LOOK", 0.2)
        app = CrmmailApp(synced)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "up to date, watching" in text(app))
            overwrite(synced.path)
            await until(pilot, lambda: isinstance(app.screen, RepairScreen))

    async def test_what_a_list_reads_is_enough_to_find_it(
        self, sample_store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a sync, too; what SQLite still has in its memory shows nothing."""
        sample_store.close()
        forgetful = database._PRAGMAS.replace("-{cache_kb}", "1")
        monkeypatch.setattr(database, "_PRAGMAS", forgetful)
        with closing(Store(sample_store.path)) as again:
            app = CrmmailApp(again, sync=False)
            async with app.run_test(size=(80, 24)) as pilot:
                await settle(pilot)
                overwrite(again.path)
                await press(pilot, "G", "enter", "2", "3")
                await until(pilot, lambda: isinstance(app.screen, RepairScreen))
                assert again.is_damaged

    def test_an_error_of_the_program_over_a_damaged_file_is_damage(self, synced: Store) -> None:
        """What is read from it may have any value, and none is what the code waits for."""
        from crmmail.sync.patience import Patience

        class Stumbles(Patience):
            def __init__(self) -> None:
                self._store = synced
                super().__init__("crmmail-test")

            def _work(self) -> None:
                raise TypeError("NoneType")

        overwrite(synced.path)
        worker = Stumbles()
        patience.until(lambda: synced.is_damaged)
        worker.stop()
        worker.thread.join(patience.PATIENCE)
        assert not worker.thread.is_alive()


class Failing:
    """A store to which nothing can be written, for a reason, until that is over."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._other: sqlite3.Connection | None = None
        self._away: Path | None = None

    @contextmanager
    def by(self, reason: str) -> Iterator[None]:
        """Let writes fail."""
        writer = self._store._writer
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        if reason == "full":
            writer.execute(f"PRAGMA max_page_count = {pages}")
        elif reason == "read-only":
            writer.execute("PRAGMA query_only = ON")
        elif reason == "locked":
            writer.execute("PRAGMA busy_timeout = 10")
            self._other = sqlite3.connect(self._store.path, isolation_level=None)
            self._other.execute("BEGIN IMMEDIATE")
        elif reason == "moved":
            self._away = self._store.path.rename(self._store.path.with_name("elsewhere.db"))
        yield
        writer.execute("PRAGMA max_page_count = 1000000")
        writer.execute("PRAGMA query_only = OFF")
        if self._other is not None:
            self._other.close()
        if self._away is not None:
            self._away.rename(self._store.path)


REASONS = {
    "full": ("is full", "Make room there"),
    "read-only": ("cannot be written", "see ls -l and lsattr"),
    "locked": ("Another program is writing", "fuser"),
    "moved": ("was moved, deleted or replaced", "Close crmmail. What was in the file is saved"),
}


async def _type_note(pilot: Pilot[None], typed: str) -> FormScreen:
    """Open the first person, and type a note."""
    await press(pilot, "enter", "n")
    form = pilot.app.screen
    assert isinstance(form, FormScreen)
    form.query_one(TextArea).text = typed
    return form


class TestForms:
    """What was typed cannot be stored."""

    @pytest.mark.parametrize("reason", REASONS)
    async def test_the_form_says_why_and_keeps_the_text(
        self, app: CrmmailApp, store: Store, reason: str
    ) -> None:
        typed = TYPED + " word" * 60_000
        async with app.run_test(size=(80, 24)) as pilot:
            form = await _type_note(pilot, typed)
            with Failing(store).by(reason):
                await press(pilot, "ctrl+s")
                await until(pilot, lambda: REASONS[reason][0] in words(app))
                assert app.screen is form
                assert REASONS[reason][1] in words(app)
                assert form.query_one(TextArea).text == typed
                await press(pilot, "escape", "y")  # a second form lies over none
                assert "The sync waits for the store." in text(app)
            await press(pilot, "n")
            app.screen.query_one(TextArea).text = typed
            await press(pilot, "ctrl+s")
            await until(pilot, lambda: not isinstance(app.screen, FormScreen))
        assert typed in {one.text for one in notes.of_record(store.read(), Kind.PERSON, 1)}
        assert store.trouble is None

    async def test_saved_again_when_that_is_over_it_is_stored(
        self, app: CrmmailApp, store: Store
    ) -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await _type_note(pilot, TYPED)
            with Failing(store).by("read-only"):
                await press(pilot, "ctrl+s")
                await until(pilot, lambda: "cannot be written" in words(app))
            await press(pilot, "ctrl+s")
            await until(pilot, lambda: not isinstance(app.screen, FormScreen))
            assert "waits for the store" not in text(app)
        assert TYPED in {one.text for one in notes.of_record(store.read(), Kind.PERSON, 1)}

    async def test_the_words_of_damage_can_be_read_to_their_end(
        self, app: CrmmailApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_values: object) -> int:
            raise DamagedError("The store is damaged.")

        monkeypatch.setattr(notes, "add", fails)
        async with app.run_test(size=(80, 24)) as pilot:
            form = await _type_note(pilot, TYPED)
            await press(pilot, "ctrl+s")
            await settle(pilot)
            assert app.screen is form
            assert "keeping what you made by hand: crmmail rebuild." in words(app)
            assert "crmmail restore FILE" in words(app)

    async def test_a_form_is_not_left_while_it_is_being_stored(
        self, app: CrmmailApp, store: Store
    ) -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            form = await _type_note(pilot, TYPED)
            form._saving = True
            await press(pilot, "escape")
            assert app.screen is form
            assert "being stored" in told(app)

    async def test_what_the_editor_has_left_stands_in_a_form(
        self, app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crmmail.screens.notes.edited", lambda *_: TYPED)
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "enter")
            with Failing(store).by("read-only"):
                await press(pilot, "N")
                await until(pilot, lambda: isinstance(app.screen, FormScreen))
                await settle(pilot)
                assert app.screen.query_one(TextArea).text == TYPED
                assert "cannot be written" in words(app)
            await press(pilot, "ctrl+s")
            await until(pilot, lambda: not isinstance(app.screen, FormScreen))
        assert TYPED in {one.text for one in notes.of_record(store.read(), Kind.PERSON, 1)}


class TestTyped:
    """A repair ends the app while a form is open."""

    async def test_what_stands_in_the_form_is_in_a_file(
        self, app: CrmmailApp, store: Store
    ) -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await _type_note(pilot, f"{TYPED}\nand coffee")
            store.report(DamagedError("The store is damaged."))
            await until(pilot, lambda: isinstance(app.screen, RepairScreen))
            await press(pilot, "enter")
        assert app.return_value == f"{REPAIR}{REBUILD}"
        assert app.typed_at is not None
        assert app.typed_at.read_text() == f"New note\nNote: {TYPED}\nand coffee\n"
        assert stat.S_IMODE(app.typed_at.stat().st_mode) == 0o600
        assert files.copies_of(store.path) == []

    async def test_nothing_typed_leaves_no_file(self, app: CrmmailApp, store: Store) -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "enter", "n")
            store.report(DamagedError("The store is damaged."))
            await until(pilot, lambda: isinstance(app.screen, RepairScreen))
            await press(pilot, "enter")
        assert app.typed_at is None

    async def test_where_it_cannot_be_kept_the_app_stays(
        self, app: CrmmailApp, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_values: object) -> int:
            raise OSError(28, "No space left on device")

        async with app.run_test(size=(80, 24)) as pilot:
            form = await _type_note(pilot, TYPED)
            store.report(DamagedError("The store is damaged."))
            await until(pilot, lambda: isinstance(app.screen, RepairScreen))
            with monkeypatch.context() as patch:
                patch.setattr(os, "open", full)
                await press(pilot, "enter")
                await settle(pilot)
            assert app.screen is form
            assert "could not be kept" in told(app)

    def test_the_repaired_app_says_where_it_is(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        people.create(store, "Zed", ["zed@zed.example"])
        store.close()
        shown: list[str] = []

        def show(app: CrmmailApp) -> str | None:
            shown.append(app.repaired)
            app.typed_at = Path("typed.txt")
            return f"{REPAIR}{REBUILD}" if len(shown) == 1 else None

        shows: Callable[[CrmmailApp], str | None] = show
        monkeypatch.setattr(apps, "_shown", shows)
        apps.run(store.path, sync=False)
        assert shown[0] == ""
        assert "The store is new. Made by hand, and in it: people 1" in shown[1]
        assert "Mail and meetings are being fetched; the status line says how far" in shown[1]
        assert "The damaged store is kept: " in shown[1]
        assert "Delete it when nothing is missing." in shown[1]
        assert "What you had typed in a form: typed.txt" in shown[1]


def test_what_was_made_by_hand_is_in_the_backup_when_the_app_has_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()

    def show(app: CrmmailApp) -> str | None:
        notes.add(app.store, Kind.PERSON, 1, TYPED)
        return None

    monkeypatch.setattr(apps, "_shown", show)
    apps.run(store.path, sync=False)
    made = daily.newest(store.path)
    assert made is not None
    assert TYPED in {row["text"] for row in daily.read(made)["notes"]}
