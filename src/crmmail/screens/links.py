"""The links of a message: what they say, where they go; opened only when that was seen whole."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from crmmail.screens.clipboard import copy
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit, safe
from crmmail.widgets.reading_pane import Line, ReadingPane, Section
from crmmail.widgets.targets import Target, targets
from crmmail.widgets.window_list import WindowList


@dataclass(frozen=True, slots=True)
class Row:
    """A link and its number."""

    id: int
    target: Target


def links(texts: Iterable[str]) -> list[Row]:
    """The links of some texts."""
    found = dict.fromkeys(target for text in texts for target in targets(text))
    return [Row(number, target) for number, target in enumerate(found)]


def url_pieces(target: Target) -> tuple[Piece, ...]:
    """A target, with what somebody had to register for it highlighted."""
    start = target.url.find(":") + 1
    ends = [at for mark in "/?#" if (at := target.url.find(mark, start + 2)) >= 0]
    at = target.url.rfind(target.domain, start, min(ends, default=len(target.url)))
    if at < 0 or not target.domain:
        return ((target.url, "text"),)
    end = at + len(target.domain)
    return ((target.url[:at], "muted"), (target.domain, "title"), (target.url[end:], "muted"))


def draw(row: Row, width: int) -> Iterator[Piece]:
    """A link on one line."""
    target = row.target
    yield f"{row.id + 1:>3} ", "muted"
    yield ("! ", "bad") if target.warnings else ("  ", "text")
    if target.label:
        label = target.label
        yield (label if len(label) < width // 2 else fit(label, width // 2)), "text"
        yield " → ", "muted"
    yield from url_pieces(target)


class LinksPanel(Panel[Row]):
    """The links of the open text."""

    BINDING_GROUP_TITLE = "Links"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "Open",
            tooltip="Show the whole link, then open it in the browser",
            id="links.open",
        ),
        Binding("y", "copy", "Copy", tooltip="Copy the link to the clipboard", id="links.copy"),
    ]

    def __init__(self) -> None:
        super().__init__(
            draw,
            title="Links",
            nouns=("link", "links"),
            empty="There is no link in the open text.",
            id="links",
        )

    @on(WindowList.Opened)
    def _confirm(self, event: WindowList.Opened) -> None:
        event.stop()
        if self.row is not None:
            self.screen.query_one(WholeLink).open(self.row.target)

    def action_copy(self) -> None:
        """Copy the link to the clipboard."""
        if self.row is not None:
            copy_link(self, self.row.target)


class WholeLink(ReadingPane):
    """One link in full, before it is opened."""

    BINDING_GROUP_TITLE = "Link"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "Open", tooltip="Open the link in the browser", id="link.go"),
        Binding("y", "copy", "Copy", tooltip="Copy the link to the clipboard", id="link.copy"),
        Binding("escape,q", "close", "Close", tooltip="Do not open the link", id="link.close"),
    ]
    DEFAULT_CSS = """
    WholeLink {
        layer: panels;
        dock: bottom;
        display: none;
        max-height: 80%;
        margin: 0 0 2 0;
        background: $surface;
        border-title-background: $surface;
        &.-open { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="link", mark=False)
        self._target: Target | None = None
        self._behind: Widget | None = None

    def open(self, target: Target) -> None:
        """Show a link, and ask."""
        self._target = target
        self._behind = self.screen.focused
        lines = [Line(url_pieces(target)), Line()]
        if target.label:
            lines.insert(0, Line((("It says: ", "muted"), (target.label, "text"))))
        lines += [Line((("! " + warning, "bad"),), hang="  ") for warning in target.warnings]
        if target.refused:
            lines.append(Line((("y copies it, escape goes back", "muted"),)))
        elif target.whole:
            lines.append(Line((("enter opens it, y copies it, escape goes back", "muted"),)))
        else:
            words = "The link was too long to be kept whole: R shows the message as it was sent."
            lines.append(Line(((words, "bad"),)))
        self.label("Open this link?" if target.whole and not target.refused else "Link")
        self.add_class("-open")
        self.styles.height = (
            6 + len(lines) + len(target.url) // max(self.screen.size.width - 12, 20)
        )
        self.show([Section(0, tuple(lines))], keep=False)
        self.jump(0)
        self.focus()

    def close(self, refocus: bool = True) -> None:
        """Hide the link; the keys go back to where they were."""
        if self.has_class("-open"):
            self.remove_class("-open")
            if refocus and self._behind is not None:
                self._behind.focus()

    def action_close(self) -> None:
        """Do not open the link."""
        self.close()

    def action_copy(self) -> None:
        """Copy the link to the clipboard."""
        if self._target is not None:
            copy_link(self, self._target)

    def action_go(self) -> None:
        """Open the link in the browser."""
        target = self._target
        if target is None or not target.whole:
            return
        if target.refused:
            self.notify(target.refused, severity="warning", markup=False)
            return
        if not has_browser():
            self.notify("There is no browser here to open it with: y copies it.", markup=False)
            return
        self.close()
        self.app.open_url(target.url)
        self.notify(f"Opening {safe(target.url)}", markup=False)


def copy_link(widget: Widget, target: Target) -> None:
    """Copy a link, and say where to."""
    copy(widget, target.url)


def has_browser() -> bool:
    """Whether links open in a window: a browser in the terminal would write over the app."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(found) is not webbrowser.GenericBrowser
