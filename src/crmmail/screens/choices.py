"""What can be picked while its name is typed: people, companies, opportunities, stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crmmail.store import companies, named, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.picker import SHOWN, Choice, Find


def finder(store: Store, kind: int, without: int | None = None) -> Find:
    """Finds the records of a kind by words: by their names, then those of the last contact."""
    read: Callable[[Store, str], list[Choice]] = {
        Kind.PERSON: _people,
        Kind.COMPANY: _companies,
        Kind.OPPORTUNITY: _opportunities,
    }[Kind(kind)]

    def find(words: str) -> Sequence[Choice]:
        return [choice for choice in read(store, words) if choice.id != without]

    return find


def _people(store: Store, words: str) -> list[Choice]:
    db = store.read()
    ids = people.view(db, match=words, limit=SHOWN)
    found = people.rows(db, named.ranked(db, Kind.PERSON, words, ids, SHOWN))
    return [
        Choice(row.id, row.name, "   ".join(filter(None, (row.address, row.company))))
        for row in found
    ]


def _companies(store: Store, words: str) -> list[Choice]:
    db = store.read()
    ids = companies.view(db, match=words, limit=SHOWN)
    found = companies.rows(db, named.ranked(db, Kind.COMPANY, words, ids, SHOWN))
    return [Choice(row.id, row.name, ", ".join(row.domains)) for row in found]


def _opportunities(store: Store, words: str) -> list[Choice]:
    db = store.read()
    ids = opportunities.view(db, match=words, limit=SHOWN)
    found = opportunities.rows(db, named.ranked(db, Kind.OPPORTUNITY, words, ids, SHOWN))
    return [Choice(row.id, row.name, f"{row.stage}   {row.company}") for row in found]


_STAGES = tuple(Choice(i, stage) for i, stage in enumerate(opportunities.STAGES))
_ELSEWHERE = -1


def stage(name: str) -> Choice:
    """A stage, by its name; also one that is none of ours, as another program may have set it."""
    return next((one for one in _STAGES if one.name == name), Choice(_ELSEWHERE, name))


def stages(present: Choice) -> Find:
    """Finds the stages that contain some words; all of them when there is nothing else to offer."""
    offered = _STAGES if present in _STAGES else (*_STAGES, present)

    def find(words: str) -> Sequence[Choice]:
        return [one for one in offered if words.lower() in one.name.lower()] or offered

    return find
