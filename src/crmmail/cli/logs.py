"""What goes to the log while a command runs: as safe to print as all that it says."""

from __future__ import annotations

import logging

from crmmail import secrecy
from crmmail.text import printable


class _Safe(logging.StreamHandler):  # type: ignore[type-arg]  # on stderr
    """Prints a warning or an error of any library, without secrets and control characters."""

    def format(self, record: logging.LogRecord) -> str:
        lines = printable(super().format(record)).split("\n")
        return "\n".join(map(secrecy.redacted, lines))


def keep_safe() -> None:
    """Let what no other handler takes go through this one."""
    logging.lastResort = _Safe(logging.WARNING)
