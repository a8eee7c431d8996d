"""A refused password is asked for again, and nothing that is typed ahead reaches the shell."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmmail import typing_ahead
from crmmail.accounts import typed
from tests.cli.conftest import ME, Cli
from tests.cli.test_accounts_command import KEYRING
from tests.conftest import Mailbox
from tests.dav_servers import Radicale
from tests.terminal import Terminal

RUN = f"{sys.executable} -m crmmail"
WRONG = b"Xyzzy-plugh-1\n"
AHEAD = b"Xyzzy-plugh-2\n"
QUESTION = b"Password of me@home.example: "
EACH_RUN = b"(kept nowhere):"


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    yield
    typed._held.clear()
    typed._refused.clear()
    typed.ask_here()


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring for programs that a test starts; returns the file with what it holds."""
    (tmp_path / "test_keyring_backend.py").write_text(KEYRING, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "test_keyring_backend.Keyring")
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring"))
    return tmp_path / "keyring"


def adding(box: Mailbox, *more: str) -> str:
    """The command that adds a mailbox and asks for its password."""
    place = f"--imap {box.host}:{box.port} --security none --username {box.user}"
    return " ".join([RUN, "account add", ME, place, *more])


def shell() -> Terminal:
    """A shell at its prompt, which shows what is typed and runs it."""
    return Terminal("env", "PS1=what now> ", "sh", "-i")


def answers(terminal: Terminal, *passwords: bytes, question: bytes = b"Password of") -> None:
    """Type these passwords, one for each time that the question comes."""
    for password in passwords:
        terminal.shows(question)
        terminal.asks_unseen()
        terminal.press(password)


def typed_line(password: str) -> bytes:
    return f"{password}\n".encode()


def test_a_wrong_password_is_asked_for_again_and_the_right_one_is_kept(
    cli: Cli, mailbox: Mailbox, keyring: Path
) -> None:
    with Terminal("sh", "-c", adding(mailbox)) as terminal:
        answers(terminal, WRONG, WRONG, typed_line(mailbox.password), question=QUESTION)
        assert terminal.ends() == 0
        assert terminal.past.count(b"refused the sign-in") == 2
        assert b"Signed in: " in terminal.seen
    assert mailbox.password in keyring.read_text()
    assert "plugh" not in keyring.read_text()
    assert [one["email"] for one in cli("account", "list", "--json").json] == [ME]


def test_the_third_wrong_password_ends_it_with_code_5(cli: Cli, mailbox: Mailbox) -> None:
    with Terminal("sh", "-c", adding(mailbox)) as terminal:
        answers(terminal, WRONG, WRONG, WRONG, question=QUESTION)
        assert terminal.ends() == 5
        assert b"Password of" not in terminal.seen
        assert b"plugh" not in terminal.past
    assert cli("account", "list", "--json").json == []


def test_a_password_typed_ahead_is_neither_shown_nor_run_by_the_shell(mailbox: Mailbox) -> None:
    with shell() as terminal:
        terminal.shows(b"what now> ")
        terminal.press(f"{adding(mailbox)}; echo ended=$?\n".encode())
        answers(terminal, *[WRONG + AHEAD] * 3, question=QUESTION)
        terminal.shows(b"ended=5")
        terminal.shows(b"what now> ")
        terminal.press(b"echo it is $((6 * 7))\n")
        terminal.shows(b"it is 42")
        assert b"plugh" not in terminal.past
        terminal.shows(b"what now> ")
        terminal.press(b"exit\n")
        terminal.ends()


def test_ctrl_c_at_the_question_drops_what_was_typed(mailbox: Mailbox) -> None:
    with shell() as terminal:
        terminal.shows(b"what now> ")
        terminal.press(f"{adding(mailbox)}; echo ended=$?\n".encode())
        answers(terminal, b"Xyzzy-plugh\x03", question=QUESTION)
        terminal.shows(b"what now> ")
        terminal.press(b"echo it is $((6 * 7))\n")
        terminal.shows(b"it is 42")
        assert b"plugh" not in terminal.past
        terminal.press(b"exit\n")
        terminal.ends()


@pytest.mark.parametrize(
    "command",
    ["account remove me@home.example", "rebuild", "forget ann@acme.example", "restore FILE"],
)
def test_no_answer_to_a_question_reaches_the_shell(
    command: str, filled: Path, cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "kept.db"
    assert cli("backup", file).code == 0
    with shell() as terminal:
        terminal.shows(b"what now> ")
        terminal.press(f"{RUN} {command.replace('FILE', str(file))}\n".encode())
        terminal.shows(b"[y/N]")
        terminal.press(b"n\necho run=$((6 * 7))\n")
        terminal.shows(b"what now> ")
        terminal.press(b"echo it is $((6 * 7))\n")
        terminal.shows(b"it is 42")
        assert b"run=42" not in terminal.past
        terminal.press(b"exit\n")
        terminal.ends()


def test_a_sync_asks_again_for_a_password_that_is_typed_in_each_run(mailbox: Mailbox) -> None:
    right = typed_line(mailbox.password)
    with Terminal("sh", "-c", adding(mailbox, "--caldav none")) as terminal:
        terminal.shows(b"kept nowhere")
        answers(terminal, right)
        assert terminal.ends() == 0
    with Terminal("sh", "-c", f"{RUN} sync") as terminal:
        answers(terminal, WRONG, right, question=EACH_RUN)
        assert terminal.ends() == 0
        assert terminal.past.count(b"refused the sign-in") == 1
        assert b"listed messages stored" in terminal.seen
        assert b"plugh" not in terminal.past


def test_so_does_the_test_of_an_account(mailbox: Mailbox) -> None:
    with Terminal("sh", "-c", adding(mailbox, "--caldav none")) as terminal:
        answers(terminal, typed_line(mailbox.password))
        assert terminal.ends() == 0
    with Terminal("sh", "-c", f"{RUN} account test {ME}") as terminal:
        answers(terminal, WRONG, WRONG, WRONG, question=EACH_RUN)
        assert terminal.ends() == 5
        assert b"(kept nowhere)" not in terminal.seen


def test_where_only_calendars_are_read_their_password_is_asked_for_again(
    cli: Cli, radicale: Radicale
) -> None:
    radicale.make("work")
    place = f"--caldav {radicale.url} --caldav-username {radicale.user}"
    words = f"{RUN} account add {ME} --imap none {place}"
    with Terminal("sh", "-c", words) as terminal:
        answers(terminal, WRONG, typed_line(radicale.password), question=QUESTION)
        assert terminal.ends() == 0
        assert b"refused the sign-in to the calendar" in terminal.past
    assert [one["email"] for one in cli("account", "list", "--json").json] == [ME]


def test_a_sync_of_calendars_only_asks_again_too(cli: Cli, radicale: Radicale) -> None:
    radicale.make("work")
    right = typed_line(radicale.password)
    place = f"--caldav {radicale.url} --caldav-username {radicale.user}"
    with Terminal("sh", "-c", f"{RUN} account add {ME} --imap none {place}") as terminal:
        answers(terminal, right)
        assert terminal.ends() == 0
    with Terminal("sh", "-c", f"{RUN} sync") as terminal:
        answers(terminal, WRONG, WRONG, right, question=EACH_RUN)
        assert terminal.ends() == 0
        assert b"0 meetings in 1 calendar" in terminal.seen
        assert b"plugh" not in terminal.past
    assert cli("status", "--json").json["accounts"][0]["error"] is None


def test_without_a_question_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    dropped: list[int] = []
    monkeypatch.setattr("termios.tcflush", lambda *_: dropped.append(1))
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115, PTH123
    typing_ahead.discard()
    assert dropped == []
    typing_ahead.asked("?")
    typing_ahead.discard()
    typing_ahead.discard()
    assert dropped == [1]
