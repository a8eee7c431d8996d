"""opportunity add: the one record that mail does not bring."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from crmmail import money
from crmmail.cli import find, shapes
from crmmail.cli.arguments import checked, of, one_of, option, text
from crmmail.cli.output import AsJson, examples, open_store, print_json, write
from crmmail.cli.records import OPPORTUNITIES, group
from crmmail.store import opportunities
from crmmail.store.kinds import Kind

opportunity_group = group(OPPORTUNITIES)


def _field(name: str, words: str, metavar: str | None = None) -> Any:
    """An option for a field of an opportunity, which the store checks."""
    return option(check=checked(partial(opportunities.check, name)), words=words, metavar=metavar)


@opportunity_group.command(
    epilog=examples(
        "crmmail opportunity add --name 'New press' --company acme.example",
        "crmmail opportunity add --name Licence --contact ann@acme.example --amount 1200 --json",
        "crmmail opportunity add --name Fonts --amount 98000 --currency JPY",
    ),
)
def add(
    name: Annotated[str, _field("name", "What it is called.")],
    company: Annotated[str, text("Its company: id, name or domain.")] = "",
    contact: Annotated[str, text("Its point of contact: id, name, address.")] = "",
    stage: Annotated[
        str,
        option(
            check=one_of(*opportunities.STAGES),
            words=f"One of: {', '.join(opportunities.STAGES)}.",
        ),
    ] = "new",
    amount: Annotated[str, text("What it may bring, in the currency's unit.", "AMOUNT")] = "",
    currency: Annotated[str, _field("currency", "Its code of three letters.")] = "EUR",
    closes_on: Annotated[str, _field("closes_on", "When, as 2026-12-31.", "DATE")] = "",
    as_json: AsJson = False,
) -> None:
    """Add an opportunity; the mail of its company and its contact gathers on it at once."""
    currency = currency.strip().upper()
    with of("--amount"):
        kept = money.parse(amount, currency)
        opportunities.check("amount", kept)
    with open_store() as store:
        db = store.read()
        added = opportunities.add(
            store,
            name=name,
            company_id=find.record(db, Kind.COMPANY, company) if company else None,
            contact_id=find.record(db, Kind.PERSON, contact) if contact else None,
            stage=stage,
            amount=kept,
            currency=currency,
            closes_on=closes_on,
        )
        found = opportunities.get(db, added)
        if as_json and found:
            print_json(shapes.opportunity_detail(db, found))
        else:
            write(f"Added opportunity {added}. Its threads: crmmail opportunity show {added}\n")
