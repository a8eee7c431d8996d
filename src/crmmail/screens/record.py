"""One person, company or opportunity: who it is, and its mail."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import get_current_worker

from crmmail.screens.catalogue import CATALOGUES, EMPTY_RECORD, catalogue
from crmmail.screens.deeds import RecordActions, Target
from crmmail.screens.headers import detail, header, name_of
from crmmail.screens.notes import NotesPane
from crmmail.screens.timeline import TimelinePane
from crmmail.screens.undo import Do, Undo
from crmmail.store import messages, threads, timeline
from crmmail.store.companies import CompanyDetail
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.threads import ThreadRow
from crmmail.widgets import rows
from crmmail.widgets.conversation import Folding, Reader, open_lines
from crmmail.widgets.filter_line import FilterLine
from crmmail.widgets.lines import Lines, Tabs
from crmmail.widgets.picker import Choice
from crmmail.widgets.reading_pane import ReadingPane, Section
from crmmail.widgets.sparkline import bars, last_months
from crmmail.widgets.window_list import WINDOW, WindowList

PREVIEW_DELAY = 0.06


@dataclass
class ThreadsReady(Message):
    """The ids of the threads that match are found."""

    match: str
    ids: array[int]


@dataclass
class ActivityRead(Message):
    """The messages of the last months are counted and drawn."""

    bars: str


class RecordScreen(RecordActions):
    """A record and its threads, with the newest message of a thread beside them."""

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
        Binding(
            "x",
            "hide",
            "Hide thread",
            show=False,
            id="record.hide",
            tooltip="Hide the thread from this record",
        ),
        Binding("1", "tab(0)", "Emails", show=False, id="record.emails"),
        Binding("2", "tab(1)", "Notes", show=False, id="record.notes"),
        Binding("3", "tab(2)", "Timeline", show=False, id="record.timeline"),
        Binding("right_square_bracket", "turn(1)", "Next tab", id="record.next_tab"),
        Binding(
            "left_square_bracket", "turn(-1)", "Previous tab", show=False, id="record.last_tab"
        ),
        Binding("right", "focus_preview", "To the preview", show=False, id="record.preview"),
        Binding("left", "focus_list", "To the list", show=False, id="record.list"),
    ]
    DEFAULT_CSS = """
    RecordScreen {
        #preview { display: none; }
        &.-wide #preview { display: block; width: 2fr; }
        #lists { width: 3fr; }
    }
    """
    header = getters.query_one("#header", Lines)
    filter_line = getters.query_one(FilterLine)
    threads = getters.query_one("#threads", WindowList)
    preview = getters.query_one("#preview", ReadingPane)

    def __init__(self, store: Store, kind: int, record_id: int) -> None:
        super().__init__(store)
        self.kind = kind
        self.record_id = record_id
        self._match = self._shown_match = ""
        self._timer: Timer | None = None
        self._previewed = 0
        self._activity = ""
        self.tab = 0
        self._leaving = False  # the record is being deleted from here

    def panes(self) -> Iterable[Widget]:
        yield Lines(id="header")
        yield Tabs(("Emails", "Notes", "Timeline"))
        with Horizontal(id="emails"):
            with Vertical(id="lists"):
                yield FilterLine()
                found: WindowList[ThreadRow] = WindowList(
                    self._rows,
                    rows.thread,
                    title="Emails",
                    nouns=("thread", "threads"),
                    id="threads",
                )
                yield found
            yield ReadingPane(id="preview", mark=False)
        yield NotesPane(self.store, self.kind, self.record_id)
        yield TimelinePane(self.store, self.kind, self.record_id)

    def on_mount(self) -> None:
        self.action_tab(0)
        self.reload()

    def _rows(self, ids: Sequence[int]) -> list[ThreadRow]:
        return threads.rows(self.store.read(), ids, self.kind, self.record_id)

    # Reading

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"threads", "notes", *(entry.topic for entry in CATALOGUES)})

    def reload(self) -> None:
        lines = header(self.store.read(), self.kind, self.record_id, self._activity)
        if lines is None:
            if not self._leaving:
                self.notify("This record is gone.", markup=False)
            self.app.pop_screen()
            return
        self.header.show(*lines)
        self._previewed = 0
        self._read()
        self._count_months()
        if self.tab == 1:
            self.query_one(NotesPane).reload()
        elif self.tab == 2:
            self.query_one(TimelinePane).reload()

    @work(thread=True, exclusive=True, group="months", exit_on_error=False)
    def _count_months(self) -> None:
        names, since = last_months()
        counts = timeline.months(self.store.read(), self.kind, self.record_id, names, since)
        if not get_current_worker().is_cancelled:
            self.post_message(ActivityRead(bars(counts) if any(counts) else ""))

    @on(ActivityRead)
    def _show_activity(self, event: ActivityRead) -> None:
        self._activity = event.bars
        lines = header(self.store.read(), self.kind, self.record_id, self._activity)
        if lines is not None:
            self.header.show(*lines)

    # Tabs

    def action_tab(self, index: int) -> None:
        """Show one of the tabs."""
        self.tab = index
        self.query_one(Tabs).choose(index)
        panes = [self.query_one("#emails"), self.query_one(NotesPane), self.query_one(TimelinePane)]
        for position, pane in enumerate(panes):
            pane.display = position == index
        if index == 0:
            self.threads.focus()
            return
        pane = self.query_one(NotesPane) if index == 1 else self.query_one(TimelinePane)
        pane.reload()
        pane.entries.focus()

    def action_turn(self, by: int) -> None:
        """Show the next tab or the one before."""
        self.action_tab((self.tab + by) % 3)

    @on(Tabs.Chosen)
    def _tab_clicked(self, event: Tabs.Chosen) -> None:
        self.action_tab(event.index)

    @on(TimelinePane.Opened)
    def _open_entry(self, event: TimelinePane.Opened) -> None:
        if event.row.what == timeline.MAIL:
            self._open_thread(event.row.target, array("q", [event.row.target]))
        elif event.row.what == timeline.NOTE:
            self.action_tab(1)
            found = self.query_one(NotesPane).entries
            if event.row.target in found.ids:
                found.action_go(found.ids.index(event.row.target))

    def action_write_note(self) -> None:
        """Write a note about the record."""
        self.query_one(NotesPane).write()

    def action_note_in_editor(self) -> None:
        """Write a note in the user's editor."""
        self.query_one(NotesPane).write_in_editor()

    def action_hide(self) -> None:
        """Take the thread under the cursor off this record."""
        thread = self.threads.current
        if self.tab == 0 and thread is not None:
            name = name_of(self.store.read(), self.kind, self.record_id)
            work = partial(_hide, self.store, self.kind, self.record_id, thread)
            self.post_message(Do(f"Hidden from {name}", work))

    def _read(self) -> None:
        if self._match:
            self._search(self._match)
        else:
            ids = threads.of_record(self.store.read(), self.kind, self.record_id)
            self._show(ThreadsReady("", ids))

    @work(thread=True, exclusive=True, group="view", exit_on_error=False)
    def _search(self, match: str) -> None:
        """Find the threads of which a name, the subject or the preview has each of the words."""
        db, worker = self.store.read(), get_current_worker()
        words = match.casefold().split()
        ids = threads.of_record(db, self.kind, self.record_id)
        found = array("q")
        for start in range(0, len(ids), WINDOW):
            if worker.is_cancelled:
                return
            for row in threads.rows(db, ids[start : start + WINDOW]):
                text = " ".join((*row.names, row.subject, row.preview)).casefold()
                if all(word in text for word in words):
                    found.append(row.id)
        self.post_message(ThreadsReady(match, found))

    @on(ThreadsReady)
    def _show(self, event: ThreadsReady) -> None:
        if event.match != self._match:
            return
        empty: tuple[str, ...] = EMPTY_RECORD
        if event.match:
            empty = (f"No thread matches “{event.match}”", "escape shows all again")
        self.threads.say_empty(*empty)
        narrowed = event.match not in ("", self._shown_match)
        self._shown_match = event.match
        self.threads.show(event.ids, keep=not narrowed)
        self._preview_soon()

    # Filter

    def action_filter(self) -> None:
        """Filter the threads."""
        if self.tab != 0:
            self.action_tab(0)
        self.filter_line.open()

    @on(FilterLine.Filtered)
    def _filter(self, event: FilterLine.Filtered) -> None:
        self._match = event.match
        self._read()

    @on(FilterLine.Left)
    def _leave_filter(self) -> None:
        self.threads.focus()

    def action_back(self) -> None:
        """Show all again, or go back to the screen before."""
        if self._match:
            self.filter_line.clear_and_close()
        else:
            super().action_back()

    # Preview

    @on(WindowList.Highlighted)
    def _preview_soon(self) -> None:
        if self.has_class("-wide") and self._timer is None:
            self._timer = self.set_timer(PREVIEW_DELAY, self._preview)

    def on_resize(self) -> None:
        self.call_after_refresh(self._preview_soon)

    def _preview(self) -> None:
        self._timer = None
        thread = self.threads.current or 0
        if thread == self._previewed:
            return
        self._previewed = thread
        db = self.store.read()
        found = messages.of_thread(db, thread) if thread else []
        if not found:
            self.preview.show(())
            return
        newest = found[-1]
        reader = Reader(lambda i: messages.text(db, i), lambda i: messages.attachments(db, i))
        lines = tuple(open_lines(newest, Folding(), reader))
        self.preview.label(newest.subject)
        self.preview.show([Section(newest.id, lines)])

    def action_focus_preview(self) -> None:
        """Give the keys to the preview, where there is one."""
        if self.preview.display:
            self.preview.focus()

    def action_focus_list(self) -> None:
        """Give the keys to the list."""
        self.threads.focus()

    # Actions

    @property
    def target(self) -> Target:
        return Target(Kind(self.kind), (self.record_id,), self.record_id)

    def action_create(self) -> None:
        """Ask for a new opportunity with the record's company."""
        record = detail(self.store.read(), self.kind, self.record_id)
        company = None
        if isinstance(record, CompanyDetail):
            company = Choice(record.id, record.name)
        elif record is not None and record.company_id:
            company = Choice(record.company_id, record.company)
        self.create(Kind.OPPORTUNITY, company)

    def action_delete(self) -> None:
        """Delete the record and go back."""
        self._leaving = True
        super().action_delete()

    # Opening

    @on(WindowList.Opened)
    def _open(self, event: WindowList.Opened) -> None:
        self._open_thread(event.row, self.threads.ids)

    def _open_thread(self, thread: int, siblings: array[int]) -> None:
        from crmmail.screens.thread import ThreadScreen

        where = name_of(self.store.read(), self.kind, self.record_id)
        trail = f"{catalogue(self.kind).title} › {where}"
        self.app.push_screen(ThreadScreen(self.store, thread, siblings, trail))


def _hide(store: Store, kind: int, record_id: int, thread: int) -> Undo:
    before = threads.hide(store, kind, record_id, thread)
    return partial(threads.set_hand, store, kind, record_id, thread, before)
