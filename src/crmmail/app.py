"""The app: opens the store, paints, then starts the sync; owns themes, commands and keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

# Textual reads it when it is imported. What is painted in two steps, such as a letter and then what
# it finds after a while, would otherwise wait for up to two sixtieths of a second in between.
os.environ.setdefault("TEXTUAL_FPS", "480")

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from crmmail import crash, fetch, looks, settings, toasts
from crmmail.collector import Collector
from crmmail.driver import whole
from crmmail.ending import Ending
from crmmail.errors import CrmmailError
from crmmail.guarding import REPAIR, RepairApp
from crmmail.hang_up import app_ended_by_signals, end_with_terminal
from crmmail.key_parser import PasteCut
from crmmail.key_queue import KeyQueue
from crmmail.screens.base import StoreScreen
from crmmail.screens.catalogue import CATALOGUES
from crmmail.screens.clipboard import copy
from crmmail.screens.fetching import Wanted
from crmmail.screens.records import RecordsScreen
from crmmail.screens.undo import Do, History
from crmmail.signing import SigningApp
from crmmail.store.database import Store
from crmmail.store.renewing import Renewing
from crmmail.store.trouble import DamagedError, ForeignError
from crmmail.text import block, without_sequences
from crmmail.widgets import themes
from crmmail.widgets.one_picture import one_picture

if TYPE_CHECKING:
    from textual.command import Provider

    from crmmail.screens.palette import ThemeChosen

_TYPING = 12  # turns of the event loop from a letter to the list that it filters, and back
_ERASING = frozenset({"backspace", "delete"})


_TOLD = 4  # problems of config.toml that are told one by one


def _commands() -> type[Provider]:
    from crmmail.screens.palette import Commands

    return Commands


def _go_to() -> type[Provider]:
    from crmmail.screens.palette import GoTo

    return GoTo


def _themes() -> type[Provider]:
    from crmmail.screens.palette import ThemesByName

    return ThemesByName


class CrmmailApp(SigningApp, Ending, inherit_bindings=False):
    """A store on the screen."""

    TITLE = "crmmail"
    BINDING_GROUP_TITLE = "Everywhere"
    ALLOW_SELECT = False
    PAUSE_GC_ON_SCROLL = True
    CSS = looks.CSS + toasts.CSS
    COMMANDS = App.COMMANDS | {_commands, _go_to, _themes}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "keys", "Help", id="app.help"),
        Binding(
            "F,ctrl+k",
            "search",
            "Search",
            id="app.search",
            tooltip="Find people, companies, opportunities, meetings, threads",
        ),
        Binding(
            "u",
            "undo",
            "Undo",
            show=False,
            id="app.undo",
            tooltip="Undo: take the last change back",
        ),
        Binding(
            "f8",
            "reconnect",
            "Sign in again",
            id="app.reconnect",
            tooltip="Sign in again: a refused or missing password, another certificate",
        ),
        Binding(
            "L",
            "skipped",
            "Skipped",
            show=False,
            id="app.skipped",
            tooltip="Mail that did not enter, by which rule, and the way in",
        ),
        Binding(
            "comma",
            "accounts",
            "Accounts",
            show=False,
            id="app.accounts",
            key_display=",",
            tooltip="The accounts: state, rules, folders, visibility",
        ),
        Binding("ctrl+r", "sync_now", "Sync now", show=False, id="app.sync_now"),
        Binding(
            "ctrl+p",
            "command_palette",
            "Menu",
            id="app.commands",
            priority=True,
            tooltip="All commands by name; people, companies and colours too",
        ),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", priority=True),
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            show=False,
            id="app.suspend",
            priority=True,
            tooltip="Go back to the shell; fg comes back here",
        ),
        Binding(
            "ctrl+c",
            "copy_or_quit",
            "How to quit",
            show=False,
            id="app.how_to_quit",
            priority=True,
            tooltip="Copy what is selected in a line; else say how to quit",
        ),
    ]

    def __init__(
        self, store: Store, *, sync: bool = True, collector: Collector | None = None
    ) -> None:
        super().__init__(store, sync=sync, collector=collector)
        self._history = History(self, store, self.tell_now)
        self.typed = KeyQueue(self, super().post_message)
        self.animation_level = "none"
        themes.install(self)
        self.config = settings.config()
        self.theme = looks.theme(self.config)
        self.keymap, _ = looks.keys(type(self), self.config)
        self.set_keymap(self.keymap)
        self.set_class(self.config.preferences.density == "compact", "-compact")

    def get_driver_class(self) -> type[Driver]:
        return whole(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        return RecordsScreen(self.store)

    def on_mount(self) -> None:
        self.call_after_refresh(self._tell_config_problems)

    def _tell_config_problems(self) -> None:
        problems = looks.problems(type(self), self.config)
        for problem in problems[:_TOLD]:
            self.notify(str(problem), severity="error", timeout=15, markup=False)
        if (more := len(problems) - _TOLD) > 0:
            self.notify(f"{more} more: crmmail config lists them.", severity="error")

    def post_message(self, message: Message) -> bool:
        if KeyQueue.takes(message):
            return self.typed.put(message)
        return super().post_message(message)

    def is_typing(self) -> bool:
        return not self.typed.is_empty or super().is_typing()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.withdraw_for(event)
        if isinstance(event, events.Paste):
            self._prepare(event)
        if self._is_typed(event):
            async with one_picture(self, _TYPING):  # of the letter and what it finds
                await super().on_event(event)
        else:
            await super().on_event(event)

    def _prepare(self, event: events.Paste) -> None:
        """Make a pasted text fit what takes it: of several lines a field would take the first."""
        if self._types_password:
            if any(line.strip() for line in event.text.splitlines()[1:]):
                self.notify("Only the first line was pasted.", severity="warning")
            return
        text = block(without_sequences(event.text))  # foreign, before a field takes and draws it
        if isinstance(self.focused, Input) and "\n" in text:
            text = " ".join(filter(None, (line.strip() for line in text.splitlines())))
        event.text = text

    @on(PasteCut)
    def _tell_cut(self, event: PasteCut) -> None:
        words = f"Only the first {event.length:,} characters were pasted."
        self.notify(words, severity="warning", timeout=10)

    def _is_typed(self, event: events.Event) -> bool:
        """Whether it is a letter for a line of text, before that has it."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            return False
        return isinstance(self.focused, Input) and (event.is_printable or event.key in _ERASING)

    @on(Wanted)
    def _fetch(self, event: Wanted) -> None:
        """A screen wants something from the server."""
        fetch.start(self.store, event)

    # Commands

    def action_keys(self) -> None:
        """Show every key of this screen."""
        from crmmail.screens.help import HelpScreen

        if isinstance(self.screen, StoreScreen):
            self.push_screen(HelpScreen(self.screen, self.keymap))

    @on(Do)
    def _perform(self, wanted: Do) -> None:
        self._history.perform(wanted, self.typed.burst)

    def action_undo(self) -> None:
        """Take the last change back."""
        self._history.undo(self.typed.burst)

    def action_search(self) -> None:
        """Find anything, from anywhere."""
        from crmmail.screens.search import SearchScreen

        if isinstance(self.screen, SearchScreen):
            self.screen.action_edit()
        elif isinstance(self.screen, StoreScreen):
            self.push_screen(SearchScreen(self.store))

    def action_skipped(self) -> None:
        """Show what did not enter."""
        from crmmail.screens.skipped import SkippedScreen

        if isinstance(self.screen, StoreScreen) and not isinstance(self.screen, SkippedScreen):
            self.push_screen(SkippedScreen(self.store))

    def action_accounts(self) -> None:
        """Show the accounts and their settings."""
        from crmmail.screens.accounts import AccountsScreen

        if isinstance(self.screen, StoreScreen) and not isinstance(self.screen, AccountsScreen):
            self.push_screen(AccountsScreen(self.store))

    def action_sync_now(self) -> None:
        """Look for new mail now; where the store is damaged, ask what to do about that."""
        if self.offer_repair():
            return
        if self._sync is not None and self._sync.sync_now():
            self.notify("Looking for new mail.", timeout=2)
        else:
            self.notify("The sync does not run here.", timeout=2)

    def action_copy_or_quit(self) -> None:
        """Copy what is selected in a line or a text; else say how to quit."""
        focused = self.focused
        selected = getattr(focused, "selected_text", "")  # of a line or a text
        if focused is not None and selected:
            if not self._types_password:
                copy(focused, selected)
            return
        key = self.keymap.get("app.quit", "ctrl+q").partition(",")[0]
        self.notify(f"Press {key} to quit the app.", timeout=3, markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy; never from a line for a password, which a cut would copy too."""
        if not self._types_password:
            super().copy_to_clipboard(text)

    @property
    def _types_password(self) -> bool:
        return getattr(self.focused, "password", False)

    def action_go(self, index: int) -> None:
        """Go back to the lists, and to one of them."""

        def go() -> None:
            while len(self.screen_stack) > 1:
                self.pop_screen()
            if isinstance(self.screen, RecordsScreen):
                self.screen.action_choose(index)

        self.leave_all(go, "Go there, and discard what you typed?")

    def action_agenda(self) -> None:
        """Show the meetings of all records."""
        from crmmail.screens.agenda import AgendaScreen

        if not isinstance(self.screen, AgendaScreen):
            AgendaScreen.open(self, self.store)

    def search_themes(self) -> None:
        from textual.command import CommandPalette

        from crmmail.screens.palette import Themes

        self.push_screen(CommandPalette(providers=[Themes], placeholder="Search for themes…"))

    def on_theme_chosen(self, chosen: ThemeChosen) -> None:
        """Other colours, from now on."""
        self.theme = chosen.name
        looks.keep_theme(chosen.name, self.config)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual calls it so
        for index, entry in enumerate(CATALOGUES):
            yield SystemCommand(
                f"go to: {entry.title}",
                f"The list of {entry.nouns[1]}",
                partial(self.action_go, index),
            )
        yield SystemCommand("go to: Agenda", "All meetings, by days", self.action_agenda)
        yield SystemCommand("app: Change theme", "Colours, dark or light", self.action_change_theme)
        yield SystemCommand("account: Add a mailbox", "Set it up here", self.action_add_account)


def run(path: Path, *, sync: bool = True) -> str | None:
    """Open the store and show it until the user quits; with `sync`, keep it up to date.

    Returns DEMO when the user asked for the demo. Raises what ended the app, and EndedBy. A damaged
    store is repaired as the user wants it, and opened again.
    """
    sys.setswitchinterval(0.0005)  # a busy sync thread must not hold up a key
    end_with_terminal()
    repaired = ""
    while True:
        result, typed_at = _open(path, sync, repaired)
        if not (result or "").startswith(REPAIR):
            return result
        from crmmail.repairing import repair

        typed = f"What you had typed in a form: {typed_at}" if typed_at else ""
        try:
            done = repair(path, str(result).removeprefix(REPAIR))
        except CrmmailError as problem:
            raise CrmmailError(
                str(problem), " ".join(filter(None, (problem.hint, typed)))
            ) from problem
        repaired = " ".join(filter(None, (done, typed)))


def _open(path: Path, sync: bool, repaired: str) -> tuple[str | None, Path | None]:
    """Open the store and show it: what the app was left with, and where typed text was kept."""
    try:
        store = Store(path)
    except (DamagedError, ForeignError) as problem:
        if way := _shown(RepairApp(problem, path)):
            return way, None
        raise
    renewing = Renewing(store)
    try:
        app = CrmmailApp(store, sync=sync, collector=Collector())
        app.repaired = repaired
        return _shown(app), app.typed_at
    finally:
        renewing.close()
        store.close()


def _shown(app: Ending) -> str | None:
    """Run an app until it ends, and return what it was left with."""
    with crash.watched(app.part_failed), app_ended_by_signals(app.end_now, app.give_back):
        result = app.run()
    app.raise_problem()
    return result
