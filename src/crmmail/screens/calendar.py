"""The calendar of a record: its meetings, past and to come."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from crmmail.screens.headers import name_of
from crmmail.screens.linking import MEETINGS, set_link
from crmmail.screens.tab_pane import TabPane
from crmmail.screens.undo import Do
from crmmail.store import meetings
from crmmail.store.meeting_filter import having
from crmmail.store.meetings import OccurrenceRow, Times
from crmmail.widgets.agenda import AgendaList, occurrences
from crmmail.widgets.filter_line import FilterLine

_EMPTY = ("No meeting yet", "Meetings with this record appear here as your calendars are read.")


class CalendarPane(TabPane):
    """The meetings of a record by days."""

    TITLE = "Calendar"
    BINDING_GROUP_TITLE = "Calendar"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "hide",
            "Hide meeting",
            show=False,
            id="calendar.hide",
            tooltip="Hide the meeting, all its times, from this record",
        ),
    ]
    entries = getters.query_one("#calendar-list", AgendaList)
    filter_line = getters.query_one(FilterLine)

    def compose(self) -> ComposeResult:
        found = AgendaList(
            self._times, self._rows, title=self.TITLE, empty=_EMPTY, id="calendar-list"
        )
        found.add_class("-entries")
        yield FilterLine()
        yield found

    def _times(self, match: str) -> Times:
        db = self.store.read()
        return having(db, meetings.of_record(db, self.kind, self.record_id), match)

    def _rows(self, ids: Sequence[int]) -> list[OccurrenceRow]:
        return meetings.rows(self.store.read(), ids, self.kind, self.record_id)

    def turn_to(self, kind: int, record_id: int) -> None:
        super().turn_to(kind, record_id)
        self.entries.restart()
        self.filter_line.clear_and_close()

    def reload(self) -> None:
        self.entries.reload()

    # Filter

    def filter(self) -> bool:
        self.filter_line.open()
        return True

    @on(FilterLine.Filtered)
    def _filter(self, event: FilterLine.Filtered) -> None:
        self.entries.narrow(event.match)

    @on(FilterLine.Left)
    def _leave_filter(self) -> None:
        self.entries.focus()

    def back(self) -> bool:
        if self.entries.match:
            self.filter_line.clear_and_close()
            return True
        return False

    # One of them

    def open_meeting(self, trail: str) -> None:
        """Show the meeting under the cursor."""
        from crmmail.screens.meeting import MeetingScreen

        one = self.entries.occurrence
        if one is not None:
            siblings = occurrences(self.entries.ids)
            MeetingScreen.open(self.app, self.store, one, siblings, trail)

    def action_hide(self) -> None:
        """Take the meeting under the cursor off this record."""
        entry = self.entries.row_at(self.entries.cursor) if self.entries.ids else None
        if entry is None or entry.row is None:
            return
        link = (self.kind, self.record_id, entry.row.meeting_id)
        work = partial(set_link, self.store, MEETINGS, link, -1)
        self.post_message(Do(lambda: f"Hidden from {name_of(self.store.read(), *link[:2])}", work))
