"""One account brought up to date, and a report of it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from crmmail.accounts import typed
from crmmail.store import accounts, calendars
from crmmail.store.database import Store
from crmmail.store.trouble import is_trouble
from crmmail.sync import state
from crmmail.sync.account import AccountSync
from crmmail.sync.believing import Looks
from crmmail.sync.problems import Denied, Problem, Refused, Unsafe, state_after, told
from crmmail.sync.session import AccountRow, CalendarAccount, sign_in

_TRIES = 3
"""Connections in a row without progress after which a single run gives up."""


@dataclass(frozen=True, slots=True)
class CalendarReport:
    """What a calendar holds after a run."""

    name: str
    meetings: int
    skipped: dict[str, int]  # resources in the ledger, by reason
    errors: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """What an account's sync came to: totals of the store after the run."""

    email: str
    listed: int  # messages that the server lists, in all folders
    stored: int  # of those, how many are in the store; one message in two folders counts twice
    messages: int  # different messages among them
    skipped: dict[str, int]  # of those listed, how many are in the ledger, by reason
    threads: int
    seconds: float
    bytes_received: int
    errors: list[str]
    calendars: list[CalendarReport] = field(default_factory=list)


def sync_account(
    store: Store,
    account: AccountRow,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Pass over an account until nothing is left to do. What went wrong is in the report."""
    started = time.monotonic()
    received = 0
    errors: list[str] = []
    tries = 0
    looks = Looks()
    forget = _watch(store, account, on_progress)
    try:
        while tries < _TRIES:
            before = _done(store, account)
            try:
                mailbox = sign_in(account)
                try:
                    sync = AccountSync(store, account.id, mailbox, looks)
                    state.update(store, account.id, state="checking")
                    sync.settle()
                    errors = sync.errors
                    state.ended(store, account.id, errors)
                    break
                finally:
                    received += mailbox.received
                    mailbox.close()
            except Exception as problem:
                if is_trouble(problem):
                    raise  # where nothing can be written, no state can
                words, hint = told(problem)
                errors = [f"{words} {hint}".strip()]
                state.broken_off(store, account.id, words, hint, state_after(problem))
                if not isinstance(problem, Problem) or isinstance(problem, Refused | Unsafe):
                    break
                tries = tries + 1 if _done(store, account) == before else 1
                time.sleep(min(problem.wait, 5.0) or 0.5)
    except BaseException:
        words = "The last sync was interrupted. The next one goes on from where it was."
        with suppress(sqlite3.Error):  # the store itself may be what failed
            state.broken_off(store, account.id, words, "")
        raise
    finally:
        forget()
    return _report(store, account, time.monotonic() - started, received, errors)


def add_calendars(store: Store, account: CalendarAccount, report: Report | None) -> Report:
    """Read an account's calendars too, and put what came of it into its report."""
    from crmmail.sync import calendars as sync_calendars  # 0.2 s that mail alone does without

    has_mailbox = report is not None
    report = report or Report(account.email, 0, 0, 0, {}, 0, 0.0, 0, [])
    started = time.monotonic()
    received, errors, hint, went_well = 0, list[str](), "", False
    looks = Looks()
    for _ in range(_TRIES):
        try:
            dav = sync_calendars.sign_in(account)
            sync = sync_calendars.CalendarSync(store, account, dav, looks)
            try:
                sync.settle()
                errors, hint, went_well = sync.errors, "", True
                break
            finally:
                received += dav.received
                dav.close()
        except Exception as problem:
            if is_trouble(problem):
                raise
            words, hint = told(problem)
            errors = [words]
            if isinstance(problem, Denied) and account.secret == typed.ASK and not has_mailbox:
                typed.drop(account.email, words)  # else its mail has shown whether it is right
            if not isinstance(problem, Problem) or isinstance(problem, Refused | Unsafe):
                break
            time.sleep(min(problem.wait, 5.0) or 0.5)
    state.calendars(store, account.id, "; ".join(errors), hint, went_well=went_well)
    return replace(
        report,
        seconds=round(report.seconds + time.monotonic() - started, 3),
        bytes_received=report.bytes_received + received,
        errors=report.errors + [f"{one} {hint}".strip() for one in errors],
        calendars=_of_calendars(store, account.id),
    )


def _of_calendars(store: Store, account_id: int) -> list[CalendarReport]:
    db = store.read()
    reports = []
    for row in calendars.rows(db, account_id):
        if row.selected:
            held = calendars.counts(db, row.id)
            errors = [row.error] if row.error else []
            reports.append(CalendarReport(row.name, held.meetings, held.skipped, errors))
    return reports


def _report(
    store: Store, account: AccountRow, seconds: float, received: int, errors: list[str]
) -> Report:
    counts = accounts.counts(store.read(), account.id)
    return Report(
        account.email,
        counts.listed,
        counts.stored,
        counts.messages,
        counts.skipped,
        counts.threads,
        round(seconds, 3),
        received,
        errors,
    )


def _watch(
    store: Store, account: AccountRow, on_progress: Callable[[str, int, int], None] | None
) -> Callable[[], object]:
    if on_progress is None:
        return bool

    def tell(_notice: object) -> None:
        row = (
            store.read()
            .execute("SELECT done, total FROM sync_state WHERE account_id = ?", [account.id])
            .fetchone()
        )
        if row:
            on_progress(account.email, *row)

    return store.subscribe(tell)


def _done(store: Store, account: AccountRow) -> int:
    row = (
        store.read()
        .execute("SELECT done FROM sync_state WHERE account_id = ?", [account.id])
        .fetchone()
    )
    return int(row[0]) if row else 0
