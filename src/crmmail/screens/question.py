"""A question that y or n answers, the loss of typed text, and what is not there any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Label

from crmmail.widgets.key_line import KeyLine
from crmmail.widgets.leaving import Whole

if TYPE_CHECKING:
    _Base = Screen[Any]
else:
    _Base = object


class QuestionScreen(Whole, ModalScreen[bool], inherit_bindings=False):
    """Asks over another screen, which stays to be read; no other key does anything."""

    BINDING_GROUP_TITLE = "Question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes"),
        Binding("n,escape", "answer(False)", "No", id="question.no"),
    ]
    DEFAULT_CSS = """
    QuestionScreen {
        align: center bottom;
        background: transparent;
        Label {
            width: auto; max-width: 96%; height: auto; margin-bottom: 2; padding: 0 1;
            border: round $warning; background: $surface;
        }
    }
    """

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        yield Label(Content(f"{self._words} y/n"))
        yield KeyLine()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class GoneScreen(Whole, ModalScreen[bool], inherit_bindings=False):
    """Says that what was shown is not there any more; until it is left no other key acts."""

    BINDING_GROUP_TITLE = "Gone"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="gone.leave"),
    ]
    DEFAULT_CSS = """
    GoneScreen {
        align: center bottom;
        background: transparent;
        Label {
            width: auto; max-width: 96%; height: auto; margin-bottom: 2; padding: 0 1;
            border: round $warning; background: $surface;
        }
    }
    """

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        yield Label(Content(f"{self._words} escape goes back."))
        yield KeyLine()

    def action_leave(self) -> None:
        """Close it, and then what it lies over."""
        self.dismiss(True)


class TypingScreen(_Base):
    """A screen whose typed text is lost when it is left."""

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that is stored nowhere."""
        raise NotImplementedError

    def discard(self, then: Callable[[], object], words: str = "Discard what you typed?") -> None:
        """Do what loses the text: at once where nothing was typed, else when that is confirmed."""

        def answered(yes: bool | None) -> None:
            if yes:
                then()

        if self.is_changed:
            self.app.push_screen(QuestionScreen(words), answered)
        else:
            then()
