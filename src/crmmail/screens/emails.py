"""The mail of a record: its threads, and the newest message of one beside them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer

from crmmail.screens.catalogue import empty_record
from crmmail.screens.headers import name_of
from crmmail.screens.linking import THREADS, set_link
from crmmail.screens.tab_pane import TabPane
from crmmail.screens.undo import Do
from crmmail.store import messages, threads
from crmmail.store.database import Store
from crmmail.store.reading import Reading
from crmmail.store.threads import ThreadRow
from crmmail.widgets import rows
from crmmail.widgets.conversation import Folding, Reader, open_lines
from crmmail.widgets.filter_line import FilterLine
from crmmail.widgets.reading import ask
from crmmail.widgets.reading_pane import ReadingPane, Section
from crmmail.widgets.window_list import WINDOW, WindowList

PREVIEW_DELAY = 0.06
_FIRST = 3 * WINDOW  # threads that are shown at once; the rest follows


class EmailsPane(TabPane):
    """The threads of a record, newest first."""

    TITLE = "Emails"
    BINDING_GROUP_TITLE = "Emails"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x",
            "hide",
            "Hide thread",
            show=False,
            id="record.hide",
            tooltip="Hide the thread from this record",
        ),
        Binding("right", "focus_preview", "To the preview", show=False, id="record.preview"),
        Binding("left", "focus_list", "To the list", show=False, id="record.list"),
    ]
    DEFAULT_CSS = """
    EmailsPane {
        layout: horizontal;
        #preview { display: none; width: 2fr; }
        #lists { width: 3fr; }
    }
    """
    filter_line = getters.query_one(FilterLine)
    preview = getters.query_one("#preview", ReadingPane)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._match = self._shown_match = ""
        self._reading = Reading()
        self._timer: Timer | None = None
        self._previewed: int | None = None  # None: not known, what is drawn may be another record's
        self._previewing = False  # it is being read

    def compose(self) -> ComposeResult:
        with Vertical(id="lists"):
            yield FilterLine()
            found: WindowList[ThreadRow] = WindowList(
                self._rows, rows.thread, title="Emails", nouns=("thread", "threads"), id="threads"
            )
            found.add_class("-entries")
            yield found
        yield ReadingPane(id="preview", mark=False)

    def _rows(self, ids: Sequence[int]) -> list[ThreadRow]:
        return threads.rows(self.store.read(), ids, self.kind, self.record_id)

    # Reading

    def turn_to(self, kind: int, record_id: int) -> None:
        super().turn_to(kind, record_id)
        self._begin()
        self._match = self._shown_match = ""
        self.filter_line.clear_and_close()

    def reload(self) -> None:
        self._previewed = None
        self._read()

    def _read(self) -> None:
        """Read the threads; where none or more are shown, the first of them and then the rest."""
        quick = not self.entries.ids or self._match not in ("", self._shown_match)
        limit = _FIRST if quick else None
        show = partial(self._show, self._begin(), limit)
        ask(self, self._ids(limit), show, beside=bool(self._match))

    def _begin(self) -> Reading:
        """What is read from now on; what was read until now is not wanted any more."""
        self._reading.end()
        self._reading = Reading()
        return self._reading

    def _ids(self, limit: int | None) -> Callable[[], array[int] | None]:
        record, match, reading = self.record, self._match, self._reading

        def read() -> array[int] | None:
            db = self.store.read()
            return reading.run(db, lambda: threads.of_record(db, *record, limit, match))

        return read

    def _show(self, reading: Reading, limit: int | None, ids: array[int] | None) -> None:
        if ids is None or reading is not self._reading:
            return
        empty = empty_record(self.kind)
        if self._match:
            empty = (f"No thread matches “{self._match}”", "escape shows all again")
        self.entries.say_empty(*empty)
        narrowed = self._match not in ("", self._shown_match)
        self._shown_match = self._match
        self.entries.show(ids, keep=not narrowed)
        self._preview_soon()
        if len(ids) == limit:
            self.entries.label(subtitle=f"{limit:,}+ threads")
            self.call_after_refresh(self._read_rest, reading)

    def _read_rest(self, reading: Reading) -> None:
        """Read the rest of many threads, when the first ones are painted."""
        if reading is self._reading:
            ask(self, self._ids(None), partial(self._show_rest, reading), beside=True)

    def _show_rest(self, reading: Reading, ids: array[int] | None) -> None:
        if ids is not None and reading is self._reading:
            self.entries.extend(ids)

    # Filter

    def filter(self) -> bool:
        self.filter_line.open()
        return True

    @on(FilterLine.Filtered)
    def _filter(self, event: FilterLine.Filtered) -> None:
        if event.match != self._match:
            self._match = event.match
            self._read()

    @on(FilterLine.Left)
    def _leave_filter(self) -> None:
        self.entries.focus()

    def back(self) -> bool:
        if self._match:
            self.filter_line.clear_and_close()
            return True
        return False

    # Preview

    @on(WindowList.Highlighted)
    def _preview_soon(self) -> None:
        if self.screen.has_class("-wide") and self._timer is None:
            self._timer = self.set_timer(PREVIEW_DELAY, self._preview)

    def on_resize(self) -> None:
        self.call_after_refresh(self._preview_soon)

    def on_descendant_focus(self) -> None:
        if self.preview.has_focus:
            self._preview(awaited=True)

    def _preview(self, awaited: bool = False) -> None:
        """Show the thread under the cursor; keys wait for it if they are in the preview."""
        self._timer = None
        thread = self.entries.current or 0
        if thread == self._previewed and not (awaited and self._previewing):
            return
        self._previewed, self._previewing = thread, True

        def show(found: tuple[str, list[Section]]) -> None:
            if thread == self._previewed:
                self._previewing = False
                self.preview.label(found[0])
                self.preview.show(found[1])

        ask(self, lambda: _newest(self.store, thread), show, awaited=awaited)

    def action_focus_preview(self) -> None:
        """Give the keys to the preview, where there is one."""
        if self.preview.display:
            self.preview.focus()

    def action_focus_list(self) -> None:
        """Give the keys to the list."""
        self.entries.focus()

    # Hiding

    def action_hide(self) -> None:
        """Take the thread under the cursor off this record."""
        thread = self.entries.current
        if thread is not None:
            link = (self.kind, self.record_id, thread)
            work = partial(set_link, self.store, THREADS, link, -1)
            self.post_message(
                Do(lambda: f"Hidden from {name_of(self.store.read(), *link[:2])}", work)
            )


def _newest(store: Store, thread: int) -> tuple[str, list[Section]]:
    """The subject and the text of a thread's newest message."""
    db = store.read()
    message_id = messages.newest_of(db, thread)
    newest = messages.get(db, message_id) if message_id is not None else None
    if newest is None:
        return "", []
    reader = Reader(lambda i: messages.text(db, i), lambda i: messages.attachments(db, i))
    return newest.subject, [Section(newest.id, tuple(open_lines(newest, Folding(), reader)))]
