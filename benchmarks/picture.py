"""What is on a terminal's screen: enough of one to see whether a program has answered."""

from __future__ import annotations

import codecs
import re

from rich.cells import get_character_cell_size

_PART = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|[^\x1b]"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?)?\Z")


class Picture:
    """Cells without colours, and where the cursor was put last."""

    def __init__(self, columns: int, lines: int) -> None:
        self._cells = [[" "] * columns for _ in range(lines)]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._x = self._y = 0

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The text of every line."""
        return ["".join(line).rstrip() for line in self._cells]

    @property
    def current(self) -> str:
        """The line that the cursor is on: Textual puts it there at the end of each update."""
        return "".join(self._cells[self._y])

    def __contains__(self, text: str) -> bool:
        return any(text in "".join(line) for line in self._cells)

    def feed(self, data: bytes) -> None:
        """Take in what a program has written."""
        text = self._rest + self._decoder.decode(data)
        unfinished = _UNFINISHED.search(text)
        self._rest = unfinished[0] if unfinished else ""
        for part in _PART.finditer(text, 0, len(text) - len(self._rest)):
            if part[2] == "H":
                self._move(part[1])
            elif len(part[0]) == 1:
                self._put(part[0])

    def _move(self, numbers: str) -> None:
        y, _, x = numbers.partition(";")
        self._x, self._y = int(x or 1) - 1, min(int(y or 1), len(self._cells)) - 1

    def _put(self, character: str) -> None:
        if character == "\r":
            self._x = 0
        elif character == "\n":
            self._y = min(self._y + 1, len(self._cells) - 1)
        else:
            line = self._cells[self._y]
            for _ in range(get_character_cell_size(character)):
                if self._x < len(line):
                    line[self._x] = character
                character = ""
                self._x += 1
