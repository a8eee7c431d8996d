"""One meeting: when, where, with whom, what about; and the latest mail with these people."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Self

from textual import getters, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from crmmail.screens.base import KeptScreen
from crmmail.screens.linking import MEETINGS
from crmmail.screens.links import copy_link
from crmmail.screens.panels import PanelsScreen
from crmmail.screens.participants import Row
from crmmail.store import meeting_detail, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.meeting_detail import AttendeeRow, MeetingDetail
from crmmail.store.threads import ThreadRow
from crmmail.widgets import rows
from crmmail.widgets.lines import Lines
from crmmail.widgets.meeting_text import roles, sections
from crmmail.widgets.occasion import relative
from crmmail.widgets.pieces import Piece
from crmmail.widgets.reading import ask
from crmmail.widgets.reading_pane import ReadingPane
from crmmail.widgets.targets import Target, targets
from crmmail.widgets.window_list import WindowList
from crmmail.widgets.words import plural, titled


class MeetingScreen(PanelsScreen, KeptScreen):
    """A meeting at one of its times, and the threads that are worth reading before it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "o", "open_link", "Join", id="meeting.join", tooltip="Open the link of the meeting"
        ),
        Binding(
            "y",
            "copy_link",
            "Copy link",
            show=False,
            id="meeting.copy",
            tooltip="Copy the link of the meeting",
        ),
        Binding(
            "n",
            "onward(1)",
            "Next time",
            id="meeting.next_time",
            tooltip="The next time of the series; after a search the next hit",
        ),
        Binding(
            "N",
            "onward(-1)",
            "Previous hit",
            show=False,
            id="meeting.last_hit",
            tooltip="The time before; after a search the hit before",
        ),
        Binding(
            "p",
            "time(-1)",
            "Time before",
            show=False,
            id="meeting.last_time",
            tooltip="The time before in the series",
        ),
        Binding("J,right_square_bracket", "meeting(1)", "Next meeting", id="meeting.next"),
        Binding(
            "K,left_square_bracket",
            "meeting(-1)",
            "Previous meeting",
            show=False,
            id="meeting.last",
        ),
        Binding("right", "focus_briefing", "To the threads", show=False, id="meeting.threads"),
        Binding("left", "focus_text", "To the text", show=False, id="meeting.text"),
    ]
    DEFAULT_CSS = """
    MeetingScreen {
        #body { layout: vertical; }
        #briefing { height: 6; }
        &.-wide #body { layout: horizontal; }
        &.-wide #meeting { width: 3fr; }
        &.-wide #briefing { width: 2fr; height: 1fr; }
    }
    """
    WHAT = MEETINGS
    header = getters.query_one("#header", Lines)
    pane = getters.query_one("#meeting", ReadingPane)
    briefing = getters.query_one("#briefing", WindowList)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.occurrence = 0
        self._siblings: array[int] = array("q")
        self._trail = ""
        self.detail: MeetingDetail | None = None

    @classmethod
    def open(
        cls,
        app: App[Any],
        store: Store,
        occurrence: int,
        siblings: array[int] | None = None,
        trail: str = "",
    ) -> Self:
        """Show a meeting of a list; `trail` says what list that is."""
        screen = cls.show_one(app, store)
        screen.occurrence, screen._trail = occurrence, trail
        screen._siblings = siblings if siblings is not None else array("q", [occurrence])
        screen.restart()
        return screen

    def panes(self) -> Iterable[Widget]:
        yield Lines(id="header")
        with Container(id="body"):
            yield ReadingPane(id="meeting", mark=False)
            found: WindowList[ThreadRow] = WindowList(
                self._threads,
                rows.thread,
                title="Latest mail with them",
                nouns=("thread", "threads"),
                cursor_stays=False,
                id="briefing",
            )
            found.say_empty("No mail with them yet")
            yield found
        yield from super().panes()

    def _threads(self, ids: Sequence[int]) -> list[ThreadRow]:
        return threads.rows(self.store.read(), ids)

    # Reading

    def start(self) -> None:
        """Show a meeting as it is first seen: from its top."""
        self.put_away()
        self.detail = None
        self.links_of = []
        self.header.show()
        self.pane.show((), keep=False)
        self.briefing.show(array("q"), keep=False)
        self.reload()
        self.pane.focus()

    def put_away(self) -> None:
        self.close_panels()
        self.clear_hits()

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"meetings", "threads", "people", "companies", "opportunities"})

    def reload(self) -> None:
        read = partial(_read, self.store, self.occurrence)
        ask(self, read, partial(self._show, self.occurrence))

    def _show(self, wanted: int, found: tuple[MeetingDetail, array[int]] | None) -> None:
        if wanted != self.occurrence or not self.is_current:
            self._stale = True  # it came late, and is read again when the screen is seen again
            return
        if found is None:
            self.gone("This meeting is not there any more.")
            return
        kept = self.detail is not None
        self.detail, threads_of = found
        self.links_of = self.detail.links
        self.header.show(*self._header(self.detail))
        self.pane.show(sections(self.detail), kept)
        if not kept:
            self.pane.jump(0)
        self.briefing.show(threads_of, keep=kept)
        self.fill_panels()

    def _header(self, detail: MeetingDetail) -> Iterable[tuple[Piece, ...]]:
        trail = f"{self._trail} › " if self._trail else ""
        title: Piece = (titled(detail.row.title, detail.row.hidden), "title")
        yield ((trail, "muted"), title, (f"   {relative(detail.row)}", "accent"))
        shown = [link for link in detail.links if link.hand >= 0]
        names = [link.name for link in shown if link.kind == Kind.PERSON]
        names += [link.name for link in shown if link.kind != Kind.PERSON]
        hidden = len(detail.links) - len(shown)
        more = f"   hidden from {plural(hidden, 'record')}" if hidden else ""
        yield ((", ".join(names), "text"), (more, "muted"))

    # Panels

    @property
    def target(self) -> int:
        return self.detail.row.meeting_id if self.detail else 0

    def participant_rows(self) -> list[Row]:
        attendees = self.detail.attendees if self.detail else ()
        return [_participant(position, one) for position, one in enumerate(attendees)]

    def texts(self) -> Iterable[str]:
        if self.detail is not None:
            yield from (self.detail.row.link, self.detail.row.location, self.detail.description)

    @on(ReadingPane.Toggled)
    def _clicked(self, event: ReadingPane.Toggled) -> None:
        if event.target == "people":
            self.action_participants()

    # The link to join by

    def action_open_link(self) -> None:
        """Show the whole link of the meeting, to open it."""
        if link := self._link():
            self.whole_link.open(link)

    def action_copy_link(self) -> None:
        """Copy the link of the meeting."""
        if link := self._link():
            copy_link(self, link)

    def _link(self) -> Target | None:
        found = targets(self.detail.row.link) if self.detail else []
        if not found:
            self.notify("This meeting has no link to join by. U shows the links of its text.")
        return found[0] if found else None

    # Moving

    def action_onward(self, by: int) -> None:
        """Go to the next hit of a search, else to another time of the series."""
        if not self.next_hit(by):
            self.action_time(by)

    def action_time(self, by: int) -> None:
        """Show the series at another of its times."""
        if self.detail is not None:
            self._go(self.detail.times.ids, by, "No more times of this meeting.")

    def action_meeting(self, by: int) -> None:
        """Show the next or the previous meeting of the list."""
        self._go(self._siblings, by, "No more meetings in this list.")

    def _go(self, ids: array[int], by: int, end: str) -> None:
        position = ids.index(self.occurrence) + by if self.occurrence in ids else -1
        if 0 <= position < len(ids):
            self.occurrence = ids[position]
            self.start()
        else:
            self.notify(end, timeout=2, markup=False)

    def action_focus_briefing(self) -> None:
        """Give the keys to the threads."""
        self.briefing.focus()

    def action_focus_text(self) -> None:
        """Give the keys to the text."""
        self.pane.focus()

    @on(WindowList.Opened, "#briefing")
    def _open(self, event: WindowList.Opened) -> None:
        from crmmail.screens.thread import ThreadScreen

        title = self.detail.row.title if self.detail else ""
        ThreadScreen.open(self.app, self.store, event.row, self.briefing.ids, title)


def _read(store: Store, occurrence: int) -> tuple[MeetingDetail, array[int]] | None:
    """A meeting, and the threads that are worth reading before it."""
    db = store.read()
    detail = meeting_detail.get(db, occurrence)
    return (detail, meeting_detail.briefing(db, detail.row.meeting_id)) if detail else None


def _participant(position: int, one: AttendeeRow) -> Row:
    return Row(
        position,
        one.name if one.name != one.address else "",
        one.address,
        ", ".join(roles(one)),
        one.person_id,
        one.company,
        one.no_contact,
    )
