"""The timeline of a record: mail, meetings, notes, changes in one order, newest first."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import get_current_worker

from crmmail.screens.tab_pane import TabPane
from crmmail.store import timeline
from crmmail.store.timeline import CHANGE, MADE, MAIL, MEETING, NOTE, TimelineRow
from crmmail.widgets.awaited import worker_name
from crmmail.widgets.changes import told
from crmmail.widgets.pieces import Piece, fit, fit_pieces
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import compact, exact, titled

_SIGNS = {MAIL: "✉", NOTE: "✎", MADE: "+", CHANGE: "~", MEETING: "◷"}
_ROOMY = 90  # cells from which times are told in full


class TimelinePane(TabPane):
    """What happened with a record."""

    TITLE = "Timeline"
    BINDING_GROUP_TITLE = "Timeline"

    @dataclass
    class _Ready(Message):
        record: tuple[int, int]
        ids: array[int]

    @dataclass
    class Opened(Message):
        """An entry was opened."""

        row: TimelineRow

    def compose(self) -> ComposeResult:
        found: WindowList[TimelineRow] = WindowList(
            self._rows, _draw, title="Timeline", nouns=("entry", "entries"), id="timeline-list"
        )
        found.add_class("-entries")
        found.say_empty("Nothing yet", "Mail, past meetings, notes and changes appear here.")
        yield found

    def _rows(self, ids: Sequence[int]) -> list[TimelineRow]:
        return timeline.rows(self.store.read(), self.kind, ids)

    def reload(self) -> None:
        self.run_worker(
            partial(self._read, self.record),
            name=worker_name(),
            group="timeline",
            exclusive=True,
            thread=True,
            exit_on_error=False,
        )

    def _read(self, record: tuple[int, int]) -> None:
        ids = timeline.of_record(self.store.read(), *record)
        if not get_current_worker().is_cancelled:
            self.post_message(self._Ready(record, ids))

    @on(_Ready)
    def _show(self, event: _Ready) -> None:
        if event.record == self.record:
            self.entries.show(event.ids)

    @on(WindowList.Opened)
    def _open(self, event: WindowList.Opened) -> None:
        event.stop()
        row = self.entries.row_at(self.entries.cursor)
        if row is not None:
            self.post_message(self.Opened(row))


def _draw(row: TimelineRow, width: int) -> Iterator[Piece]:
    roomy = width >= _ROOMY
    when = exact(row.at).split(" ", 1)[1] if roomy else compact(row.at)
    who, date = (22, 20) if roomy else (14, 10)
    room = width - 2 - who - 2 - date - 2
    yield f"{_SIGNS[row.what]} ", "accent"
    yield fit(row.who, who) + "  ", "text"
    what = "title" if row.what == MEETING else "subject"
    title = told(row.change) if row.change else titled(row.title, row.hidden, what)
    yield from fit_pieces(((title, "text"), (f"  {row.text}", "muted")), max(room, 0))
    yield "  " + fit(when, date, right=True), "muted"
