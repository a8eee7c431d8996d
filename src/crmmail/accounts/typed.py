"""Passwords that are typed for one run of crmmail and kept nowhere but in its memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from getpass import getpass
from typing import TypeVar

from crmmail import typing_ahead
from crmmail.accounts.secret_error import OTHER_WAYS, SecretError
from crmmail.errors import CrmmailError
from crmmail.text import printable

_S = TypeVar("_S")
_T = TypeVar("_T")

ASK = "ask:"
"""The reference of an account whose password is typed in each run."""
TRIES = 3
"""So often a password is asked for when the server refuses it."""
_held: dict[str, str] = {}
_refused: dict[str, str] = {}  # what to say before the next question
_elsewhere: list[str] = []  # how it is typed where the terminal is not free to ask on


class NotTyped(SecretError):
    """Nobody has typed the password in this run."""


def hold(email: str, password: str) -> None:
    """Use a password that was typed, until this process ends or it is dropped."""
    _held[email] = password
    _refused.pop(email, None)


def drop(email: str, said: str = "") -> None:
    """Forget a password that was typed: the server refused it, for the reason that it `said`."""
    _held.pop(email, None)
    _refused[email] = said


def is_held(email: str) -> bool:
    """Whether the password was typed in this run."""
    return email in _held


def was_refused(email: str) -> bool:
    """Whether the server refused what was typed, and nothing else is typed yet."""
    return email in _refused


def ask_elsewhere(hint: str) -> None:
    """From now on ask nobody on the terminal: something else has it. `hint` says what to do."""
    _elsewhere[:] = [hint]


def ask_here() -> None:
    """The terminal is free again."""
    _elsewhere.clear()


def can_ask() -> bool:
    """Whether somebody is there to type a password on the terminal, and it is free."""
    return not _elsewhere and sys.stdin.isatty() and sys.stderr.isatty()


def unseen() -> AbstractContextManager[None]:
    """In this block the server is asked: no password that is typed meanwhile is shown or kept."""
    return typing_ahead.unseen() if can_ask() else nullcontext()


def ask(question: str) -> str:
    """Ask for a password on the terminal, unseen; "" when none was typed."""
    typing_ahead.asked(question)
    return getpass(question, sys.stderr)


def password(email: str) -> str:
    """The password that was typed in this run; on a free terminal it is asked for once."""
    if email not in _held:
        words = f"The password of {email} is typed in each run"
        if _elsewhere:
            raise NotTyped(f"{words}, and has not been typed yet.", _elsewhere[0])
        if not can_ask():
            raise NotTyped(f"{words}, and nobody is here to be asked.", OTHER_WAYS)
        if said := _refused.pop(email, ""):
            print(printable(said), file=sys.stderr)
        if not (answer := ask(f"Password of {email} (kept nowhere): ")):
            raise NotTyped(f"No password was typed for {email}.", "Start again to type it.")
        hold(email, answer)
    return _held[email]


def retried(
    secret: Callable[[], _S],
    attempt: Callable[[_S], _T],
    again: Callable[[CrmmailError, int], None],
) -> _T:
    """What an attempt with a typed password brings; nothing that is typed meanwhile is shown.

    After one that fails, `again` gets its error and how many may follow. It raises if none may.
    """
    left = TRIES
    while True:
        given, left = secret(), left - 1
        try:
            with unseen():
                return attempt(given)
        except CrmmailError as problem:
            again(problem, left)
            if not left:
                raise
