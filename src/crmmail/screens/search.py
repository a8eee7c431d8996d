"""Finding anything: people, companies, opportunities, meetings and threads, while one types."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from crmmail.screens.base import StoreScreen
from crmmail.screens.catalogue import CATALOGUES, catalogue
from crmmail.store import meetings, search, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.query import OPERATORS
from crmmail.store.reading import Reading
from crmmail.store.search import Found
from crmmail.widgets import results
from crmmail.widgets.lines import Lines
from crmmail.widgets.pieces import safe
from crmmail.widgets.reading import ask
from crmmail.widgets.results import MEETING, THREAD, Result, ResultList
from crmmail.widgets.window_list import WindowList

FOUND = 50  # of each kind that are looked for
RECORDS = 5  # of each kind that are shown above threads
_DRAWN = {
    Kind.PERSON: results.person,
    Kind.COMPANY: results.company,
    Kind.OPPORTUNITY: results.opportunity,
}
Answer = tuple[Found, list[Result]]
_EXAMPLE = max(len(example) for example, _ in OPERATORS) + 3
_HELP = (
    "Words find people, companies, opportunities, meetings and threads",
    "",
    *(f"{example:<{_EXAMPLE}}{meaning}" for example, meaning in OPERATORS),
)


class SearchLine(Input):
    """What is looked for; the list below moves while the keys stay here."""

    BINDING_GROUP_TITLE = "Search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.back", "Back", id="search.back"),
        Binding("down", "screen.move(1)", "Next result", show=False, id="search.down"),
        Binding("up", "screen.move(-1)", "Previous result", show=False, id="search.up"),
        Binding("pagedown", "screen.page(1)", "Page down", show=False, id="search.page_down"),
        Binding("pageup", "screen.page(-1)", "Page up", show=False, id="search.page_up"),
        Binding("enter", "screen.open", "Open", id="search.open"),
    ]
    DEFAULT_CSS = """
    SearchLine {
        height: 1;
        &.-textual-compact { padding: 0 2; }
        border: none;
        background: $panel;
        &:focus { border: none; background: $panel; }
    }
    """

    def __init__(self) -> None:
        super().__init__(placeholder="Search", compact=True, select_on_focus=False)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """What is pasted may hold what a terminal obeys."""
        return safe(value)


class SearchScreen(StoreScreen):
    """One line to type into, and below it everything that it finds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "edit", "Edit", show=False, id="search.edit", tooltip="To the query"),
    ]
    line = getters.query_one(SearchLine)
    problems = getters.query_one("#problems", Lines)
    results = getters.query_one(ResultList)

    _asked: str | None = None  # what is being looked for; None: nothing is
    _reading = Reading()  # what is being looked for, as a read
    _shown = ""  # what the list is for
    _opening = False  # enter was pressed before the list was there

    def panes(self) -> Iterable[Widget]:
        yield SearchLine()
        yield Lines(id="problems")
        yield ResultList()

    def on_mount(self) -> None:
        self.results.label("Search")
        self.results.say_empty(*_HELP)
        self.line.focus()

    def on_unmount(self) -> None:
        self._reading.end()

    # Looking

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"threads", "meetings", *(entry.topic for entry in CATALOGUES)})

    def reload(self) -> None:
        self._look()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._opening = False
        if self._shown != self.line.value:
            self._look()

    def _look(self) -> None:
        """Look once at a time: what is typed meanwhile ends that, and is looked for next."""
        if self._asked is None:
            self._asked = text = self.line.value
            self._reading = Reading()
            read = partial(_look_up, self.store, self._reading, text)
            ask(self, read, partial(self._show, text), beside=True, failed=self._failed)
        elif self._asked != self.line.value:
            self._reading.end()

    def _failed(self, problem: BaseException) -> None:
        self._asked = None
        self.unreadable(problem)

    def _show(self, text: str, answer: Answer | None) -> None:
        self._asked = None
        if answer is None or text != self.line.value:
            self._look()
            return
        found, lines = answer
        nothing: Sequence[str] = _HELP
        if text.strip():
            nothing = (
                "Nothing is found",
                "All words must be there. OR stands between two that may",
            )
        self.results.say_empty(*nothing)
        self.problems.show((("; ".join(found.problems), "muted"),))
        self.results.fill(lines, keep=text == self._shown)
        self._shown = text
        if self._opening:
            self.action_open()

    # Keys

    def action_edit(self) -> None:
        """Give the keys to the query."""
        self.line.focus()

    def action_move(self, by: int) -> None:
        """Move the cursor of the results."""
        self.results.action_move(by)

    def action_page(self, pages: int) -> None:
        """Move the cursor of the results by pages."""
        self.results.action_page(pages)

    def action_open(self) -> None:
        """Open the result under the cursor, or the first one as soon as there is one."""
        self._opening = self._shown != self.line.value
        if not self._opening:
            self.results.action_open()

    @on(WindowList.Opened)
    def _open(self) -> None:
        result = self.results.result
        if result is None:
            return
        if result.kind == THREAD:
            from crmmail.screens.thread import ThreadScreen

            found = array("q", (i >> 3 for i in self.results.ids if i & 7 == THREAD))
            trail = f"Search › {self._shown.strip()}"
            ThreadScreen.open(self.app, self.store, result.target, found, trail)
        elif result.kind == MEETING:
            from crmmail.screens.meeting import MeetingScreen

            found = array("q", (i >> 3 for i in self.results.ids if i & 7 == MEETING))
            trail = f"Search › {self._shown.strip()}"
            MeetingScreen.open(self.app, self.store, result.target, found, trail)
        else:
            from crmmail.screens.record import RecordScreen

            RecordScreen.open(self.app, self.store, result.kind, result.target)


def _look_up(store: Store, reading: Reading, text: str) -> Answer | None:
    """What is found, in a thread; None where nobody wants it any more."""
    db = store.read()

    def read() -> Answer:
        found = search.search(db, text, FOUND)
        return found, list(_results(db, found))

    return reading.run(db, read)


def _results(db: sqlite3.Connection, found: Found) -> Iterator[Result]:
    """The lines of the list."""
    records = (found.people, found.companies, found.opportunities)
    few = RECORDS if found.hits or found.meetings else FOUND
    for (kind, drawn), ids in zip(_DRAWN.items(), records, strict=True):
        yield from _group(db, kind, drawn, ids[:few], len(ids), found)
    if found.meetings:
        total = len(found.meetings)
        shown = found.meetings[: RECORDS if found.hits else FOUND]
        more = total == FOUND
        yield results.heading("Meetings", MEETING, len(shown), total, more, "next")
        for meeting in meetings.rows(db, shown):
            yield results.meeting(meeting, found.words)
    if found.hits:
        total = len(found.hits)
        yield results.heading("Threads", THREAD, total, total, total == FOUND)
    hits = {hit.thread_id: hit for hit in found.hits}
    for row in threads.rows(db, hits):
        yield results.thread(row, hits[row.id], found.words)


def _group(
    db: sqlite3.Connection, kind: Kind, drawn: Any, ids: array[int], total: int, found: Found
) -> Iterator[Result]:
    entry = catalogue(kind)
    if ids:
        yield results.heading(entry.title, kind, len(ids), total, total == FOUND)
    for row in entry.rows(db, ids):
        yield drawn(row, kind, found.names)
