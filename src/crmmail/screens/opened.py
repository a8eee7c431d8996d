"""What a record held when its form was opened: newer values are not overwritten unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crmmail import money
from crmmail.errors import CrmmailError
from crmmail.screens.undo import FieldError
from crmmail.store import companies, opportunities, people
from crmmail.store.companies import CompanyDetail
from crmmail.store.database import Store
from crmmail.store.opportunities import OpportunityDetail
from crmmail.store.people import PersonDetail
from crmmail.store.records import ChangedError, spoken

Detail = PersonDetail | CompanyDetail | OpportunityDetail
_PRICE = ("amount", "currency")
_FIELDS = {"primary address": "addresses"}
"""Which field shows the error of a value that has no field to itself."""
_MOST_SHOWN = 200  # characters of a newer value


class Opened:
    """What a record held when its form was opened.

    What another process has put there meanwhile is told before it is overwritten: the next save of
    the form does it.
    """

    def __init__(self, store: Store, record: Detail) -> None:
        self._store = store
        self._record = record
        self.values = _values(record)
        self.told: set[str] = set()
        """The fields of which a newer value was told."""

    def of(self, key: str) -> dict[str, Any]:
        """What has to be there still for a field to be stored; an amount is of its currency."""
        keys = ("amount", "currency") if key == "amount" else (key,)
        return {one: self.values[one] for one in keys}

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Say what a field holds now that was changed meanwhile."""
        try:
            yield
        except ChangedError as problem:
            raise self._changed(problem) from problem

    def _changed(self, problem: ChangedError) -> CrmmailError:
        get = {PersonDetail: people.get, CompanyDetail: companies.get}.get(
            type(self._record), opportunities.get
        )
        now = get(self._store.read(), self._record.id)
        if now is None:
            return problem
        keys = ("amount", "currency") if problem.field in _PRICE else (problem.field,)
        self.values |= {key: _values(now)[key] for key in keys}
        self.told |= {*keys}
        words = " ".join(_shown(now, key) for key in keys).strip()
        return FieldError(
            _FIELDS.get(problem.field, keys[0]),
            f"The {spoken(keys[0])} was changed meanwhile. It is now: {words or 'empty'}",
            "Save again to put yours in its place. To keep that, leave the form.",
        )


def _values(record: Detail) -> dict[str, Any]:
    """What a record holds, as it is stored; its primary address apart."""
    values = {name: getattr(record, name) for name in type(record).__slots__}
    return values | {"primary address": next(iter(values.get("addresses", ())), "")}


def _shown(record: Detail, key: str) -> str:
    if key == "amount" and isinstance(record, OpportunityDetail):
        return money.exact(record.amount, record.currency)
    return " ".join(str(_values(record)[key.removesuffix("_id")]).split())[:_MOST_SHOWN]
