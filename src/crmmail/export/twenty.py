"""Records as the CSV that Twenty's importer maps by itself.

Its columns are called "Field / Part". A record refers to another one by what is unique of it: a
company's domain as a URL, a person's first address. So companies are imported first, then people,
then opportunities, with at most 10,000 rows a file.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence

from crmmail import money
from crmmail.store import companies, opportunities, people
from crmmail.store.kinds import Kind

ROWS_A_FILE = 10_000
_COMPANY = "Company / Domain Name / Link URL"
_LINKEDIN, _X = "Linkedin / Link URL", "X / Link URL"
HEADS = {
    Kind.PERSON: (
        *("Name / First Name", "Name / Last Name", "Emails / Primary Email"),
        *("Emails / Additional Emails", "Phones / Primary Phone Number", "Job Title"),
        *(_LINKEDIN, _X, _COMPANY),
    ),
    Kind.COMPANY: (
        *("Name", "Domain Name / Link URL", "Domain Name / Secondary Links"),
        *(_LINKEDIN, _X),
    ),
    Kind.OPPORTUNITY: (
        *("Name", "Amount / Amount", "Amount / Currency", "Close date", "Stage"),
        *(_COMPANY, "Point of Contact / Emails / Primary Email"),
    ),
}
_STAGES = {"won": "CUSTOMER"}  # the others have the same names there; it has none for "lost"
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[\d\s()./-]*")


def rows(db: sqlite3.Connection, kind: Kind) -> Iterator[Sequence[str]]:
    """The rows of all live records of a kind, by name, under HEADS[kind]."""
    view, row = {
        Kind.PERSON: (people.view, _person),
        Kind.COMPANY: (companies.view, _company),
        Kind.OPPORTUNITY: (opportunities.view, _opportunity),
    }[kind]
    for record_id in view(db, "name"):
        if cells := row(db, record_id):
            yield [harmless(cell) for cell in cells]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay as they are."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _person(db: sqlite3.Connection, person_id: int) -> Sequence[str]:
    if (person := people.get(db, person_id)) is None:
        return ()
    first, _, last = person.name.rpartition(" ")
    return (
        *((first, last) if first else (last, "")),
        person.addresses[0] if person.addresses else "",
        _json(person.addresses[1:]),
        person.phone,
        person.job,
        *_profiles(person.links),
        _domain(db, person.company_id),
    )


def _company(db: sqlite3.Connection, company_id: int) -> Sequence[str]:
    if (company := companies.get(db, company_id)) is None:
        return ()
    first, *more = [f"https://{domain}" for domain in company.domains] or [""]
    others = [{"url": url, "label": ""} for url in more]
    return company.name, first, _json(others), *_profiles(company.links)


def _opportunity(db: sqlite3.Connection, opportunity_id: int) -> Sequence[str]:
    if (deal := opportunities.get(db, opportunity_id)) is None:
        return ()
    first, *_ = (*people.addresses(db, deal.contact_id or 0), "")
    return (
        deal.name,
        money.exact(deal.amount, deal.currency),
        deal.currency if deal.amount else "",
        deal.closes_on,
        _STAGES.get(deal.stage, deal.stage.upper()),
        _domain(db, deal.company_id),
        first,
    )


def _domain(db: sqlite3.Connection, company_id: int | None) -> str:
    domains = companies.domains(db, company_id) if company_id else ()
    return f"https://{domains[0]}" if domains else ""


def _profiles(links: str) -> tuple[str, str]:
    """Of somebody's links, those for which there is a column."""
    found = links.split()
    linkedin = next((link for link in found if "linkedin.com/" in link), "")
    x = next((link for link in found if re.search(r"//(?:www\.)?(?:x|twitter)\.com/", link)), "")
    return linkedin, x


def _json(values: Sequence[object]) -> str:
    return json.dumps(values, ensure_ascii=False) if values else ""
