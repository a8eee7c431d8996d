"""A line to filter a list with: there while it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterLine(Input):
    """Words that a list's rows must have; gone again with escape."""

    BINDING_GROUP_TITLE = "Filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Show all", id="filter.leave"),
        Binding("down,enter", "keep", "To the list", id="filter.keep", priority=True),
    ]
    DEFAULT_CSS = """
    FilterLine {
        display: none;
        height: 1;
        padding: 0 2;
        border: none;
        background: $panel;
        &:focus { border: none; background: $panel; }
        &.-open { display: block; }
    }
    """

    @dataclass
    class Filtered(Message):
        """The words have changed."""

        source: FilterLine
        match: str

        @property
        def control(self) -> FilterLine:
            return self.source

    @dataclass
    class Left(Message):
        """The keys go back to the list."""

        source: FilterLine

        @property
        def control(self) -> FilterLine:
            return self.source

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder="Filter", compact=True, select_on_focus=False, id=id)
        self.cursor_blink = False

    @property
    def match(self) -> str:
        """The words, without spaces around them."""
        return self.value.strip()

    def open(self) -> None:
        """Show the line and give it the keys."""
        self.add_class("-open")
        self.focus()

    def clear_and_close(self) -> None:
        """Show everything again."""
        self.value = ""
        self.remove_class("-open")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Filtered(self, self.match))

    def action_leave(self) -> None:
        """Show everything again and go back to the list."""
        self.clear_and_close()
        self.post_message(self.Left(self))

    def action_keep(self) -> None:
        """Go to the list, filtered as it is."""
        if not self.match:
            self.remove_class("-open")
        self.post_message(self.Left(self))
