"""The agenda: the meetings of all records, from now on, and the past above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

from textual import getters, on
from textual.app import App
from textual.widget import Widget

from crmmail.screens.base import KeptScreen
from crmmail.screens.catalogue import CATALOGUES
from crmmail.store import meetings
from crmmail.store.database import Store
from crmmail.store.meetings import OccurrenceRow, Times
from crmmail.widgets.agenda import AgendaList, occurrences
from crmmail.widgets.window_list import WindowList

_EMPTY = (
    "No meeting yet",
    "Meetings appear here as your calendars are read:",
    "crmmail calendar list shows which calendars there are.",
)


class AgendaScreen(KeptScreen):
    """Every meeting, by days."""

    agenda = getters.query_one(AgendaList)

    def panes(self) -> Iterable[Widget]:
        yield AgendaList(
            self._times, self._rows, self._few, title="Agenda", empty=_EMPTY, id="agenda"
        )

    @classmethod
    def open(cls, app: App[Any], store: Store) -> Self:
        """Show the agenda."""
        screen = cls.show_one(app, store)
        screen.restart()
        return screen

    def start(self) -> None:
        """Show all meetings, the next one under the cursor."""
        self.agenda.restart()
        self.agenda.reload()
        self.agenda.focus()

    def _times(self) -> Times:
        return meetings.every(self.store.read())

    def _rows(self, ids: Sequence[int]) -> list[OccurrenceRow]:
        return meetings.rows(self.store.read(), ids)

    def _few(self) -> bool:
        return meetings.few(self.store.read())

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"meetings", *(entry.topic for entry in CATALOGUES)})

    def reload(self) -> None:
        self.agenda.reload()

    @on(WindowList.Opened)
    def _open(self) -> None:
        from crmmail.screens.meeting import MeetingScreen

        one = self.agenda.occurrence
        if one is not None:
            siblings = occurrences(self.agenda.ids)
            MeetingScreen.open(self.app, self.store, one, siblings, "Agenda")
