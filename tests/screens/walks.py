"""The walks of test_every_action: actions in a row, each with what it brings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import TextArea

from crmmail.app import CrmmailApp
from crmmail.screens.accounts import AccountsScreen
from crmmail.screens.agenda import AgendaScreen
from crmmail.screens.first_run import FirstRunScreen
from crmmail.screens.form import FormScreen
from crmmail.screens.help import HelpScreen
from crmmail.screens.meeting import MeetingScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.search import SearchScreen
from crmmail.screens.skipped import SkippedScreen
from crmmail.screens.source import SourceScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.widgets.picker import Picker
from tests.screens.harness import text

Seen = Callable[[CrmmailApp], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """An action: what it brings, and the keys that lead to where it can be done."""

    id: str
    brings: Seen
    first: tuple[str, ...]


def step(name: str, brings: Seen, *first: str) -> Step:
    return Step(name, brings, first)


def shows(words: str) -> Seen:
    return lambda app: words in text(app)


def said(words: str) -> Seen:
    """A toast says so, since the action."""
    return lambda app: any(words in one.message for one in app._notifications)


def hides(words: str) -> Seen:
    return lambda app: words not in text(app)


def on(screen: type[Screen[object]]) -> Seen:
    return lambda app: type(app.screen) is screen


def focus(name: str) -> Seen:
    """The keys are with the widget of this id, or within it."""
    return lambda app: (
        app.focused is not None and name in {one.id for one in app.focused.ancestors_with_self}  # type: ignore[union-attr]
    )


def typing(kind: str) -> Seen:
    """What is typed goes into a line of this class."""
    return lambda app: type(app.focused).__name__ == kind


def row(least: int, most: int | None = None) -> Seen:
    """The cursor of the list that has the keys is there."""
    return lambda app: least <= app.focused.cursor <= (least if most is None else most)  # type: ignore[union-attr]


def down(least: int = 1) -> Seen:
    """The text that has the keys is scrolled so far, or farther."""
    return lambda app: app.focused.scroll_offset.y >= least  # type: ignore[union-attr]


def top(line: int = 0) -> Seen:
    return lambda app: app.focused.scroll_offset.y == line  # type: ignore[union-attr]


def clipboard(words: str) -> Seen:
    return lambda app: words in app.clipboard


def both(*seen: Seen) -> Seen:
    return lambda app: all(one(app) for one in seen)


LISTS = (
    step("records.companies", shows("18 companies")),
    step("records.opportunities", shows("10 opportunities")),
    step("records.people", shows("38 people")),
    step("records.next", shows("18 companies")),
    step("records.previous", shows("38 people")),
    step("list.down", row(1)),
    step("list.up", row(0)),
    step("list.half_down", row(5, 25)),
    step("list.half_up", row(0)),
    step("list.page_down", row(30, 37)),
    step("list.page_up", row(0)),
    step("list.last", row(37)),
    step("list.first", row(0)),
    step("list.sort", shows("Name↑")),
    step("list.reverse", shows("Name↓")),
    step("list.mark", shows("1 marked")),
    step("list.mark_all", shows("38 marked")),
    step("records.back", hides("marked")),
    step("records.preview", focus("preview")),
    step("records.list", focus("people")),
    step("records.filter", typing("FilterLine")),
    step("filter.keep", focus("people"), *"hale"),
    step("records.back", shows("38 people")),
    step("filter.leave", shows("38 people"), "slash", *"hale"),
    step("app.help", on(HelpScreen)),
    step("help.close", on(RecordsScreen)),
    step("app.commands", on(CommandPalette)),
    step("app.sync_now", shows("The sync does not run here."), "escape"),
    step("app.how_to_quit", shows("to quit the app")),
    step("app.suspend", said("cannot be suspended here")),
    step("records.agenda", on(AgendaScreen)),
    step("list.open", on(RecordScreen), "escape"),
    step("screen.back", on(RecordsScreen)),
    step("app.quit", lambda app: app._exit),
)
CHANGES = (
    step("record.create", shows("New person")),
    step("form.next", focus("field-addresses")),
    step("form.last", focus("field-name")),
    step("form.leave", on(RecordsScreen)),
    step("record.edit", on(FormScreen)),
    step("question.no", hides("Discard what you typed?"), "x", "escape"),
    step("question.yes", on(RecordsScreen), "escape"),
    step("record.edit", on(FormScreen)),
    step("form.save", said("Javier Ortegax changed. u to undo."), "x"),
    step("app.undo", said("Undone: Javier Ortegax changed.")),
    step("pick.down", lambda app: match(app) == 1, "e", "tab", "tab", "end", "ctrl+u", "e"),
    step("pick.up", lambda app: match(app) == 0),
    step("pick.take", hides(" matches")),
    step("record.merge", shows("Merge into Javier Ortega"), "escape", "y"),
    step("pick.leave", on(RecordsScreen)),
    step("record.set_company", shows("Company of Javier Ortega")),
    step("pick.take", said("moved to Tidepool. u to undo."), *"tide"),
    step("record.block", said("javier.ortega@meridiano.example blocked.")),
    step("record.delete", said("Javier Ortega deleted. u to undo, until you quit.")),
)


def match(app: CrmmailApp) -> int:
    """Where the cursor of the matches is."""
    return app.screen.query(Picker).first().matches.cursor


RECORD = (
    step("list.open", on(RecordScreen), "2"),
    step("record.preview", focus("preview")),
    step("record.list", focus("threads")),
    step("screen.next_pane", focus("preview")),
    step("screen.last_pane", focus("threads")),
    step("record.filter", typing("FilterLine")),
    step("record.hide", said("Hidden from Meridiano. u to undo."), "escape"),
    step("record.calendar", shows("Vagón R5, primera prueba")),
    step("calendar.hide", said("Hidden from Meridiano. u to undo.")),
    step("record.next_tab", shows("No note yet")),
    step("record.last_tab", shows("Vagón R5, primera prueba")),
    step("record.notes", shows("No note yet")),
    step("record.timeline", shows("Created")),
    step("record.emails", focus("threads")),
    step("record.note", shows("New note")),
    step("form.undo", hides("Cull"), *"Cull"),
    step("form.new_line", lambda app: "Ring\n" in app.screen.query_one(TextArea).text, *"Ring"),
    step("form.save", said("Note written. u to undo."), *"Call"),
    step("notes.edit", shows("Edit note"), "3"),
    step("form.leave", on(RecordScreen)),
    step("notes.editor", shows("says the editor")),
    step("notes.delete", said("Note deleted. u to undo, until you quit.")),
    step("record.note_in_editor", shows("says the editor")),
    step("record.new_opportunity", shows("New opportunity")),
)
THREAD = (
    step("list.open", on(ThreadScreen), "2", "enter"),
    step("text.top", top(), "O"),
    step("text.down", top(1)),
    step("text.up", top()),
    step("text.page_down", down(20)),
    step("text.page_up", top()),
    step("text.half_down", down(10)),
    step("text.half_up", top()),
    step("text.bottom", down(30)),
    step("thread.fold_all", shows("▸ me")),
    step("thread.last_message", lambda app: section(app) == 7),
    step("thread.next_message", lambda app: section(app) == 8),
    step("thread.fold", hides("▾"), "G"),
    step("thread.quotes", shows("▾ 74 quoted lines")),
    step("thread.all_quotes", lambda app: quoted(app) > 5),
    step("text.find", typing("Prompt"), "g"),
    step("thread.next_message", shows("“the” 2 of "), *"the", "enter"),
    step("thread.last_hit", shows("“the” 1 of ")),
    step("prompt.leave", focus("thread"), "slash"),
    step("thread.next", shows("Pedido 77120: documentación")),
    step("thread.last", hides("Pedido 77120: documentación")),
    step("thread.source", on(SourceScreen)),
    step("source.next_hit", shows("“meridiano” 2 of "), "slash", *"meridiano", "enter"),
    step("source.last_hit", shows("“meridiano” 1 of ")),
)


def quoted(app: CrmmailApp) -> int:
    """The messages whose quoted text is shown."""
    assert isinstance(app.screen, ThreadScreen)
    return len(app.screen._folding.quotes)


def section(app: CrmmailApp) -> int:
    """The position of the current message."""
    assert isinstance(app.screen, ThreadScreen)
    return app.screen.pane.current


STRANGER = ("escape", "F", *"pinguinhaus", "enter", "at")
PANELS = (
    step("panels.people", focus("participants"), "2", "enter", "enter"),
    step("participants.copy", clipboard("lucia.ferrer@meridiano.example")),
    step("participants.block", said("lucia.ferrer@meridiano.example blocked.")),
    step("participants.open", on(RecordScreen), "u"),
    step("panels.links", focus("links"), "escape"),
    step("links.copy", clipboard("https://planos.meridiano.example/r4/trampillas?hoja=3")),
    step("links.open", shows("Open this link?")),
    step("link.close", focus("links")),
    step("link.copy", clipboard("https://planos"), "down", "enter"),
    step("link.go", said("Opening https://planos.meridiano.example")),
    step("panels.records", focus("records")),
    step("links_of.hide", said("Hidden from Javier Ortega. u to undo.")),
    step("links_of.unlink", said("Left to the rules: Javier Ortega. u to undo.")),
    step("links_of.open", on(RecordScreen)),
    step("panels.link", typing("Prompt"), "escape"),
    step("prompt.down", lambda app: choice(app) == 1),
    step("prompt.up", lambda app: choice(app) == 0),
    step("thread.attachments", focus("attachments"), "escape"),
    step("attachments.save", said("Saved ")),
    step("attachments.save_as", typing("Prompt")),
    step("attachments.open", said("Opening "), "escape"),
    step("panel.close", focus("thread")),
    step("participants.create", said("is a contact now"), *STRANGER),
)


def choice(app: CrmmailApp) -> int:
    """Where the cursor is among the records to link."""
    assert isinstance(app.screen, ThreadScreen)
    return app.screen.picker.cursor


MEETINGS = (
    step("meetings.range", shows("Agenda: today"), "a"),
    step("agenda.filter", typing("FilterLine"), "r", "r", "r"),
    step("meetings.next", shows("now, 09:26"), "escape", "g"),
    step("list.open", on(MeetingScreen)),
    step("meeting.copy", clipboard("https://meet.jit.si/kumo-studio-c")),
    step("meeting.join", shows("Open this link?")),
    step("meeting.next_time", shows("▸ Mon 23 Mar 2026"), "escape"),
    step("meeting.last_time", shows("▸ Mon 16 Mar 2026")),
    step("meeting.last_hit", shows("▸ Mon 9 Mar 2026")),
    step("meeting.threads", focus("briefing")),
    step("meeting.text", focus("meeting")),
    step("meeting.next", hides("Agenda › Studio C, weekly")),
    step("meeting.last", shows("Agenda › Studio C, weekly")),
)
SEARCH = (
    step("app.search", on(SearchScreen)),
    step("search.down", lambda app: result(app) == 2, *"hall"),
    step("search.up", lambda app: result(app) == 1),
    step("search.page_down", lambda app: result(app) > 3),
    step("search.page_up", lambda app: result(app) == 1),
    step("search.edit", typing("SearchLine"), "tab"),
    step("search.open", on(ThreadScreen)),
    step("search.back", on(RecordsScreen), "escape"),
)


def result(app: CrmmailApp) -> int:
    """Where the cursor of what was found is."""
    assert isinstance(app.screen, SearchScreen)
    return app.screen.results.cursor


SKIPPED = (
    step("app.skipped", on(SkippedScreen)),
    step("skipped.next", shows(" 3 rows ")),
    step("skipped.previous", hides(" 3 rows ")),
    step("skipped.filter", typing("FilterLine")),
    step("skipped.sender", shows("from weekly@thedecibel.example"), *"decibel", "enter"),
    step("skipped.back", hides("from weekly@thedecibel.example"), "escape"),
    step("skipped.folder", shows("folder INBOX of mira@quietrooms.example")),
    step("skipped.let_in", said("Let in this message")),
    step("skipped.exceptions", focus("exceptions"), "u"),
    step("skipped.let_in_sender", said("Let in all mail from"), "escape"),
    step("list.open", shows("Why it is not here"), "u"),
    step("ways.take", hides("Why it is not here")),
    step("exceptions.end", said("No exception for"), "X"),
)
ACCOUNTS = (
    step("app.accounts", on(AccountsScreen)),
    step("accounts.previous", shows("not synced yet")),
    step("accounts.next", hides("not synced yet")),
    step("accounts.pause", said("mira@quietrooms.example is paused. u to undo.")),
    step("accounts.block", typing("Prompt"), "u"),
    step("prompt.leave", focus("settings")),
    step("list.open", focus("options"), *"jjjjjjjj"),
    step("choices.take", said("u to undo.")),
    step("accounts.add", on(FirstRunScreen)),
)
SIGNING_IN = (
    step("app.reconnect", on(FirstRunScreen)),
    step("setup.down", focus("field-server")),
    step("setup.up", focus("field-variable")),
    step("setup.next", focus("field-server"), "ctrl+u"),
    step("setup.test", shows("refused the sign-in"), "up", "up", *"wrong"),
    step("setup.later", shows("Discard what you typed?")),
)
WALKS = {
    "lists": LISTS,
    "changes": CHANGES,
    "record": RECORD,
    "thread": THREAD,
    "panels": PANELS,
    "meetings": MEETINGS,
    "search": SEARCH,
    "skipped": SKIPPED,
    "accounts": ACCOUNTS,
    "signing in": SIGNING_IN,
}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor, a program that opens files, and a folder to save them in."""
    for name, does in (("editor", 'printf ", says the editor" >> "$1"'), ("xdg-open", "true")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", os.fspath(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("VISUAL", os.fspath(tmp_path / "editor"))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("crmmail.screens.files.folder", lambda: tmp_path)
    monkeypatch.setattr("crmmail.screens.links.has_browser", lambda: True)


@contextmanager
def nothing() -> Iterator[None]:
    """A headless driver has no terminal to give away."""
    yield


def prepare(store: Store, name: str) -> None:
    """What a walk needs besides what was synced."""
    if name == "accounts":
        accounts.add(store, "second@away.example")
    if name == "signing in":
        with store.write("state") as (db, _change):
            db.execute("UPDATE sync_state SET state = 'stopped', error = 'Wrong password.'")


def key_of(app: CrmmailApp, name: str) -> str:
    """A key that does this action now."""
    found = [
        key
        for _node, bound in app.screen._modal_binding_chain
        for key, bindings in bound.key_to_bindings.items()
        if any(binding.id == name for binding in bindings)
    ]
    assert found, f"{name} has no key here\n{text(app)}"
    return found[0]
