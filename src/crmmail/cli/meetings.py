"""agenda, meeting show."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from crmmail.cli import shapes
from crmmail.cli.arguments import Id, checked, quoted
from crmmail.cli.output import AsJson, examples, note, open_store, print_json, table, write
from crmmail.cli.problems import NotFoundError
from crmmail.errors import CrmmailError
from crmmail.store import meeting_detail, meetings, query
from crmmail.store.meetings import DAY, OccurrenceRow
from crmmail.widgets import meeting_text
from crmmail.widgets.occasion import clock, place
from crmmail.widgets.words import titled

AGENDA_EXAMPLES = examples(
    "crmmail agenda", "crmmail agenda --days 1", "crmmail agenda --from 2026-03-02 --days 5 --json"
)
group = typer.Typer(
    no_args_is_help=True,
    help="The meetings in the store; crmmail agenda lists them.",
    epilog=examples("crmmail meeting show 7", "crmmail meeting show 7 --json"),
)


def agenda(
    days: Annotated[int, typer.Option(min=1, max=3_660, help="So many days.")] = 14,
    since: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="DATE",
            callback=checked(lambda text: _day(text)),
            help="From that day on; without it, today.",
        ),
    ] = "today",
    as_json: AsJson = False,
) -> None:
    """List the meetings of the next days, all records together."""
    first = _day(since)
    with open_store() as store:
        db = store.read()
        ids = meetings.every(db).between(first, first + days * DAY)
        found = [row for part in shapes.windows(ids) for row in meetings.rows(db, part)]
    if as_json:
        print_json([shapes.meeting(row) for row in found])
    elif found:
        table(("id", "when", "what", "who", "where"), map(_cells, found), ("id",))
    else:
        note("No meetings in these days.")


@group.command(epilog=examples("crmmail meeting show 7", "crmmail meeting show 7 --json"))
def show(
    which: Id,
    as_json: AsJson = False,
) -> None:
    """Show one meeting: when, who comes, what about, its other times, the mail before it."""
    with open_store() as store:
        db = store.read()
        found = meeting_detail.get(db, which)
        if found is None:
            raise NotFoundError(
                f"There is no meeting {which}.", "List them: crmmail agenda --days 365"
            )
        shape = shapes.meeting_detail(db, found)
    if as_json:
        print_json(shape)
    else:
        write("\n".join(_lines(found, shape)) + "\n")


def _day(text: str) -> int:
    """The first second of a day on a local clock (see Times)."""
    at = query.day(text, time.time())
    if at is None:
        raise CrmmailError(
            f"{quoted(text)} is not a day.", "Give one as 2026-03-14, or today, or tomorrow."
        )
    return calendar.timegm(time.localtime(at))


def _cells(row: OccurrenceRow) -> tuple[str, ...]:
    state = " (cancelled)" if row.cancelled else ""
    title = titled(row.title, row.hidden) + state
    return str(row.id), span(row), title, ", ".join(row.names), place(row)


def span(row: OccurrenceRow) -> str:
    """When a meeting is, in a table: the local day and times."""
    start, end = (time.gmtime(at) for at in clock(row))
    day = time.strftime("%Y-%m-%d", start)
    if row.all_day:
        last = time.strftime("%Y-%m-%d", time.gmtime(max(row.ends_at - DAY, row.starts_at)))
        return day if last == day else f"{day} – {last}"
    until = "%H:%M" if start[:3] == end[:3] else "%Y-%m-%d %H:%M"
    return f"{day} {time.strftime('%H:%M', start)}–{time.strftime(until, end)}"


def _lines(found: meeting_detail.MeetingDetail, shape: shapes.Shape) -> Iterator[str]:
    yield titled(found.row.title, found.row.hidden)
    for link in shape["links"]:
        yield f"  {link['record']} {link['name']} ({', '.join(link['why'])})"
    for section in meeting_text.sections(found):
        yield ""
        for line in section.lines:
            if text := "".join(piece for piece, _ in line.pieces).rstrip():
                yield text.removesuffix(meeting_text.HINT).removesuffix(meeting_text.TURN)
    yield from _briefing(shape["briefing"])


def _briefing(threads: Iterable[shapes.Shape]) -> Iterator[str]:
    for number, thread in enumerate(threads):
        if not number:
            yield ""
            yield "Latest mail with them"
        yield f"  {thread['id']}  {thread['last_at'][:10]}  {thread['subject']}"
