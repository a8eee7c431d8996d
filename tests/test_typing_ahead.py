"""The terminal shows nothing that is typed while a password is tried, and all of it after (P5)."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from crmmail import hang_up
from tests.terminal import Terminal

_TELLS_AFTER = '"$@"; code=$?; stty -a | grep -ow -e "-\\?echo"; echo code=$code.'
"""Run a program, and say whether its terminal shows what is typed, and how the program ended."""
_WAITS = "import os, signal, time; print(f'pid={os.getpid()}.', flush=True); time.sleep(600)"


def program(around: str = "", before: str = "") -> str:
    """A program that waits while nothing is shown."""
    lines = [
        "import os, signal, sys, termios",
        "from crmmail import hang_up, typing_ahead",
        before,
        f"with {around}:" if around else "if True:",
        "    with typing_ahead.unseen():",
        f"        {_WAITS}",
    ]
    return "\n".join(lines)


def ended(text: str, *signals: int) -> bytes:
    """What the terminal says after a program that got these signals."""
    command = ("sh", "-c", _TELLS_AFTER, "sh", sys.executable, "-c", text)
    with Terminal(*command) as terminal:
        terminal.shows(b"pid=")
        terminal.shows(b".")
        pid = int(terminal.past.rpartition(b"pid=")[2].rstrip(b"."))
        terminal.asks_unseen()
        for number in signals:
            os.kill(pid, number)
        assert terminal.ends() == 0
        return terminal.seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("around", ["", "hang_up.ended_by_signals()"])
def test_a_signal_leaves_the_terminal_as_it_was(number: int, around: str) -> None:
    seen = ended(program(around), number)
    assert b"\r\necho\r\n" in b"\r\n" + seen
    assert f"code={128 + number}.".encode() in seen


_ANOTHER_SIGNAL = """
set_modes = termios.tcsetattr
def interrupted(terminal, when, modes):
    if modes[3] & termios.ECHO:
        termios.tcsetattr = set_modes
        os.kill(os.getpid(), signal.SIGHUP)
    set_modes(terminal, when, modes)
termios.tcsetattr = interrupted
"""


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_so_does_a_second_one_that_comes_meanwhile(first: int) -> None:
    seen = ended(program("hang_up.ended_by_signals()", _ANOTHER_SIGNAL), first)
    assert b"\r\necho\r\n" in b"\r\n" + seen
    assert f"code={128 + signal.SIGHUP}.".encode() in seen


def test_after_it_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    with hang_up.undone_by_signals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before
