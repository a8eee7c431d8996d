"""opportunity add: the one record that mail does not bring."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from crmmail.cli import find, shapes
from crmmail.cli.output import AsJson, examples, open_store, print_json, write
from crmmail.cli.records import OPPORTUNITIES, group
from crmmail.store import opportunities
from crmmail.store.kinds import Kind

opportunity_group = group(OPPORTUNITIES)
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


@opportunity_group.command(
    epilog=examples(
        "crmmail opportunity add --name 'New press' --company acme.example",
        "crmmail opportunity add --name Licence --contact ann@acme.example --amount 1200 --json",
    ),
)
def add(
    name: Annotated[str, typer.Option(help="What it is called.")],
    company: Annotated[str, typer.Option(help="Its company: id, name or domain.")] = "",
    contact: Annotated[str, typer.Option(help="Its point of contact: id, name, address.")] = "",
    stage: Annotated[str, typer.Option(help=f"One of: {', '.join(opportunities.STAGES)}.")] = "new",
    amount: Annotated[float, typer.Option(min=0, help="What it may bring, in whole units.")] = 0,
    currency: Annotated[str, typer.Option(help="Three letters.")] = "EUR",
    closes_on: Annotated[str, typer.Option(metavar="DATE", help="When, as 2026-12-31.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add an opportunity; the mail of its company and its contact gathers on it at once."""
    if stage not in opportunities.STAGES:
        raise typer.BadParameter(f"Stages are: {', '.join(opportunities.STAGES)}.")
    if closes_on and not _DATE.fullmatch(closes_on):
        raise typer.BadParameter("--closes-on takes a date as 2026-12-31.")
    with open_store() as store:
        db = store.read()
        added = opportunities.add(
            store,
            name=name,
            company_id=find.record(db, Kind.COMPANY, company) if company else None,
            contact_id=find.record(db, Kind.PERSON, contact) if contact else None,
            stage=stage,
            amount=round(amount * 100),
            currency=currency.upper(),
            closes_on=closes_on,
        )
        found = opportunities.get(db, added)
        if as_json and found:
            print_json(shapes.opportunity_detail(db, found))
        else:
            write(f"Added opportunity {added}. Its threads: crmmail opportunity show {added}\n")
