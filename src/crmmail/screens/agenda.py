"""The agenda: the meetings of all records, from now on, and the past above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from textual import getters, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens.base import KeptScreen
from crmmail.screens.catalogue import CATALOGUES
from crmmail.store import meetings
from crmmail.store.database import Store
from crmmail.store.meeting_filter import having
from crmmail.store.meetings import OccurrenceRow, Times
from crmmail.widgets.agenda import AgendaList, occurrences
from crmmail.widgets.filter_line import FilterLine
from crmmail.widgets.window_list import WindowList

_EMPTY = (
    "No meeting yet",
    "Meetings appear here as your calendars are read:",
    "crmmail calendar list shows which calendars there are.",
)


class AgendaScreen(KeptScreen):
    """Every meeting, by days."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="agenda.filter", key_display="/"),
    ]
    agenda = getters.query_one(AgendaList)
    filter_line = getters.query_one(FilterLine)

    def panes(self) -> Iterable[Widget]:
        yield FilterLine()
        yield AgendaList(self._times, self._rows, title="Agenda", empty=_EMPTY, id="agenda")

    @classmethod
    def open(cls, app: App[Any], store: Store) -> Self:
        """Show the agenda."""
        screen = cls.show_one(app, store)
        screen.restart()
        return screen

    def start(self) -> None:
        """Show all meetings, the next one under the cursor."""
        self.agenda.restart()
        self.filter_line.clear_and_close()
        self.agenda.reload()
        self.agenda.focus()

    def _times(self, match: str) -> Times:
        db = self.store.read()
        return having(db, meetings.every(db), match)

    def _rows(self, ids: Sequence[int]) -> list[OccurrenceRow]:
        return meetings.rows(self.store.read(), ids)

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"meetings", *(entry.topic for entry in CATALOGUES)})

    def reload(self) -> None:
        self.agenda.reload()

    def action_filter(self) -> None:
        """Filter the meetings."""
        self.filter_line.open()

    @on(FilterLine.Filtered)
    def _filter(self, event: FilterLine.Filtered) -> None:
        self.agenda.narrow(event.match)

    @on(FilterLine.Left)
    def _leave_filter(self) -> None:
        self.agenda.focus()

    def action_back(self) -> None:
        """Show all meetings again, else go back."""
        if self.agenda.match:
            self.filter_line.clear_and_close()
        else:
            super().action_back()

    @on(WindowList.Opened)
    def _open(self) -> None:
        from crmmail.screens.meeting import MeetingScreen

        one = self.agenda.occurrence
        if one is not None:
            siblings = occurrences(self.agenda.ids)
            MeetingScreen.open(self.app, self.store, one, siblings, "Agenda")
