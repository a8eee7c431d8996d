"""The forms of people, companies and opportunities: what they ask and how it is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from crmmail import money, web_links
from crmmail.errors import CrmmailError
from crmmail.screens.choices import finder, stage, stages
from crmmail.screens.form import Field, Form, Value, Values, lines_of
from crmmail.screens.opened import Detail, Opened
from crmmail.screens.undo import FieldError, Steps, Undo
from crmmail.store import address_book, companies, opportunities, people, undoing
from crmmail.store.companies import CompanyDetail
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.opportunities import OpportunityDetail
from crmmail.store.people import PersonDetail
from crmmail.store.records import ChangedError, spoken
from crmmail.widgets.picker import Choice

Made = Callable[[int], object]
"""What to do when a record was made; it gets the id."""


@contextmanager
def field(key: str) -> Iterator[None]:
    """Errors of the store in here are about one field."""
    try:
        yield
    except (FieldError, ChangedError):
        raise
    except CrmmailError as problem:
        raise FieldError(key, str(problem), problem.hint) from problem


def edit_form(store: Store, record: Detail) -> Form:
    """The form that changes a record."""
    if isinstance(record, PersonDetail):
        asked, save = _person(store, record), partial(_save_person, store, record)
    elif isinstance(record, CompanyDetail):
        asked, save = _company(record), partial(_save_company, store, record)
    else:
        asked, save = _opportunity(store, record), partial(_save_opportunity, store, record)
    starts = {one.key: one.start for one in asked}
    opened = Opened(store, record)

    def save_changes(values: Values) -> Undo | None:
        changed = {
            key: value
            for key, value in values.items()
            if value != starts[key] or key in opened.told
        }
        with opened.telling(), Steps() as steps:
            save(changed, opened, steps)
        return steps.undo

    return Form(
        f"Edit {record.name}", asked, save_changes, lambda values: f"{_name(values)} changed"
    )


def new_form(store: Store, kind: int, made: Made, company: Choice | None = None) -> Form:
    """The form that makes a record."""
    titles = {
        Kind.PERSON: ("New person", _person(store, None, company), _make_person),
        Kind.COMPANY: ("New company", _company(None), _make_company),
        Kind.OPPORTUNITY: (
            "New opportunity",
            _opportunity(store, None, company),
            _make_opportunity,
        ),
    }
    title, asked, make = titles[Kind(kind)]
    ids: list[int] = []

    def save(values: Values) -> Undo:
        record_id, undo = make(store, values)
        ids.append(record_id)
        return undo

    return Form(
        title, asked, save, lambda values: f"{_name(values)} created", lambda: made(ids[-1])
    )


def _name(values: Values) -> str:
    first = next(lines_of(values.get("addresses")), "")
    return str(values["name"] or first).strip()


def _picked(record_id: int | None, name: str) -> Choice | None:
    return Choice(record_id, name) if record_id else None


# People


def _person(
    store: Store, record: PersonDetail | None, company: Choice | None = None
) -> Sequence[Field]:
    at = _picked(record.company_id, record.company) if record else company
    return (
        Field("name", "Name", record.name if record else ""),
        Field(
            "addresses",
            "Addresses",
            "\n".join(record.addresses) if record else "",
            "One a line, the primary one first",
            height=3,
        ),
        Field(
            "company_id",
            "Company",
            hint="A part of its name",
            find=finder(store, Kind.COMPANY),
            chosen=at,
        ),
        Field("job", "Job", record.job if record else ""),
        Field("phone", "Phone", record.phone if record else ""),
        Field("links", "Links", record.links if record else "", "One a line", height=2),
    )


def _make_person(store: Store, values: Values) -> tuple[int, Undo]:
    with field("addresses"):
        wanted = _addresses(values["addresses"])
        before = {one: address_book.held(store.read(), one) for one in wanted}
    rest = {key: str(values[key] or "") for key in ("job", "phone", "links")}
    with field("phone"):
        web_links.phone(rest["phone"])
    with field("links"):
        web_links.kept(rest["links"])
    with field("addresses" if values["name"] else "name"):
        company = values["company_id"]
        person_id = people.create(
            store, str(values["name"]), wanted, int(company) if company else None, **rest
        )

    return person_id, partial(people.unmake, store, person_id, before)


def _save_person(
    store: Store, record: PersonDetail, changed: Values, opened: Opened, steps: Steps
) -> None:
    edit: Callable[..., dict[str, Any]] = partial(people.edit, store, record.id)
    keys = ("name", "company_id", "job", "phone", "links")
    _save_fields(edit, edit, changed, keys, opened, steps)
    if "addresses" in changed:
        with field("addresses"):
            wanted = _addresses(changed["addresses"])
            if not wanted and record.addresses and not record.name:
                raise CrmmailError("A person needs a name or an address.", "Give at least one.")
            _save_addresses(store, record, wanted, opened, steps)


def _addresses(typed: Value) -> list[str]:
    return list(dict.fromkeys(address_book.parse(one) for one in lines_of(typed)))


def _save_addresses(
    store: Store, record: PersonDetail, wanted: Sequence[str], opened: Opened, steps: Steps
) -> None:
    """Add and remove what was added and removed in the form: others may have done so meanwhile."""
    now = people.addresses(store.read(), record.id)
    for address in wanted:
        if address not in (*record.addresses, *now):
            whose = people.add_address(store, record.id, address)
            steps.add(address, partial(people.remove_address, store, record.id, address, whose))
    primary = opened.values["primary address"]
    if wanted and primary and wanted[0] not in (primary, *now[:1]):
        was = people.set_primary(store, record.id, wanted[0], primary)
        steps.add("primary address", partial(people.set_primary, store, record.id, was, wanted[0]))
    for address in now:
        if address in record.addresses and address not in wanted:
            mark = people.remove_address(store, record.id, address)
            steps.add(address, partial(people.put_address_back, store, record.id, address, mark))


def _save_fields(
    edit: Callable[..., dict[str, Any]],
    put_back: Callable[..., object],
    changed: Values,
    keys: Iterable[str],
    opened: Opened,
    steps: Steps,
) -> None:
    """Store fields one by one, so that an error is about the field that it is of."""
    for key in keys:
        if key in changed:
            with field(key):
                before = edit(opened=opened.of(key), **{key: changed[key]})
            steps.add(spoken(key), partial(put_back, instead_of={key: changed[key]}, **before))


# Companies


def _company(record: CompanyDetail | None) -> Sequence[Field]:
    return (
        Field("name", "Name", record.name if record else ""),
        Field(
            "domains",
            "Domains",
            "\n".join(record.domains) if record else "",
            "One a line, like acme.com",
            height=3,
        ),
        Field("links", "Links", record.links if record else "", "One a line", height=2),
    )


def _make_company(store: Store, values: Values) -> tuple[int, Undo]:
    with field("domains"):
        before = companies.holders(store.read(), lines_of(values["domains"]))
    with field("links"):
        web_links.kept(str(values["links"] or ""))
    with field("domains" if str(values["name"]).strip() else "name"):
        company_id = companies.create(
            store,
            str(values["name"]),
            lines_of(values["domains"]),
            links=str(values["links"] or ""),
        )
    return company_id, partial(companies.unmake, store, company_id, before)


def _save_company(
    store: Store, record: CompanyDetail, changed: Values, opened: Opened, steps: Steps
) -> None:
    edit: Callable[..., dict[str, Any]] = partial(companies.edit, store, record.id)
    _save_fields(edit, edit, changed, ("name", "links"), opened, steps)
    if "domains" in changed:
        with field("domains"):
            _save_domains(store, record, list(lines_of(changed["domains"])), steps)


def _save_domains(store: Store, record: CompanyDetail, typed: Sequence[str], steps: Steps) -> None:
    """Add and remove what was added and removed in the form: others may have done so meanwhile."""
    wanted = companies.holders(store.read(), typed)
    now = companies.domains(store.read(), record.id)
    for domain, holder in wanted.items():
        if domain not in (*record.domains, *now):
            mark = undoing.mark(store.read())
            companies.add_domain(store, record.id, domain)
            back = partial(companies.take_domain_back, store, record.id, domain)
            steps.add(domain, partial(back, holder, mark))
    for domain in now:
        if domain in record.domains and domain not in wanted:
            mark = companies.remove_domain(store, record.id, domain)
            steps.add(domain, partial(companies.put_domain_back, store, record.id, domain, mark))


# Opportunities


def _opportunity(
    store: Store, record: OpportunityDetail | None, company: Choice | None = None
) -> Sequence[Field]:
    currency = record.currency if record else "EUR"
    present = stage(record.stage if record else opportunities.STAGES[0])
    at = _picked(record.company_id, record.company) if record else company
    contact = _picked(record.contact_id, record.contact) if record else None
    part = "A part of the name"
    return (
        Field("name", "Name", record.name if record else ""),
        Field("stage", "Stage", find=stages(present), chosen=present),
        Field("amount", "Amount", money.exact(record.amount, currency) if record else ""),
        Field("currency", "Currency", currency, "EUR"),
        Field("closes_on", "Closes", record.closes_on if record else "", "2026-03-14"),
        Field("company_id", "Company", hint=part, find=finder(store, Kind.COMPANY), chosen=at),
        Field("contact_id", "Contact", hint=part, find=finder(store, Kind.PERSON), chosen=contact),
    )


def _stored(values: Values, currency: str) -> dict[str, Value]:
    """The fields of an opportunity as the store takes them."""
    fields = dict(values)
    if "stage" in fields:
        number = fields["stage"]
        if not isinstance(number, int):
            known = ", ".join(opportunities.STAGES)
            raise FieldError("stage", "A stage is missing.", f"One of: {known}.")
        fields["stage"] = opportunities.STAGES[number]
    if "amount" in fields:
        with field("amount"):
            fields["amount"] = money.parse(str(fields["amount"] or ""), currency)
    for key, value in fields.items():
        with field(key):
            opportunities.check(key, value)
    return fields


def _make_opportunity(store: Store, values: Values) -> tuple[int, Undo]:
    fields: dict[str, Any] = _stored(values, str(values["currency"] or "").strip().upper())
    with field("name"):
        opportunity_id = opportunities.add(store, **fields)
    return opportunity_id, partial(opportunities.unmake, store, opportunity_id)


def _save_opportunity(
    store: Store, record: OpportunityDetail, changed: Values, opened: Opened, steps: Steps
) -> None:
    currency = str(changed.get("currency", record.currency) or "").strip().upper()
    if "currency" in changed and "amount" not in changed:
        changed = {**changed, "amount": money.exact(record.amount, record.currency)}
    fields = _stored(changed, currency)
    edit: Callable[..., dict[str, Any]] = partial(opportunities.edit, store, record.id)
    put_back = partial(opportunities.put_back, store, record.id)
    if "currency" in fields:  # the number means nothing without it: they change at once
        priced = {key: fields.pop(key) for key in ("currency", "amount")}
        before = edit(opened=opened.of("amount"), **priced)
        steps.add(spoken("amount"), partial(put_back, instead_of=priced, **before))
    _save_fields(edit, put_back, fields, fields, opened, steps)
