"""Asking for a password that is kept nowhere: typed once in each run of the app (P3)."""

from __future__ import annotations

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


class PasswordScreen(Whole, ModalScreen[str | None], inherit_bindings=False):
    """A line that shows nothing of what is typed; closes with the password, or None for later."""

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

    def __init__(self, email: str, problem: str = "") -> None:
        """`problem` is what the server said of the password before."""
        super().__init__()
        self.email = email
        self._problem = problem

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
        refused = self.query_one("#refused", Wrapped)
        refused.show(((self._problem, "bad"),))
        refused.display = bool(self._problem)
        self.query_one(Input).focus()

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
