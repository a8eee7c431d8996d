"""Problems that a person is told about, without a traceback."""

from __future__ import annotations

from crmmail.text import printable


class CrmmailError(Exception):
    """What happened; `hint` says what to do about it.

    Both are safe to print and to store, whoever chose the words in them.
    """

    hint = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(printable(message))
        self.hint = printable(hint) or self.hint


class MissingError(CrmmailError):
    """What was named is not there: a command ends with exit code 3."""
