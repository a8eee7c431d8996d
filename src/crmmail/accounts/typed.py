"""Passwords that are typed for one run of crmmail and kept nowhere but in its memory."""

from __future__ import annotations

import sys
from getpass import getpass

from crmmail.accounts.secret_error import OTHER_WAYS, SecretError

ASK = "ask:"
"""The reference of an account whose password is typed in each run."""
_held: dict[str, str] = {}
_elsewhere: list[str] = []  # how it is typed where the terminal is not free to ask on


class NotTyped(SecretError):
    """Nobody has typed the password in this run."""


def hold(email: str, password: str) -> None:
    """Use a password that was typed, until this process ends or it is dropped."""
    _held[email] = password


def drop(email: str) -> None:
    """Forget a password that was typed: the server refused it."""
    _held.pop(email, None)


def is_held(email: str) -> bool:
    """Whether the password was typed in this run."""
    return email in _held


def ask_elsewhere(hint: str) -> None:
    """From now on ask nobody on the terminal: something else has it. `hint` says what to do."""
    _elsewhere[:] = [hint]


def ask_here() -> None:
    """The terminal is free again."""
    _elsewhere.clear()


def password(email: str) -> str:
    """The password that was typed in this run; on a free terminal it is asked for once."""
    if email not in _held:
        words = f"The password of {email} is typed in each run"
        if _elsewhere:
            raise NotTyped(f"{words}, and has not been typed yet.", _elsewhere[0])
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotTyped(f"{words}, and nobody is here to be asked.", OTHER_WAYS)
        if not (answer := getpass(f"Password of {email} (kept nowhere): ", sys.stderr)):
            raise NotTyped(f"No password was typed for {email}.", "Start again to type it.")
        hold(email, answer)
    return _held[email]
