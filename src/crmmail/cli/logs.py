"""What goes to the log while a command runs: as safe to print as all that it says."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from crmmail import secrecy
from crmmail.cli.output import note
from crmmail.text import printable


class _Safe(logging.Handler):
    """Prints a warning or an error of any library, without secrets and control characters.

    Of an exception only its kind is printed: its text and its traceback are not for a user.
    """

    def format(self, record: logging.LogRecord) -> str:
        words = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            words = f"{words}: {record.exc_info[0].__name__}"
        return "\n".join(map(secrecy.redacted, printable(words).split("\n")))

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # what cannot be printed must not become an error of its own
            if sys.stderr is not None:
                note(self.format(record))


def keep_safe() -> None:
    """Let what no other handler takes go through this one."""
    logging.lastResort = _Safe(logging.WARNING)
    logging.captureWarnings(True)  # they may quote what a server sent
