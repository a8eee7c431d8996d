"""Choosing one record by typing a part of its name."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from crmmail.widgets.leaving import Whole
from crmmail.widgets.picker import Choice, Find, Picker
from crmmail.widgets.pieces import safe


class PickScreen(Whole, ModalScreen[Choice | None], inherit_bindings=False):
    """A line to type in, and what matches under it; closes with the choice, or None."""

    BINDING_GROUP_TITLE = "Choose"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="pick.leave", tooltip="Choose nothing"),
    ]
    DEFAULT_CSS = """
    PickScreen {
        align: center middle;
        background: black 30%;
        #pick {
            width: 72; max-width: 96%; height: 18; max-height: 96%;
            border: round $accent; border-title-color: $accent; border-title-align: right;
            border-subtitle-color: $foreground 60%;
            background: $background; padding: 0 1;
        }
    }
    """

    def __init__(self, title: str, find: Find) -> None:
        super().__init__()
        self._title = title
        self._find = find

    def compose(self) -> ComposeResult:
        with Vertical(id="pick") as box:
            box.border_title = Content(safe(self._title))
            box.border_subtitle = "enter takes, escape cancels"
            yield Picker(self._find, placeholder="A part of the name", always=True)

    def on_mount(self) -> None:
        self.query_one(Picker).line.focus()

    @on(Picker.Chosen)
    def _chosen(self, event: Picker.Chosen) -> None:
        self.dismiss(event.choice)

    def action_leave(self) -> None:
        """Close without a choice."""
        self.dismiss(None)
