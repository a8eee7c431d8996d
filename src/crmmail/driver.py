"""What is sent to the terminal: each picture in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver as _Base
else:
    _Base = object

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""What stands around a picture, for terminals that show it at once (mode 2026)."""


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
            super().write(data)  # type: ignore[safe-super]  # the platform's is no abstract one
        else:
            self._held += data
            if data == _END:
                picture, self._held = self._held, None
                super().write(picture)  # type: ignore[safe-super]  # as above


def whole(driver: type[_Base]) -> type[_Base]:
    """The driver of this platform, which sends pictures whole."""
    return type(driver.__name__, (_Whole, driver), {})
