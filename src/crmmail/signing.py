"""The mailboxes that the app reads: how one is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmmail.asking import AskingApp
from crmmail.store import accounts
from crmmail.widgets.reading import ask

if TYPE_CHECKING:
    from crmmail.screens.signing_up import DemoWanted, LookUp, SignUp

DEMO = "demo"
"""How `run` says that the user wants to see the demo."""


class SigningApp(AskingApp, inherit_bindings=False):
    """An app that sets up mailboxes."""

    def on_mount(self) -> None:
        if self._sync is not None:
            ask(self, self._states, self._welcome)

    def action_add_account(self) -> None:
        """Set up a mailbox."""
        from crmmail.screens.first_run import FirstRunScreen

        if not isinstance(self.screen, FirstRunScreen):
            self.push_screen(FirstRunScreen(self.store))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual calls it so
        return action != "reconnect" or bool(self._stopped)

    def _welcome(self, states: list[accounts.StateRow]) -> None:
        """Set up the first mailbox."""
        if not states:
            self.call_after_refresh(self.action_add_account)

    def on_sign_up(self, wanted: SignUp) -> None:
        """The screen to set up a mailbox wants the server."""
        from crmmail import sign_up

        sign_up.start(self.store, wanted)

    def on_look_up(self, wanted: LookUp) -> None:
        """The screen to set up a mailbox wants to know where one is."""
        from crmmail import sign_up

        sign_up.look_up(wanted)

    def on_demo_wanted(self, _wanted: DemoWanted) -> None:
        """End; whoever started the app starts the demo."""
        self.exit(DEMO)
