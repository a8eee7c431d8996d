"""Asking for a password that is kept nowhere: typed once in each run of the app (P3)."""

from __future__ import annotations

import math
import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from crmmail.widgets.key_line import KeyLine
from crmmail.widgets.leaving import Whole
from crmmail.widgets.lines import Wrapped
from crmmail.widgets.pieces import safe

_SEEN = 0.4  # seconds from the picture to the first key that can be meant for it


class PasswordScreen(Whole, ModalScreen[str | None], inherit_bindings=False):
    """A line that shows nothing of what is typed; closes with the password, or None for later."""

    AUTO_FOCUS = ""
    BINDING_GROUP_TITLE = "Password"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Sign in", id="password.take", tooltip="Sign in with it"),
        Binding("escape", "later", "Later", id="password.later", tooltip="Type it later, with f8"),
    ]
    DEFAULT_CSS = """
    PasswordScreen {
        align: center middle;
        background: black 30%;
        #password {
            width: 72; max-width: 96%; height: auto; max-height: 96%;
            border: round $accent; border-title-color: $accent; border-title-align: right;
            background: $background; padding: 0 1;
        }
        #password Label { width: 100%; height: auto; color: $foreground 60%; }
        #password Input { height: 1; border: none; background: $panel; margin: 1 0; }
        #password Input:focus { border: none; background: $panel-lighten-1; }
        KeyLine { background: $background; }
    }
    """

    def __init__(self, email: str, problem: str = "", *, unasked: bool = False) -> None:
        """`problem` is what the server said of the password before; `unasked`: no key asked."""
        super().__init__()
        self.email = email
        self.problem = problem
        self.ready_at = math.inf if unasked else -math.inf
        """Since when keys are meant for it: what was typed before was meant for something else."""
        self._is_dropped = False

    def compose(self) -> ComposeResult:
        with Vertical(id="password") as box:
            box.border_title = Content(safe(f"Password of {self.email}"))
            yield Wrapped(id="refused")
            line = Input(password=True, compact=True, select_on_focus=False)
            line.cursor_blink = False
            yield line
            yield Label("It is kept nowhere: crmmail asks for it in each run.", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        self._say(self.problem)
        if self.ready_at == math.inf:
            self.call_after_refresh(self.set_timer, _SEEN, self._take_keys)
        else:
            self.query_one(Input).focus()

    def _say(self, problem: str) -> None:
        refused = self.query_one("#refused", Wrapped)
        refused.show(((problem, "bad"),))
        refused.display = bool(problem)

    def _take_keys(self) -> None:
        """It has been on the screen long enough to be seen."""
        self.ready_at = time.monotonic()
        if not self._is_dropped:
            self.query_one(Input).focus()

    def drop(self) -> None:
        """Say that no password is needed any more; keys do nothing until that is read (U13)."""
        self._is_dropped = True
        line = self.query_one(Input)
        line.value = ""
        line.disabled = True
        self._say(f"{self.email} was removed, paused or given another sign-in. escape goes back.")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_take()

    def action_take(self) -> None:
        """Close with what is typed; an empty line stays."""
        if typed := self.query_one(Input).value:
            self.dismiss(typed)

    def action_later(self) -> None:
        """Close without a password."""
        self.dismiss(None)
