"""Where toasts stand: never on the row that has the keys, nor on the status line."""

from __future__ import annotations

from functools import partial

from textual import events, on
from textual.app import App
from textual.notifications import Notify
from textual.widgets._toast import Toast, ToastRack

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

    async def on_event(self, event: events.Event) -> None:
        await super().on_event(event)
        if isinstance(event, events.Key) and self._notifications:
            self.call_after_refresh(self._make_way)

    @on(Notify)
    def _place(self) -> None:
        """Choose the half of the screen where the cursor is not, for the first toast of some."""
        rack = self._rack()
        if rack is None:
            return
        if not rack.display:
            rows = self._rows_in_use()
            rack.set_class(rows is not None and 2 * rows[1] > self.size.height, "-top")
        rack.styles.margin = (0, 0, 0 if rack.has_class("-top") else self._foot(), 0)
        for toast in rack.query(Toast):
            toast.display = True
        self.call_after_refresh(self._make_way)

    def _make_way(self, tries: int = _TRIES) -> None:
        """Keep half of the screen free, and the row that has the keys wherever it is."""
        rack, rows = self._rack(), self._rows_in_use()
        if rack is None or rows is None:
            return
        made = list(rack.query(Toast))
        toasts = [toast for toast in made if toast.display]
        if len(made) < len(self._notifications) or not all(one.region for one in toasts):
            if tries:  # they are being made
                self.set_timer(_SOON, partial(self._make_way, tries - 1))
            return
        room, first, last = self.size.height // 2, self.size.height, 0
        for toast in reversed(toasts):  # the newest are to be seen
            room -= toast.region.height
            toast.display = room >= 0
            if toast.display:
                first, last = min(first, toast.region.y), max(last, toast.region.bottom)
        if first < rows[1] and rows[0] < last:
            top = not rack.has_class("-top")
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

    def _foot(self) -> int:
        """The rows at the foot of the screen: the status line and the keys."""
        for screen in reversed(self.screen_stack):
            for line in screen.query(StatusLine):
                return int(max(line.region.height, 1)) + 1
        return 2
