"""What stands above a record's tabs: who it is, how to reach it, since when."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

from crmmail import money
from crmmail.screens.catalogue import catalogue
from crmmail.store import companies, meetings, opportunities, people
from crmmail.store.companies import CompanyDetail
from crmmail.store.kinds import Kind
from crmmail.store.opportunities import OpportunityDetail
from crmmail.store.people import PersonDetail
from crmmail.widgets.pieces import Piece
from crmmail.widgets.words import coming, compact, plural

Detail = PersonDetail | CompanyDetail | OpportunityDetail
Pieces = tuple[Piece, ...]
NAMED = 4  # people of a company that are named


def detail(db: sqlite3.Connection, kind: int, record_id: int) -> Detail | None:
    """The record, or None when it is gone."""
    if kind == Kind.PERSON:
        return people.get(db, record_id)
    if kind == Kind.COMPANY:
        return companies.get(db, record_id)
    return opportunities.get(db, record_id)


def name_of(db: sqlite3.Connection, kind: int, record_id: int) -> str:
    """The name of a record."""
    record = detail(db, kind, record_id)
    return record.name if record else ""


def header(
    db: sqlite3.Connection, kind: int, record_id: int, activity: str = ""
) -> tuple[Pieces, ...] | None:
    """The lines above a record's mail, or None when the record is gone."""
    record = detail(db, kind, record_id)
    if record is None:
        return None
    title: Pieces = ((f"{catalogue(kind).title} › ", "muted"), (record.name, "title"))
    if isinstance(record, PersonDetail):
        about = _person(record)
    elif isinstance(record, CompanyDetail):
        about = _company(db, record)
    else:
        about = _opportunity(record)
    first, *more = about
    history = (*_history(record), (f"   {activity}", "accent"))
    return ((*title, *first), *more, history, _meetings(db, kind, record_id))


def _person(person: PersonDetail) -> Iterator[Pieces]:
    company = f"   {person.company}" if person.company else ""
    job = f"   {person.job}" if person.job else ""
    yield ((company, "accent"), (job, "text"))
    reach = "   ".join(filter(None, (*person.addresses, person.phone)))
    yield ((reach, "text"),)


def _company(db: sqlite3.Connection, company: CompanyDetail) -> Iterator[Pieces]:
    yield ((f"   {'  '.join(company.domains)}", "accent"),)
    names = [row.name for row in people.rows(db, company.people[:NAMED])]
    more = len(company.people) - len(names)
    if names:
        text = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
        yield ((text, "text"),)


def _opportunity(opportunity: OpportunityDetail) -> Iterator[Pieces]:
    amount = money.shown(opportunity.amount, opportunity.currency)
    yield ((f"   {opportunity.stage}", "accent"), (f"   {amount}" if amount else "", "text"))
    closes = f"closes {opportunity.closes_on}" if opportunity.closes_on else ""
    facts = filter(None, (opportunity.company, opportunity.contact, closes))
    yield (("   ".join(facts), "text"),)


def _history(record: Detail) -> Pieces:
    counts = plural(record.threads, "thread")
    if not record.last_at:
        return ((counts, "muted"),)
    first, last = compact(record.first_at), compact(record.last_at)
    return ((f"{counts}   first contact {first}   last contact {last}", "muted"),)


def _meetings(db: sqlite3.Connection, kind: int, record_id: int) -> Pieces:
    """How often one met, when last, and what comes next; nothing where there was no meeting."""
    found = meetings.summary(db, kind, record_id, time.time())
    met = f"met {plural(found.met, 'time')}, last {compact(found.last_at)}" if found.met else ""
    if found.next_id is None:
        return ((met, "muted"),)
    gap = "   " if met else ""
    when = f"{gap}next meeting {coming(found.next_at)} "
    return ((met, "muted"), (when, "accent"), (found.next_title, "text"))
