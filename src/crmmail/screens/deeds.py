"""What can be done to records from a list or from one of them; all of it can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from crmmail.screens.base import StoreScreen
from crmmail.screens.catalogue import catalogue
from crmmail.screens.headers import Detail, detail, name_of
from crmmail.screens.options import Option
from crmmail.screens.undo import Do, Steps, Undo
from crmmail.store import companies, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.picker import Choice, Find
from crmmail.widgets.reading import ask
from crmmail.widgets.words import plural

_DELETING: dict[Kind, tuple[Callable[[Store, int], int], Callable[[Store, int], None]]] = {
    Kind.PERSON: (people.delete, people.restore),
    Kind.COMPANY: (companies.delete, companies.restore),
    Kind.OPPORTUNITY: (opportunities.delete, opportunities.restore),
}
_NO_COMPANY = Choice(0, "No company")
_MANY = 10  # records; to delete or block so many asks first (U4)


@dataclass(frozen=True, slots=True)
class Target:
    """The records that an action is for; `current` is the one under the cursor."""

    kind: Kind
    ids: tuple[int, ...]
    current: int | None


class RecordActions(StoreScreen):
    """A screen from which records are made, changed, merged and deleted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "create", "New", id="record.create", tooltip="Make a new record"),
        Binding(
            "e",
            "edit",
            "Edit",
            id="record.edit",
            tooltip="Change the fields of the record under the cursor; marks do not count",
        ),
        Binding(
            "D",
            "delete",
            "Delete",
            show=False,
            id="record.delete",
            tooltip="Delete the record, or those that are marked",
        ),
        Binding(
            "M",
            "merge",
            "Merge",
            show=False,
            id="record.merge",
            tooltip="Merge what is marked, or the record with another",
        ),
        Binding(
            "B",
            "block",
            "Block",
            show=False,
            id="record.block",
            tooltip="Keep out all mail of the person or company, or of those that are marked",
        ),
        Binding(
            "C",
            "set_company",
            "Set company",
            show=False,
            id="record.set_company",
            tooltip="Choose the company of the person, or of those that are marked",
        ),
    ]

    @property
    def target(self) -> Target:
        """The records that an action is for."""
        raise NotImplementedError

    def done(self) -> None:
        """An action was carried out."""

    # Making and changing

    def action_create(self) -> None:
        """Ask for a new record, and open it."""
        self.create(self.target.kind)

    def create(self, kind: int, company: Choice | None = None) -> None:
        """Ask for a new record of a kind, and open it."""
        from crmmail.screens.edit import new_form
        from crmmail.screens.form import FormScreen
        from crmmail.screens.record import RecordScreen

        def open_it(record_id: int) -> None:
            RecordScreen.open(self.app, self.store, kind, record_id)

        self.app.push_screen(FormScreen(new_form(self.store, kind, open_it, company)))

    def action_edit(self) -> None:
        """Change the fields of the record under the cursor; the title says if others are marked."""
        from crmmail.screens.edit import edit_form
        from crmmail.screens.form import FormScreen

        target = self.target
        is_other = not {target.current}.issuperset(target.ids)

        def edit(record: Detail | None) -> None:
            if record is not None and self.is_current:
                form = edit_form(self.store, record)
                title = f"{form.title} only, nothing that is marked" if is_other else form.title
                self.app.push_screen(FormScreen(replace(form, title=title)))

        self.with_current(edit)

    def with_current(self, do: Callable[[Detail | None], object]) -> None:
        """Do something with the record under the cursor, or with None when it is gone."""
        kind, current = self.target.kind, self.target.current
        if current is not None:
            ask(self, lambda: detail(self.store.read(), kind, current), do)

    # Deleting

    def action_delete(self) -> None:
        """Delete the records; many only after a question."""
        target = self.target
        if target.ids:
            records = self.store, target.kind, target.ids
            work = partial(_delete, *records)
            wanted = Do(lambda: f"{_named(*records)} deleted", work, self.done, destroys=True)
            self._ask_of_many("Delete", target, lambda: self.post_message(wanted))

    def _ask_of_many(self, verb: str, target: Target, do: Callable[[], object]) -> None:
        """Do what destroys: at once to a few records, to many when it is confirmed."""
        if len(target.ids) < _MANY:
            do()
            return
        from crmmail.screens.question import QuestionScreen

        def answered(yes: bool | None) -> None:
            if yes:
                do()

        words = f"{verb} {plural(len(target.ids), *catalogue(target.kind).nouns)}?"
        self.app.push_screen(QuestionScreen(words), answered)

    # Blocking

    def action_block(self) -> None:
        """Put the addresses or domains of the records on the blocklist; many after a question."""
        from crmmail.screens.blocking import blocking

        target = self.target

        def block(known: list[str]) -> None:
            if known:
                self.post_message(blocking(self.store, known, self.done))
            else:
                what = "It has" if len(target.ids) == 1 else "They have"
                self.notify(f"{what} no address or domain to block.")

        def read() -> None:
            ask(self, partial(_known_by, self.store, target.kind, target.ids), block)

        if target.ids:
            self._ask_of_many("Block", target, read)

    # Merging

    def action_merge(self) -> None:
        """Merge marked records, or one with another, after saying what stays and what moves."""
        target = self.target
        if target.kind is Kind.OPPORTUNITY:
            self.notify("People and companies can be merged, opportunities cannot.")
        elif len(target.ids) > 1:
            keep = target.current if target.current in target.ids else target.ids[0]
            self._merge(target.kind, keep or 0, [i for i in target.ids if i != keep])
        elif target.ids:
            self._merge_with_another(target.kind, target.ids[0])

    def _merge_with_another(self, kind: Kind, keep: int) -> None:
        def merge(choice: Choice | None) -> None:
            if choice is not None:
                self._merge(kind, keep, [choice.id])

        from crmmail.screens.choices import finder

        def pick(name: str) -> None:
            self._pick(f"Merge into {name}", finder(self.store, kind, without=keep), merge)

        ask(self, partial(_named, self.store, kind, (keep,)), pick)

    def _merge(self, kind: Kind, keep: int, others: Sequence[int]) -> None:
        """Say what each of them would get, were it the one that stays; merge into the chosen."""
        from crmmail.screens.merging import options
        from crmmail.screens.options_panel import OptionsScreen

        def merge(chosen: Option | None) -> None:
            if chosen is not None and chosen.do is not None:
                self.post_message(Do(chosen.said, chosen.do, self.done, destroys=True))

        def offer(found: Sequence[Option]) -> None:
            if self.is_current:
                title = f"Merge {plural(len(others) + 1, *catalogue(kind).nouns)}: which stays?"
                self.app.push_screen(OptionsScreen(title, found), merge)

        ask(self, partial(options, self.store, kind, keep, others), offer)

    # Company

    def action_set_company(self) -> None:
        """Choose the company of people."""
        target = self.target
        if target.kind is not Kind.PERSON:
            self.notify("Only people have a company to choose here; e edits the record.")
        elif target.ids:
            from crmmail.screens.choices import finder

            find = finder(self.store, Kind.COMPANY)

            def put(named: str, choice: Choice | None) -> None:
                if choice is not None:
                    words = f"{named} moved to {choice.name}" if choice.id else f"{named} moved"
                    work = partial(_set_company, self.store, target.ids, choice.id or None)
                    self.post_message(Do(words, work, self.done))

            def offered(words: str) -> Sequence[Choice]:
                return [*find(words), *(() if words else (_NO_COMPANY,))]

            def pick(named: str) -> None:
                self._pick(f"Company of {named}", offered, partial(put, named))

            ask(self, partial(_named, self.store, target.kind, target.ids), pick)

    def _pick(self, title: str, find: Find, then: Callable[[Choice | None], None]) -> None:
        from crmmail.screens.pick import PickScreen

        if self.is_current:  # what it asks about was read, and may have come late
            self.app.push_screen(PickScreen(title, find), then)


def _named(store: Store, kind: Kind, ids: Sequence[int]) -> str:
    """The name of a record, or how many there are."""
    if len(ids) == 1:
        return name_of(store.read(), kind, ids[0])
    return plural(len(ids), *catalogue(kind).nouns)


def _known_by(store: Store, kind: Kind, ids: Sequence[int]) -> list[str]:
    """What of records can be blocked."""
    db = store.read()
    if kind is Kind.PERSON:
        return [address for one in ids for address in people.addresses(db, one)]
    if kind is Kind.COMPANY:
        return [f"@{domain}" for one in ids for domain in companies.domains(db, one)]
    return []


def _delete(store: Store, kind: Kind, ids: Sequence[int]) -> Undo:
    delete, restore = _DELETING[kind]
    with Steps() as steps:
        for record_id in ids:
            name = name_of(store.read(), kind, record_id)
            delete(store, record_id)
            steps.add(name, partial(restore, store, record_id))
    return steps.undo


def _set_company(store: Store, ids: Sequence[int], company: int | None) -> Undo:
    with Steps() as steps:
        for person in ids:
            name = name_of(store.read(), Kind.PERSON, person)
            before = people.set_company(store, person, company)
            chosen = {"company_id": company}
            steps.add(
                name, partial(people.edit, store, person, instead_of=chosen, company_id=before)
            )
    return steps.undo
