"""Every key of a screen, hidden ones and those of the user's config.toml included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from crmmail.screens.base import StoreScreen
from crmmail.widgets.leaving import Whole
from crmmail.widgets.pieces import fit
from crmmail.widgets.reading_pane import Line, ReadingPane, Section

_KEYS = 22  # cells for the keys


class HelpScreen(Whole, ModalScreen[None], inherit_bindings=False):
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

    def __init__(self, behind: Screen[None], keymap: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._behind = behind
        self._keymap = keymap or {}

    def compose(self) -> ComposeResult:
        pane = ReadingPane(mark=False)
        pane.label("Keys", "escape closes")
        yield pane

    def on_mount(self) -> None:
        pane = self.query_one(ReadingPane)
        pane.show(key_sections(self._behind, self._keymap))
        pane.focus()

    def action_close(self) -> None:
        """Go back to the screen."""
        self.dismiss()


def key_sections(screen: Screen[None], keymap: Mapping[str, str]) -> Iterator[Section]:
    """The keys of a screen, of its panes and of the app, by where they work.

    The pane that has the keys comes first.
    """
    chain = sorted(screen.focus_chain, key=lambda widget: not widget.has_focus)
    nodes = (node for widget in chain for node in widget.ancestors_with_self)
    panes = {type(one): one for one in nodes if isinstance(one, Widget) and own_bindings(one)}
    panes.pop(type(screen), None)
    for position, node in enumerate((*panes.values(), screen, screen.app)):
        lines = [Line(((place(type(node)).capitalize(), "title"),))]
        for binding in rebound(own_bindings(node), keymap):
            keys = " ".join(_display(screen, binding))
            lines.append(Line(((fit(keys, _KEYS), "accent"), (does(binding), "text"))))
        yield Section(position, (*lines, Line()))


def own_bindings(node: DOMNode | type[DOMNode]) -> list[Binding]:
    """The bindings that crmmail's own classes give a node; a subclass's keys hide its base's."""
    found: list[Binding] = []
    taken: set[str] = set()
    for cls in (node if isinstance(node, type) else type(node)).__mro__:
        if not cls.__module__.startswith("crmmail."):
            continue
        own = [one for one in _listed(cls) if isinstance(one, Binding)]
        left = ((one, [key for key in keys_of(one) if key not in taken]) for one in own)
        found += [replace(one, key=",".join(keys)) for one, keys in left if keys]
        taken.update(key for one in own for key in keys_of(one))
        if not getattr(cls, "_inherit_bindings", True):
            break
    return found


def rebound(bindings: Iterable[Binding], keymap: Mapping[str, str]) -> list[Binding]:
    """The bindings with the keys that a keymap gives them."""
    return [
        replace(one, key=keys, key_display=None) if (keys := keymap.get(one.id or "")) else one
        for one in bindings
    ]


def keys_of(binding: Binding) -> list[str]:
    """The names of a binding's keys."""
    return [key.strip() for key in binding.key.split(",")]


def does(binding: Binding) -> str:
    """What a key does, in words."""
    return binding.tooltip or binding.description


def place(node: type[DOMNode]) -> str:
    """Where a key works, in words: in a pane, on a screen, or everywhere."""
    if node is StoreScreen:
        return "screen"
    if issubclass(node, Screen):
        name = node.__name__.removesuffix("Screen")
        return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
    return str(node.BINDING_GROUP_TITLE or node.__name__).lower()


def _listed(cls: type) -> Iterable[BindingType]:
    listed: Iterable[BindingType] = vars(cls).get("BINDINGS", ())
    return listed


def _display(screen: Screen[None], binding: Binding) -> Iterator[str]:
    for single in Binding.make_bindings([binding]):
        yield screen.app.get_key_display(single)
