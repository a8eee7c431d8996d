"""What every screen shares: the store, the status line, the way back, and following changes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from crmmail.screens.question import GoneScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.widgets.awaited import background
from crmmail.widgets.key_line import KeyLine
from crmmail.widgets.leaving import Whole
from crmmail.widgets.one_picture import one_picture
from crmmail.widgets.piece_view import PieceView
from crmmail.widgets.reading import ask
from crmmail.widgets.status_line import StatusLine
from crmmail.widgets.unread import Guarded, tell_unread

_STATE = frozenset({"state", "accounts", "trouble"})


@dataclass
class StoreChanged(Message):
    """The store has changed; no topics means that another process wrote, and what is not known."""

    topics: frozenset[str]
    own: bool = False
    """The user has changed it just now."""


class StoreScreen(Whole, Guarded, Screen[None], inherit_bindings=False):
    """A screen that shows a part of the store and follows its changes."""

    BINDING_GROUP_TITLE = "Screen"
    AUTO_FOCUS = ""  # each says itself what has the keys: to focus twice is to paint twice
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (140, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", id="screen.back"),
        Binding("tab", "next_pane", "Next pane", show=False, id="screen.next_pane"),
        Binding("shift+tab", "previous_pane", "Previous pane", show=False, id="screen.last_pane"),
    ]

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self._stale = False
        self._own = False  # the last change of what it shows was the user's, made here

    def compose(self) -> ComposeResult:
        width = self.app.size.width
        reached = [name for least, name in self.HORIZONTAL_BREAKPOINTS if least <= width]
        self.add_class(*reached[-1:], update=False)  # else all is styled and painted twice
        yield from self.panes()
        yield StatusLine()
        yield KeyLine()

    def panes(self) -> Iterable[Widget]:
        """The widgets above the status line."""
        return ()

    @property
    def is_current(self) -> bool:
        """Whether the screen is seen; Textual's own does not ask if the one above hides it."""
        if not super().is_current:
            return False
        stack = self.app.screen_stack
        return not any(above.styles.background.a == 1 for above in stack[stack.index(self) + 1 :])

    @property
    def cares(self) -> frozenset[str]:
        """The topics of a notice that the screen shows something of."""
        return frozenset()

    def reload(self) -> None:
        """Read again what the screen shows."""

    def on_mount(self) -> None:
        self.set_interval(1.0, self._redraw_states)
        self._show_states()

    def on_screen_resume(self) -> None:
        self._show_states()
        if isinstance(self.focused, PieceView):
            self.focused.follow()
        if self._stale:
            self._stale = False
            self.reload()

    @on(StoreChanged)
    def _follow_store(self, event: StoreChanged) -> None:
        """Follow a change of the store: at once where it is seen, else when it is seen again."""
        topics = event.topics
        touched = not topics or not topics.isdisjoint(self.cares)
        if not self.is_current:
            self._stale = self._stale or touched
            return
        if touched:
            self._own = event.own
        with nullcontext() if event.own else background():
            if not topics or not topics.isdisjoint(_STATE):
                self._show_states()
            if touched:
                self.reload()

    def _redraw_states(self) -> None:
        """A second has passed: rates and remaining times have changed.

        The line may be gone before the screen is: the app ends from the leaves.
        """
        if (line := self.query_one_optional(StatusLine)) is not None:
            line.redraw()

    def _show_states(self) -> None:
        line = self.query_one(StatusLine)
        line.warn(self.store.trouble)
        ask(self, lambda: accounts.states(self.store.read()), line.show, awaited=False)

    def _compositor_refresh(self) -> None:
        """Paint what has changed, but not before all is painted anyway, as after a layout."""
        if not self._repaint_required:
            super()._compositor_refresh()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            self.unreadable(event.worker.error)

    def unreadable(self, problem: BaseException | None) -> None:
        """Tell why something could not be read."""
        if tell_unread(self, problem):
            return
        self.notify(f"The list could not be read: {problem}", severity="error", markup=False)

    def gone(self, words: str = "") -> None:
        """Leave, for what is shown here is no more; what lies over the screen is left first.

        What the user did not do has to be left by hand: keys typed meanwhile would act on the
        screen below (U13).
        """
        if self.app.screen is not self:
            self._stale = True
        elif words and not self._own:
            self.app.push_screen(GoneScreen(words), self._left_gone)
        else:
            if words:
                self.notify(words, markup=False)
            self.app.pop_screen()

    def _left_gone(self, left: bool | None) -> None:
        """The user has read that it is gone."""
        if left and self.app.screen is self:
            self.app.pop_screen()

    def action_back(self) -> None:
        """Go back to the screen before."""
        self.app.pop_screen()

    def action_next_pane(self) -> None:
        """Give the keys to the next pane."""
        self.focus_next()

    def action_previous_pane(self) -> None:
        """Give the keys to the pane before."""
        self.focus_previous()


class KeptScreen(StoreScreen):
    """A screen that stays when it is left, to be shown again with something else.

    To make one, with all its widgets and their styles, takes longer than to fill it; and what is
    thrown away has to be found by the collector, in the middle of a later key.
    """

    _styled = ""  # the theme in which it was seen last

    @classmethod
    def show_one(cls, app: App[Any], store: Store) -> Self:
        """Bring one to the front that is not in use: made before, where there is such a one."""
        number = 0
        while True:
            name = f"{cls.__name__} {number}"
            if not app.is_screen_installed(name):
                app.install_screen(cls(store), name)
            screen = app.get_screen(name, cls)
            number += 1
            if screen not in app.screen_stack:
                app.push_screen(name)
                return screen

    def start(self) -> None:
        """Show what the screen is for now, as it is first seen."""
        raise NotImplementedError

    @on(events.ScreenResume)
    async def _paint_once(self, event: events.ScreenResume) -> None:
        if self._styled:  # else the widgets are yet to come
            async with one_picture(self.app):
                pass
        event.refresh_styles = event.refresh_styles and self._styled != self.app.theme
        self._styled = self.app.theme

    def put_away(self) -> None:
        """The screen was left."""

    def restart(self) -> None:
        """Start, unless that is still to come with the widgets."""
        if self.is_mounted:
            self._stale = self._own = False
            self.start()

    def on_mount(self) -> None:
        self.start()

    def on_screen_suspend(self) -> None:
        if self not in self.app.screen_stack:
            self.put_away()
