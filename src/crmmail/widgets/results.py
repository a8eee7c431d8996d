"""What a search has found, as one list: groups under headings, with what was looked for marked."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from crmmail import money
from crmmail.store.companies import CompanyRow
from crmmail.store.meetings import OccurrenceRow
from crmmail.store.opportunities import OpportunityRow
from crmmail.store.people import PersonRow
from crmmail.store.query import Term
from crmmail.store.search import Hit
from crmmail.store.snippets import Span, spans
from crmmail.store.threads import ThreadRow
from crmmail.widgets.occasion import day_of, place
from crmmail.widgets.pieces import Piece, fit, fit_pieces
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import compact, titled

HEADING = 0
THREAD = 4  # after the kinds of record, as Kind numbers them
MEETING = 5
_DATE = 10
_GAP = "  "
_MARKED = "title"

Column = tuple[str, tuple[Span, ...], str]
"""A text, the spans in it that were found, and the role of the rest."""


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the list: a heading, or what `kind` and `target` name."""

    kind: int
    target: int
    columns: tuple[Column, ...]
    at: int = 0
    unread: bool = False

    @property
    def id(self) -> int:
        """Its number in the list: the same for the same record, whatever else is found."""
        return self.target * 8 + self.kind


def heading(
    title: str, kind: int, shown: int, found: int, more: bool = False, first: str = "newest"
) -> Result:
    """The line above a group; `kind` tells it from other headings.

    With `more`, nobody has counted beyond what was found; `first` is which ones are shown.
    """
    of = f" of {found:,}{'+' if more else ''}" if more or shown < found else ""
    count = f"the {first} {shown:,}{of}" if of else f"{found:,}"
    return Result(HEADING, -kind, ((title, (), "title"), (count, (), "muted")))


def person(row: PersonRow, kind: int, terms: Sequence[Term]) -> Result:
    """A person who was found."""
    texts = ((row.name, "strong"), (row.company, "text"), (row.address, "muted"))
    return Result(kind, row.id, tuple(_columns(texts, terms)), row.last_at)


def company(row: CompanyRow, kind: int, terms: Sequence[Term]) -> Result:
    """A company that was found."""
    texts = ((row.name, "strong"), (", ".join(row.domains), "muted"))
    return Result(kind, row.id, tuple(_columns(texts, terms)), row.last_at)


def opportunity(row: OpportunityRow, kind: int, terms: Sequence[Term]) -> Result:
    """An opportunity that was found."""
    facts = "  ".join(filter(None, (row.stage, money.shown(row.amount, row.currency))))
    about = ", ".join(filter(None, (row.company, row.contact)))
    texts = ((row.name, "strong"), (facts, "accent"), (about, "muted"))
    return Result(kind, row.id, tuple(_columns(texts, terms)), row.last_at)


def thread(row: ThreadRow, hit: Hit, terms: Sequence[Term]) -> Result:
    """A thread that was found, with the words of its message that fit."""
    strong = "strong" if row.unread else "text"
    subject = titled(row.subject, row.hidden, "subject")
    columns: tuple[Column, ...] = (
        (", ".join(row.names), (), strong),
        (subject, spans(row.subject, terms), strong),
        (hit.text, hit.spans, "muted"),
    )
    return Result(THREAD, row.id, columns, hit.sent_at, bool(row.unread))


def meeting(row: OccurrenceRow, terms: Sequence[Term]) -> Result:
    """A meeting that was found, at the time of it that is nearest."""
    title = titled(row.title, row.hidden)
    columns: tuple[Column, ...] = (
        (", ".join(row.names), (), "text"),
        (title, spans(row.title, terms), "gone" if row.cancelled else "text"),
        (place(row), (), "muted"),
    )
    return Result(MEETING, row.id, columns, day_of(row))


def _columns(texts: Iterable[tuple[str, str]], terms: Sequence[Term]) -> Iterator[Column]:
    for text, role in texts:
        if text:
            yield text, spans(text, terms), role


def draw(result: Result, width: int) -> Iterator[Piece]:
    """A result on one line."""
    first, *rest = result.columns
    if result.kind == HEADING:
        yield from _line((first, *rest))
        return
    room = width - 2 - _DATE - len(_GAP)
    head = min(max(room // 4, 12), 34)
    yield ("● " if result.unread else "  "), "mark"
    yield from fit_pieces(_marked(*first), head)
    yield _GAP, "text"
    if room > head + len(_GAP):
        yield from fit_pieces(_line(rest), room - head - len(_GAP))
    yield _GAP + fit(compact(result.at), _DATE, right=True), "muted"


def _line(columns: Iterable[Column]) -> Iterator[Piece]:
    gap = ""
    for column in columns:
        yield gap, "text"
        yield from _marked(*column)
        gap = _GAP


def _marked(text: str, found: Sequence[Span], role: str) -> Iterator[Piece]:
    at = 0
    for start, end in found:
        yield text[at:start], role
        yield text[start:end], _MARKED
        at = end
    yield text[at:], role


class ResultList(WindowList[Result]):
    """The results, with a cursor that passes over the headings."""

    BINDING_GROUP_TITLE = "Results"

    def __init__(self, *, id: str = "results") -> None:  # noqa: A002
        super().__init__(self._some, draw, nouns=("result", "results"), at_hand=True, id=id)
        self._results: dict[int, Result] = {}

    def on_mount(self) -> None:
        _ = self.vertical_scrollbar  # made now: with the first letter it would be painted after it

    def _some(self, ids: Sequence[int]) -> Iterable[Result]:
        found = self._results  # this is a thread's: others may be found meanwhile
        return [found[i] for i in ids if i in found]

    @property
    def result(self) -> Result | None:
        """The result under the cursor."""
        return self._results.get(self.current) if self.current is not None else None

    def fill(self, results: Iterable[Result], *, keep: bool) -> None:
        """Show these results; with `keep`, the cursor stays on its result where that is there."""
        self._results = {result.id: result for result in results}
        self.show(array("q", self._results), keep=keep)
        found = sum(result.kind != HEADING for result in self._results.values())
        self.label(subtitle=f"{found:,} shown" if found else "")

    def is_heading(self, row: int) -> bool:
        return self._results[row].kind == HEADING
