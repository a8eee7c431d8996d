"""calendar list, on, off, remove; import: calendars, and what people without CalDAV have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from crmmail.cli.arguments import argument, checked, is_file, option, some
from crmmail.cli.output import AsJson, confirm, examples, iso, note, open_store, print_json, table
from crmmail.errors import CrmmailError
from crmmail.store import accounts, calendars, mail_rules
from crmmail.store.calendars import CalendarRow
from crmmail.store.database import Store
from crmmail.text import one_line
from crmmail.widgets import words

group = typer.Typer(
    no_args_is_help=True,
    help="The calendars that crmmail reads.",
    epilog=examples("crmmail calendar list", "crmmail calendar off Birthdays"),
)
IMPORT_EXAMPLES = examples(
    "crmmail import meetings.ics", "crmmail import - --calendar Work < export.ics"
)

Name = Annotated[str, argument("NAME", some, "The calendar's name.")]
_IS_ADDRESS = checked(mail_rules.as_address)
_OF_SEVERAL = "Of this account, if several have it."
Account = Annotated[str, option("--account", check=_IS_ADDRESS, words=_OF_SEVERAL, metavar="EMAIL")]


@group.command("list", epilog=examples("crmmail calendar list", "crmmail calendar list --json"))
def list_(as_json: AsJson = False) -> None:
    """List the calendars, with what they hold."""
    with open_store() as store:
        found = _shapes(store)
    if as_json:
        print_json(found)
    elif not found:
        note("No calendar yet. An account's: crmmail account set EMAIL --caldav URL. A file's:")
        note("crmmail import FILE.ics")
    else:
        table(("name", "account", "read", "meetings", "skipped", "error"), map(_cells, found))


@group.command(epilog=examples("crmmail calendar on Work"))
def on(name: Name, account: Account = "") -> None:
    """Read a calendar. The next sync fetches its meetings."""
    _select(name, account, on=True)


@group.command(epilog=examples("crmmail calendar off Birthdays"))
def off(name: Name, account: Account = "") -> None:
    """Do not read a calendar. Its meetings leave with the next sync."""
    _select(name, account, on=False)


@group.command(
    epilog=examples("crmmail calendar remove Work", "crmmail calendar remove Work --yes")
)
def remove(
    name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Remove a calendar that was imported from a file, with its meetings."""
    from crmmail.sync import meetings

    with open_store() as store:
        row = calendars.named(store.read(), name, files=True)
        held = calendars.counts(store.read(), row.id).meetings
        if not yes:
            what = words.plural(held, "meeting")
            confirm(f"Remove {row.name} and its {what} from the store?")
        meetings.drop(store, row.id)
    note(f"Removed {row.name}. Its file can be imported again.")


def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", callback=checked(is_file), help="An .ics file; - for stdin."
        ),
    ],
    calendar: Annotated[
        str,
        typer.Option(
            metavar="NAME", callback=some, help="The calendar to keep it in; else the file's name."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Import meetings from an .ics file, for those whose calendar is on no CalDAV server.

    To import a file again brings what is new and changed in it; what it no longer has stays.
    """
    from crmmail.sync.importing import import_file

    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    name = one_line(calendar, 200) or one_line(Path(file).stem, 200).strip("-") or "import"
    with open_store() as store:
        done = import_file(store, name, data)
        held = calendars.counts(store.read(), done.calendar_id)
    if as_json:
        print_json(
            {
                "calendar": name,
                "read": done.read,
                "new": done.new,
                "changed": done.changed,
                "meetings": held.meetings,
                "skipped": dict(sorted(held.skipped.items())),
            }
        )
        return
    note(
        f"{name}: {words.plural(done.read, 'meeting')} read, {done.new:,} new, "
        f"{done.changed:,} changed; {held.meetings:,} in the store{_skipped(held.skipped)}."
    )


def _select(name: str, email: str, *, on: bool) -> None:
    with open_store() as store:
        row = calendars.named(store.read(), name, email)
        if row.from_file:
            raise CrmmailError(
                f"{row.name} was imported from a file: there is nothing to read.",
                f"To take it away: crmmail calendar remove {row.name}",
            )
        calendars.select(store, row.id, on=on)
    note(f"{row.name} is {'read' if on else 'not read'} from the next sync on.")


def _shapes(store: Store) -> list[dict[str, Any]]:
    db = store.read()
    emails = {row.id: row.email for row in accounts.all_accounts(db)}
    return [_shape(store, row, emails) for row in calendars.rows(db)]


def _shape(store: Store, row: CalendarRow, emails: dict[int, str]) -> dict[str, Any]:
    held = calendars.counts(store.read(), row.id)
    return {
        "name": row.name,
        "account": emails.get(row.account_id or 0),
        "color": row.color or None,
        "read": row.selected,
        "meetings": held.meetings,
        "skipped": dict(sorted(held.skipped.items())),
        "last_success": iso(row.last_success),
        "error": row.error or None,
    }


def _cells(shape: dict[str, Any]) -> tuple[str, ...]:
    return (
        shape["name"],
        shape["account"] or "from a file",
        "yes" if shape["read"] else "no",
        f"{shape['meetings']:,}",
        f"{sum(shape['skipped'].values()):,}",
        shape["error"] or "",
    )


def _skipped(skipped: dict[str, int]) -> str:
    reasons = ", ".join(f"{name} {n:,}" for name, n in sorted(skipped.items()))
    return f", {sum(skipped.values()):,} skipped ({reasons})" if reasons else ""
