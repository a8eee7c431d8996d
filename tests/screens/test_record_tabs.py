"""The tabs of a record: notes, the timeline, and threads that are hidden from it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.record import RecordScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import notes, opportunities, people, threads, timeline
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens import harness
from tests.screens.harness import lines, press, text, until
from tests.screens.test_hostile import HOSTILE, check, fill


@pytest.fixture
def app(sample_store: Store) -> CrmmailApp:
    return CrmmailApp(sample_store, sync=False)


def record(app: CrmmailApp) -> RecordScreen:
    assert isinstance(app.screen, RecordScreen)
    return app.screen


async def test_notes_are_written_changed_deleted_and_taken_back(app: CrmmailApp) -> None:
    db = app.store.read()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "enter", "3")
        assert "No note yet" in text(app)
        person = record(app).record_id
        for key in ("e", "E", "D"):  # what they would be done to is not the record
            await press(pilot, key)
            assert "There is no note here. n writes one." in text(app)
            assert isinstance(app.screen, RecordScreen)
            app.clear_notifications()
        assert people.get(db, person) is not None
        await press(pilot, "n", "ctrl+s")
        assert notes.of_record(db, Kind.PERSON, person) == []
        await press(pilot, "n", *"hello", "ctrl+s")
        (note,) = notes.of_record(db, Kind.PERSON, person)
        assert note.text == "hello"
        assert "hello" in text(app)
        await press(pilot, "enter", *"!", "ctrl+s")
        assert [note.text for note in notes.of_record(db, Kind.PERSON, person)] == ["hello!"]
        await press(pilot, "D")
        assert notes.of_record(db, Kind.PERSON, person) == []
        await press(pilot, "u", "u")
        assert notes.of_record(db, Kind.PERSON, person) == [note]
        await press(pilot, "u")
        assert notes.of_record(db, Kind.PERSON, person) == []


async def test_a_note_is_written_in_the_users_editor(
    app: CrmmailApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = tmp_path / "modes"
    script = tmp_path / "editor"
    script.write_text(f'#!/bin/sh\nstat -c %a "$1" >> {modes}\necho "from the editor" >> "$1"\n')
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", os.fspath(script))

    @contextmanager
    def suspend():  # type: ignore[no-untyped-def]
        yield  # a headless driver has no terminal to give away

    monkeypatch.setattr(app, "suspend", suspend)
    db = app.store.read()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "N")
        person = record(app).record_id
        (note,) = notes.of_record(db, Kind.PERSON, person)
        assert note.text == "from the editor"
        await press(pilot, "3", "E")
        (note,) = notes.of_record(db, Kind.PERSON, person)
        assert note.text == "from the editor\nfrom the editor"
    assert modes.read_text().split() == ["600", "600"]


async def test_the_timeline_has_everything_newest_first(app: CrmmailApp) -> None:
    db = app.store.read()
    person = int(people.view(db)[0])
    notes.add(app.store, Kind.PERSON, person, "Call her back")
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter", "left_square_bracket")
        shown = record(app).query_one("#timeline-list")
        ids = list(timeline.of_record(db, Kind.PERSON, person))
        assert list(shown.ids) == ids  # type: ignore[attr-defined]
        rows = timeline.rows(db, Kind.PERSON, ids)
        assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
        threads_of = threads.rows(db, threads.of_record(db, Kind.PERSON, person))
        mails = [row for row in rows if row.what == timeline.MAIL]
        assert len(mails) == sum(row.messages for row in threads_of)
        assert {row.what for row in rows} == {
            timeline.MAIL,
            timeline.NOTE,
            timeline.MADE,
            timeline.MEETING,
        }
        assert "Call her back" in text(app)
        while (
            record(app)
            .query_one("TimelinePane")
            .entries.row_at(  # type: ignore[attr-defined]
                shown.cursor  # type: ignore[attr-defined]
            )
            .what
            != timeline.MAIL
        ):
            await harness.press(pilot, "j")
        await press(pilot, "enter")
        assert isinstance(app.screen, ThreadScreen)


async def test_the_timeline_tells_changes_in_words_and_undo_takes_them_out(
    app: CrmmailApp,
) -> None:
    db = app.store.read()
    deal = int(opportunities.view(db)[0])
    before = opportunities.get(db, deal)
    assert before is not None
    following = opportunities.STAGES[opportunities.STAGES.index(before.stage) + 1]
    words = f"Stage: {before.stage} → {following}"
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, "3", "enter", "4", "e", "tab", "down", "down", "enter", "ctrl+s")
        await until(pilot, lambda: words in text(app))
        await press(pilot, "u")
        await until(pilot, lambda: words not in text(app))
        assert opportunities.get(db, deal) == before


async def test_the_header_draws_the_last_twelve_months(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "enter")
        line = next(line for line in lines(app)[:4] if "last contact" in line)
        bars = line.split("last contact")[1].split()[-1]
        assert len(bars) == 12
        assert "█" in bars


async def test_a_thread_is_hidden_from_the_record_and_comes_back(app: CrmmailApp) -> None:
    db = app.store.read()
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, "enter")
        before = list(record(app).threads.ids)
        await press(pilot, "x")
        assert list(record(app).threads.ids) == before[1:]
        assert "u to undo." in text(app)
        await press(pilot, "u")
        assert list(threads.of_record(db, Kind.PERSON, record(app).record_id)) == before


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_on_every_tab(empty_store: Store, hostile: str) -> None:
    fill(empty_store, hostile)
    person = int(people.view(empty_store.read())[0])
    with empty_store.write("notes") as (db, _):
        db.execute("INSERT INTO note VALUES (1, 1, ?, ?, 5, 5)", [person, hostile])
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(150, 40), notifications=True) as pilot:
        for keys in (("enter",), ("3",), ("enter",), ("escape", "4"), ("1", "x")):
            await press(pilot, *keys)
            check(app)
        assert app.is_running


async def test_a_subject_that_visibility_hides_is_told_as_such(store: Store) -> None:
    with store.write("threads") as (db, _):
        db.execute("UPDATE thread SET subject = ''")
        db.execute("UPDATE message SET subject = '', preview = '', level = 0")
    hidden = "(hidden by this account's visibility)"
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(160, 30)) as pilot:
        await press(pilot, "enter")
        assert hidden in text(app)
        await press(pilot, "4")
        assert hidden in text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, ThreadScreen)
        assert hidden in lines(app)[0]
        await press(pilot, "F", *"ada", "enter")
        assert hidden in text(app)
        with store.write("threads") as (db, _):
            db.execute("UPDATE message SET level = 2")
        await until(pilot, lambda: "(no subject)" in text(app))
        assert hidden not in text(app)
