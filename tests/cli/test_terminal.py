"""The app and the terminal: suspended, ended by signals or by an error, or not drawn at all."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from crmmail.cli.problems import terminal_fault
from tests.cli.conftest import Cli
from tests.terminal import Terminal, python

APP = "from crmmail.cli import main; import sys; sys.exit(main([]))"
STUCK = f"""
import time
from crmmail import app, hang_up
hang_up._PATIENCE = 0.2
def stay(self):
    print("\\x1b[31mstuck", file=sys.__stderr__, flush=True)
    while True:
        time.sleep(1)
import sys
app.CrmmailApp.action_keys = stay
{APP}
"""
F1 = b"\x1bOP"
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_ends_the_app_leaves_the_terminal_as_it_was(number: int) -> None:
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"People")
        assert {1049, 1000, 1003, 25, "kitty 1"} <= terminal.left_on
        os.kill(terminal.pid, number)
        assert terminal.ends() == 128 + number
        assert terminal.left_on == set()


@pytest.mark.parametrize("number", SIGNALS)
def test_so_does_one_that_comes_while_the_app_does_not_answer(number: int) -> None:
    with Terminal(*python(STUCK)) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(F1)
        terminal.shows(b"stuck")
        os.kill(terminal.pid, number)
        assert terminal.ends() == 128 + number
        assert terminal.left_on == set()


def test_a_signal_that_the_app_was_told_to_ignore_does_not_end_it() -> None:
    ignoring = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); {APP}"
    with Terminal(*python(ignoring)) as terminal:
        terminal.shows(b"Your mailbox")
        os.kill(terminal.pid, signal.SIGHUP)
        terminal.press(F1)
        terminal.shows(b"Keys")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.ends() == 143


def test_bytes_that_no_key_sends_do_not_end_the_app() -> None:
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(b"\xff\x1b[97;1:3u\x1b[1114112u\x1b]11;rgb:0000/0000/0000\x1b\\")
        terminal.press(F1)
        terminal.shows(b"Keys")
        terminal.press(b"\x11")
        terminal.shows(b"y/n")  # the unknown character stands in the form
        terminal.press(b"y")
        assert terminal.ends() == 0


def test_ctrl_q_leaves_the_terminal_as_it_was() -> None:
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(b"\x11")
        assert terminal.ends() == 0
        assert terminal.left_on == set()


@pytest.mark.parametrize("command", ["{}", 'sh -c "{}; true"'])
def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_comes_back(command: str) -> None:
    with Terminal("env", "PS1=what now> ", "sh", "-i") as shell:
        shell.shows(b"what now> ")
        shell.press(f"{command.format(f'{sys.executable} -m crmmail')}\n".encode())
        shell.shows(b"Your mailbox")
        shell.press(b"\x1a")
        shell.shows(b"Stopped")
        shell.shows(b"what now> ")
        assert shell.left_on == set()
        shell.press(b"fg\n")
        shell.shows(b"\x1b[?1049h")
        shell.shows(b"Your mailbox")
        shell.press(b"\x11")
        shell.shows(b"what now> ")  # what is typed before that is lost: the app discards it
        shell.press(b"echo ended=$?\n")
        shell.shows(b"ended=0")
        assert shell.left_on == set()
        shell.press(b"exit\n")
        shell.ends()


def test_ctrl_z_where_there_is_no_shell_does_not_stop_the_app() -> None:
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(b"\x1a")
        terminal.shows(b"There is no shell")
        assert 1049 in terminal.left_on
        terminal.press(b"\x11")
        assert terminal.ends() == 0


@pytest.mark.parametrize("command", ["crmmail", "crmmail demo"])
@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("TERM=dumb", b"A terminal of the type dumb cannot place its cursor"),
        ("TERM=unknown", b"TERM is unknown"),
        ("TERM=", b"TERM is not set"),
        ("-u TERM", b"TERM is not set"),
    ],
)
def test_a_terminal_that_the_app_cannot_be_drawn_on_gets_a_sentence(
    term: str, words: bytes, command: str
) -> None:
    run = f"env {term} {sys.executable} -m {command}"
    with Terminal("sh", "-c", run) as terminal:
        assert terminal.ends() == 1
        assert words in terminal.seen
        assert b"xterm-256color" in terminal.seen
        assert b"\x1b" not in terminal.seen


@pytest.mark.parametrize("redirected", ["</dev/null", ">/dev/null", "2>file", "</dev/null 2>file"])
def test_the_app_is_not_drawn_where_nobody_would_see_it(redirected: str, tmp_path: Path) -> None:
    run = f"cd {tmp_path}; {sys.executable} -m crmmail {redirected}"
    with Terminal("sh", "-c", run) as terminal:
        assert terminal.ends() == 1
        file = tmp_path / "file"
        said = (file.read_bytes() if file.exists() else b"") + terminal.seen
        assert b"crmmail: The app " in said
        assert b"\x1b" not in said


def test_a_type_of_terminal_that_the_system_does_not_know_is_taken_to_be_a_modern_one() -> None:
    for term in ("xterm-ghostty", "tmux-256color", "contour", "no-such-terminal"):
        assert terminal_fault(term) is None


def crashing(how: str) -> str:
    """The app, with an error of its own on F1, among values that nobody else may see."""
    return f"""
import threading
from crmmail import app
def fail(*_, **__):
    subject = "the divorce of ann@acme.example"
    raise ValueError(subject)
{how}
{APP}
"""


@pytest.mark.parametrize(
    "how",
    [
        "app.CrmmailApp.action_keys = fail",
        "app.CrmmailApp.action_keys = lambda self: self.run_worker(fail, thread=True)",
        "app.CrmmailApp.action_keys = lambda self: self.set_timer(0.01, fail)",
        "app.CrmmailApp.action_keys = lambda self: self.screen.call_later(fail)",
        "app.CrmmailApp.__init__ = fail",
        "app.Collector = fail",
    ],
)
def test_a_crash_ends_with_a_sentence_and_a_log_without_anybody_s_mail(
    how: str, cli: Cli, tmp_path: Path
) -> None:
    with Terminal(*python(crashing(how))) as terminal:
        if "action_keys" in how:
            terminal.shows(b"Your mailbox")
            terminal.press(F1)
        assert terminal.ends() == 1
        said = b" ".join(terminal.seen.split())
        assert b"an error of its own (ValueError). The store is safe" in said
        assert b"crmmail doctor --report" in said
        assert terminal.left_on == set()
        assert b"Traceback" not in said
        assert b"divorce" not in said
    log = tmp_path / "data" / "crmmail.log"
    assert str(log).encode() in said
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert text.count("crmmail ended") == 1
    assert "ValueError" in text
    assert " fail\n" in text
    assert "divorce" not in text
    assert "acme" not in text
    report = cli("doctor", "--report", "--offline").out
    assert "the last error of crmmail's own" in report
    assert " fail\n" in report
    assert str(tmp_path) not in report


def test_a_thread_that_ends_by_an_error_is_told_and_the_app_goes_on(tmp_path: Path) -> None:
    how = "app.CrmmailApp.action_keys = lambda self: threading.Thread(target=fail).start()"
    with Terminal(*python(crashing(how))) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(F1)
        terminal.shows(b"A part of crmmail")
        terminal.press(b"\x11")
        assert terminal.ends() == 0
        assert b"divorce" not in terminal.seen
    assert "ValueError" in (tmp_path / "data" / "crmmail.log").read_text()


def test_a_command_s_own_error_is_told_in_the_same_way(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> Path:
        raise ValueError("ann@acme.example")

    monkeypatch.setattr("crmmail.settings.store_path", fail)
    monkeypatch.delenv("CRMMAIL_TRACEBACK")
    outcome = cli("path")
    assert outcome.code == 1
    assert "The store is safe" in outcome.err
    assert "Traceback" not in outcome.err
    assert "ann@" not in outcome.err + (tmp_path / "data" / "crmmail.log").read_text()
    monkeypatch.setenv("CRMMAIL_TRACEBACK", "1")
    with pytest.raises(ValueError, match="ann@"):
        cli("path")


def test_a_paste_without_its_end_leaves_the_keyboard_as_it_was() -> None:
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(b"\x1b[200~ann@b.test")
        terminal.shows(b"ann@b.test")
        terminal.press(F1)
        terminal.shows(b"Keys")


@pytest.mark.parametrize("number", SIGNALS)
def test_what_was_typed_when_a_signal_ends_the_app_is_kept_without_passwords(
    number: int, tmp_path: Path
) -> None:
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"Your mailbox")
        terminal.press(b"ann@b.test\thunter2" + F1)
        terminal.shows(b"Keys")
        os.kill(terminal.pid, number)
        assert terminal.ends() == 128 + number
    (kept,) = tmp_path.rglob("*.unsaved-*")
    text = kept.read_text()
    assert text.startswith("New account\nAddress: ann@b.test\n")
    assert "hunter2" not in text
    assert kept.stat().st_mode & 0o777 == 0o600
    with Terminal(*python(APP)) as terminal:
        terminal.shows(b"Text that you typed in a form and did not")
