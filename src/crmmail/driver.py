"""What is sent to the terminal: each picture in one piece; and how the terminal is given back."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from crmmail.key_parser import KeyParser, decoder

if TYPE_CHECKING:
    from textual.app import App
    from textual.driver import Driver as _Base
else:
    _Base = object

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""What stands around a picture, for terminals that show it at once (mode 2026)."""
_MODES_OFF = "\x1b[?1016l\x1b[?2048l\x1b]22;default\x07"
"""Mouse in pixels, resizes in band, the mouse's pointer: what Textual leaves on."""
_AS_FOUND = (
    f"{_END}\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l{_MODES_OFF}\x1b[?2004l\x1b[?7h\x1b[<u"
    "\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""Turns off every mode that the app turns on, and leaves its screen."""
_NO_SHELL = "There is no shell to go back to: crmmail was not started from one."
_MOMENT = 0.2  # seconds in which the system says that the process goes on


class _Whole(_Base):
    """A driver that keeps what belongs to a picture together until its end.

    Textual writes the two marks and what is between them one by one, each to the thread that has
    the terminal; that thread then takes the interpreter away in the middle of it.
    """

    _held: str | None = None

    def write(self, data: str) -> None:
        if data == _BEGIN:
            self._held = data
        elif self._held is None:
            super().write(data)  # type: ignore[safe-super]  # the platform's driver has it
        else:
            self._held += data
            if data == _END:
                picture, self._held = self._held, None
                super().write(picture)  # type: ignore[safe-super]  # it is not abstract there


class _Polite(_Base):
    """A driver of a terminal that gives it back as it was found, and says what went wrong."""

    _app: App[Any]
    _auto_restart: bool
    attrs_before: list[Any] | None
    fileno: int
    run_input_thread: Callable[[], None]
    _writer_thread: Any
    _has_gone_on = True

    def stop_application_mode(self) -> None:
        self.write(_MODES_OFF)
        super().stop_application_mode()  # type: ignore[safe-super]  # it is not abstract there

    def give_back(self) -> bool:
        """Restore the terminal without the app, which does not answer; from any thread.

        Returns False while another program has the terminal.
        """
        if not self._auto_restart:
            return False
        with suppress(OSError, ValueError):
            terminal = sys.__stderr__.fileno() if sys.__stderr__ else 2
            os.set_blocking(terminal, False)  # it may be stopped by ctrl+s
            os.write(terminal, _AS_FOUND.encode())
            os.set_blocking(terminal, True)
        self._give_back_keys()
        return True

    def _give_back_keys(self) -> None:
        import termios

        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

    def _sigtstp_application(self, *_: object) -> None:
        """Let the shell have the terminal, until it gives it back; without one, stay.

        Textual stops this process whether or not somebody can continue it. The signal's own way
        does not stop one that is on its own.
        """
        if not self._auto_restart:  # an editor has the terminal: what stops it stops this too
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        self.suspend_application_mode()
        self._has_gone_on = False
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(os.getpgrp(), signal.SIGTSTP)  # as the terminal would: a wrapper stops too
        end = time.monotonic() + _MOMENT
        while not self._has_gone_on and time.monotonic() < end:
            time.sleep(0.005)
        signal.signal(signal.SIGTSTP, self._sigtstp_application)
        if not self._has_gone_on:
            self.resume_application_mode()
            self._app.call_later(self._app.notify, _NO_SHELL, severity="warning")
        self._app.call_later(self._app.refresh, layout=True)

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart:
            self._has_gone_on = True
            self.resume_application_mode()

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except BaseException as problem:  # a thread of its own: nobody else would hear of it
            self._app.call_later(self._app._handle_exception, problem)


def give_back(driver: _Base | None) -> bool:
    """Restore the terminal that a driver has; False while another program has it."""
    return not isinstance(driver, _Polite) or driver.give_back()


def whole(driver: type[_Base]) -> type[_Base]:
    """The driver of this platform, which sends pictures whole and gives the terminal back."""
    has_terminal = hasattr(driver, "_sigtstp_application")
    if has_terminal:  # both are made in the middle of the driver's thread, by these names
        names = vars(sys.modules[driver.__module__])
        names["XTermParser"], names["getincrementaldecoder"] = KeyParser, decoder
    bases = (_Whole, _Polite, driver) if has_terminal else (_Whole, driver)
    return type(driver.__name__, bases, {})
