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


class SentenceScreen(Whole, ModalScreen[bool], inherit_bindings=False):
    """A sentence over another screen, which stays to be read; only its own keys do something."""

    ANSWERS: ClassVar[str]
    """What stands behind the sentence: the keys."""
    DEFAULT_CSS = """
    SentenceScreen {
        align: center bottom;
        background: transparent;
        Label {
            width: auto; max-width: 96%; height: auto; margin-bottom: 2; padding: 0 1;
            border: round $warning; background: $surface;
        }
    }
    """

    def __init__(self, words: str, before: str = "") -> None:
        """`before` is said first, where there is something to know besides."""
        super().__init__()
        self.words = words
        self._before = before

    def compose(self) -> ComposeResult:
        yield Label(Content(f"{self._before} {self.words} {self.ANSWERS}".lstrip()))
        yield KeyLine()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class QuestionScreen(SentenceScreen, inherit_bindings=False):
    """Asks something that is answered with yes or no."""

    ANSWERS = "y/n"
    BINDING_GROUP_TITLE = "Question"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes"),
        Binding("n,escape", "answer(False)", "No", id="question.no"),
    ]


class GoneScreen(SentenceScreen, inherit_bindings=False):
    """Says that what was shown is not there any more, until that is read (U13)."""

    ANSWERS = "escape goes back."
    BINDING_GROUP_TITLE = "Gone"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(True)", "Back", id="gone.leave"),
    ]


class TypingScreen(_Base):
    """A screen whose typed text is lost when it is left, unless it is stored."""

    _is_stored = False
    _after_storing: Callable[[], object] | None = None
    _question: QuestionScreen | None = None  # whether its text may be lost

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that is stored nowhere."""
        raise NotImplementedError

    @property
    def is_storing(self) -> bool:
        """Whether what was typed is being stored just now."""
        raise NotImplementedError

    def unsaved(self) -> str:
        """What was typed and is not stored, but no password, with its titles; "" for nothing."""
        raise NotImplementedError

    @property
    def would_lose(self) -> bool:
        """Whether text would be lost, if the screen were left now."""
        return self.is_changed and not self._is_stored

    def on_resize(self) -> None:
        """The field that has the keys stays on the screen, however small that gets."""
        self.keep_in_sight()

    def keep_in_sight(self) -> None:
        """Scroll to the field that has the keys, once all has its place."""
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def discard(self, then: Callable[[], object], words: str = "Discard what you typed?") -> None:
        """Do what loses the text: at once where nothing was typed, else when that is confirmed."""
        if not self.would_lose:
            then()
            return
        question = QuestionScreen(words, "This is being stored." if self.is_storing else "")

        def answered(yes: bool | None) -> None:
            if self._question is question:
                self._question = None
            if yes:
                then()

        self._question = question
        self.app.push_screen(question, answered)

    def stored(self, then: Callable[[], object] | None = None) -> None:
        """What was typed is stored: close, once, as soon as nothing lies over the screen.

        Nothing is lost any more, so a question about that has its answer. `then` is called when the
        screen has closed.
        """
        self._is_stored, self._after_storing = True, then
        if self._question is not None and self.app.screen is self._question:
            self._question.action_answer(yes=True)
        else:
            self._close_stored()

    def on_screen_resume(self) -> None:
        self._close_stored()

    def _close_stored(self) -> None:
        if self._is_stored and self.app.screen is self:
            self.dismiss()
            if self._after_storing is not None:
                self._after_storing()
