"""What a screen wants from the server: it asks the app, which knows the way to the network."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from crmmail.errors import CrmmailError
from crmmail.widgets.awaited import begin, end
from crmmail.widgets.lines import Lines
from crmmail.widgets.pieces import safe

PATIENCE = 1.0  # seconds until a line says what is waited for
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came from the server; `name` is safe for a file."""

    name: str
    data: bytes


@dataclass
class Wanted(Message):
    """Something that stayed on the server: an attachment, or without a position the raw message."""

    asker: Screen[Any]
    message_id: int
    position: int | None = None
    number: int = field(default_factory=lambda: next(_numbers))


@dataclass
class Arrived(Message):
    """The answer to what was wanted."""

    wanted: Wanted
    found: Fetched | CrmmailError


class Fetching(Lines):
    """Waits for one thing from the server, with a line that says so when it takes long."""

    DEFAULT_CSS = """
    Fetching { display: none; }
    Fetching.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="fetching")
        self._wanted: Wanted | None = None
        self._then: Callable[[Fetched], object] | None = None
        self._words = ""
        self._since = 0.0
        self._timer: Timer | None = None

    def fetch(
        self,
        message_id: int,
        position: int | None,
        words: str,
        then: Callable[[Fetched], object],
    ) -> None:
        """Ask for something; `then` gets it. What was waited for before is forgotten."""
        self.cancel()
        self._wanted = Wanted(self.screen, message_id, position)
        begin(self._wanted)
        self._then, self._words, self._since = then, safe(words), time.monotonic()
        self._timer = self.set_interval(PATIENCE, self._tell)
        self.screen.post_message(self._wanted)

    def _tell(self) -> None:
        seconds = round(time.monotonic() - self._since)
        waited = f"Fetching {self._words} from the server, {seconds} s"
        self.show(((waited, "accent"), ("   escape cancels", "muted")))
        self.add_class("-shown")

    def cancel(self) -> bool:
        """Wait no more; False when nothing was waited for."""
        waited = self._wanted is not None
        end(self._wanted)
        self._wanted = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.remove_class("-shown")
        return waited

    def take(self, event: Arrived) -> None:
        """Pass on what arrived, if it is still waited for, or say why it did not."""
        if self._wanted is None or event.wanted.number != self._wanted.number:
            return
        self.cancel()
        if isinstance(event.found, CrmmailError):
            problem = event.found
            said = safe(f"{self._words} could not be fetched. {problem} {problem.hint}".strip())
            self.notify(said, severity="error", timeout=10, markup=False)
        elif self._then is not None:
            self._then(event.found)
