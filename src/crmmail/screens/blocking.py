"""Blocking addresses from where they are seen: one key, and the way back (M3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from crmmail.errors import CrmmailError
from crmmail.screens.undo import Do, Steps, Undo, listed
from crmmail.store import effects, mail_rules
from crmmail.store.database import Store


def blocking(
    store: Store, addresses: Sequence[str], then: Callable[[], object] | None = None
) -> Do:
    """The wish to block these addresses; its words say what that removes."""

    def words() -> str:
        removed = effects.block(store.read(), *addresses).rstrip(".")
        return f"{listed(addresses)} blocked. {removed}"

    return Do(words, partial(_block, store, addresses), then, destroys=True)


def _block(store: Store, addresses: Sequence[str]) -> Undo:
    known = mail_rules.blocked(store.read())
    fresh = [one for one in addresses if mail_rules.as_pattern(one) not in known]
    if not fresh:  # to take that back would take back what was blocked before
        raise CrmmailError(f"{listed(addresses)}: blocked already.")
    with Steps() as steps:
        for address in fresh:
            mail_rules.block(store, address)
            steps.add(address, partial(mail_rules.unblock, store, address))
    return steps.undo
