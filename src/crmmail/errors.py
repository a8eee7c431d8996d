"""Problems that a person is told about, without a traceback."""

from __future__ import annotations


class CrmmailError(Exception):
    """What happened; `hint` says what to do about it."""

    hint = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.hint
