"""The app on a store: `python -m benchmarks.launch STORE [sync]`, or `empty` for no app at all.

The empty app is what the first paint is compared with: Textual, a header, a footer.
"""

from __future__ import annotations

import sys
from pathlib import Path

EMPTY_TITLE = "An empty app"


def main() -> None:
    """Open what the command line says, until it is ended."""
    if sys.argv[1] == "empty":
        _empty()
    else:
        from crmmail.app import run

        run(Path(sys.argv[1]), sync="sync" in sys.argv[2:])


def _empty() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import Footer, Header

    class Empty(App[None]):
        """Nothing but its own frame."""

        TITLE = EMPTY_TITLE

        def compose(self) -> ComposeResult:
            yield Header()
            yield Footer()

    Empty().run()


if __name__ == "__main__":
    main()
