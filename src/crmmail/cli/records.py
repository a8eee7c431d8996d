"""people, companies, opportunities: list and show."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

import typer

from crmmail import money
from crmmail.cli import find, shapes
from crmmail.cli.arguments import Limit, choose, of, some
from crmmail.cli.output import AsJson, day, examples, note, open_store, print_json, table, write
from crmmail.cli.problems import NotFoundError
from crmmail.store import accounts, companies, opportunities, people, threads
from crmmail.store import records as stored
from crmmail.store.kinds import Kind


@dataclass(frozen=True, slots=True)
class Record:
    """What the commands of one kind of record need to know about it."""

    kind: Kind
    one: str
    many: str
    module: ModuleType
    sorts: str
    head: tuple[str, ...]
    cells: Callable[[Any], Sequence[str]]
    shape: Callable[[sqlite3.Connection, Any], shapes.Shape]
    detail: Callable[[sqlite3.Connection, Any], shapes.Shape]
    facts: Callable[[shapes.Shape], Iterable[tuple[str, str]]]
    sample: str


Match = Annotated[str, typer.Option(help="Only those with each of these words.")]
Sort = Annotated[str, typer.Option(help="What to sort by.")]
Reverse = Annotated[bool, typer.Option("--reverse", help="The other way round.")]
Which = Annotated[
    str, typer.Argument(metavar="ID", callback=some, help="Its id, or its exact name.")
]


def group(record: Record) -> typer.Typer:
    """The commands of one kind of record."""
    made = typer.Typer(
        no_args_is_help=True,
        help=f"The {record.many} in the store; {record.one} is the same command.",
        epilog=examples(f"crmmail {record.many} list", f"crmmail {record.one} show 12 --json"),
    )
    _add_list(made, record)
    _add_show(made, record)
    return made


def _add_list(made: typer.Typer, record: Record) -> None:
    sorts = record.sorts.split(", ")

    @made.command(
        "list",
        help=f"List {record.many}, newest contact first.\n\nSorts: {record.sorts}.",
        epilog=examples(
            f"crmmail {record.many} list --match {record.sample}",
            f"crmmail {record.many} list --sort name --json",
        ),
    )
    def list_(
        match: Match = "",
        sort: Sort = "last",
        reverse: Reverse = False,
        limit: Limit = None,
        as_json: AsJson = False,
    ) -> None:
        with of("--sort"):
            choose(sort, sorts)
        with open_store() as store:
            db = store.read()
            down = None if not reverse else not _goes_down(sort)
            ids = record.module.view(db, sort, down, match, limit)
            rows = _rows(record.module, db, ids)
            if as_json:
                print_json([record.shape(db, row) for row in rows])
            elif ids:
                right = ("id", "threads", "people", "amount")
                table(record.head, map(record.cells, rows), right)
            elif limit != 0:
                note(_nothing(record, db, match))


def _add_show(made: typer.Typer, record: Record) -> None:
    @made.command(
        "show",
        help=f"Show one {record.one} with all threads, newest first.",
        epilog=examples(f"crmmail {record.one} show 12", f"crmmail {record.one} show 12 --json"),
    )
    def show(
        which: Which,
        as_json: AsJson = False,
    ) -> None:
        with open_store() as store:
            db = store.read()
            found = record.module.get(db, find.record(db, record.kind, which))
            if found is None:
                raise NotFoundError(
                    f"There is no {record.one} {which}.", f"List them: crmmail {record.many} list"
                )
            shape = record.detail(db, found)
            if as_json:
                print_json(shape)
            else:
                _print(record, db, shape)


def _rows(module: ModuleType, db: sqlite3.Connection, ids: Sequence[int]) -> Iterator[Any]:
    for part in shapes.windows(ids):
        yield from module.rows(db, part)


def _goes_down(sort: str) -> bool:
    """Whether a list sorted so shows the greatest first unless told otherwise."""
    return sort in ("last", "threads", "people", "amount")


def _nothing(record: Record, db: sqlite3.Connection, match: str) -> str:
    """Why a list is empty, and what to do."""
    if match:
        return f"No {record.one} matches {match!r}."
    is_deal = record.kind is Kind.OPPORTUNITY
    if gone := stored.deleted(db, record.kind):
        said = f"No {record.many}: you deleted {gone:,}."
        way = "crmmail skipped --contacts, crmmail let-in contact WHO"
        return said if is_deal else f"{said} Those who have mail here, and the way back: {way}"
    if is_deal:
        return "No opportunities yet. Add one: crmmail opportunity add --help"
    steps = "crmmail sync" if accounts.states(db) else "crmmail account add, crmmail sync"
    return f"No {record.many} yet. They come with your mail: {steps}"


def _print(record: Record, db: sqlite3.Connection, shape: shapes.Shape) -> None:
    write(f"{shape['name']}\n")
    for name, value in record.facts(shape):
        if value:
            write(f"  {name:<14}{value}\n")
    write("\n")
    ids = threads.of_record(db, record.kind, shape["id"])
    rows = _rows(threads, db, ids)
    cells = (
        (str(row.id), day(row.last_at), ", ".join(row.names), row.subject, str(row.messages))
        for row in rows
    )
    table(("id", "last", "who", "subject", "messages"), cells, ("id", "messages"))


def _common(shape: shapes.Shape) -> Iterator[tuple[str, str]]:
    yield "Threads", f"{len(shape['threads']):,}"
    yield "First contact", (shape["first_contact"] or "")[:10]
    yield "Last contact", (shape["last_contact"] or "")[:10]
    yield "Meetings", f"{len(shape['meetings']):,}" if shape["meetings"] else ""
    yield "Next meeting", (shape["next_meeting"] or "")[:16].replace("T", " ")
    yield "Id", str(shape["id"])


def _person_facts(shape: shapes.Shape) -> Iterator[tuple[str, str]]:
    yield "Addresses", ", ".join(shape["addresses"])
    yield "Company", shape["company"] or ""
    yield "Job", shape["job"]
    yield "Phone", shape["phone"]
    yield from _common(shape)


def _company_facts(shape: shapes.Shape) -> Iterator[tuple[str, str]]:
    yield "Domains", ", ".join(shape["domains"])
    yield "People", ", ".join(one["name"] for one in shape["people"])
    yield from _common(shape)


def _opportunity_facts(shape: shapes.Shape) -> Iterator[tuple[str, str]]:
    yield "Company", shape["company"] or ""
    yield "Contact", shape["contact"] or ""
    yield "Stage", shape["stage"]
    yield "Amount", money.shown(shape["amount"], shape["currency"])
    yield "Closes on", shape["closes_on"] or ""
    yield from _common(shape)


PEOPLE = Record(
    kind=Kind.PERSON,
    one="person",
    many="people",
    module=people,
    sorts="last, name, company, threads, next",
    head=("id", "name", "address", "company", "threads", "last contact", "next"),
    cells=lambda row: (
        str(row.id), row.name, row.address, row.company, str(row.threads), day(row.last_at),
        day(row.next_at),
    ),
    shape=shapes.person,
    detail=shapes.person_detail,
    facts=_person_facts,
    sample="lee",
)  # fmt: skip
COMPANIES = Record(
    kind=Kind.COMPANY,
    one="company",
    many="companies",
    module=companies,
    sorts="last, name, threads, people, next",
    head=("id", "name", "domains", "people", "threads", "last contact", "next"),
    cells=lambda row: (
        str(row.id), row.name, ", ".join(row.domains), str(row.people), str(row.threads),
        day(row.last_at), day(row.next_at),
    ),
    shape=shapes.company,
    detail=shapes.company_detail,
    facts=_company_facts,
    sample="acme.example",
)  # fmt: skip
OPPORTUNITIES = Record(
    kind=Kind.OPPORTUNITY,
    one="opportunity",
    many="opportunities",
    module=opportunities,
    sorts="last, name, company, stage, amount, closes, threads, next",
    head=("id", "name", "stage", "amount", "company", "contact", "threads", "last contact", "next"),
    cells=lambda row: (
        str(row.id), row.name, row.stage, money.shown(row.amount, row.currency), row.company,
        row.contact, str(row.threads), day(row.last_at), day(row.next_at),
    ),
    shape=shapes.opportunity,
    detail=shapes.opportunity_detail,
    facts=_opportunity_facts,
    sample="licence",
)  # fmt: skip
