"""Every key of a screen, hidden ones included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from crmmail.widgets.pieces import fit
from crmmail.widgets.reading_pane import Line, ReadingPane, Section

_KEYS = 22  # cells for the keys


class HelpScreen(ModalScreen[None], inherit_bindings=False):
    """The keys of the screen behind, over it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "Close", id="help.close"),
    ]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: black 30%;
        ReadingPane { width: 64; max-width: 90%; height: 80%; }
    }
    """

    def __init__(self, behind: Screen[None]) -> None:
        super().__init__()
        self._behind = behind

    def compose(self) -> ComposeResult:
        pane = ReadingPane(mark=False)
        pane.label("Keys", "escape closes")
        yield pane

    def on_mount(self) -> None:
        pane = self.query_one(ReadingPane)
        pane.show(key_sections(self._behind))
        pane.focus()

    def action_close(self) -> None:
        """Go back to the screen."""
        self.dismiss()


def key_sections(screen: Screen[None]) -> Iterator[Section]:
    """The keys of a screen, of its panes and of the app, by where they work."""
    panes = {type(widget): widget for widget in screen.focus_chain if own_bindings(widget)}
    for position, node in enumerate((*panes.values(), screen, screen.app)):
        lines = [Line(((node.BINDING_GROUP_TITLE or "", "title"),))]
        for binding in own_bindings(node):
            keys = " ".join(_display(screen, binding))
            lines.append(
                Line(
                    ((fit(keys, _KEYS), "accent"), (binding.tooltip or binding.description, "text"))
                )
            )
        yield Section(position, (*lines, Line()))


def own_bindings(node: DOMNode) -> list[Binding]:
    """The bindings that crmmail's own classes give a node; a subclass's keys hide its base's."""
    found: dict[str, Binding] = {}
    for cls in type(node).__mro__:
        if cls.__module__.startswith("crmmail."):
            bindings: Iterable[BindingType] = vars(cls).get("BINDINGS", ())
            for binding in bindings:
                if isinstance(binding, Binding):
                    found.setdefault(binding.key, binding)
    return list(found.values())


def _display(screen: Screen[None], binding: Binding) -> Iterator[str]:
    for single in Binding.make_bindings([binding]):
        yield screen.app.get_key_display(single)
