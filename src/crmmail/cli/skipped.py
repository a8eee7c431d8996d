"""skipped: what did not enter (mail, meetings, contacts), each with the rule."""

from __future__ import annotations

from typing import Annotated

import typer

from crmmail.cli.arguments import MANY, choose, of, one_of
from crmmail.cli.output import AsJson, examples, iso, note, open_store, print_json, table
from crmmail.cli.problems import ArgumentError
from crmmail.store import contact_ledger, ledger, meeting_ledger
from crmmail.store.kinds import Kind
from crmmail.store.ledger import Filter
from crmmail.widgets.words import titled, tries

EXAMPLES = examples(
    "crmmail skipped",
    "crmmail skipped --reason group --limit 20",
    "crmmail skipped --meetings",
    "crmmail skipped --contacts",
)


def skipped(
    reason: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            callback=one_of(*dict.fromkeys((*ledger.REASONS, *meeting_ledger.REASONS))),
            help="Only of this reason.",
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=0, max=MANY, help="At most so many.")] = 50,
    meetings: Annotated[bool, typer.Option("--meetings", help="Meetings instead of mail.")] = False,
    contacts: Annotated[
        bool, typer.Option("--contacts", help="Deleted contacts that mail still comes from.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The skip list: mail that did not enter, newest first, with the rule that kept it out.

    With --meetings: the meetings that did not. With --contacts: people and companies that you
    deleted, and that their mail does not bring back (C5).
    """
    if contacts:
        if reason or meetings:
            raise ArgumentError("--contacts goes with neither --reason nor --meetings.")
        _contacts(limit, as_json)
        return
    with of("--reason"):
        known = meeting_ledger.REASONS if meetings else ledger.REASONS
        choose(reason or known[0], known)
    if meetings:
        _meetings(reason, limit, as_json)
        return
    with open_store() as store:
        rows = list(ledger.rows(store.read(), reason, limit=limit))
    if as_json:
        print_json(
            [
                {
                    "account": row.email,
                    "folder": row.folder,
                    "reason": row.reason,
                    "detail": row.detail,
                    "message_id": row.message_id,
                    "time": iso(row.sent_at),
                    "subject": row.subject,
                    "sender": row.sender,
                    "attempts": row.attempts,
                    "next_try": iso(row.next_try),
                }
                for row in rows
            ]
        )
    elif rows:
        table(
            ("when", "from", "subject", "why"),
            [
                (
                    (iso(row.sent_at) or "")[:10],
                    row.sender,
                    row.subject,
                    "; ".join(filter(None, (row.words, tries(row.attempts, row.next_try)))),
                )
                for row in rows
            ],
        )
    elif not limit:
        return
    elif reason == "folder":
        note("Messages of a folder that is not read are not listed: crmmail account folders EMAIL")
    else:
        note(f"No message was skipped{f' as {reason}' if reason else ''}.")


def _meetings(reason: str, limit: int, as_json: bool) -> None:
    with open_store() as store:
        rows = list(meeting_ledger.rows(store.read(), reason, limit))
    if as_json:
        print_json(
            [
                {
                    "account": row.account or None,
                    "calendar": row.calendar,
                    "uid": row.uid,
                    "reason": row.reason,
                    "detail": row.detail,
                    "starts_at": iso(row.starts_at),
                    "title": row.title,
                }
                for row in rows
            ]
        )
    elif rows:
        table(
            ("starts", "title", "why", "calendar"),
            [
                (
                    (iso(row.starts_at) or "")[:10],
                    titled(row.title, row.hidden),
                    row.words,
                    row.calendar,
                )
                for row in rows
            ],
        )
    elif not limit:
        return
    elif reason == "calendar":
        note("Meetings of a calendar that is not read are not listed: crmmail calendar list")
    else:
        note(f"No meeting was skipped{f' as {reason}' if reason else ''}.")


def _contacts(limit: int, as_json: bool) -> None:
    with open_store() as store:
        db = store.read()
        rows = contact_ledger.window(db, contact_ledger.view(db, Filter())[:limit])
    if as_json:
        print_json(
            [
                {
                    "kind": Kind(row.kind).name.lower(),
                    "id": row.record_id,
                    "name": row.name,
                    "known_by": row.known,
                    "deleted_at": iso(row.deleted_at),
                    "messages": row.messages,
                    "meetings": row.meetings,
                }
                for row in rows
            ]
        )
    elif rows:
        table(
            ("deleted", "name", "known by", "messages", "why"),
            [
                (
                    (iso(row.deleted_at) or "")[:10],
                    row.name,
                    row.known,
                    f"{row.messages:,}",
                    row.words,
                )
                for row in rows
            ],
        )
    elif limit:
        note("No mail comes from a contact that you deleted.")
