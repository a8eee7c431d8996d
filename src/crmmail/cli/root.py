"""The tree of commands."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

import crmmail
from crmmail.accounts import credentials
from crmmail.cli import (
    accounts,
    attachment,
    backup,
    calendars,
    demo,
    doctor,
    dump,
    export,
    forget,
    keys,
    let_in,
    logs,
    meetings,
    records,
    rules,
    search,
    skipped,
    status,
    sync,
    threads,
    why,
)
from crmmail.cli.opportunities import opportunity_group
from crmmail.cli.output import examples, note, write

app = typer.Typer(
    no_args_is_help=False,
    # A traceback with local variables could show a password.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("crmmail", "crmmail demo", "crmmail people list --match acme"),
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    """Your mailboxes as a CRM, in a terminal. Without a command: the app."""
    logs.keep_safe()
    credentials.waiting = partial(note, "Waiting for the keyring. A window may ask to unlock it.")
    if version:
        write(f"crmmail {crmmail.__version__}\n")
    elif context.invoked_subcommand is None:
        write(context.get_help() + "\n")


app.add_typer(accounts.group, name="account")
app.add_typer(calendars.group, name="calendar")
app.command(epilog=sync.EXAMPLES)(sync.sync)
app.command("import", epilog=calendars.IMPORT_EXAMPLES)(calendars.import_)
for names, made in (
    (("people", "person"), records.group(records.PEOPLE)),
    (("companies", "company"), records.group(records.COMPANIES)),
    (("opportunities", "opportunity"), opportunity_group),
    (("thread", "threads"), threads.group),
    (("meeting", "meetings"), meetings.group),
):
    for number, name in enumerate(names):
        app.add_typer(made, name=name, hidden=number > 0)
app.command(epilog=attachment.ATTACHMENT_EXAMPLES)(attachment.attachment)
app.command(epilog=attachment.SOURCE_EXAMPLES)(attachment.source)
app.command(epilog=meetings.AGENDA_EXAMPLES)(meetings.agenda)
app.command(epilog=search.EXAMPLES)(search.search)
app.command(epilog=why.EXAMPLES)(why.why)
app.command(epilog=skipped.EXAMPLES)(skipped.skipped)
app.add_typer(rules.block_group, name="block")
app.add_typer(let_in.group, name="let-in")
app.command(epilog=status.STATUS_EXAMPLES)(status.status)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(epilog=dump.EXAMPLES)(dump.dump)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(epilog=forget.FORGET_EXAMPLES)(forget.forget)
app.command(epilog=forget.REMEMBER_EXAMPLES)(forget.remember)
app.command(epilog=backup.BACKUP_EXAMPLES)(backup.backup)
app.command(epilog=backup.RESTORE_EXAMPLES)(backup.restore)
app.command(epilog=backup.REBUILD_EXAMPLES)(backup.rebuild)
app.command(epilog=status.PATH_EXAMPLES)(status.path)
app.command(epilog=keys.CONFIG_EXAMPLES)(keys.config)
app.command(epilog=keys.KEYS_EXAMPLES)(keys.keys)
app.command(epilog=demo.EXAMPLES)(demo.demo)
