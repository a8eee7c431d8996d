"""One line to type into, over the foot of a screen: a word to find, a file to save to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input


class Prompt(Input):
    """Asks for one thing at a time; `purpose` tells which."""

    BINDING_GROUP_TITLE = "Line"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="prompt.leave"),
        Binding("down", "move(1)", "Next match", show=False, id="prompt.down"),
        Binding("up", "move(-1)", "Previous match", show=False, id="prompt.up"),
    ]
    DEFAULT_CSS = """
    Prompt {
        layer: prompt;
        dock: bottom;
        display: none;
        height: 3;
        margin: 0 0 2 0;
        padding: 0 1;
        background: $surface;
        border: round $accent;
        border-title-color: $accent;
        border-title-background: $surface;
        border-subtitle-color: $foreground 60%;
        border-subtitle-background: $surface;
        &:focus { border: round $accent; background: $surface; }
        &.-open { display: block; }
    }
    """

    @dataclass
    class Typed(Message):
        """The line has changed."""

        source: Prompt
        purpose: str
        value: str

    @dataclass
    class Answered(Message):
        """Enter was pressed."""

        source: Prompt
        purpose: str
        value: str

    @dataclass
    class Left(Message):
        """Nothing was answered."""

        source: Prompt
        purpose: str

    @dataclass
    class Moved(Message):
        """The cursor of the list that belongs to the line is to move."""

        source: Prompt
        purpose: str
        by: int

    def __init__(self, *, id: str = "prompt") -> None:  # noqa: A002
        super().__init__(select_on_focus=False, id=id)
        self.cursor_blink = False
        self.purpose = ""
        self._behind: Widget | None = None

    def ask(
        self,
        purpose: str,
        title: str,
        hint: str = "",
        value: str = "",
        suggester: Suggester | None = None,
        behind: Widget | None = None,
    ) -> None:
        """Show the line with a title, and give it the keys; they go back to `behind`."""
        self.purpose = purpose
        self.border_title = Content(title)
        self.border_subtitle = Content(hint)
        self.suggester = suggester
        with self.prevent(Input.Changed):
            self.value = value
        self.cursor_position = len(value)
        if not self.has_class("-open"):
            self._behind = behind or self.screen.focused
            self.add_class("-open")
        self.focus()

    def close(self, refocus: bool = True) -> None:
        """Hide the line; the keys go back to where they were."""
        if self.has_class("-open"):
            self.remove_class("-open")
            if refocus and self._behind is not None:
                self._behind.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self, self.purpose, self.value))

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
        self.post_message(self.Answered(self, self.purpose, self.value))

    def action_leave(self) -> None:
        """Answer nothing."""
        self.close()
        self.post_message(self.Left(self, self.purpose))

    def action_move(self, by: int) -> None:
        """Move the cursor of the list that belongs to the line."""
        self.post_message(self.Moved(self, self.purpose, by))
