"""A line that finds a record while its name is typed, with what matches under it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import events, getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input
from textual.worker import get_current_worker

from crmmail.text import one_line
from crmmail.widgets.pieces import Piece
from crmmail.widgets.window_list import WindowList

SHOWN = 50  # matches that are offered; more words find the others
_ROWS = 6  # matches that are seen at once


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose: its name, and what tells it from others of that name."""

    id: int
    name: str
    about: str = ""


Find = Callable[[str], Sequence[Choice]]
"""Finds what matches some words; called in a thread."""


class PickLine(Input):
    """Where the name is typed; the arrows move in the list under it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Choices", id="pick.down", tooltip="Next match"),
        Binding("up", "move(-1)", "Previous match", show=False, id="pick.up"),
        Binding("enter", "take", "Take", id="pick.take", tooltip="Take the match at the cursor"),
    ]

    def __init__(self, value: str, placeholder: str) -> None:
        super().__init__(value, placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def action_move(self, by: int) -> None:
        """Move in the list of matches."""
        if isinstance(self.parent, Picker):
            self.parent.move(by)

    def action_take(self) -> None:
        """Take the match under the cursor of the list."""
        if isinstance(self.parent, Picker):
            self.parent.take()


class Picker(Vertical):
    """Chooses one of many by typing a part of its name."""

    DEFAULT_CSS = """
    Picker {
        height: auto;
        PickLine {
            width: 1fr; height: 1; border: none; background: $panel;
            &.-textual-compact { padding: 0 1; }
        }
        PickLine:focus { border: none; background: $panel-lighten-1; }
        WindowList { display: none; }
        &.-open WindowList { display: block; }
        &.-fill, &.-fill WindowList { height: 1fr; }
    }
    """
    line = getters.query_one(PickLine)
    matches = getters.query_one(WindowList)

    @dataclass
    class Chosen(Message):
        """A match was taken."""

        source: Picker
        choice: Choice

        @property
        def control(self) -> Picker:
            return self.source

    @dataclass
    class _Found(Message):
        words: str
        choices: Sequence[Choice]

    def __init__(
        self,
        find: Find,
        chosen: Choice | None = None,
        *,
        placeholder: str = "",
        always: bool = False,
        id: str | None = None,  # noqa: A002 - the name of it in every widget
    ) -> None:
        super().__init__(id=id, classes="-open -fill" if always else "")
        self._find = find
        self._always = always
        self._placeholder = placeholder
        self._choices: dict[int, Choice] = {}
        self._wanted: str | None = None  # the words that are being looked for
        self._heard = ""  # what was typed when that was heard of last
        self._taking: str | None = None  # what was typed when enter came before the matches
        self.chosen = chosen

    def compose(self) -> ComposeResult:
        yield PickLine(one_line(self.chosen.name) if self.chosen else "", self._placeholder)
        matches: WindowList[Choice] = WindowList(
            self._rows, _draw, nouns=("match", "matches"), at_hand=True
        )
        matches.can_focus = False
        matches.say_empty("Nothing matches")
        yield matches

    def on_mount(self) -> None:
        if self._always:
            self._search("")

    @property
    def typed(self) -> str:
        """What stands in the line."""
        return self.line.value.strip()

    def _rows(self, ids: Sequence[int]) -> Iterable[Choice]:
        return [self._choices[i] for i in ids]

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._heard = self.typed
        if self._taking != self.typed:
            self._taking = None
        if self.chosen is not None and self.typed != one_line(self.chosen.name):
            self.chosen = None
        if self.line.has_focus and self.chosen is None:
            if self.typed or self._always:
                self._search(self.typed)
            else:
                self._wanted = None
                self.remove_class("-open")

    def move(self, by: int) -> None:
        """Move in the matches; without any, offer all there is."""
        if self.has_class("-open"):
            self.matches.action_move(by)
        else:
            self._search("" if self.chosen is not None else self.typed)

    def _search(self, words: str) -> None:
        self._wanted = words
        self.run_worker(
            partial(self._search_all, words),
            group="pick",
            exclusive=True,
            thread=True,
            exit_on_error=False,
        )

    def _search_all(self, words: str) -> None:
        choices = self._find(words)
        if not get_current_worker().is_cancelled:
            self.post_message(self._Found(words, choices))

    @on(_Found)
    def _offer(self, event: _Found) -> None:
        if event.words != self._wanted:
            return
        self._wanted = None
        self._choices = {choice.id: choice for choice in event.choices}
        if not self._always:
            self.matches.styles.height = min(max(len(self._choices), 1), _ROWS) + 2
        self.matches.show(array("q", self._choices), keep=False)
        if self.chosen is not None and self.chosen.id in self._choices:
            self.matches.action_go(list(self._choices).index(self.chosen.id))
        self.set_class(self._always or self.line.has_focus, "-open")
        if self._taking is not None:
            self._take_current()

    def take(self) -> None:
        """Take the match that the list's cursor is on, or the first as soon as there is one."""
        unheard = self.chosen is None and self.typed != self._heard
        if unheard or self._wanted is not None:
            self._taking = self.typed
        elif self.has_class("-open"):
            self._take_current()

    def _take_current(self) -> None:
        self._taking = None
        if (current := self.matches.current) in self._choices:
            self.choose(self._choices[current])

    def choose(self, choice: Choice) -> None:
        """Take this one."""
        self.chosen = choice
        with self.prevent(Input.Changed):
            self.line.value = one_line(choice.name)
        self.line.cursor_position = len(self.line.value)
        self.set_class(self._always, "-open")
        self.post_message(self.Chosen(self, choice))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:  # noqa: ARG002
        self.set_class(self._always, "-open")

    def on_click(self, event: events.Click) -> None:
        if event.widget is self.matches:
            self.line.focus()
            self.take()


def _draw(choice: Choice, width: int) -> Iterator[Piece]:
    del width
    yield choice.name, "text"
    yield f"   {choice.about}" if choice.about else "", "muted"
