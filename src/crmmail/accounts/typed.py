"""Passwords that are typed for one run of crmmail and kept nowhere but in its memory."""

from __future__ import annotations

import sys
from getpass import getpass

from crmmail.accounts.secret_error import OTHER_WAYS, SecretError

ASK = "ask:"
"""The reference of an account whose password is typed in each run."""
_held: dict[str, str] = {}


def hold(email: str, password: str) -> None:
    """Use a password that was typed, until this process ends."""
    _held[email] = password


def password(email: str) -> str:
    """The password that was typed in this run; on a terminal it is asked for once."""
    if email not in _held:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise SecretError(
                f"The password of {email} is typed in each run, and nobody is here to be asked.",
                OTHER_WAYS,
            )
        if not (answer := getpass(f"Password of {email} (kept nowhere): ", sys.stderr)):
            raise SecretError(f"No password was typed for {email}.", "Start again to type it.")
        hold(email, answer)
    return _held[email]
