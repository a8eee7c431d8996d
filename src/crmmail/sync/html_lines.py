"""The lines that an HTML walk writes: spaces, breaks, quotes, lists and cells as they should read.

A break is only remembered until text follows, so that nested blocks make one break, a link's target
lands behind its label, and cells of one line can still be joined.
"""

from __future__ import annotations

import re

LIMIT = 300_000
"""Characters after which nothing more is taken."""
_DEEPEST = 10
_CELL_WIDTH = 60  # longer cells get a line of their own

# Fillers that newsletters hide their preheader with; ZWNJ and ZWJ count only inside a word.
_FILLER = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u200b\u2060\u2800\u3164\ufeff\uffa0]+"
    "|(?:(?<=\\s)|(?<![\\S\\s]))[\u200c\u200d]+|[\u200c\u200d]+(?=\\s|\\Z)"
)


class Lines:
    """Takes text and structure in order, gives readable lines."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._size = 0
        self._line: list[str] = []
        self._line_depth = 0
        self._break = 0  # 1: a new line before the next text, 2: a blank line too
        self._space = False
        self._joins = False
        self._depth = 0
        self._pre = 0
        self._bullet = ""
        self._lists: list[int] = []  # the next number of each open list, 0 for bullets
        self._cells: list[tuple[int, int, int]] = []  # break, line and width at their beginning
        self._width = 0
        self._label: list[str] | None = None
        self._muted: list[bool] = []

    @property
    def full(self) -> bool:
        """Whether there is as much text as anybody will read."""
        return self._size > LIMIT

    def text(self) -> str:
        """All lines."""
        self._flush()
        return "\n".join(self._out).strip("\n")

    def add(self, data: str) -> None:
        """Text as it stands in the HTML: white space collapses, unless it is preformatted."""
        if self._muted and self._muted[-1]:
            return
        if not data.isascii():
            data = _FILLER.sub("", data)
        if self._pre:
            self._add_preformatted(data)
            return
        words = data.split()
        if words:
            self._write(" ".join(words), spaced=data[0].isspace())
            self._space = data[-1].isspace()
        elif data and not self._line_open and "\u00a0" in data:
            self._break = 2 if self._line or self._out else 0
        elif data:
            self._space = True

    def add_plain(self, text: str) -> None:
        """Text that has its lines already."""
        self._pre += 1
        self._add_preformatted(text)
        self._pre -= 1
        self.block(1)

    def block(self, breaks: int) -> None:
        """A block begins or ends here, with a blank line around it if `breaks` is 2."""
        if self._bullet or (self._joins and self._cells and self._cells[-1][1] == -1):
            return  # the first block of an item or of a cell stays on its line
        self._break = max(self._break, min(breaks, 1) if self._lists else breaks)
        self._joins = False

    def line_break(self) -> None:
        """A <br>: it ends a line that has text, and is a blank line otherwise."""
        self._break = 1 if self._line_open else 2
        self._joins = False

    def quote(self, step: int) -> None:
        """A quote begins (1) or ends (-1)."""
        self._depth = max(0, self._depth + step)
        self.block(1)

    def preformatted(self, step: int) -> None:
        """Preformatted text begins (1) or ends (-1)."""
        self._pre = max(0, self._pre + step)

    def rule(self, *, header: bool) -> None:
        """A horizontal rule; `header` is the one above the header lines of a quoted message."""
        if header and self._line == ["---"]:
            self._line.clear()
        self.block(1)
        self._write("_" * 32 if header else "---", spaced=False)
        self.block(1)

    def open_list(self, *, numbered: bool) -> None:
        """A list begins."""
        self._lists.append(1 if numbered else 0)

    def close_list(self) -> None:
        """A list ends."""
        if self._lists:
            self._lists.pop()
        self._bullet = ""

    def item(self) -> None:
        """An item of the innermost list begins."""
        self._bullet = ""
        self.block(1)
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        indent = "  " * min(len(self._lists) - 1, _DEEPEST)
        self._bullet = f"{indent}{number}. " if number else f"{indent}- "

    def open_cell(self) -> None:
        """A table cell begins."""
        self._cells.append((self._break, -1, self._width))

    def close_cell(self) -> None:
        """A table cell ends: one of a single short line shares it with the next cell."""
        before, line, width = self._cells.pop() if self._cells else (0, -2, 0)
        if line == -1:
            self._break = max(before, self._break if self._break == 2 else 0)
        elif line == len(self._out) and self._width - width <= _CELL_WIDTH:
            self._break = 0
            self._joins = True
        else:
            self.block(1)

    def open_link(self) -> None:
        """A link's label begins."""
        self._label = []

    def close_label(self) -> str:
        """A link's label ends; gives what it says."""
        label, self._label = self._label or [], None
        return " ".join(label)

    def append(self, text: str) -> None:
        """Put text behind what was written last, on its line."""
        if self._line:
            self._line.append(text)
            self._width += len(text)

    def mute(self, muted: bool) -> None:
        """What follows has no size, or has one again, until unmute()."""
        self._muted.append(muted)

    def unmute(self) -> None:
        """The end of what the last mute() began."""
        self._muted.pop()

    @property
    def _line_open(self) -> bool:
        return bool(self._line) and not self._break

    def _write(self, text: str, *, spaced: bool) -> None:
        if self._break:
            self._resolve_break()
        if self._joins and self._line:
            self._line.append("  ")
        elif self._line and (spaced or self._space):
            self._line.append(" ")
        if not self._line:
            self._line_depth = self._depth
            if self._bullet:
                self._line.append(self._bullet)
        self._bullet = ""
        self._joins = self._space = False
        self._line.append(text)
        self._width += len(text)
        self._size += len(text)
        if self._cells and self._cells[-1][1] == -1:
            self._cells[-1] = (0, len(self._out), self._width - len(text))
        if self._label is not None:
            self._label.append(text)

    def _resolve_break(self) -> None:
        wanted, self._break = self._break, 0
        if not self._line:
            return
        self._flush()
        if wanted == 2:
            self._put("", min(self._line_depth, self._depth))

    def _flush(self) -> None:
        if not self._line:
            return
        line = "".join(self._line).rstrip()
        self._line.clear()
        self._put(line, self._line_depth)
        self._width = 0
        self._space = False

    def _put(self, line: str, depth: int) -> None:
        self._out.append("> " * min(depth, _DEEPEST) + line)
        self._size += len(self._out[-1]) - len(line) + 1

    def _add_preformatted(self, data: str) -> None:
        for number, line in enumerate(data.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
            if number:
                self.line_break()
            if line.strip():
                self._write(line.rstrip(), spaced=False)
            elif line and self._line_open:
                self._space = True
            if self.full:
                return
