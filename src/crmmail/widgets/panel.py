"""A short list over a screen: there while it is used, cheap to open."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.widgets.pieces import Piece
from crmmail.widgets.window_list import Row, WindowList


class Panel(WindowList[Row]):
    """Rows that are in memory, each with its position as id; a click opens one."""

    BINDING_GROUP_TITLE = "Panel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", tooltip="Close the panel", id="panel.close"),
    ]
    DEFAULT_CSS = """
    Panel {
        layer: panels;
        dock: bottom;
        display: none;
        max-height: 60%;
        margin: 0 0 2 0;
        background: $surface;
        border-title-background: $surface;
        &.-open { display: block; }
    }
    """

    def __init__(
        self,
        draw: Callable[[Row, int], Iterable[Piece]],
        *,
        title: str,
        nouns: tuple[str, str],
        empty: str,
        id: str,  # noqa: A002
    ) -> None:
        super().__init__(self._some, draw, title=title, nouns=nouns, at_hand=True, id=id)
        self._all: Sequence[Row] = ()
        self._behind: Widget | None = None
        self.say_empty(empty)

    def _some(self, ids: Sequence[int]) -> Iterable[Row]:
        return [self._all[i] for i in ids]

    @property
    def is_open(self) -> bool:
        """Whether the panel is seen."""
        return self.has_class("-open")

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._all[self.cursor] if self._all else None

    def fill(self, rows: Sequence[Row], keep: bool = True) -> None:
        """Show these rows, as high as they need."""
        self._all = rows
        self.styles.height = max(len(rows), 2) + 2
        self.show(array("q", range(len(rows))), keep=keep)

    def open(self, rows: Sequence[Row], behind: Widget | None = None) -> None:
        """Show the panel, and give it the keys; they go back to `behind`, or where they were."""
        self.fill(rows, keep=False)
        if not self.is_open:
            self._behind = behind or self.screen.focused
            self.add_class("-open")
        self.focus()

    def close(self, refocus: bool = True) -> None:
        """Hide the panel; the keys go back to where they were."""
        if self.is_open:
            self.remove_class("-open")
            if refocus and self._behind is not None:
                self._behind.focus()

    def is_passed(self, row: Row) -> bool:  # noqa: ARG002
        """Whether a step passes over this row."""
        return False

    def action_move(self, by: int) -> None:
        """Go to the next row that is not passed over, or to the one before."""
        at = self.cursor + by
        while 0 <= at < len(self._all) and self.is_passed(self._all[at]):
            at += by
        if 0 <= at < len(self._all):
            self.cursor = at

    def action_close(self) -> None:
        """Close the panel."""
        self.close()

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # in a long list a click only moves the cursor
        offset = event.get_content_offset(self)
        index = self.scroll_offset.y + offset.y if offset is not None else len(self._all)
        if index < len(self._all):
            self.cursor = index
            self.action_open()
