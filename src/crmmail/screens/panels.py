"""The panels over a thread or a meeting: people, links, records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual import events, getters, on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens import links as linked
from crmmail.screens import participants as people
from crmmail.screens.finding import FindingScreen
from crmmail.screens.linking import Linked, RecordPicker, RecordsPanel, Row
from crmmail.screens.links import LinksPanel, WholeLink
from crmmail.screens.participants import ParticipantsPanel
from crmmail.store.database import Store
from crmmail.store.hands import Link
from crmmail.widgets.panel import Panel
from crmmail.widgets.prompt import Prompt
from crmmail.widgets.reading import ask


class PanelsScreen(FindingScreen):
    """A text, and panels over it for what it is about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "at",
            "participants",
            "People",
            tooltip="Everybody who takes part: open the record, make a contact",
            id="panels.people",
            key_display="@",
        ),
        Binding(
            "U",
            "links",
            "Links",
            tooltip="The links of the open text: where they go, open, copy",
            id="panels.links",
        ),
        Binding(
            "l",
            "link",
            "Link",
            tooltip="Put it on a person, a company or an opportunity",
            id="panels.link",
        ),
        Binding(
            "x",
            "records",
            "Records",
            tooltip="The records that it is on: hide it from one, unlink, open",
            show=False,
            id="panels.records",
        ),
    ]
    WHAT: ClassVar[Linked]
    """What the text is of, as it is put on records."""
    participants = getters.query_one(ParticipantsPanel)
    links = getters.query_one(LinksPanel)
    whole_link = getters.query_one(WholeLink)
    picker = getters.query_one(RecordPicker)
    records = getters.query_one(RecordsPanel)

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.links_of: list[Link] = []
        self._panel_turn = (
            0  # what was read for a panel that nobody waits for any more is not shown
        )

    def panes(self) -> Iterable[Widget]:
        yield ParticipantsPanel(self.store)
        yield LinksPanel()
        yield RecordsPanel(self.store, self.WHAT)
        yield RecordPicker(self.store, self.WHAT)
        yield WholeLink()
        yield Prompt()

    @property
    def target(self) -> int:
        """The thread or the meeting."""
        raise NotImplementedError

    def participant_rows(self) -> list[people.Row]:
        """Everybody who takes part; this is read in a thread."""
        raise NotImplementedError

    def texts(self) -> Iterable[str]:
        """What is read, to look for links in; in a thread, too."""
        raise NotImplementedError

    def close_panels(self) -> None:
        """Hide what is over the text."""
        self._panel_turn += 1
        for panel in self.query(Panel):
            panel.close(refocus=False)
        self.whole_link.close(refocus=False)
        self.prompt.close(refocus=False)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The keys are with the text again, by a click: panels go."""
        if event.widget is self.pane:
            self.close_panels()

    def fill_panels(self) -> None:
        """The store has changed: show it in the panel that is open."""
        if self.participants.is_open:
            ask(self, self.participant_rows, self.participants.fill)
        if self.records.is_open:
            self.records.fill(self._record_rows())

    def _record_rows(self) -> list[Row]:
        return [Row(position, link) for position, link in enumerate(self.links_of)]

    def action_participants(self) -> None:
        """Show everybody who takes part."""
        self.read_panel(self.participants, self.participant_rows)

    def action_links(self) -> None:
        """Show the links of the text."""
        self.read_panel(self.links, lambda: linked.links(self.texts()))

    def action_records(self) -> None:
        """Show the records that it is on."""
        self.records.target = self.target
        self.open_panel(self.records, self._record_rows())

    def read_panel(
        self,
        panel: Panel[Any],
        read: Callable[[], Sequence[Any]],
        then: Callable[[], object] | None = None,
    ) -> None:
        """Show a panel with what a thread reads for it, unless something else is shown by then."""
        self._panel_turn += 1
        turn = self._panel_turn

        def show(rows: Sequence[Any]) -> None:
            if turn == self._panel_turn and self.is_current:
                self.open_panel(panel, rows)
                if then is not None:
                    then()

        ask(self, read, show)

    def open_panel(self, panel: Panel[Any], rows: Sequence[Any]) -> None:
        """Show a panel over the text, and no other."""
        self.close_panels()
        panel.open(rows, self.pane)

    def action_link(self) -> None:
        """Put it on a record."""
        self.close_panels()
        self.picker.show_choices(self.target)
        title = "Name of a person, company or opportunity"
        self.prompt.ask("link", title, "enter links", behind=self.pane)

    @on(Prompt.Typed)
    def _type_record(self, event: Prompt.Typed) -> None:
        if event.purpose == "link":
            self.picker.look(event.value.strip())

    @on(Prompt.Moved)
    def _move_in_picker(self, event: Prompt.Moved) -> None:
        if event.purpose == "link":
            self.picker.action_move(event.by)

    @on(Prompt.Left)
    def _leave_picker(self, event: Prompt.Left) -> None:
        if event.purpose == "link":
            self.picker.close(refocus=False)

    @on(Prompt.Answered)
    def _link_it(self, event: Prompt.Answered) -> None:
        if event.purpose == "link":
            self.picker.link(event.value.strip())

    @on(Panel.Opened, "#picker")
    def _pick(self) -> None:
        self.prompt.close(refocus=False)
        self.picker.link_row()
        self.pane.focus()
