"""The first screen: people, companies and opportunities, as lists."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget

from crmmail.screens.catalogue import (
    CATALOGUES,
    NO_ACCOUNT,
    Catalogue,
    all_deleted,
    empty_record,
)
from crmmail.screens.deeds import RecordActions, Target
from crmmail.store import accounts, records, threads
from crmmail.store.database import Store
from crmmail.store.reading import Reading
from crmmail.widgets import rows
from crmmail.widgets.filter_line import FilterLine
from crmmail.widgets.lines import Tabs
from crmmail.widgets.reading import ask
from crmmail.widgets.record_list import Order, RecordList
from crmmail.widgets.window_list import WindowList

FIRST_PAGE = 200  # rows that are shown at once, or while a filter is typed; the rest follows
PREVIEW_DELAY = 0.06  # seconds of rest before the preview follows the cursor


@dataclass(frozen=True, slots=True)
class View:
    """What is read of a list."""

    index: int
    match: str
    order: Order
    limit: int | None


class RecordsScreen(RecordActions):
    """The lists of records, one at a time, with a record's newest threads beside them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="records.filter", key_display="/"),
        Binding("tab", "turn(1)", "Next list", show=False, id="records.next"),
        Binding("shift+tab", "turn(-1)", "Previous list", show=False, id="records.previous"),
        Binding("1", "choose(0)", "People", show=False, id="records.people"),
        Binding("2", "choose(1)", "Companies", show=False, id="records.companies"),
        Binding("3", "choose(2)", "Opportunities", show=False, id="records.opportunities"),
        Binding("right", "focus_preview", "To the preview", show=False, id="records.preview"),
        Binding("left", "focus_list", "To the list", show=False, id="records.list"),
        Binding("a", "agenda", "Agenda", id="records.agenda", tooltip="All meetings, by days"),
        Binding(
            "escape,q",
            "back",
            "Clear",
            id="records.back",
            tooltip="Take the marks back, else show all again",
        ),
    ]
    DEFAULT_CSS = """
    RecordsScreen {
        #preview, .-record-list { display: none; }
        .-record-list.-shown { display: block; }
        &.-wide #preview { display: block; width: 2fr; }
        #lists { width: 3fr; }
    }
    """
    tabs = getters.query_one(Tabs)
    filter_line = getters.query_one(FilterLine)
    preview = getters.query_one("#preview", WindowList)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.index = 0
        self._matches = ["" for _ in CATALOGUES]  # what each list is filtered by
        self._shown_matches = list(self._matches)  # and what those filters are that are drawn
        self._readings = [Reading() for _ in CATALOGUES]
        self._loaded: set[int] = set()
        self._unread: list[View | None] = [None for _ in CATALOGUES]  # what has more than is shown
        self._timer: Timer | None = None
        self._previewed: tuple[int, int] = (0, 0)
        self._previewing = False  # it is being read

    def panes(self) -> Iterable[Widget]:
        yield Tabs([entry.title for entry in CATALOGUES])
        with Horizontal():
            with Vertical(id="lists"):
                yield FilterLine()
                for entry in CATALOGUES:
                    record_list = RecordList(
                        partial(self._rows, entry),
                        entry.draw,
                        entry.columns,
                        title=entry.title,
                        nouns=entry.nouns,
                        id=entry.topic,
                    )
                    record_list.add_class("-record-list")
                    yield record_list
            preview: WindowList[Any] = WindowList(
                self._preview_rows,
                rows.thread,
                nouns=("thread", "threads"),
                cursor_stays=False,
                id="preview",
            )
            yield preview

    def on_mount(self) -> None:
        self.action_choose(0)

    def _rows(self, entry: Catalogue, ids: Sequence[int]) -> Iterable[Any]:
        return entry.rows(self.store.read(), ids)

    # Which list

    @property
    def entry(self) -> Catalogue:
        """The catalogue of the list that is shown."""
        return CATALOGUES[self.index]

    @property
    def shown(self) -> RecordList:
        """The list that is shown."""
        return self._list(self.index)

    def _list(self, index: int) -> RecordList:
        return self.query_one(f"#{CATALOGUES[index].topic}", RecordList)

    def action_choose(self, index: int) -> None:
        """Show one of the lists."""
        self.index = index
        for position in range(len(CATALOGUES)):
            self._list(position).set_class(position == index, "-shown")
        self.tabs.choose(index)
        match = self._matches[index]
        self.filter_line.set_class(bool(match), "-open")
        with self.prevent(FilterLine.Changed):
            self.filter_line.value = match
        if index not in self._loaded:
            self._read(index)
        self.shown.focus()
        self.refresh_bindings()
        self._preview_soon()

    def action_turn(self, by: int) -> None:
        """Show the next or the previous list."""
        self.action_choose((self.index + by) % len(CATALOGUES))

    @on(Tabs.Chosen)
    def _tab_clicked(self, event: Tabs.Chosen) -> None:
        self.action_choose(event.index)

    # Reading

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"threads", "accounts", *(entry.topic for entry in CATALOGUES)})

    def reload(self) -> None:
        self._loaded.clear()
        self._read(self.index)
        self._previewed = (0, 0)
        self._preview_soon()

    def _read(self, index: int) -> None:
        """Show the first rows at once; the rest follows, unless a filter is still being typed."""
        self._loaded.add(index)
        match, order = self._matches[index], self._list(index).order
        quick = bool(match) or order == Order()  # the first rows take as long as all when sorted
        self._read_view(View(index, match, order, FIRST_PAGE if quick else None))

    def _read_view(self, view: View) -> None:
        """Read a list; a newer reading of the same list takes its place."""
        self._readings[view.index].end()
        reading = self._readings[view.index] = Reading()
        read = partial(_ids, self.store, reading, view)
        ask(self, read, partial(self._show, view), beside=True, failed=self.unreadable)

    def _show(self, view: View, ids: array[int] | None) -> None:
        record_list = self._list(view.index)
        if ids is None or (view.match, view.order) != (
            self._matches[view.index],
            record_list.order,
        ):
            return
        more = len(ids) == view.limit
        self._unread[view.index] = view if more else None
        typing = bool(view.match) and self.filter_line.has_focus
        first = not record_list.ids
        if typing or first or not more:
            self._fill(view, ids, more)
        if first and not typing:
            self.call_after_refresh(self._read_rest, view.index)  # the first rows are painted first
        elif not typing:
            self._read_rest(view.index)

    def _fill(self, view: View, ids: array[int], more: bool) -> None:
        entry, record_list = CATALOGUES[view.index], self._list(view.index)
        empty = entry.empty
        if view.match:
            empty = (f"No {entry.nouns[0]} matches “{view.match}”", "escape shows all again")
        record_list.say_empty(*empty)
        narrowed = view.match not in ("", self._shown_matches[view.index])
        self._shown_matches[view.index] = view.match
        record_list.show(ids, keep=not narrowed, more=more)
        if not ids and not view.match:
            ask(self, partial(_emptiness, self.store, entry), partial(self._say_none, view))

    def _say_none(self, view: View, empty: tuple[str, ...]) -> None:
        """Say of an empty list what to do about it: that depends on why it is empty."""
        record_list = self._list(view.index)
        if not record_list.ids and not self._matches[view.index]:
            record_list.say_empty(*empty)

    def _read_rest(self, index: int) -> None:
        """Somebody wants what is behind the first rows."""
        view, self._unread[index] = self._unread[index], None
        if view is not None:
            self._read_view(replace(view, limit=None))

    def on_descendant_focus(self) -> None:
        if self.preview.has_focus:
            self._preview(awaited=True)
        if self.shown.has_focus and self._matches[self.index]:
            self._read_rest(self.index)

    def on_mouse_scroll_down(self) -> None:
        """The list itself does not scroll further."""
        self._read_rest(self.index)

    @on(RecordList.Sorted)
    def _sort(self) -> None:
        self._read(self.index)

    # Filter

    def action_filter(self) -> None:
        """Filter the list."""
        self.filter_line.open()

    @on(FilterLine.Filtered)
    def _filter(self, event: FilterLine.Filtered) -> None:
        if event.match != self._matches[self.index]:
            self._matches[self.index] = event.match
            self._read(self.index)
            self.refresh_bindings()

    @on(FilterLine.Left)
    def _leave_filter(self) -> None:
        self.shown.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual calls it so
        """The way back is there while something is marked or filtered."""
        if action != "back" or not self.is_mounted or self.preview.has_focus:
            return True
        return bool(self.shown.marks or self._matches[self.index])

    def action_back(self) -> None:
        """Show all again; there is no screen before this one."""
        if self.shown.has_focus and self.shown.marks:
            self.shown.mark(set())
        elif self.shown.has_focus:
            self.filter_line.clear_and_close()
        self.shown.focus()
        self.refresh_bindings()

    # Preview

    @on(WindowList.Highlighted)
    def _preview_soon(self) -> None:
        if self.has_class("-wide") and self._timer is None:
            self._timer = self.set_timer(PREVIEW_DELAY, self._preview)

    def on_resize(self) -> None:
        self.call_after_refresh(self._preview_soon)

    def _preview(self, awaited: bool = False) -> None:
        """Show the threads of the record under the cursor; keys wait for them if they are there."""
        self._timer = None
        record = self.shown.current
        target = (int(self.entry.kind), record or 0)
        if target == self._previewed and not (awaited and self._previewing):
            return
        keep = target[1] == self._previewed[1]
        self._previewed, self._previewing = target, True
        self.preview.say_empty(*empty_record(target[0]))
        read_rows = self.entry.rows

        def read() -> tuple[str, array[int]]:
            db = self.store.read()
            names = [row.name for row in read_rows(db, [target[1]])]
            return "".join(names), threads.of_record(db, *target)

        def show(found: tuple[str, array[int]]) -> None:
            if target == self._previewed:
                self._previewing = False
                self.preview.label(found[0])
                self.preview.show(found[1], keep=keep)

        ask(self, read, show, awaited=awaited)

    def _preview_rows(self, ids: Sequence[int]) -> Iterable[Any]:
        return threads.rows(self.store.read(), ids, *self._previewed)

    def action_focus_preview(self) -> None:
        """Give the keys to the preview, where there is one."""
        if self.preview.display:
            self.preview.focus()

    def action_focus_list(self) -> None:
        """Give the keys to the list."""
        self.shown.focus()

    # Actions

    @property
    def target(self) -> Target:
        return Target(self.entry.kind, self.shown.chosen, self.shown.current)

    def done(self) -> None:
        if self.shown.marks:
            self.shown.mark(set())

    # Opening

    @on(WindowList.Opened)
    def _open(self, event: WindowList.Opened) -> None:
        if event.source is self.preview:
            from crmmail.screens.thread import ThreadScreen

            row = self.shown.row_at(self.shown.cursor)
            trail = f"{self.entry.title} › {row.name}" if row is not None else ""
            ThreadScreen.open(self.app, self.store, event.row, self.preview.ids, trail)
            return
        from crmmail.screens.record import RecordScreen

        RecordScreen.open(self.app, self.store, self.entry.kind, event.row)

    def action_agenda(self) -> None:
        """Show the meetings of all records."""
        from crmmail.screens.agenda import AgendaScreen

        AgendaScreen.open(self.app, self.store)


def _emptiness(store: Store, entry: Catalogue) -> tuple[str, ...]:
    """What to say where there is no record at all: why, and what to do."""
    db = store.read()
    if count := records.deleted(db, entry.kind):
        return all_deleted(entry, count)
    return entry.empty if accounts.states(db) else NO_ACCOUNT


def _ids(store: Store, reading: Reading, view: View) -> array[int] | None:
    """What is read in a thread; None where nobody wants it any more."""
    db, how = store.read(), view.order
    read = partial(CATALOGUES[view.index].view, db, how.sort, how.descending, view.match)
    return reading.run(db, partial(read, view.limit))
