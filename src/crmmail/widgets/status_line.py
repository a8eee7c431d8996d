"""The status line: what the sync of each account is doing, in words (S6)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from textual.strip import Strip
from textual.widget import Widget

from crmmail.store.accounts import StateRow
from crmmail.store.trouble import DamagedError, StoreError
from crmmail.widgets.painting import paint
from crmmail.widgets.pieces import Piece, safe, slice_pieces, wrap
from crmmail.widgets.words import compact, duration, plural

_SPAN = 15.0  # seconds that a rate is measured over
MOST_ROWS = 3  # for an error
KEYS = {
    "stopped": "f8 signs in again, ctrl+r tries again",
    "refused": "f8 signs in again",
    "asking": "f8 asks for the password",
    "untrusted": "f8 shows its certificate, ctrl+r tries now",
}
"""What to press where an account waits for its user, by its state."""
_BUSY = ("connecting", "importing", "checking", "applying", "wiping")


@dataclass(slots=True)
class Meter:
    """How fast an import goes, from what it said at different times."""

    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, at: float, done: int) -> None:
        """Take down how far it was at a time."""
        if self.samples and done < self.samples[-1][1]:
            self.samples.clear()
        if not self.samples or done > self.samples[-1][1]:
            self.samples.append((at, done))
        while len(self.samples) > 2 and self.samples[0][0] < at - _SPAN:
            self.samples.popleft()

    def rate(self, now: float) -> float:
        """Messages a second; 0 while it cannot be told."""
        if len(self.samples) < 2:
            return 0.0
        (start, before), (_, done) = self.samples[0], self.samples[-1]
        return (done - before) / max(now - start, 0.001)


def describe(state: StateRow, rate: float, now: float) -> Iterator[Piece]:
    """One account's sync in words, the weightiest first."""
    if state.error:
        yield f"✗ {state.email}  ", "bad"
        yield state.error, "text"
        if state.state not in ("stopped", "asking", *_BUSY) and state.next_try > now:
            yield f"  Next try in {duration(state.next_try - now)}.", "muted"
        elif state.state in _BUSY:
            yield "  Trying again.", "muted"
        if state.hint:
            yield f"  {state.hint}", "muted"
        if state.state in KEYS:
            yield f"  {KEYS[state.state]}", "accent"
        return
    if state.calendar_error and state.state not in _BUSY:
        yield f"✗ {state.email}  ", "bad"
        yield f"Calendars: {state.calendar_error}", "text"
        if state.calendar_hint:
            yield f"  {state.calendar_hint}", "muted"
        return
    yield "● ", "mark" if state.state in _BUSY else "good"
    yield f"{state.email}  ", "muted"
    yield from _doing(state, rate, now)


def _doing(state: StateRow, rate: float, now: float) -> Iterator[Piece]:
    if not state.has_mail:
        yield "calendars up to date" if state.calendar_success else "reading calendars", "text"
        if state.calendar_success:
            yield f"  last sync {compact(state.calendar_success)}", "muted"
        return
    if state.state == "importing":
        if not state.total:
            yield "importing", "text"
            return
        yield f"importing {state.done:,} of {state.total:,}", "text"
        if rate > 0:
            left = max(state.total - state.done, 0) / rate
            yield f"  {rate:,.0f}/s  {duration(left)} left", "muted"
        return
    if state.state == "applying" and state.total:
        yield f"applying changed settings, {state.done:,} of {state.total:,}", "text"
        return
    words = {
        "applying": "applying changed settings",
        "wiping": "wiping from the disk what was removed",
        "new": "not synced yet",
        "connecting": "connecting",
        "checking": "looking for new mail",
        "watching": "up to date, watching",
        "waiting": "up to date",
        "stopped": "stopped",
        "refused": "the sign-in did not work",
        "asking": "waiting for its password",
        "untrusted": "its certificate is not trusted",
    }
    yield words.get(state.state, state.state), "text"
    if state.last_success:
        yield f"  last sync {compact(state.last_success)}", "muted"
    if state.state == "waiting" and state.next_try > now:
        yield f"  next in {duration(state.next_try - now)}", "muted"


def of_store(problem: StoreError) -> Iterator[Piece]:
    """What is wrong with the store: nothing that is synced can be written to it."""
    if isinstance(problem, DamagedError):
        yield "✗ The store is damaged. The sync has stopped.", "bad"
        yield "  ctrl+r shows how to repair it", "accent"
        return
    yield "✗ The sync waits for the store.  ", "bad"
    yield str(problem), "text"
    yield f"  {problem.hint}", "muted"


def most_telling(states: Sequence[StateRow]) -> list[StateRow]:
    """The accounts by how much their state matters: trouble, then work, then rest."""
    return sorted(states, key=lambda s: (not _trouble(s), s.state not in _BUSY, s.email))


def _trouble(state: StateRow) -> str:
    return state.error or state.calendar_error


class StatusLine(Widget):
    """One line at the bottom of every screen; more where an error needs it."""

    DEFAULT_CSS = """
    StatusLine { height: auto; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._states: Sequence[StateRow] = ()
        self._trouble: StoreError | None = None
        self._meters: dict[int, Meter] = {}
        self._shown: list[Piece] = []
        self._rows = 1

    def warn(self, problem: StoreError | None) -> None:
        """Say what is wrong with the store, or with None how the accounts stand."""
        self._trouble = problem
        self.redraw()

    def show(self, states: Sequence[StateRow]) -> None:
        """Show how the accounts stand now."""
        now = time.time()
        self._states = most_telling(states)
        for state in states:
            meter = self._meters.setdefault(state.account_id, Meter())
            if state.state == "importing":
                meter.add(now, state.done)
            else:
                meter.samples.clear()
        self.redraw()

    def redraw(self) -> None:
        """Draw anew if the words have changed, as they do while time passes."""
        pieces = [(safe(text), role) for text, role in self.pieces()]
        if pieces != self._shown:
            self._shown = pieces
            self.refresh(layout=self._count_rows() != self._rows)

    def pieces(self) -> Iterator[Piece]:
        """What the line says."""
        now = time.time()
        if self._trouble is not None:
            yield from of_store(self._trouble)
            return
        if not self._states:
            yield "No account yet", "muted"
            return
        first, rest = self._states[0], self._states[1:]
        meter = self._meters.get(first.account_id, Meter())
        yield from describe(first, meter.rate(now), now)
        busy = [s for s in rest if _trouble(s) or s.state in _BUSY]
        if busy:
            yield f"   and {plural(len(busy), 'more account')} at work", "muted"
        elif rest:
            yield f"   {plural(len(rest), 'other account')} up to date", "muted"

    def get_content_height(self, container: object, viewport: object, width: int) -> int:  # noqa: ARG002
        self._rows = self._count_rows(width)
        return self._rows

    def render_line(self, y: int) -> Strip:
        width = self.content_region.width
        spans = self._spans(width)
        if y >= len(spans):  # the words have just become fewer, and the layout not yet
            return paint(self, (), width, self.rich_style)
        end = len(self._text) if y == self._rows - 1 else spans[y][1]  # the last row is cut
        return paint(self, slice_pieces(self._shown, spans[y][0], end), width, self.rich_style)

    @property
    def _text(self) -> str:
        return "".join(text for text, _ in self._shown)

    def _spans(self, width: int) -> list[tuple[int, int]]:
        return wrap(self._text, max(width, 1))

    def _count_rows(self, width: int = 0) -> int:
        """One line, but for an error, which is told in full as far as that goes."""
        if self._trouble is None and not (self._states and _trouble(self._states[0])):
            return 1
        return min(len(self._spans(width or self.content_region.width)), MOST_ROWS)
