"""The crmmail command. Without arguments it opens the app; everything else is in root.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import crmmail
from crmmail import typing_ahead
from crmmail.cli.problems import Exit, UnprintedError, close_pipe, flush, need_terminal, tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code. A problem becomes a sentence on stderr."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    UnprintedError.has_changed = False
    _open_standard_files()
    try:
        return _told(words)
    finally:
        typing_ahead.discard()


def _open_standard_files() -> None:
    """Let what is printed go nowhere where crmmail is started with its output closed.

    Else a file that is opened later gets that number, and what is printed would be written to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _told(words: list[str]) -> int:
    """Run a command line, and say what went wrong."""
    try:
        code = _run(words)
        if (problem := flush()) is not None:
            raise problem
        return code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        close_pipe()
        return Exit.OK
    except Exception as problem:
        if (told := tell(problem, words)) is not None:
            return told
        if "CRMMAIL_TRACEBACK" in os.environ:
            raise
        from crmmail.crash import crashed

        return tell(crashed(problem), words) or Exit.PROBLEM


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        print(f"crmmail {crmmail.__version__}")
        return Exit.OK
    # The app needs no typer, and its first picture should not wait for it. A shell that asks for
    # completions calls crmmail without arguments too.
    if not words and "_CRMMAIL_COMPLETE" not in os.environ:
        return _open_app()
    from crmmail.cli.arguments import run
    from crmmail.cli.root import app
    from crmmail.hang_up import ended_by_signals

    try:
        with ended_by_signals():
            return run(app, words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.OK


def _open_app() -> int:
    need_terminal()
    from crmmail.app import run
    from crmmail.settings import store_path
    from crmmail.signing import DEMO

    if run(store_path()) == DEMO:
        from crmmail.cli.demo import demo

        demo()
    return Exit.OK
