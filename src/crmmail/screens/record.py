"""One person, company or opportunity: who it is, and its tabs."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar, Self

from textual import getters, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens.base import KeptScreen
from crmmail.screens.calendar import CalendarPane
from crmmail.screens.catalogue import CATALOGUES, catalogue
from crmmail.screens.deeds import RecordActions, Target
from crmmail.screens.emails import EmailsPane
from crmmail.screens.headers import Detail, Pieces, header
from crmmail.screens.notes import NotesPane
from crmmail.screens.tab_pane import TabPane
from crmmail.screens.timeline import TimelinePane
from crmmail.store import timeline
from crmmail.store.companies import CompanyDetail
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.widgets.changes import told
from crmmail.widgets.lines import Lines, Tabs
from crmmail.widgets.picker import Choice
from crmmail.widgets.pieces import safe
from crmmail.widgets.reading import ask
from crmmail.widgets.reading_pane import ReadingPane
from crmmail.widgets.sparkline import bars, last_months
from crmmail.widgets.window_list import WindowList

TABS: tuple[type[TabPane], ...] = (EmailsPane, CalendarPane, NotesPane, TimelinePane)
"""The tabs of a record, in order; each has a number key."""


class RecordScreen(RecordActions, KeptScreen):
    """A record: its header, and one of its tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "c",
            "create",
            "New deal",
            show=False,
            id="record.new_opportunity",
            tooltip="Make an opportunity with this company",
        ),
        Binding("slash", "filter", "Filter", id="record.filter", key_display="/"),
        Binding("n", "write_note", "Note", id="record.note", tooltip="Write a note"),
        Binding(
            "N",
            "note_in_editor",
            "Note in $EDITOR",
            show=False,
            id="record.note_in_editor",
            tooltip="Write a note in your editor",
        ),
        *(
            Binding(
                str(n), f"tab({n - 1})", tab.TITLE, show=False, id=f"record.{tab.TITLE.lower()}"
            )
            for n, tab in enumerate(TABS, 1)
        ),
        Binding("right_square_bracket", "turn(1)", "Next tab", id="record.next_tab"),
        Binding(
            "left_square_bracket", "turn(-1)", "Previous tab", show=False, id="record.last_tab"
        ),
    ]
    DEFAULT_CSS = """
    RecordScreen.-wide #preview { display: block; }
    """
    header = getters.query_one("#header", Lines)
    threads: getters.query_one[WindowList[Any]] = getters.query_one("#threads", WindowList)
    preview = getters.query_one("#preview", ReadingPane)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.kind: int = Kind.PERSON
        self.record_id = 0
        self._activity = self._called = ""
        self._tabs = tuple(tab(store) for tab in TABS)
        self._unread = set(range(len(TABS)))  # tabs that are to be read when they are shown
        self.tab = 0
        self._leaving = False  # the record is being deleted from here

    @classmethod
    def open(cls, app: App[Any], store: Store, kind: int, record_id: int) -> Self:
        """Show a record."""
        screen = cls.show_one(app, store)
        screen.kind, screen.record_id = kind, record_id
        screen.restart()
        return screen

    def panes(self) -> Iterable[Widget]:
        yield Lines(id="header")
        yield Tabs([tab.TITLE for tab in TABS])
        yield from self._tabs

    def start(self) -> None:
        """Show the record as it is first seen: its newest thread under the cursor."""
        self._leaving = False
        self._activity = self._called = ""
        self.header.show()
        for tab in self._tabs:
            tab.turn_to(self.kind, self.record_id)
        self.tab = 0
        self.reload()
        self.action_tab(0)

    # Reading

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"threads", "meetings", "notes", *(entry.topic for entry in CATALOGUES)})

    def reload(self) -> None:
        record = self.kind, self.record_id
        months = partial(_activity, self.store, *record)
        show = partial(self._show_activity, record)
        if not ask(self, months, show, beside=True, awaited=False):
            self._read_header()
        self._unread = set(range(len(TABS)))
        self._read_shown()

    def _show_activity(self, record: tuple[int, int], activity: str) -> None:
        """The messages of the last months are counted and drawn."""
        if record == (self.kind, self.record_id):
            self._activity = activity
            self._read_header()

    def _read_header(self) -> None:
        record, activity = (self.kind, self.record_id), self._activity
        read = partial(_header, self.store, *record, activity)
        ask(self, read, partial(self._show_header, record))

    def _show_header(self, record: tuple[int, int], lines: tuple[Pieces, ...] | None) -> None:
        if record != (self.kind, self.record_id) or not self.is_current:
            self._stale = True  # it came late, and is read again when the screen is seen again
            return
        if lines is None:
            self.gone("" if self._leaving else "This record is not there any more.")
            return
        self._called = lines[0][1][0]  # behind the name of the list
        self.header.show(*lines)

    def _read_shown(self) -> None:
        if self.tab in self._unread:
            self._unread.discard(self.tab)
            self.shown.reload()

    # Tabs

    @property
    def shown(self) -> TabPane:
        """The tab that is shown."""
        return self._tabs[self.tab]

    def action_tab(self, index: int) -> None:
        """Show one of the tabs."""
        self.tab = index
        self.query_one(Tabs).choose(index)
        for position, tab in enumerate(self._tabs):
            tab.display = position == index
        self._read_shown()
        self.shown.entries.focus()

    def show_tab(self, tab: type[TabPane]) -> None:
        """Show the tab of a kind."""
        self.action_tab(TABS.index(tab))

    def action_turn(self, by: int) -> None:
        """Show the next tab or the one before."""
        self.action_tab((self.tab + by) % len(TABS))

    @on(Tabs.Chosen)
    def _tab_clicked(self, event: Tabs.Chosen) -> None:
        self.action_tab(event.index)

    def action_write_note(self) -> None:
        """Write a note about the record."""
        self.query_one(NotesPane).write()

    def action_note_in_editor(self) -> None:
        """Write a note in the user's editor."""
        self.query_one(NotesPane).write_in_editor()

    def action_filter(self) -> None:
        """Filter the meetings in their tab, else the threads."""
        if not self.shown.filter():
            self.show_tab(EmailsPane)
            self.shown.filter()

    def action_back(self) -> None:
        """Go back inside of the tab, or to the screen before."""
        if not self.shown.back():
            super().action_back()

    # Actions

    @property
    def target(self) -> Target:
        return Target(Kind(self.kind), (self.record_id,), self.record_id)

    def action_create(self) -> None:
        """Ask for a new opportunity with the record's company."""

        def create(record: Detail | None) -> None:
            if self.is_current:
                self.create(Kind.OPPORTUNITY, _company(record))

        self.with_current(create)

    def action_delete(self) -> None:
        """Delete the record and go back."""
        self._leaving = True
        super().action_delete()

    # Opening

    @on(WindowList.Opened, "#threads")
    def _open(self, event: WindowList.Opened) -> None:
        self._open_thread(event.row, self.threads.ids)

    @on(TimelinePane.Opened)
    def _open_entry(self, event: TimelinePane.Opened) -> None:
        if event.row.what == timeline.MAIL:
            self._open_thread(event.row.target, array("q", [event.row.target]))
        elif event.row.what == timeline.MEETING:
            self._show_meeting(event.row.target)
        elif event.row.what == timeline.NOTE:
            self.show_tab(NotesPane)
            self.query_one(NotesPane).go_to(event.row.target)
        elif event.row.change is not None:
            self.notify(safe(told(event.row.change)), markup=False)

    @on(WindowList.Opened, "#calendar-list")
    def _open_meeting(self) -> None:
        self.query_one(CalendarPane).open_meeting(self._trail())

    def _show_meeting(self, occurrence: int) -> None:
        from crmmail.screens.meeting import MeetingScreen

        MeetingScreen.open(self.app, self.store, occurrence, trail=self._trail())

    def _open_thread(self, thread: int, siblings: array[int]) -> None:
        from crmmail.screens.thread import ThreadScreen

        ThreadScreen.open(self.app, self.store, thread, siblings, self._trail())

    def _trail(self) -> str:
        return f"{catalogue(self.kind).title} › {self._called}"


def _company(record: Detail | None) -> Choice | None:
    """The record's company, as a choice of a form."""
    if isinstance(record, CompanyDetail):
        return Choice(record.id, record.name)
    if record is not None and record.company_id:
        return Choice(record.company_id, record.company)
    return None


def _header(store: Store, kind: int, record_id: int, activity: str) -> tuple[Pieces, ...] | None:
    return header(store.read(), kind, record_id, activity)


def _activity(store: Store, kind: int, record_id: int) -> str:
    names, since = last_months()
    counts = timeline.months(store.read(), kind, record_id, names, since)
    return bars(counts) if any(counts) else ""
