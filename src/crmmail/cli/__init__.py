"""The crmmail command. Without arguments it opens the app; everything else is in root.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import crmmail
from crmmail.cli.problems import Exit, tell
from crmmail.errors import CrmmailError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code. A problem becomes a sentence on stderr."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(words)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:  # `crmmail people list | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as problem:
        code = tell(problem)
        if code is None:
            raise
        return code


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        print(f"crmmail {crmmail.__version__}")
        return Exit.OK
    # The app needs no typer, and its first picture should not wait for it. A shell that asks for
    # completions calls crmmail without arguments too.
    if not words and "_CRMMAIL_COMPLETE" not in os.environ:
        return _open_app()
    from crmmail.cli.root import app

    try:
        app(words, prog_name="crmmail")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.OK
    return Exit.OK


def _open_app() -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CrmmailError(
            "The app needs a terminal.",
            "For scripts there are commands with --json: crmmail --help",
        )
    from crmmail.app import run
    from crmmail.settings import store_path

    run(store_path())
    return Exit.OK
