"""The command palette: what can be done here, whom one can go to, which colours there are."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen

from crmmail.screens.base import StoreScreen
from crmmail.screens.catalogue import CATALOGUES, Catalogue
from crmmail.screens.help import does, place
from crmmail.store import meeting_search, meetings, named
from crmmail.store.database import Store
from crmmail.store.meetings import OccurrenceRow
from crmmail.store.reading import Reading
from crmmail.widgets.occasion import when
from crmmail.widgets.pieces import safe
from crmmail.widgets.reading import ask

_FOUND = 6  # records of a kind
T = TypeVar("T")
_UNOFFERED = ("app.commands", "app.how_to_quit")


@dataclass
class ThemeChosen(Message):
    """The user wants other colours."""

    name: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be done now."""

    title: str
    keys: str
    run: Callable[[], Any]

    @property
    def plain(self) -> str:
        """The title with its keys, without style."""
        return f"{self.title}  {self.keys}"

    def shown(self, title: Content) -> Content:
        """The title, perhaps with marks on it, and the keys behind it."""
        return title.append(Content.styled(f"  {self.keys}", "dim"))


class Commands(Provider):
    """Whatever a key of the screen would do now."""

    async def discover(self) -> Hits:
        for offer in offers(self.screen):
            title = offer.shown(Content(offer.title))
            yield DiscoveryHit(title, offer.run, offer.plain)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for offer in offers(self.screen):
            if (score := matcher.match(offer.title)) > 0:
                marked = offer.shown(_marked(offer.title, query))
                yield Hit(score, marked, offer.run, offer.plain)


class GoTo(Provider):
    """People, companies, opportunities and meetings by name, as one types."""

    async def search(self, query: str) -> Hits:
        screen = self.screen
        if not isinstance(screen, StoreScreen):
            return
        matcher = self.matcher(query)
        found = await _read(screen, partial(_find, query))
        for rank, (how, entry, row) in enumerate(found):
            name = f"go to: {safe(row.name)}"
            marked = _marked(name, query).append(_beside(entry, row))
            exact = 1 if how == named.EXACT else 0  # before a meeting with that in its title
            score = max(matcher.match(name), 0.1) + exact - rank / 1_000
            go = partial(self._go, screen.store, entry, row.id)
            yield Hit(score, marked, go, marked.plain)

        for rank, meeting in enumerate(await _read(screen, partial(_meetings, query))):
            name = f"go to: {safe(meeting.title)}"
            beside = Content.styled(f"  meeting, {safe(when(meeting))}", "dim")
            marked = _marked(name, query).append(beside)
            score = max(matcher.match(name), 0.1) - rank / 1_000
            yield Hit(score, marked, partial(self._show, screen.store, meeting.id), marked.plain)

    def _show(self, store: Store, occurrence: int) -> None:
        from crmmail.screens.meeting import MeetingScreen

        MeetingScreen.open(self.app, store, occurrence)

    def _go(self, store: Store, entry: Catalogue, record: int) -> None:
        from crmmail.screens.record import RecordScreen

        RecordScreen.open(self.app, store, entry.kind, record)


class Themes(Provider):
    """The colours that there are; the choice is the app's to remember."""

    area = ""

    async def discover(self) -> Hits:
        for name in sorted(self.app.available_themes):
            yield DiscoveryHit(name, partial(self._choose, name))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name in sorted(self.app.available_themes):
            title = f"{self.area}{name}"
            if (score := matcher.match(title)) > 0:
                yield Hit(score, _marked(title, query), partial(self._choose, name), title)

    def _choose(self, name: str) -> None:
        self.app.post_message(ThemeChosen(name))


class ThemesByName(Themes):
    """The colours among all else, for those who know what they are called."""

    area = "theme: "

    async def discover(self) -> Hits:
        return
        yield


def offers(screen: Screen[Any]) -> list[Offer]:
    """What the keys of a screen and of the focus in it would do now, each once."""
    found: dict[str, tuple[DOMNode, Binding, list[str]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.id and binding.id not in _UNOFFERED:
            _, _, keys = found.setdefault(binding.id, (active.node, binding, []))
            keys.append(screen.app.get_key_display(binding))
    return [
        Offer(
            f"{_area(node)}: {does(binding)}",
            " ".join(keys),
            partial(screen.app.run_action, binding.action, node),
        )
        for node, binding, keys in sorted(found.values(), key=lambda one: not one[1].show)
    ]


def _marked(words: str, query: str) -> Content:
    """Words with what was typed underlined. Textual's own highlighter would read them as markup."""
    content, folded = Content(words), words.lower()
    for word in query.lower().split():
        if (at := folded.find(word)) >= 0 and len(folded) == len(words):
            content = content.stylize("underline", at, at + len(word))
    return content


def _area(node: DOMNode) -> str:
    return place(type(node)) if node.parent is not None else "app"


async def _read(screen: StoreScreen, read: Callable[[sqlite3.Connection], list[T]]) -> list[T]:
    """What is read of the store, beside what is shown; the next letter ends it."""
    reading = Reading()
    answer: asyncio.Future[list[T]] = asyncio.get_running_loop().create_future()

    def work() -> list[T] | None:
        db = screen.store.read()
        return reading.run(db, partial(read, db))

    def then(found: list[T] | None) -> None:
        if not answer.done():
            answer.set_result(found or [])

    def failed(problem: BaseException) -> None:
        screen.unreadable(problem)
        then(None)

    ask(screen, work, then, beside=True, failed=failed)
    try:
        return await answer
    finally:
        reading.end()


def _find(query: str, db: sqlite3.Connection) -> list[tuple[int, Catalogue, Any]]:
    """The records that match, each with how it is named (crmmail.store.named): the best first."""
    found: list[tuple[int, Catalogue, Any]] = []
    for entry in CATALOGUES:
        ids = entry.view(db, match=query, limit=_FOUND)
        ranks = named.ranked(db, entry.kind, query, ids, _FOUND)
        found += [(ranks[row.id], entry, row) for row in entry.rows(db, list(ranks))]
    return sorted(found, key=lambda one: one[0])


def _meetings(query: str, db: sqlite3.Connection) -> list[OccurrenceRow]:
    return meetings.rows(db, meeting_search.by_title(db, query, _FOUND, time.time()))


def _beside(entry: Catalogue, row: Any) -> Content:
    """What tells records of the same name apart."""
    more = (getattr(row, "company", ""), getattr(row, "address", ""))
    words = ", ".join((entry.nouns[0], *filter(None, more)))
    return Content.styled(f"  {safe(words)}", "dim")
