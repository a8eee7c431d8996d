"""What can be chosen, each choice with what it will do: a panel, and a screen of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from crmmail.screens.options import Option
from crmmail.widgets.leaving import Whole
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the panel: a choice, or under it what it will do."""

    id: int
    option: Option
    effect: str = ""


def draw_line(row: Line, width: int) -> Iterator[Piece]:
    """A choice, or what it will do, on one line."""
    if row.effect:
        yield fit(f"    {row.effect}", width), "muted"
        return
    can_be = row.option.do is not None or row.option.ask
    yield fit(f"{'↵' if can_be else '✓'} {row.option.words}", width), "strong" if can_be else "good"


class OptionsPanel(Panel[Line]):
    """What a setting can be changed to, each with what it will do."""

    BINDING_GROUP_TITLE = "Choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Change", tooltip="Do what the line says", id="choices.take"),
    ]

    def __init__(self) -> None:
        super().__init__(draw_line, title="Change", nouns=("line", "lines"), empty="", id="options")

    def offer(self, title: str, options: Sequence[Option]) -> None:
        """Open with these choices; the cursor is on the first that changes something."""
        rows: list[Line] = []
        first = None
        for option in options:
            if first is None and (option.do is not None or option.ask):
                first = len(rows)
            rows.append(Line(len(rows), option))
            for words in wrap(option.effect, max(self.screen.size.width - 12, 20)):
                rows.append(Line(len(rows), option, words))
        self.label(title)
        self.open(rows)
        self.cursor = first or 0

    def is_passed(self, row: Line) -> bool:
        """What a choice will do is no choice itself."""
        return bool(row.effect)


class _OptionsOfScreen(OptionsPanel):
    """The choices of a screen that is there for them only."""

    def action_close(self) -> None:
        self.screen.dismiss(None)


class OptionsScreen(Whole, ModalScreen[Option | None], inherit_bindings=False):
    """Says over another screen what each choice will do; closes with the choice, or None."""

    DEFAULT_CSS = """
    OptionsScreen { layers: default panels; background: black 30%; }
    """

    def __init__(self, title: str, options: Sequence[Option]) -> None:
        super().__init__()
        self._title = title
        self._options = options

    def compose(self) -> ComposeResult:
        yield _OptionsOfScreen()

    def on_mount(self) -> None:
        self.query_one(OptionsPanel).offer(self._title, self._options)

    @on(Panel.Opened)
    def _choose(self, event: Panel.Opened) -> None:
        event.stop()
        row = self.query_one(OptionsPanel).row
        self.dismiss(row.option if row is not None else None)
