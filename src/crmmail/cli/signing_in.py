"""Signing in from the command line: an account's test, and the certificate that is agreed to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from crmmail.accounts import typed
from crmmail.cli.new_account import NewAccount
from crmmail.cli.next_step import next_step
from crmmail.cli.output import confirm, note
from crmmail.cli.problems import RefusedError
from crmmail.errors import CrmmailError
from crmmail.text import pairs

if TYPE_CHECKING:
    from crmmail.sync.answers import FolderInfo
    from crmmail.sync.session import SignIn

_T = TypeVar("_T")


def sign_in(account: SignIn, password: str = "", otherwise: str = "") -> list[FolderInfo]:
    """Sign in and list the folders; a refused sign-in has an exit code of its own.

    `otherwise` is what to do then; without it, what an account that is there can do.
    """
    from crmmail.accounts.secret_error import SecretError
    from crmmail.sync.problems import Refused
    from crmmail.sync.session import check

    try:
        return check(account, password)
    except Refused as problem:
        step = otherwise or next_step("refused", account.email)
        if isinstance(problem.__cause__, SecretError):  # nothing was sent
            raise CrmmailError(str(problem), f"{problem.hint} {step}") from problem
        raise RefusedError(str(problem), f"{step}. {problem.hint}".strip()) from problem


def tried(new: NewAccount) -> NewAccount:
    """The account after a sign-in that went well, with the certificate that was agreed to."""
    from crmmail.sync.problems import Untrusted

    if not new.host:
        return new
    try:
        new, folders = trying(
            new, lambda one: sign_in(one, one.password, "Check the user name and the password")
        )
    except Untrusted as problem:
        if problem.changed or not sys.stdin.isatty():
            hint = f"{problem.hint} To trust this one: --pin {pairs(problem.fingerprint)}"
            raise CrmmailError(str(problem), hint) from problem
        note(f"{problem} {problem.hint}")
        confirm("Trust this certificate, and no other, from now on?")
        return tried(replace(new, pin=problem.fingerprint))
    say_folders(folders)
    return new


def trying(new: NewAccount, attempt: Callable[[NewAccount], _T]) -> tuple[NewAccount, _T]:
    """What a sign-in brings, and the account with the password that was taken.

    A typed password that is refused is asked for again, three times in all.
    """
    if not new.is_typed:
        return new, attempt(new)
    from crmmail.sync.problems import Denied

    entered = [new]

    def again(problem: CrmmailError, left: int) -> None:
        cause = problem.__cause__
        if not (left and isinstance(problem, RefusedError) and isinstance(cause, Denied)):
            raise problem
        note(f"{problem} {cause.hint}")
        entered.append(entered[-1].retyped())

    return typed.retried(lambda: entered[-1], lambda one: (one, attempt(one)), again)


def say_folders(folders: list[FolderInfo]) -> None:
    """Say what a sign-in has found."""
    count = sum(folder.messages for folder in folders)
    note(f"Signed in: {len(folders)} folders, {count:,} messages.")
