"""What was changed about a record, in words."""

from __future__ import annotations

from crmmail import money
from crmmail.store.changes import FieldChange

_NAMES = {
    "company_id": "Company",
    "contact_id": "Contact",
    "closes_on": "Close date",
    "primary": "Primary address",
}


def told(change: FieldChange) -> str:
    """A change in words: "Stage: proposal → won"."""
    if change.field == "merged":
        return f"Merged with {change.new or 'another'}"
    if change.field == "deleted":
        return "Deleted" if change.new else "Restored"
    name = _NAMES.get(change.field, change.field.capitalize())
    old, new = (_value(change.field, value) for value in (change.old, change.new))
    if not old:
        return f"{name} added: {new}"
    if not new:
        return f"{name} removed: {old}"
    return f"{name}: {old} → {new}"


def _value(field: str, value: str) -> str:
    if field == "amount" and value:
        amount, _, currency = value.partition(" ")
        return money.shown(int(amount), currency)
    return value
