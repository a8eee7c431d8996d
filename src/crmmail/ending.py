"""How the app leaves the terminal: for a while, by a signal, or by an error of its own."""

from __future__ import annotations

import signal
from contextlib import suppress

from rich.console import RenderableType
from textual._context import active_message_pump
from textual.app import App

from crmmail import web_links
from crmmail.driver import give_back
from crmmail.widgets.leaving import is_lost


class Ending(App[str], inherit_bindings=False):
    """An app that can be suspended, ended by a signal, and that says in words what ended it."""

    def action_suspend_process(self) -> None:
        """Go back to the shell, until that calls the app back."""
        if self._driver is None or not self._driver.can_suspend:
            self.notify("crmmail cannot be suspended here.", severity="warning")
            return
        self._suspend_signal()
        signal.raise_signal(signal.SIGTSTP)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open a link in the browser, in a thread; say why not, or that none starts."""
        if why := web_links.refusal(url):
            self.notify(why, severity="warning", markup=False)
            return

        def work() -> None:
            import webbrowser  # only for this

            if not webbrowser.open(url, new=2 if new_tab else 0):
                words = "No browser started. The link can be copied."
                with suppress(RuntimeError):  # the app is closing
                    self.call_from_thread(self.notify, words, severity="error", timeout=10)

        self.run_worker(work, group="browser", thread=True, exit_on_error=False)

    # Signals

    def keep_unsaved(self) -> None:
        """Keep what the user has typed, before an end that nobody has confirmed."""

    def _end_unasked(self) -> None:
        self.keep_unsaved()
        self.exit()

    def end_now(self) -> bool:
        """End; called from within any code of the main thread, as a signal's handler is.

        Returns False when the app has not begun.
        """
        if self._loop is None:
            return False
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._end_unasked)
        return True

    def give_back(self) -> bool:
        """Restore the terminal, though the app does not answer; False while an editor has it."""
        return give_back(self._driver)

    # Errors of our own

    def _handle_exception(self, error: Exception) -> None:
        """End by an error, but not by one of a widget that looks for another while both leave."""
        if not is_lost(error, active_message_pump.get(None)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End after an error that nothing handled; it is told when the terminal is restored.

        Textual would print a traceback with the values of all variables: mail, and passwords.
        """
        self.keep_unsaved()
        self._close_messages_no_wait()

    def panic(self, *_: RenderableType) -> None:
        self._fatal_error()

    def raise_problem(self) -> None:
        """Raise the error that ended the app, if one did."""
        if self._exception is not None:
            raise getattr(self._exception, "error", self._exception)

    def part_failed(self, words: str) -> None:
        """A thread has ended by an error; this is called in that thread."""
        with suppress(RuntimeError):  # the app is closing
            self.call_from_thread(self.notify, words, severity="error", timeout=30, markup=False)
