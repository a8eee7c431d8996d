"""The line of keys at the foot of a screen.

Textual's Footer does the same with a widget for each key, made anew whenever the focus moves; that
took longer than all else that happens when a screen opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from crmmail.widgets.pieces import safe


@dataclass(frozen=True, slots=True)
class _Key:
    """A key and what it does."""

    key: str
    shown: str
    description: str
    enabled: bool
    tooltip: str
    everywhere: bool  # it is the app's

    @property
    def width(self) -> int:
        """The cells it takes, a space around its name and one behind."""
        return cell_len(self.shown) + cell_len(self.description) + 3


class KeyLine(Widget):
    """The keys that do something here, on one line; a click presses one.

    Where there is no room for all, help stays, and what is the screen's own goes before what works
    everywhere: help has the others.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"key-line--key", "key-line--description", "key-line--hover"}
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        color: $footer-foreground;
        background: $footer-background;
        pointer: pointer;
        .key-line--key {
            color: $footer-key-foreground;
            background: $footer-key-background;
            text-style: bold;
        }
        .key-line--description {
            color: $footer-description-foreground;
            background: $footer-description-background;
        }
        .key-line--hover { background: $block-hover-background; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: tuple[_Key, ...] = ()
        self._hovered: _Key | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def _follow(self, screen: Screen[object]) -> None:
        """The keys may have changed, as they do with the focus."""
        if screen is not self.screen or not self.app.app_focus:
            return
        keys = tuple(self._active())
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _active(self) -> Iterator[_Key]:
        actions: set[str] = set()
        for node, binding, enabled, tooltip in self.screen.active_bindings.values():
            shown, what = self.app.get_key_display(binding), binding.description
            if binding.show and binding.action not in actions and not self._is_typed(shown):
                actions.add(binding.action)
                everywhere = node is self.app
                yield _Key(binding.key, safe(shown), safe(what), enabled, tooltip, everywhere)

    def _is_typed(self, key: str) -> bool:
        """Whether a key would only be typed where the focus is; Textual forgets @ and /."""
        focused = self.screen.focused
        one = len(key) == 1 and key.isascii()
        return one and focused is not None and focused.check_consume_key(key, key)

    @property
    def _shown(self) -> list[_Key]:
        """The keys that there is room for."""
        everywhere = [key for key in self._keys if key.everywhere]
        own = [key for key in self._keys if not key.everywhere]
        room, shown = self.size.width, set[_Key]()
        for key in (*everywhere[:1], *own, *everywhere[1:]):
            if key.width <= room:
                shown.add(key)
                room -= key.width
        return [key for key in self._keys if key in shown]

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        key_style = self.get_component_rich_style("key-line--key")
        text_style = self.get_component_rich_style("key-line--description")
        segments = []
        for key in self._shown:
            look = Style.null() if key.enabled else Style(dim=True)
            if key == self._hovered:
                hover = self.get_component_rich_style("key-line--hover")
                look += Style(bgcolor=hover.bgcolor)
            segments.append(Segment(f" {key.shown} ", key_style + look))
            segments.append(Segment(f"{key.description} ", text_style + look))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _at(self, x: int) -> _Key | None:
        end = 0
        for key in self._shown:
            end += key.width
            if x < end:
                return key
        return None

    def _hover(self, key: _Key | None) -> None:
        if key != self._hovered:
            self._hovered = key
            self.tooltip = key.tooltip if key is not None and key.tooltip else None
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover(self._at(event.x))

    def on_leave(self) -> None:
        self._hover(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        key = self._at(event.x)
        if key is None:
            return
        if key.enabled:
            self.app.simulate_key(key.key)
        else:
            self.app.bell()
