"""What can be done about a damaged store: building it anew, or putting a backup back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from crmmail.store import copies, files, newer
from crmmail.store.trouble import REBUILD, ForeignError, LostError, StoreError
from crmmail.widgets.leaving import Whole
from crmmail.widgets.words import size

_OFFERED = 5  # backups, the newest first
_HIGHEST = 12  # rows of the choices
_SAFE = "All mail is still on the servers."
_MADE = "What you made by hand (notes, opportunities, links, rules, edits)"
_DAMAGED = (
    f"{_SAFE} {_MADE} is read from the store as far as that goes; the daily backup has the rest. "
    "The damaged file is kept."
)
_FOREIGN = (
    f"{_SAFE} {_MADE} is read from the newest daily backup, if there is one. "
    "The file that is there is kept."
)
_LOST = f"{_SAFE} {_MADE} is read from the newest daily backup, if there is one."


@dataclass(frozen=True, slots=True)
class Way:
    """Something that can be done: what the screen is left with, and its words."""

    key: str
    words: str


def ways(store: Path) -> list[Way]:
    """What can be done about a damaged store, the best first."""
    found = [Way(REBUILD, "Build it again from the servers, with what you made by hand")]
    every: list[files.Copy] = []
    with suppress(StoreError):  # a rebuild says so
        every = files.copies_of(store)
    kept = [(one.path, one.made_at) for one in every if one.kind == files.KEPT]
    rescued = [one for one in every if one.kind == files.RESCUED]
    made = [(one.path, one.made_at) for one in copies.made(store) if one.is_there]
    for path, at in sorted(made + kept, key=lambda one: -one[1])[:_OFFERED]:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
        words = f"Put the backup of {when} in its place ({size(path.stat().st_size)}): {path}"
        if (later := newer.than(path, store)) is not None:
            words += f". {_newer(later)}"
        found.append(Way(str(path), words))
    for copy in rescued:  # all that was in a store when its file went: first where it is lost
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(copy.made_at))
        words = f"Put all of it back as it was at {when} ({size(copy.size)}): {copy.path}"
        found.insert(
            0 if copy is rescued[0] and not store.exists() else len(found),
            Way(str(copy.path), words),
        )
    return found


def _newer(later: newer.Newer) -> str:
    """That a daily backup is newer than what is offered, and what is in it."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(later.made_at))
    had = ", ".join(f"{part} {count:,}" for part, count in later.counts.items() if count)
    return f"The daily backup of {when} is newer: {had}"


class RepairScreen(Whole, ModalScreen[str]):
    """Says what is wrong with the store, and offers what can be done."""

    BINDING_GROUP_TITLE = "Damaged store"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Do it", id="repair.take"),
        Binding("j,down", "down", "Down", show=False, id="repair.down"),
        Binding("k,up", "up", "Up", show=False, id="repair.up"),
        Binding("escape,q", "leave", "Leave it", id="repair.leave"),
    ]
    DEFAULT_CSS = """
    RepairScreen {
        align: center middle;
        VerticalScroll {
            width: 90%; max-width: 100; height: auto; max-height: 90%;
            padding: 1 2; border: round $error; background: $background;
        }
        Static { height: auto; margin-bottom: 1; }
        OptionList { height: auto; max-height: 12; }

    }
    """

    def __init__(
        self, problem: StoreError, offered: Sequence[Way], leave: str, *, said: str = ""
    ) -> None:
        """Offer ways to repair a store with a problem, that is `said` in other words than its own.

        One that is lost has nothing to read or keep, nor has a file that is none anything to read.
        """
        super().__init__()
        self._said = said or str(problem)
        kinds = {LostError: _LOST, ForeignError: _FOREIGN}
        self._about = next((kinds[one] for one in kinds if isinstance(problem, one)), _DAMAGED)
        self._offered = [*offered, Way("", leave)]

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Content(self._said))
            yield Static(Content(self._about))
            yield OptionList(*(Option(Content(way.words)) for way in self._offered))
            yield Static(Content("enter does it, escape leaves the store as it is"))

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0
        self.query_one(OptionList).focus()

    def on_resize(self) -> None:
        """All choices are on the screen, or scroll there: what enter does is always seen."""
        self.call_after_refresh(self._show_choices)

    def _show_choices(self) -> None:
        choices = self.query_one(OptionList)
        room = self.query_one(VerticalScroll).scrollable_content_region.height
        choices.styles.max_height = max(min(room, _HIGHEST), 1)
        self.call_after_refresh(choices.scroll_visible, animate=False)
        self.call_after_refresh(choices.scroll_to_highlight)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._offered[event.option_index].key)

    def action_take(self) -> None:
        """Do what is chosen."""
        self.query_one(OptionList).action_select()

    def action_down(self) -> None:
        """Choose the next."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Choose the one before."""
        self.query_one(OptionList).action_cursor_up()

    def action_leave(self) -> None:
        """Leave the store as it is."""
        self.dismiss("")
