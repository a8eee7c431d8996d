"""A message as it was sent, as safe text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens.finding import FindingScreen
from crmmail.store.database import Store
from crmmail.text import block
from crmmail.widgets.lines import Lines
from crmmail.widgets.prompt import Prompt
from crmmail.widgets.reading_pane import Line, ReadingPane, Section
from crmmail.widgets.words import size

SHOWN = 1_000_000  # bytes: more of a message is no reading matter


class SourceScreen(FindingScreen):
    """The source of a message: header lines, then the rest."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "hit(1)", "Next hit", show=False, id="source.next_hit"),
        Binding("N", "hit(-1)", "Previous hit", show=False, id="source.last_hit"),
    ]

    def __init__(self, store: Store, subject: str, raw: bytes) -> None:
        super().__init__(store)
        self._subject = subject
        self._raw = raw

    def panes(self) -> Iterable[Widget]:
        yield Lines(id="header")
        yield ReadingPane(id="source", mark=False)
        yield Prompt()

    def on_mount(self) -> None:
        title = (self._subject or "(no subject)", "title")
        self.query_one("#header", Lines).show((title, ("   as it was sent", "muted")))
        self.pane.label(subtitle=size(len(self._raw)))
        self.pane.show([Section(0, tuple(source_lines(self._raw)))])
        self.pane.focus()

    def action_hit(self, by: int) -> None:
        """Go to the next or the previous hit."""
        self.next_hit(by)


def source_lines(raw: bytes) -> Iterator[Line]:
    """The lines of a message, the names of its header fields set apart."""
    text = block(raw[:SHOWN].decode("utf-8", "replace"))
    in_header = True
    for line in text.split("\n"):
        in_header = in_header and bool(line)
        name, colon, value = line.partition(":")
        if in_header and colon and not line.startswith(" ") and " " not in name:
            yield Line(((name + colon, "accent"), (value, "text")), hang="    ")
        else:
            yield Line(((line, "text"),))
    if len(raw) > SHOWN:
        rest = f"The rest, {size(len(raw) - SHOWN)}, is not shown here."
        yield Line(((rest, "muted"),))
