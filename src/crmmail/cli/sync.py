"""sync: fetch what is new, once or for as long as it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crmmail import crash, typing_ahead
from crmmail.accounts.secret_error import SecretError
from crmmail.cli.accounts import known
from crmmail.cli.next_step import next_step
from crmmail.cli.output import AsJson, examples, note, open_store, print_json, write
from crmmail.cli.problems import ArgumentError, Exit
from crmmail.errors import CrmmailError
from crmmail.store import accounts, files
from crmmail.store.database import Notice, Store
from crmmail.widgets import words

if TYPE_CHECKING:
    from crmmail.sync.loop import Report

EXAMPLES = examples("crmmail sync", "crmmail sync --once --json", "crmmail sync --watch")


def sync(
    emails: Annotated[
        list[str] | None, typer.Argument(metavar="[EMAIL]...", help="Only these accounts.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="One pass, then end (the default).")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until ctrl+c.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch what is new in the mailboxes and calendars. Nothing on a server is ever changed.

    Exit code 4: it went through, but some account or folder had an error.
    """
    if once and watch:
        raise ArgumentError("Give one of --once and --watch.")
    with crash.watched(note), open_store() as store:
        named = [known(store.read(), email).email for email in emails or ()]
        if not accounts.all_accounts(store.read()):
            raise CrmmailError("There is no account yet.", "Add one: crmmail account add --help")
        _ask_for_passwords(store, named)
        if watch:
            from crmmail.cli.watch import watch as go_on

            if named:
                raise ArgumentError("--watch watches every account.")
            go_on(store, as_json)
            return
        reports = _with_passwords(store, _once(store, named))
        states = {state.email: state.state for state in accounts.states(store.read())}
        fault = files.folder_fault(store.path, written=True)
    if as_json:
        print_json({"accounts": [shape(report) for report in reports]})
    else:
        for report in reports:
            write(sentence(report) + "\n")
    for report in reports:
        for error in report.errors:
            note(f"{report.email}: {error}")
        if report.errors and (step := next_step(states.get(report.email, ""), report.email)):
            note(step)
    if fault is not None:
        note(f"The daily backup failed: {fault} {fault.hint}")
    if any(report.errors for report in reports):
        raise typer.Exit(Exit.SYNC_ERRORS)


def shape(report: Report) -> dict[str, Any]:
    """An account's part of `sync --once --json`: the totals of the store after the run."""
    return {
        "email": report.email,
        "listed": report.listed,
        "stored": report.stored,
        "skipped": dict(sorted(report.skipped.items())),
        "threads": report.threads,
        "seconds": round(report.seconds, 3),
        "bytes_received": report.bytes_received,
        "errors": list(report.errors),
        "calendars": [
            {
                "name": one.name,
                "meetings": one.meetings,
                "skipped": dict(sorted(one.skipped.items())),
                "errors": list(one.errors),
            }
            for one in report.calendars
        ],
    }


def sentence(report: Report) -> str:
    """A run in one line for people."""
    reasons = ", ".join(f"{name} {n:,}" for name, n in sorted(report.skipped.items()))
    skipped = f", {sum(report.skipped.values()):,} skipped ({reasons})" if reasons else ""
    held = sum(one.meetings for one in report.calendars)
    many = words.plural(len(report.calendars), "calendar")
    calendars = f", {words.plural(held, 'meeting')} in {many}" if report.calendars else ""
    return (
        f"{report.email}: {report.stored:,} of {report.listed:,} listed messages stored{skipped}, "
        f"{words.plural(report.threads, 'thread')}{calendars}; "
        f"{words.size(report.bytes_received)} in {report.seconds:.1f} s"
    )


def _ask_for_passwords(store: Store, named: Sequence[str]) -> None:
    """Ask for passwords that are typed in each run, before threads and bars begin."""
    from crmmail.accounts import typed

    for row in accounts.all_accounts(store.read()):
        if row.secret == typed.ASK and not row.paused and (not named or row.email in named):
            with suppress(SecretError):  # the account's own pass says so
                typed.password(row.email)
    if sys.stdin.isatty():
        typed.ask_elsewhere("Run the command again to type it.")


def _with_passwords(store: Store, reports: list[Report]) -> list[Report]:
    """The reports, with another pass where a refused password is typed again."""
    from crmmail.accounts import typed

    for _ in range(typed.TRIES - 1):
        wrong = [one.email for one in reports if typed.was_refused(one.email)]
        typed.ask_here()
        if not wrong or not typed.can_ask():
            break
        _ask_for_passwords(store, wrong)
        if not (answered := [email for email in wrong if typed.is_held(email)]):
            break
        again = {one.email: one for one in _once(store, answered)}
        reports = [again.get(one.email, one) for one in reports]
    return reports


def _once(store: Store, emails: Sequence[str]) -> list[Report]:
    from crmmail.sync.loop import sync_once

    quiet = typing_ahead.unseen() if typing_ahead.has_asked() else nullcontext()
    with quiet, _progress(store):
        return sync_once(store, emails)


@contextmanager
def _progress(store: Store) -> Iterator[None]:
    """Bars on a terminal while a sync runs, on stderr; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    from rich import progress
    from rich.console import Console

    bars = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, progress.TaskID] = {}

    def draw(notice: Notice) -> None:
        if "state" not in notice.topics:
            return
        for state in accounts.states(store.read()):
            if state.email not in tasks:
                tasks[state.email] = bars.add_task(state.email, total=None)
            bars.update(
                tasks[state.email],
                description=f"{state.email}  {state.state}",
                completed=state.done,
                total=state.total or None,
            )

    end = store.subscribe(draw)
    try:
        with bars:
            yield
    finally:
        bars.console.show_cursor()  # an interrupt may come while the bars begin
        end()
