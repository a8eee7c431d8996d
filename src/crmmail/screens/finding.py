"""Finding words in a long text: a line to type them into, n and N from hit to hit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType

from crmmail.screens.base import StoreScreen
from crmmail.widgets.prompt import Prompt
from crmmail.widgets.reading_pane import ReadingPane
from crmmail.widgets.words import plural


class FindingScreen(StoreScreen):
    """A screen with a reading pane and a prompt, and the keys that find words in the text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "find",
            "Find",
            tooltip="Find words in the text; n and N go from hit to hit",
            id="text.find",
            key_display="/",
        ),
    ]
    DEFAULT_CSS = """
    FindingScreen { layers: default panels prompt; }
    """
    pane = getters.query_one(ReadingPane)
    prompt = getters.query_one(Prompt)

    def unfold(self, words: str, then: Callable[[], object]) -> None:  # noqa: ARG002 - the thread uses them
        """Bring what has these words into the pane; `then` is done after that."""
        then()

    def action_find(self) -> None:
        """Find words in the text."""
        self.prompt.ask("find", "Find in the text", "enter finds, escape cancels")

    @on(Prompt.Typed)
    def _look(self, event: Prompt.Typed) -> None:
        """Show the hits in what is unfolded while somebody types."""
        if event.purpose == "find":
            self.pane.find(event.value.strip())
            self._tell_hits()

    @on(Prompt.Answered)
    def _found(self, event: Prompt.Answered) -> None:
        if event.purpose != "find":
            return
        words = event.value.strip()
        if words:
            self.unfold(words, partial(self._mark, words))
        else:
            self._mark("")

    def _mark(self, words: str) -> None:
        self.pane.find(words)
        self._tell_hits()
        if words and not self.pane.hits:
            self.notify(f"“{words}” is not in this text.", timeout=3, markup=False)

    @on(Prompt.Left)
    def _leave(self, event: Prompt.Left) -> None:
        if event.purpose == "find":
            self.clear_hits()

    def clear_hits(self) -> bool:
        """Show the text without hits; False when there was no search."""
        searched = bool(self.pane.words)
        self.pane.find("")
        self._tell_hits()
        return searched

    def next_hit(self, by: int) -> bool:
        """Go to the next or the previous hit; False when nothing is searched for."""
        if not self.pane.words:
            return False
        self.pane.go_to_hit(by)
        self._tell_hits()
        return True

    def _tell_hits(self) -> None:
        pane = self.pane
        if not pane.words:
            pane.label("")
        elif pane.hits:
            pane.label(f"“{pane.words}” {pane.hit + 1} of {plural(pane.hits, 'hit')}")
        else:
            pane.label(f"“{pane.words}”: no hit")

    def action_back(self) -> None:
        """Leave the search, else the screen."""
        if not self.clear_hits():
            super().action_back()
