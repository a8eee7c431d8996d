"""Write the README's key table: `make keys`. What the app binds is where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from crmmail.app import CrmmailApp
from crmmail.keymap import actions

PAGE = Path(__file__).parents[1] / "README.md"
_BEGIN, _END = "<!-- keys: made by `make keys` -->", "<!-- end of keys -->"


def section() -> str:
    """The table, between its marks."""
    return "\n".join([_BEGIN, "", "| where | keys |", "|---|---|", *_rows(), "", _END])


def _rows() -> Iterator[str]:
    for place, found in groupby(actions(CrmmailApp), key=lambda action: action.place):
        cells = []
        for action in found:
            keys = " ".join(f"`{key}`" for key in action.keys)
            cells.append(f"{keys} {action.does[:1].lower()}{action.does[1:]}".replace("|", "\\|"))
        yield f"| {place} | {' · '.join(cells)} |"


def main() -> None:
    """Put the table into the README."""
    page = PAGE.read_text("utf-8")
    pattern = f"{re.escape(_BEGIN)}.*?{re.escape(_END)}"
    PAGE.write_text(re.sub(pattern, lambda _: section(), page, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
