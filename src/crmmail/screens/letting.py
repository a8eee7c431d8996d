"""The panels of the skipped screen: why a message is out with the ways in, and the exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from crmmail.screens.undo import Do, Steps
from crmmail.store import letting, mail_rules
from crmmail.store.contact_ledger import DeletedContact
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.store.ledger import LedgerRow
from crmmail.store.meeting_ledger import SkippedMeeting
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit
from crmmail.widgets.words import exact, plural, titled, tries


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a panel: a fact, or a way in."""

    id: int
    name: str
    text: str
    way: letting.Way | None = None
    note: bool = False  # what the way above changes


def draw(row: Row, width: int) -> Iterator[Piece]:
    """A fact after its name, or a way with the setting that it changes."""
    if row.way is None:
        yield fit(row.name, 10), "muted"
        yield fit(row.text, width - 10), "text"
        return
    if row.note:
        yield fit(f"    changes {row.way.setting}", width), "muted"
    else:
        yield fit(f"↵ {row.way.words}", width), "strong"


class WaysPanel(Panel[Row]):
    """Why a message or a meeting was skipped, and every way to let it in."""

    BINDING_GROUP_TITLE = "Why"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Let in", tooltip="Do what the line says", id="ways.take"),
    ]

    def __init__(self) -> None:
        super().__init__(
            draw, title="Why it is not here", nouns=("line", "lines"), empty="", id="ways"
        )
        self.about_row: letting.Skipped | None = None

    @property
    def way(self) -> letting.Way | None:
        """The way under the cursor."""
        return self.row.way if self.row is not None else None

    def about(self, row: letting.Skipped, ways: Sequence[letting.Way]) -> None:
        """Open on a message, a meeting or a contact."""
        self.about_row = row
        rows = [Row(at, name, text) for at, (name, text) in enumerate(_facts(row))]
        first = len(rows)
        for way in ways:
            rows += [Row(len(rows), "", "", way), Row(len(rows) + 1, "", "", way, note=True)]
        if not ways:
            rows.append(Row(first, "", letting.otherwise(row)))
        self.open(rows)
        self.cursor = first

    def is_passed(self, row: Row) -> bool:
        """The setting that a way changes belongs to the way."""
        return row.note


def _facts(row: letting.Skipped) -> Iterator[tuple[str, str]]:
    yield "rule", row.words
    if isinstance(row, LedgerRow) and row.attempts:
        yield "attempts", tries(row.attempts, row.next_try)
    if isinstance(row, DeletedContact):
        yield "name", row.name
        yield "known by", row.known or "nothing"
        held = f"{plural(row.messages, 'message')}, {plural(row.meetings, 'meeting')}"
        yield "holds", f"{held}: they are here, on the records of others, and found by F"
        return
    if isinstance(row, SkippedMeeting):
        if row.reason != "calendar":
            yield "title", titled(row.title, row.hidden)
            yield "starts", exact(row.starts_at) if row.starts_at else "unknown"
        yield "lies in", row.place
        return
    if row.uid:
        yield "subject", titled(row.subject, row.level == Level.METADATA, "subject")
        yield "from", row.sender or "nobody"
        yield "sent", exact(row.sent_at) if row.sent_at else "unknown"
    else:
        yield "holds", row.subject
    yield "lies in", f"{row.folder} of {row.email}"


class ExceptionsPanel(Panel[Row]):
    """What enters although M4 to M7 would keep it out."""

    BINDING_GROUP_TITLE = "Exceptions"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,D",
            "end",
            "End",
            tooltip="End the exception: the rules judge that mail again",
            id="exceptions.end",
        ),
    ]

    def __init__(self, store: Store) -> None:
        super().__init__(
            draw,
            title="Exceptions",
            nouns=("exception", "exceptions"),
            empty="No exceptions: the rules judge all mail.",
            id="exceptions",
        )
        self._store = store

    def show_all(self) -> None:
        """Open with what there is."""
        self.open(self._exceptions())

    def refill(self) -> None:
        """The store has changed."""
        self.fill(self._exceptions())

    def _exceptions(self) -> list[Row]:
        return [
            Row(position, _kind(pattern), pattern)
            for position, pattern in enumerate(mail_rules.allowed(self._store.read()))
        ]

    def action_end(self) -> None:
        """End the exception under the cursor."""
        if self.row is not None:
            self.screen.post_message(
                Do(f"No exception for {self.row.text}", partial(_end, self._store, self.row.text))
            )


def _kind(pattern: str) -> str:
    """What an exception is for."""
    if pattern.startswith("<"):
        return "meeting" if pattern.startswith(mail_rules.meeting_pattern("")[:-1]) else "message"
    return "mail from"


def _end(store: Store, pattern: str) -> letting.Undo:
    mail_rules.disallow(store, pattern)
    return partial(mail_rules.allow, store, pattern)


def let_in_all(store: Store, rows: Sequence[letting.Skipped]) -> letting.Undo:
    """Let in each of these by the first of its ways, which lets in nothing else."""
    with Steps() as steps:
        for row in rows:
            way = letting.ways(store.read(), row)[0]
            steps.add(way.words, letting.let_in(store, row, way.key))
    return steps.undo
