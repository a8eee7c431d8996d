"""Where toasts stand: never on a dialog or the row that has the keys, nor on the status line."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual import events, on
from textual.app import App
from textual.notifications import Notify
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastRack

from crmmail.widgets.key_line import KeyLine
from crmmail.widgets.panel import Panel
from crmmail.widgets.status_line import StatusLine

CSS = """
ToastRack {
    margin-bottom: 2;
    overflow-y: hidden;
    &.-top { dock: top; align: right top; margin-bottom: 0; }
}
Toast { width: auto; max-width: 75%; margin-top: 0; padding: 0 1; }
"""
_SOON = 0.02  # seconds
_TRIES = 50
_BELOW = 2  # rows that are kept free: that of the cursor, and what is said under a field


class ToastsApp(App[str], inherit_bindings=False):
    """An app whose toasts stand above the status line, or at the top while the cursor is there."""

    _dialog: Widget | None = None  # what was asked or chosen from when toasts were placed last
    _older: frozenset[str] = frozenset()  # the toasts that were there before it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heights: dict[str, int] = {}  # of toasts, by their notifications

    async def on_event(self, event: events.Event) -> None:
        await super().on_event(event)
        if isinstance(event, events.Key | events.MouseUp) and self._notifications:
            self.call_after_refresh(self._make_way)

    def on_descendant_focus(self) -> None:
        """A panel may have been opened, or left."""
        if self._notifications:
            self.call_after_refresh(self._make_way)

    def _refresh_notifications(self) -> None:
        """Another screen is in front, and has the toasts: those of one below it would be twice."""
        super()._refresh_notifications()
        if self._notifications:
            for screen in self._screen_stack[:-1] if self._screen_stack else ():
                for rack in screen.query(ToastRack):
                    rack.display = False  # it is shown again when its screen is in front
            self.call_after_refresh(self._make_way)

    @on(Notify)
    def _place(self) -> None:
        """Choose the half of the screen where the cursor is not, for the first toast of some."""
        rack = self._rack()
        if rack is None:
            return
        if not rack.display:
            rack.set_class(self._cursor_is_low(), "-top")
        self._turn(rack, top=rack.has_class("-top"))
        for toast in rack.query(Toast):
            toast.display = True
        self.call_after_refresh(self._make_way)

    def _make_way(self, tries: int = _TRIES) -> None:
        """Keep what has the keys free: a dialog, else half of the screen with the row in use."""
        rack = self._rack()
        if rack is None:
            return
        if self._look_for_dialog() and self._dialog is None:
            self._turn(rack, top=self._cursor_is_low())
        made = list(rack.query(Toast))
        toasts = [toast for toast in made if toast.display]
        if len(made) < len(self._notifications) or not all(one.region for one in toasts):
            if tries:  # they are being made
                self.set_timer(_SOON, partial(self._make_way, tries - 1))
            return
        for toast in toasts:
            self._heights[toast._notification.identity] = toast.outer_size.height
        if self._dialog is not None:
            self._stand_beside(rack, made, self._dialog)
        else:
            self._stand_aside(rack, made)
        if tries and any(one.display and not one.region for one in made):
            self.call_after_refresh(self._make_way, tries - 1)  # these were hidden before

    def _look_for_dialog(self) -> bool:
        """Find what asks something now, and what was said before it did; whether it is another."""
        dialog = _dialog(self.screen, self.focused)
        if dialog is self._dialog:
            return False
        self._dialog = dialog
        self._older = frozenset(one.identity for one in self._notifications)
        return True

    def _stand_beside(self, rack: ToastRack, made: list[Toast], dialog: Widget) -> None:
        """Show what there is room for above or below the dialog, and hide the rest meanwhile.

        Where there is room for nothing, what is said since it is open may lie over it, but not over
        the row in use.
        """
        above, below = _rows_of(dialog)
        below = self.size.height - self._foot() - below
        news = [one for one in made if one._notification.identity not in self._older]
        if news and self._height(news[-1]) > max(above, below):
            for toast in made:
                toast.display = False
            self._stand_aside(rack, news)
        else:
            self._show_newest(made, max(above, below))
            self._turn(rack, top=above >= below)

    def _stand_aside(self, rack: ToastRack, toasts: list[Toast]) -> None:
        """Keep half of the screen free, and the row that has the keys wherever it is."""
        rows = self._rows_in_use()
        if rows is None:
            return
        shown = self._show_newest(toasts, self.size.height // 2)
        first = min((one.region.y for one in shown), default=self.size.height)
        last = max((one.region.bottom for one in shown), default=0)
        if first < rows[1] and rows[0] < last:
            self._turn(rack, top=not rack.has_class("-top"))

    def _show_newest(self, toasts: list[Toast], room: int) -> list[Toast]:
        """Show the newest toasts, as many as there is room for; those are returned."""
        for toast in reversed(toasts):
            room -= self._height(toast)
            toast.display = room >= 0
        return [toast for toast in toasts if toast.display]

    def _height(self, toast: Toast) -> int:
        """The rows of a toast; one that is hidden has those that it had."""
        return toast.outer_size.height or self._heights.get(toast._notification.identity, 0)

    def _turn(self, rack: ToastRack, *, top: bool) -> None:
        rack.set_class(top, "-top")
        rack.styles.margin = (0, 0, 0 if top else self._foot(), 0)

    def _rack(self) -> ToastRack | None:
        return self.screen.query_one_optional(ToastRack) if self._screen_stack else None

    def _rows_in_use(self) -> tuple[int, int] | None:
        """The first row that must be seen and the one after the last, by the terminal's cursor."""
        focused = self.focused
        if focused is None:
            return None
        y = self.cursor_position.y
        first = y if focused.region.y <= y < focused.region.bottom else focused.region.y
        return first, first + _BELOW

    def _cursor_is_low(self) -> bool:
        """Whether the row that has the keys is in the lower half of the screen."""
        rows = self._rows_in_use()
        return rows is not None and 2 * rows[1] > self.size.height

    def _foot(self) -> int:
        """The rows at the foot of the screen: the status line and the keys."""
        for screen in reversed(self.screen_stack):
            for line in screen.query(StatusLine):
                return int(max(line.region.height, 1)) + 1
        return 2


def _dialog(screen: Screen[Any], focused: Widget | None) -> Widget | None:
    """What asks something, or offers a choice: what lies over the screen, or an open panel."""
    if isinstance(screen, ModalScreen):
        return screen
    return focused if isinstance(focused, Panel) else None


def _rows_of(dialog: Widget) -> tuple[int, int]:
    """The first row of a dialog and the one after its last."""
    parts = [dialog]
    if isinstance(dialog, ModalScreen):
        parts = [one for one in dialog.children if not isinstance(one, KeyLine | ToastRack)]
    regions = [one.region for one in parts if one.display and one.region]
    return min((r.y for r in regions), default=0), max((r.bottom for r in regions), default=0)
