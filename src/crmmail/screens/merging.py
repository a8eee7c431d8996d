"""Merging records: which of them can stay, with what the merge would do then."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from crmmail.screens.catalogue import catalogue
from crmmail.screens.headers import name_of
from crmmail.screens.options import Option
from crmmail.screens.undo import Steps, Undo
from crmmail.store import merge_effect, merging
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.words import plural

_MOST = 8  # of many that are marked, the first ones can be chosen to stay


def options(store: Store, kind: Kind, keep: int, others: Sequence[int]) -> list[Option]:
    """A choice for each record that can stay, that of the wish first."""
    every = (keep, *others)
    return [_option(store, kind, one, every, place) for place, one in enumerate(every[:_MOST])]


def _option(store: Store, kind: Kind, keep: int, every: Sequence[int], place: int) -> Option:
    db = store.read()
    others = tuple(one for one in every if one != keep)
    name = name_of(db, kind, keep)
    merged = (
        name_of(db, kind, others[0])
        if len(others) == 1
        else plural(len(others), *catalogue(kind).nouns)
    )
    return Option(
        place,
        f"{name} stays",
        merge_effect.effect(db, kind, keep, others),
        partial(merge, store, kind, keep, others),
        f"{merged} merged into {name}",
    )


def merge(store: Store, kind: Kind, keep: int, others: Sequence[int]) -> Undo:
    """Merge records into one; returns what parts them again."""
    with Steps() as steps:
        for other in others:
            name = name_of(store.read(), kind, other)
            done = merging.merge(store, kind, keep, other)
            steps.add(name, partial(merging.unmerge, store, done))
    return steps.undo
