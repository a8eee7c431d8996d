"""What is logged while a command runs is a line on stderr, never a traceback."""

from __future__ import annotations

import logging
import sys
from io import StringIO

import pytest

from crmmail.cli import logs


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """A logger that only the last handler of all listens to, as in a command."""
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    logs.keep_safe()
    return logging.Logger("crmmail.tests")


def test_a_warning_is_one_line_on_stderr(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.warning("the store is not rewritten yet: %s", "database or disk is full")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "the store is not rewritten yet: database or disk is full\n"


def test_of_an_exception_only_its_kind_is_printed(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise ValueError("Ann Lee, ann@acme.example")
    except ValueError as problem:
        log.error("message %d", 7, exc_info=problem)
    assert capsys.readouterr().err == "message 7: ValueError\n"


@pytest.mark.parametrize("broken", ["closed", "none", "arguments"])
def test_what_cannot_be_printed_is_no_error_of_its_own(
    log: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: str,
) -> None:
    gone = StringIO()
    gone.close()
    if broken != "arguments":
        monkeypatch.setattr(sys, "stderr", gone if broken == "closed" else None)
    log.warning("%d", "no number" if broken == "arguments" else 1)
    monkeypatch.undo()
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
