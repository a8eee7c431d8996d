"""The end of the app when its terminal is gone.

The system tells the session's leader; a wrapper such as make keeps that to itself, and the app
would go on to read from nothing, as fast as it can.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

_EVERY = 2.0  # seconds between looks
_ENDED = 128 + signal.SIGHUP


def end_with_terminal() -> None:
    """End this process within seconds after its terminal; a killed app loses nothing (S2)."""
    if sys.stdin.isatty():
        threading.Thread(target=_watch, name="crmmail-hang-up", daemon=True).start()


def _watch() -> None:
    while os.isatty(sys.stdin.fileno()):
        time.sleep(_EVERY)
    signal.raise_signal(signal.SIGHUP)
    os._exit(_ENDED)  # where somebody had it ignore the signal
